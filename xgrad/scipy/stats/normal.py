"""The normal and the lognormal distribution."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.scipy.stats.family import Continuous

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


class Norm(Continuous):
    """The normal distribution with mean `loc` and standard deviation `scale`.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import norm
    >>> round(norm.logsf(xg.asarray(50.0)).item(), 4)
    -1254.8314
    >>> round(xg.grad(norm.ppf, argnums=2)(0.975, 0.0, xg.asarray(1.0)).item(), 4)
    1.96

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.norm.html
    """

    name = "norm"

    def _logpdf(self, x: Tensor) -> Tensor:
        return -0.5 * x * x - _HALF_LOG_2_PI

    def _cdf(self, x: Tensor) -> Tensor:
        return xg.special.ndtr(x)

    def _sf(self, x: Tensor) -> Tensor:
        return xg.special.ndtr(-x)

    def _logcdf(self, x: Tensor) -> Tensor:
        return xg.special.log_ndtr(x)

    def _logsf(self, x: Tensor) -> Tensor:
        return xg.special.log_ndtr(-x)

    def _ppf(self, q: Tensor) -> Tensor:
        return xg.special.ndtri(q)

    def _isf(self, q: Tensor) -> Tensor:
        return -xg.special.ndtri(q)

    def _mean(self) -> float:
        return 0.0

    def _var(self) -> float:
        return 1.0

    def _entropy(self) -> float:
        return _HALF_LOG_2_PI + 0.5


class LogNorm(Continuous):
    """The lognormal distribution: that of exp(s * z) * scale + loc, where z has the standard normal distribution.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import lognorm
    >>> round(lognorm.cdf(xg.asarray(2.0), 0.5, scale=2.0).item(), 4)
    0.5

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.lognorm.html
    """

    name = "lognorm"
    shapes = ("s",)
    low, inside, open_ends = 0.0, 1.0, True

    def _logpdf(self, x: Tensor, s: Tensor) -> Tensor:
        log_x = xg.log(x)
        return -0.5 * (log_x / s) ** 2 - xg.log(s) - log_x - _HALF_LOG_2_PI

    def _on_line(self, function: Any, x: Tensor, s: Tensor, sign: float = 1.0) -> Tensor:
        """A function of the normal distribution at log(x) / s. At 0 that is -inf, with the derivative 0."""
        zero = x == 0
        found: Tensor = function(sign * xg.log(xg.where(zero, 1.0, x)) / s)
        return xg.where(zero, 0.0 if sign > 0 else 1.0, found)

    def _cdf(self, x: Tensor, s: Tensor) -> Tensor:
        return self._on_line(xg.special.ndtr, x, s)

    def _sf(self, x: Tensor, s: Tensor) -> Tensor:
        return self._on_line(xg.special.ndtr, x, s, -1.0)

    def _logcdf(self, x: Tensor, s: Tensor) -> Tensor:
        return xg.special.log_ndtr(xg.log(x) / s)

    def _logsf(self, x: Tensor, s: Tensor) -> Tensor:
        return xg.where(x == 0, 0.0, xg.special.log_ndtr(-xg.log(xg.where(x == 0, 1.0, x)) / s))

    def _ppf(self, q: Tensor, s: Tensor) -> Tensor:
        return self._from_line(xg.special.ndtri, q, s)

    def _isf(self, q: Tensor, s: Tensor) -> Tensor:
        return self._from_line(lambda q: -xg.special.ndtri(q), q, s)

    def _from_line(self, function: Any, q: Tensor, s: Tensor) -> Tensor:
        """The exponential of a quantile of the normal distribution. At the levels 0 and 1 it does not depend on s."""
        end = (q == 0) | (q == 1)
        at_end = xg.exp(function(xg.where(end, q, 0.5).detach()))
        return xg.where(end, at_end, xg.exp(s * function(xg.where(end, 0.5, q))))

    def _mean(self, s: Tensor) -> Tensor:
        return xg.exp(0.5 * s * s)

    def _var(self, s: Tensor) -> Tensor:
        return xg.expm1(s * s) * xg.exp(s * s)

    def _entropy(self, s: Tensor) -> Tensor:
        return xg.log(s) + (_HALF_LOG_2_PI + 0.5)


norm, lognorm = Norm(), LogNorm()
