"""Inverses of the incomplete gamma and beta functions, for libraries that lack them: on raw arrays, by Newton's method.

The logarithm of either tail is a concave function of the quantile's logarithm, or of its logit for the beta function. Newton's
method from the quantile of a normal distribution with the same mean and variance goes beyond the solution at most once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.backends.beta import in_double
from xgrad.backends.beta_slope import is_low, log_ratio
from xgrad.backends.elementary import silent
from xgrad.backends.log_tails import log_beta_kernel, log_gamma_kernel

STEPS = 12


class Quantiles:
    """`gammaincinv`, `gammainccinv`, `betaincinv` and `betainccinv`, made of the other special functions."""

    xp: Any
    _double: Callable[[Any], Any]
    ndtri: Any
    digamma: Any
    gammaln: Any
    polygamma: Any
    gammaincln: Any
    gammainccln: Any
    silently: Any

    @silent
    @in_double
    def gammaincinv(self, a: Any, p: Any) -> Any:
        return self._gamma_quantile(a, p, 1 - p, p <= 0.5)

    @silent
    @in_double
    def gammainccinv(self, a: Any, q: Any) -> Any:
        return self._gamma_quantile(a, 1 - q, q, q > 0.5)

    @silent
    @in_double
    def betaincinv(self, a: Any, b: Any, p: Any) -> Any:
        return self._beta_quantile(a, b, p, 1 - p, p <= 0.5)

    @silent
    @in_double
    def betainccinv(self, a: Any, b: Any, q: Any) -> Any:
        return self._beta_quantile(a, b, 1 - q, q, q > 0.5)

    def _gamma_quantile(self, a: Any, p: Any, q: Any, low: Any) -> Any:
        xp = self.xp
        one, usual = xp.ones((), dtype=p.dtype), (a > 0) & (a < math.inf) & (p > 0) & (q > 0) & (p + q < 1.5)
        shape, level = xp.where(usual, a, one), xp.where(usual, xp.where(low, p, q), one / 2)
        target, z = xp.log(level), self.ndtri(level)
        t = self.digamma(shape) + xp.where(low, z, -z) * xp.sqrt(self.polygamma(1, shape))
        # Bounds that the quantile keeps: from P <= x**a / gamma(a + 1), and from the tail of a sub-gamma variable.
        bottom, top = (target + self.gammaln(shape + 1)) / shape, shape - target + xp.sqrt(-2 * shape * target)
        t = xp.where(low, xp.where(t < bottom, bottom, t), xp.where(xp.exp(t) > top, xp.log(top), t))
        for _ in range(STEPS):
            x = xp.exp(t)
            found = xp.where(low, self.gammaincln(shape, x), self.gammainccln(shape, x))
            step = (target - found) * xp.exp(found - log_gamma_kernel(xp, shape, x))
            t = xp.where(low, t + step, t - step)
            t = xp.where(t < self._least(t), self._least(t), t)
        return self._with_ends(usual, xp.exp(t), a > 0, p, q, math.inf)

    def _beta_quantile(self, a: Any, b: Any, p: Any, q: Any, low: Any) -> Any:
        """For the upper tail a and b are exchanged, and the logit has the other sign."""
        xp = self.xp
        one = xp.ones((), dtype=p.dtype)
        usual = (a > 0) & (b > 0) & (a < math.inf) & (b < math.inf) & (p > 0) & (q > 0) & (p + q < 1.5)
        level = xp.where(usual, xp.where(low, p, q), one / 2)
        first, second = xp.where(usual, xp.where(low, a, b), one), xp.where(usual, xp.where(low, b, a), one)
        target = xp.log(level)
        spread = xp.sqrt(self.polygamma(1, first) + self.polygamma(1, second))
        t = self.digamma(first) - self.digamma(second) + self.ndtri(level) * spread
        for _ in range(STEPS):
            found, kernel = self._log_below(first, second, t)
            t = t + (target - found) * xp.exp(found - kernel)
            t = xp.where(t < self._least(t), self._least(t), t)
        return self._with_ends(usual, xp.sigmoid(xp.where(low, t, -t)), (a > 0) & (b > 0), p, q, 1.0)

    def _log_below(self, a: Any, b: Any, t: Any) -> tuple[Any, Any]:
        """The logarithms of betainc at the logit t and of its derivative by t, both from one integral."""
        xp = self.xp
        low = is_low(xp, a, b, t)
        p, q, u = xp.where(low, a, b), xp.where(low, b, a), xp.where(low, t, -t)
        kernel = log_beta_kernel(xp, p, q, xp.sigmoid(u), xp.sigmoid(-u))
        part = kernel + log_ratio(xp, p, q, u)
        return xp.where(low, part, xp.log1p(-xp.exp(part))), kernel

    def _least(self, t: Any) -> Any:
        """The logarithm of the smallest normal number: a quantile below it is that."""
        return self.xp.log(self.xp.asarray(self.xp.finfo(t.dtype).smallest_normal, dtype=t.dtype))

    def _with_ends(self, usual: Any, found: Any, known: Any, p: Any, q: Any, top: float) -> Any:
        """The quantiles found, and the ends of the support at the levels 0 and 1."""
        xp = self.xp
        nan, zero, last = (xp.full((), value, dtype=p.dtype) for value in (math.nan, 0.0, top))
        at_end = xp.where(p == 0, zero, xp.where(q == 0, last, nan))
        return xp.where(usual, found, xp.where(known, at_end, nan))
