"""Logarithms of the incomplete gamma and beta functions, on raw arrays, also where the functions underflow.

There, a function is its derivative, whose logarithm is known, times a ratio, which is the integral that gamma_slope.py and
beta_slope.py describe, without its last factor.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from xgrad.backends import beta_slope, gamma_slope
from xgrad.backends.beta import in_double, stirling
from xgrad.backends.elementary import Elementary, linear_minus_log1p, silent


def log_gamma_kernel(xp: Any, a: Any, x: Any) -> Any:
    """log(x**a * exp(-x) / gamma(a)) for positive numbers, without cancellation near the mean of the gamma distribution."""
    near = (a >= 10) & (x > 0.6 * a) & (x < 1.7 * a)
    one = xp.ones((), dtype=x.dtype)
    mean = xp.where(near, a, 10 * one)
    d = (xp.where(near, x, mean) - mean) / mean
    close = 0.5 * xp.log(mean / (2 * math.pi)) - mean * linear_minus_log1p(d) - stirling(mean)
    return xp.where(near, close, a * xp.log(x) - x - xp.special.gammaln(a))


def log_beta_kernel(xp: Any, a: Any, b: Any, x: Any, rest: Any, less: int = 0) -> Any:
    """log(x**(a - less) * rest**(b - less) / beta(a, b)), where rest is 1 - x, in the same way: all are above 0."""
    one = xp.ones((), dtype=x.dtype)
    away = b * x - a * rest
    near = (a >= 10) & (b >= 10) & (xp.abs(away) < 0.4 * a) & (xp.abs(away) < 0.4 * b)
    p, q, d = xp.where(near, a, 10 * one), xp.where(near, b, 10 * one), xp.where(near, away, 0 * one)
    total = p + q
    close = (
        0.5 * xp.log(p / total * q / (2 * math.pi))
        + (stirling(total) - stirling(p) - stirling(q))
        - (p * linear_minus_log1p(d / p) + q * linear_minus_log1p(-d / q))
    )
    t, u = xp.where(near, one / 2, x), xp.where(near, one / 2, rest)
    log_t = xp.where(t < 0.5, xp.log(t), xp.log1p(-xp.where(t < 0.5, 0 * one, u)))
    log_u = xp.where(u < 0.5, xp.log(u), xp.log1p(-xp.where(u < 0.5, 0 * one, t)))
    apart = (a - less) * log_t + (b - less) * log_u - xp.special.betaln(a, b)
    return xp.where(near, close - less * xp.log(x * rest) if less else close, apart)


class LogTails(Elementary):
    """`gammaincln`, `gammainccln`, `betaincln` and `betainccln`, made of the library's own functions, in double precision."""

    gammainc: Any
    gammaincc: Any
    betainc: Any
    betaincinv: Any
    digamma: Any
    has_tails: ClassVar[bool] = True  # whether these have all digits as long as they do not underflow

    @in_double
    def betaincc(self, a: Any, b: Any, x: Any) -> Any:
        """From betainc at 1 - x, or 1 minus betainc where x is so small that 1 - x has lost its digits."""
        xp = self.xp
        small = x < 1e-3
        usual = self.betainc(b, a, 1 - xp.where(small, xp.ones((), dtype=x.dtype), x))
        return xp.where(small, 1 - self.betainc(a, b, x), usual)

    @silent
    @in_double
    def stdtr(self, df: Any, x: Any) -> Any:
        """Student's t distribution function: from the part that the incomplete beta function has above or below a square."""
        xp = self.xp
        one = xp.ones((), dtype=x.dtype)
        far = (x * x > df) | (x * x > 4)
        below = 0.5 * self.betainc(0.5 * df, 0.5 * one, df / (df + x * x))
        middle = 0.5 * self.betainc(0.5 * one, 0.5 * df, xp.where(far, 0.5 * one, x * x / (df + x * x)))
        found = xp.where(far, xp.where(x < 0, below, 1 - below), xp.where(x < 0, 0.5 - middle, 0.5 + middle))
        infinite = xp.where(x < 0, 0 * one, one)
        found = xp.where(xp.isinf(x), infinite, found)
        return xp.where(df > 0, found, math.nan * one)

    @silent
    @in_double
    def stdtrit(self, df: Any, p: Any) -> Any:
        """From the quantile of the square, or of 1 minus it, of which the smaller one has all digits."""
        xp = self.xp
        one = xp.ones((), dtype=p.dtype)
        tail = 2 * xp.where(p < 0.5, p, 1 - p)
        near = tail > 0.5
        a, b = xp.where(near, 0.5 * one, 0.5 * df), xp.where(near, 0.5 * df, 0.5 * one)
        z = self.betaincinv(a, b, xp.where(near, 1 - tail, tail))
        size = xp.sqrt(df * xp.where(near, z / (1 - z), (1 - z) / z))
        return xp.where(df > 0, xp.where(p < 0.5, -size, size), math.nan * one)

    @silent
    @in_double
    def gammaincln(self, a: Any, x: Any) -> Any:
        xp = self.xp
        below, above = self.gammainc(a, x), self.gammaincc(a, x)
        inside = (a > 0) & (x > 0) & (a < math.inf) & (xp.log(x) < self.digamma(a + 1))
        tail, a, x = self._tail(below, inside, a, x)
        x = xp.where(tail, x, a / 2)
        length = gamma_slope.length(xp, a, x, xp.full((), True, dtype=xp.bool))
        moment = gamma_slope.moments(xp, a + 1, x, -length, 1)[0] * length
        known = log_gamma_kernel(xp, a, x) + xp.log1p(x * moment) - xp.log(a)
        return xp.where(tail, known, _log_of(xp, below, above))

    @silent
    @in_double
    def gammainccln(self, a: Any, x: Any) -> Any:
        xp = self.xp
        below, above = self.gammainc(a, x), self.gammaincc(a, x)
        inside = (a > 0) & (x < math.inf) & (xp.log(x) > self.digamma(a)) & (x > 0.05)
        tail, a, x = self._tail(above, inside, a, x)
        x = xp.where(tail, x, a * 2)
        length = gamma_slope.length(xp, a, x, xp.full((), False, dtype=xp.bool))
        moment = gamma_slope.moments(xp, a, x, length, 1, beta_slope.NODES)[0] * length
        return xp.where(tail, log_gamma_kernel(xp, a, x) + xp.log(moment), _log_of(xp, above, below))

    @silent
    @in_double
    def betaincln(self, a: Any, b: Any, x: Any) -> Any:
        return self._log_of_beta(a, b, x, 1 - x, self.betainc(a, b, x), self.betaincc(a, b, x))

    @silent
    @in_double
    def betainccln(self, a: Any, b: Any, x: Any) -> Any:
        return self._log_of_beta(b, a, 1 - x, x, self.betaincc(a, b, x), self.betainc(a, b, x))

    def _tail(self, value: Any, inside: Any, *args: Any) -> tuple[Any, ...]:
        """Where the value is too small to have its digits, and the arguments, with 1 in place of all others."""
        xp = self.xp
        few = float(xp.finfo(value.dtype).smallest_normal) ** 0.7 if self.has_tails else math.inf
        tail, one = (value < few) & inside, xp.ones((), dtype=value.dtype)
        return tail, *(xp.where(tail, arg, one) for arg in args)

    def _log_of_beta(self, a: Any, b: Any, x: Any, rest: Any, below: Any, above: Any) -> Any:
        """The logarithm of `below`, the part on the left of x. `above` is 1 minus it, and `rest` is 1 - x."""
        xp = self.xp
        inside = (a > 0) & (b > 0) & (x > 0) & (rest > 0) & (a < math.inf) & (b < math.inf)
        safe_a, safe_b, half = (xp.where(inside, v, 0.5 * xp.ones((), dtype=x.dtype)) for v in (a, b, x))
        inside = inside & beta_slope.is_low(xp, safe_a, safe_b, xp.log(half) - xp.log1p(-half))
        tail, a, b, x, rest = self._tail(below, inside, a, b, x, rest)
        x, rest = (xp.where(tail, value, 0.5 * xp.ones((), dtype=x.dtype)) for value in (x, rest))
        log_x = xp.where(x < 0.5, xp.log(x), xp.log1p(-rest))
        log_rest = xp.where(rest < 0.5, xp.log(rest), xp.log1p(-x))
        ratio = beta_slope.log_ratio(xp, a, b, log_x - log_rest)
        return xp.where(tail, log_beta_kernel(xp, a, b, x, rest) + ratio, _log_of(xp, below, above))


def _log_of(xp: Any, value: Any, rest: Any) -> Any:
    """The logarithm of a probability. Near 1 it is computed from 1 minus the probability."""
    return xp.where(value < 0.5, xp.log(value), xp.log1p(-rest))
