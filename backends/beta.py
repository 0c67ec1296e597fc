"""The beta function and functions made of it, for libraries that lack them: on raw arrays, in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def in_double(function: F) -> F:
    """The method, computed in double precision: its logarithms would lose too many digits in single precision."""

    @wraps(function)
    def wide(self: Any, *args: Any) -> Any:
        dtype = self.xp.result_type(*(arg.dtype for arg in args))
        return self.xp.astype(function(self, *map(self._double, args)), dtype, copy=False)

    return wide  # type: ignore[return-value]


class Beta:
    """`betaln`, `binom`, `betainc`, `fdtr` and `fdtrc`, computed with the library's `gammaln`. `xp` is the raw namespace."""

    xp: Any
    gammaln: Callable[[Any], Any]
    _double: Callable[[Any], Any]

    @in_double
    def betaln(self, a: Any, b: Any) -> Any:
        """From differences of log-gamma, which Stirling's series gives without cancellation."""
        xp = self.xp
        a = self._away_from_poles(a, b)
        b = self._away_from_poles(b, a)
        small, large = xp.where(a < b, a, b), xp.where(a < b, b, a)
        total = small + large
        far, both = (large >= 10) & (total >= 10), small >= 10
        p, q = (xp.where(far, x, xp.full((), 10.0, dtype=x.dtype)) for x in (small, large))
        p_far = xp.where(both, p, xp.full((), 10.0, dtype=p.dtype))
        rest = stirling(q) - stirling(p + q)
        one = self.gammaln(p) + rest + p - p * xp.log(p + q) - (q - 0.5) * xp.log1p(p / q)
        two = (
            rest
            + stirling(p_far)
            + 0.5 * (math.log(2 * math.pi) - xp.log(q))
            - (p_far - 0.5) * xp.log1p(q / p_far)
            - q * xp.log1p(p_far / q)
        )
        near = self.gammaln(small) + self.gammaln(large) - self.gammaln(total)
        found = xp.where(far, xp.where(both, two, one), near)
        found = xp.where(xp.isinf(small) | xp.isinf(large), self._at_infinity(small, large), found)
        pole = _is_pole(xp, a) | _is_pole(xp, b)
        return xp.where(pole, xp.full((), math.inf, dtype=found.dtype), found)

    def _away_from_poles(self, a: Any, b: Any) -> Any:
        """For integers a <= 0 and b with a + b <= 0, the beta function equals, up to its sign, that of 1 - a - b."""
        xp = self.xp
        mirrored = 1 - a - b
        return xp.where(_is_pole(xp, a) & (b == xp.floor(b)) & (mirrored > 0) & (mirrored < math.inf), mirrored, a)

    def _at_infinity(self, small: Any, large: Any) -> Any:
        """At -inf the value is inf, as at the other poles. At inf the other argument's sign decides; nan if both are infinite."""
        xp = self.xp
        infinite, nan = (xp.full((), value, dtype=large.dtype) for value in (math.inf, math.nan))
        known = xp.where((small < 0) | xp.isinf(small), infinite, -infinite)
        unknown = (small == math.inf) | xp.isnan(small) | xp.isnan(large)
        return xp.where(unknown, nan, known)

    @in_double
    def binom(self, n: Any, k: Any) -> Any:
        """A product for small integers k, which is exact if the result is an integer; otherwise by the beta function."""
        xp = self.xp
        nan = xp.full((), math.nan, dtype=n.dtype)
        whole = (k == xp.floor(k)) & ((xp.abs(n) > 1e-8) | (n == 0))
        mirrored = whole & (n == xp.floor(n)) & (n > 0) & (k > n / 2)
        count = xp.where(mirrored, n - k, k)
        few = whole & (count >= 0) & (count < 20)
        product = xp.where(few, xp.ones((), dtype=n.dtype), xp.ones((), dtype=n.dtype))
        for i in range(1, 20):
            product = xp.where(few & (i <= count), product * (n - count + i) / i, product)
        none = (n == math.inf) & (k < 0) | (k == xp.floor(k)) & ((k < 0) | ((n >= 0) & (n == xp.floor(n)) & (k > n)))
        found = xp.where(none, xp.zeros((), dtype=product.dtype), self._binom_by_beta(n, k))
        found = xp.where(few, product, found)
        known = ~(((n < 0) & (n == xp.floor(n))) | xp.isnan(n) | xp.isnan(k) | (k == math.inf))
        return xp.where(known, found, nan)

    def _binom_by_beta(self, n: Any, k: Any) -> Any:
        """By the beta function of positive arguments: for negative x, 1 / gamma(x) = gamma(1 - x) * sin(pi x) / pi."""
        xp = self.xp
        one = xp.ones((), dtype=n.dtype)
        swapped = k <= -1
        k = xp.where(swapped, n - k, k)
        rest = n - k
        usual, beyond, negative = rest > -1, (n > -1) & (rest <= -1), (n <= -1) & (rest <= -1)
        a = xp.where(usual, rest + 1, xp.where(beyond, n + 1, k + 1))
        b = xp.where(usual, k + 1, xp.where(beyond, -rest, -n))
        log_beta = self.betaln(a, b)
        near = xp.exp(-xp.log(xp.abs(n + 1)) - log_beta) * self._sign_of_gamma(n + 1) * self._sign_of_gamma(k + 1)
        wave = -_sine(xp, n - xp.round(n) - (k - xp.round(k)), xp.round(n) - xp.round(k))
        base = -_sine(xp, xp.where(negative, n - xp.round(n), one / 2), xp.round(n))
        left = xp.exp(-log_beta - xp.log(xp.where(negative, -rest, one))) * wave / base
        return xp.where(usual, near, xp.where(beyond, xp.exp(log_beta) * wave / math.pi, left))

    def _sign_of_gamma(self, x: Any) -> Any:
        """The sign of gamma(x): -1 between -1 and 0, between -3 and -2, and so on; otherwise 1."""
        xp = self.xp
        one = xp.ones((), dtype=x.dtype)
        return xp.where((x > 0) | (xp.floor(x) % 2 == 0), one, -one)

    @in_double
    def fdtr(self, dfn: Any, dfd: Any, x: Any) -> Any:
        below = self.betainc(dfn / 2, dfd / 2, dfn * x / (dfd + dfn * x))
        return self._checked(dfn, dfd, x, self.xp.where(x == math.inf, self.xp.ones((), dtype=x.dtype), below))

    @in_double
    def fdtrc(self, dfn: Any, dfd: Any, x: Any) -> Any:
        above = self.betainc(dfd / 2, dfn / 2, dfd / (dfd + dfn * x))
        return self._checked(dfn, dfd, x, self.xp.where(x == math.inf, self.xp.zeros((), dtype=x.dtype), above))

    def _checked(self, dfn: Any, dfd: Any, x: Any, found: Any) -> Any:
        """The values found, and nan outside of the domain."""
        xp = self.xp
        known = (dfn > 0) & (dfd > 0) & (x >= 0) & ((~xp.isinf(dfn) & ~xp.isinf(dfd)) | xp.isinf(x))
        return xp.where(known, found, xp.full((), math.nan, dtype=found.dtype))

    @in_double
    def betainc(self, a: Any, b: Any, x: Any) -> Any:
        """By its continued fraction, which converges quickly for x below the mean; above the mean, from the fraction at 1 - x."""
        xp = self.xp
        half = xp.full((), 0.5, dtype=x.dtype)
        usual = (a > 0) & (b > 0) & (x > 0) & (x < 1) & ~xp.isinf(a) & ~xp.isinf(b)
        p, q, t = (xp.where(usual, value, half) for value in (a, b, x))
        mirrored = t > (p + 1) / (p + q + 2)
        below = self._lower_beta(xp.where(mirrored, q, p), xp.where(mirrored, p, q), t, mirrored)
        return xp.where(usual, xp.where(mirrored, 1 - below, below), self._beta_edges(a, b, x))

    def _beta_edges(self, a: Any, b: Any, x: Any) -> Any:
        """The values at x = 0 and x = 1, for a or b that is 0 or infinite, and nan outside of the domain."""
        xp = self.xp
        zero, one, nan = (xp.full((), value, dtype=x.dtype) for value in (0.0, 1.0, math.nan))
        at_zero, at_one = (a == 0) | xp.isinf(b), (b == 0) | xp.isinf(a)
        found = xp.where(at_zero & (x > 0), one, zero)
        found = xp.where(x == 1, one, xp.where(x == 0, zero, found))
        known = (a >= 0) & (b >= 0) & (x >= 0) & (x <= 1) & ~(at_zero & at_one)
        return xp.where(known, found, nan)

    def _lower_beta(self, a: Any, b: Any, t: Any, mirrored: Any, pairs: int = 100) -> Any:
        """The fraction 1 / (1 + d1 / (1 + d2 / ...)), from its last term, times its prefactor. 100 pairs do for a, b < 1e4."""
        xp = self.xp
        x = xp.where(mirrored, 1 - t, t)
        fraction = (a + b + x) * 0 + 1
        for m in range(pairs, -1, -1):
            odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            fraction = 1 + odd / fraction
            if m:
                fraction = 1 + m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) / fraction
        log_x = xp.where(mirrored, xp.log1p(-t), xp.log(t))
        log_rest = xp.where(mirrored, xp.log(t), xp.log1p(-t))
        return xp.exp(a * log_x + b * log_rest - self.betaln(a, b)) / (a * fraction)


def _is_pole(xp: Any, x: Any) -> Any:
    """Whether x is one of 0, -1, -2, ..."""
    return (x <= 0) & (x == xp.floor(x))


def _sine(xp: Any, x: Any, n: Any) -> Any:
    """sin(pi * (x + n)) for an integer n and a small x."""
    n = n + xp.round(x)
    size = xp.sin((x - xp.round(x)) * math.pi)
    return xp.where(xp.floor(n / 2) * 2 == n, size, -size)


def stirling(x: Any) -> Any:
    """The correction in Stirling's formula: log(gamma(x)) minus ((x - 1/2) log(x) - x + log(2 pi) / 2), for x >= 10."""
    inverse = 1 / x
    squared = inverse * inverse
    total = squared * 0
    for c in (-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12):
        total = total * squared + c
    return total * inverse


def digamma_rise(xp: Any, a: Any, b: Any) -> Any:
    """digamma(a + b) - digamma(a), without cancellation: for positive a and a + b, all terms of the sum have the sign of b."""
    usual = (a > 0) & (a + b > 0)
    one = xp.ones((), dtype=a.dtype)
    p, d = xp.where(usual, a, one), xp.where(usual, b, one)
    rise = d / (p + d) / p
    for k in range(1, 10):
        rise = rise + d / (p + d + k) / (p + k)
    p = p + 10
    u, v = 1 / p, 1 / (p + d)
    step = d * v * u  # u - v
    rise = rise + xp.log1p(d * u) + 0.5 * step
    # The rest is the asymptotic series in u**2 - v**2, u**4 - v**4 ..., with Bernoulli numbers as coefficients.
    power, first = u * u, step * (u + v)
    difference, highest = first, power
    for c in (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12):
        rise = rise + difference * c
        difference = difference * (v * v) + highest * first
        highest = highest * power
    other = xp.where(usual, one, a)
    return xp.where(usual, rise, xp.special.digamma(xp.where(usual, one, a + b)) - xp.special.digamma(other))
