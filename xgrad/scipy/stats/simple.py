"""Distributions whose functions are elementary: expon, weibull_min, logistic, uniform, laplace and cauchy."""

from __future__ import annotations

import math

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.scipy.stats.family import Continuous, log1mexp

_EULER = 0.57721566490153286


class Expon(Continuous):
    """The exponential distribution with the mean `scale`.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import expon
    >>> expon.logsf(xg.asarray(3000.0), scale=2.0).item()
    -1500.0

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.expon.html
    """

    name = "expon"
    low, inside = 0.0, 1.0

    def _logpdf(self, x: Tensor) -> Tensor:
        return -x

    def _cdf(self, x: Tensor) -> Tensor:
        return -xg.expm1(-x)

    def _sf(self, x: Tensor) -> Tensor:
        return xg.exp(-x)

    def _logcdf(self, x: Tensor) -> Tensor:
        return log1mexp(x)

    def _logsf(self, x: Tensor) -> Tensor:
        return -x

    def _ppf(self, q: Tensor) -> Tensor:
        return -xg.log1p(-q)

    def _isf(self, q: Tensor) -> Tensor:
        return -xg.log(q)

    def _mean(self) -> float:
        return 1.0

    def _var(self) -> float:
        return 1.0

    def _entropy(self) -> float:
        return 1.0


class WeibullMin(Continuous):
    """The Weibull distribution with the shape `c`: that of e**(1 / c), where e is exponentially distributed.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import weibull_min
    >>> c = xg.asarray(2.0)
    >>> weibull_min.logsf(3.0, c).item(), round(xg.grad(weibull_min.logsf, argnums=1)(3.0, c).item(), 4)
    (-9.0, -9.8875)

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.weibull_min.html
    """

    name = "weibull_min"
    shapes = ("c",)
    low, inside = 0.0, 1.0

    def _pdf(self, x: Tensor, c: Tensor) -> Tensor:
        return c * x ** (c - 1) * xg.exp(-(x**c))

    def _logpdf(self, x: Tensor, c: Tensor) -> Tensor:
        return xg.log(c) + xg.special.xlogy(c - 1, x) - x**c

    def _cdf(self, x: Tensor, c: Tensor) -> Tensor:
        return -xg.expm1(-(x**c))

    def _sf(self, x: Tensor, c: Tensor) -> Tensor:
        return xg.exp(-(x**c))

    def _logcdf(self, x: Tensor, c: Tensor) -> Tensor:
        """For small x, log(x**c) and what is left of it, because x**c may underflow."""
        log_u = c * xg.log(x)
        tiny = log_u < -30
        return xg.where(tiny, log_u, log1mexp(xg.exp(xg.where(tiny, 0.0, log_u))))

    def _logsf(self, x: Tensor, c: Tensor) -> Tensor:
        return -(x**c)

    def _ppf(self, q: Tensor, c: Tensor) -> Tensor:
        return (-xg.log1p(-q)) ** (1 / c)

    def _isf(self, q: Tensor, c: Tensor) -> Tensor:
        return (-xg.log(q)) ** (1 / c)

    def _mean(self, c: Tensor) -> Tensor:
        return xg.special.gamma(1 + 1 / c)

    def _var(self, c: Tensor) -> Tensor:
        return xg.special.gamma(1 + 2 / c) - xg.special.gamma(1 + 1 / c) ** 2

    def _entropy(self, c: Tensor) -> Tensor:
        return _EULER * (1 - 1 / c) - xg.log(c) + 1


class Logistic(Continuous):
    """The logistic distribution.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import logistic
    >>> logistic.logcdf(xg.asarray(-1000.0)).item()
    -1000.0

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.logistic.html
    """

    name = "logistic"

    def _logpdf(self, x: Tensor) -> Tensor:
        return xg.special.log_expit(x) + xg.special.log_expit(-x)

    def _cdf(self, x: Tensor) -> Tensor:
        return xg.special.expit(x)

    def _sf(self, x: Tensor) -> Tensor:
        return xg.special.expit(-x)

    def _logcdf(self, x: Tensor) -> Tensor:
        return xg.special.log_expit(x)

    def _logsf(self, x: Tensor) -> Tensor:
        return xg.special.log_expit(-x)

    def _ppf(self, q: Tensor) -> Tensor:
        return xg.special.logit(q)

    def _isf(self, q: Tensor) -> Tensor:
        return -xg.special.logit(q)

    def _mean(self) -> float:
        return 0.0

    def _var(self) -> float:
        return math.pi**2 / 3

    def _entropy(self) -> float:
        return 2.0


class Uniform(Continuous):
    """The uniform distribution from `loc` to `loc + scale`.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import uniform
    >>> uniform.cdf(xg.asarray([-1.0, 1.0, 3.0]), 0.0, 2.0).numpy().tolist()
    [0.0, 0.5, 1.0]

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.uniform.html
    """

    name = "uniform"
    low, high, inside = 0.0, 1.0, 0.5

    def _logpdf(self, x: Tensor) -> Tensor:
        return 0.0 * x

    def _cdf(self, x: Tensor) -> Tensor:
        return xg.positive(x)

    def _sf(self, x: Tensor) -> Tensor:
        return 1 - x

    def _logcdf(self, x: Tensor) -> Tensor:
        return xg.log(x)

    def _logsf(self, x: Tensor) -> Tensor:
        return xg.log1p(-x)

    def _ppf(self, q: Tensor) -> Tensor:
        return xg.positive(q)

    def _isf(self, q: Tensor) -> Tensor:
        return 1 - q

    def _mean(self) -> float:
        return 0.5

    def _var(self) -> float:
        return 1 / 12

    def _entropy(self) -> float:
        return 0.0


class Laplace(Continuous):
    """The Laplace distribution: the exponential distribution on both sides of `loc`. The gradient at `loc` is 0.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import laplace
    >>> round(laplace.logcdf(xg.asarray(-1000.0)).item(), 4)
    -1000.6931

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.laplace.html
    """

    name = "laplace"

    def _logpdf(self, x: Tensor) -> Tensor:
        return -xg.abs(x) - math.log(2)

    def _cdf(self, x: Tensor) -> Tensor:
        tail = 0.5 * xg.exp(-xg.abs(x))
        return xg.where(x > 0, 1 - tail, 0.5 * xg.exp(xg.where(x > 0, 0.0, x)))

    def _sf(self, x: Tensor) -> Tensor:
        return self._cdf(-x)

    def _logcdf(self, x: Tensor) -> Tensor:
        right = x > 0
        above = xg.log1p(-0.5 * xg.exp(-xg.where(right, x, 0.0)))
        return xg.where(right, above, xg.where(right, 0.0, x) - math.log(2))

    def _logsf(self, x: Tensor) -> Tensor:
        return self._logcdf(-x)

    def _ppf(self, q: Tensor) -> Tensor:
        high = q > 0.5
        return xg.where(high, -xg.log(2 - 2 * xg.where(high, q, 0.5)), xg.log(2 * xg.where(high, 0.5, q)))

    def _isf(self, q: Tensor) -> Tensor:
        return -self._ppf(q)

    def _mean(self) -> float:
        return 0.0

    def _var(self) -> float:
        return 2.0

    def _entropy(self) -> float:
        return math.log(2) + 1


class Cauchy(Continuous):
    """The Cauchy distribution, which has no mean.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import cauchy
    >>> round(cauchy.cdf(xg.asarray(1.0)).item(), 4)
    0.75

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.cauchy.html
    """

    name = "cauchy"

    def _pdf(self, x: Tensor) -> Tensor:
        return 1 / (math.pi * (1 + x * x))

    def _logpdf(self, x: Tensor) -> Tensor:
        return -math.log(math.pi) - xg.log1p(x * x)

    def _cdf(self, x: Tensor) -> Tensor:
        one = xg.ones((), dtype=x.dtype)
        return xg.atan2(one, -x) / math.pi

    def _sf(self, x: Tensor) -> Tensor:
        return self._cdf(-x)

    def _logcdf(self, x: Tensor) -> Tensor:
        right = x > 0
        below = xg.log(self._cdf(xg.where(right, 0.0, x)))
        return xg.where(right, xg.log1p(-self._cdf(-xg.where(right, x, 0.0))), below)

    def _logsf(self, x: Tensor) -> Tensor:
        return self._logcdf(-x)

    def _ppf(self, q: Tensor) -> Tensor:
        """From the tail, which is accurate for small q; at the ends -inf and inf."""
        end = (q == 0) | (q == 1)
        tail = xg.where(q > 0.5, 1 - q, q)
        found = 1 / xg.tan(math.pi * xg.where(end, 0.5, tail))
        low, high = (xg.full((), each, dtype=q.dtype) for each in (-math.inf, math.inf))
        return xg.where(end, xg.where(q == 0, low, high), xg.where(q > 0.5, found, -found))

    def _isf(self, q: Tensor) -> Tensor:
        return -self._ppf(q)

    def _mean(self) -> float:
        return math.nan

    def _var(self) -> float:
        return math.nan

    def _entropy(self) -> float:
        return math.log(4 * math.pi)


expon, weibull_min, logistic = Expon(), WeibullMin(), Logistic()
uniform, laplace, cauchy = Uniform(), Laplace(), Cauchy()
