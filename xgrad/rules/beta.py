"""The beta function, binomial coefficients, and the incomplete beta function."""

from __future__ import annotations

import math
from typing import Any

from xgrad.engine.dispatch import apply
from xgrad.engine.op import Elementwise
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.special_arguments import InTheLast, arrays

# --- the beta function --------------------------------------------------------------------------------------


def _digamma_rise(xp: Any, a: Any, b: Any) -> Any:
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


_betaln = Elementwise(
    "special.betaln",
    ("a", "b"),
    (lambda xp, g, a, b: -g * _digamma_rise(xp, a, b), lambda xp, g, a, b: -g * _digamma_rise(xp, b, a)),
)


@public("special.betaln", "rule")
def betaln(a: Any, b: Any, /) -> Tensor:
    """The logarithm of the absolute value of the beta function, element by element.

    >>> import xgrad as xg
    >>> a, b = xg.asarray(2.0), xg.asarray(3.0)
    >>> round(xg.special.betaln(a, b).item(), 4)  # log(1 / 12)
    -2.4849
    >>> round(xg.grad(xg.special.betaln)(a, b).item(), 4)
    -1.0833

    Derivative:
        digamma(a) - digamma(a + b) by a, and the same with a and b exchanged by b. It is not finite at the poles, which are at 0
        and at negative integers.
    """
    return apply(_betaln, arrays("betaln", a, b))


# binom is gamma(n + 1) / gamma(k + 1) / gamma(n - k + 1). It is smooth also where one of the last two gammas is infinite. For
# x <= 0 the rules use the reflection formula, 1 / gamma(x) = gamma(1 - x) * sin(pi x) / pi. The derivative then has a term with
# digamma(1 - x) and a term with cos(pi x), which `_wave` computes.


def _is_mirrored(xp: Any, x: Any, n: Any) -> Any:
    """Whether the reflection formula is used for 1 / gamma(x)."""
    return (x <= 0) & ((n > -1) | (x == xp.floor(x)))


def _mirrored(xp: Any, x: Any, n: Any) -> Any:
    """1 - x where the reflection formula is used, x elsewhere."""
    return xp.where(_is_mirrored(xp, x, n), 1 - x, x)


def _wave(xp: Any, x: Any, n: Any) -> Any:
    """cos(pi x) * gamma(n + 1) * gamma(1 - x) / gamma(n + 2 - x) where the reflection formula is used, 0 elsewhere."""
    hit = _is_mirrored(xp, x, n)
    one = xp.ones((), dtype=x.dtype)
    a, b = xp.where(hit, n, one) + 1, xp.where(hit, 1 - x, one)
    phase = x - 2 * xp.round(x * 0.5)
    size = xp.cos(phase * xp.acos(xp.asarray(-1.0, dtype=x.dtype))) * xp.exp(xp.special.betaln(a, b))
    positive = (xp.floor(xp.where(a > 0, one * 0, a)) + xp.floor(xp.where(a + b > 0, one * 0, a + b))) % 2 == 0
    return xp.mask(xp.where(positive, size, -size), hit)


def _binom_by_n(xp: Any, g: Any, n: Any, k: Any, y: Any) -> Any:
    rest = n - k + 1
    above = _mirrored(xp, rest, n)
    return g * (y * _digamma_rise(xp, above, n + 1 - above) + _wave(xp, rest, n))


def _binom_by_k(xp: Any, g: Any, n: Any, k: Any, y: Any) -> Any:
    rest = n - k + 1
    above, below = _mirrored(xp, rest, n), _mirrored(xp, k + 1, n)
    return g * (y * _digamma_rise(xp, below, above - below) + _wave(xp, k + 1, n) - _wave(xp, rest, n))


_binom = Elementwise("special.binom", ("n", "k"), (_binom_by_n, _binom_by_k))


@public("special.binom", "rule")
def binom(n: Any, k: Any, /) -> Tensor:
    """The binomial coefficient "n over k", element by element, also for numbers that are not integers.

    >>> import xgrad as xg
    >>> xg.special.binom(xg.asarray([5.0, -2.5]), xg.asarray([2.0, 1.0])).numpy().tolist()
    [10.0, -2.5]
    >>> round(xg.grad(xg.special.binom)(xg.asarray(5.0), xg.asarray(2.0)).item(), 4)  # of n * (n - 1) / 2
    4.5

    It is nan for a negative integer n, with the gradient nan.

    Derivative:
        By the rule in xgrad/rules/beta.py, by n and by k, in both modes and to any order. It is finite also where binom is 0
        because k or n - k is a negative integer.
    """
    return apply(_binom, arrays("binom", n, k))


# --- the incomplete beta function ----------------------------------------------------------------------------
#
# Its derivative by x is a density, which is computed as those in incomplete_gamma.py are.


def _beta_density(xp: Any, a: Any, b: Any, x: Any, rest: Any) -> Any:
    """x**(a - 1) * rest**(b - 1) / beta(a, b), where rest is 1 - x"""
    one = xp.ones((), dtype=x.dtype)
    beta = xp.special.betaln(a, b)
    end = (x == 0) | (rest == 0)
    t, u = xp.where(end, one / 2, x), xp.where(end, one / 2, rest)
    log_t = xp.where(t < 0.5, xp.log(t), xp.log1p(-xp.where(t < 0.5, 0 * one, u)))
    log_u = xp.where(u < 0.5, xp.log(u), xp.log1p(-xp.where(u < 0.5, 0 * one, t)))
    apart = xp.exp((a - 1) * log_t + (b - 1) * log_u - beta)
    limit = math.log(xp.finfo(x.dtype).max)
    scale = xp.exp(xp.where(-beta < limit, -beta, limit * one))
    # Where one power is infinite, only that power counts: its derivatives are larger than those of the other one.
    at_zero, at_one = (x == 0) & (a < 1), (rest == 0) & (b < 1)
    both = end & ~at_zero & ~at_one
    product = xp.where(both, x, one) ** (a - 1) * xp.where(both, rest, one) ** (b - 1)
    first, second = xp.where(at_zero, x, one) ** (a - 1), xp.where(at_one, rest, one) ** (b - 1)
    at_end = scale * xp.where(at_zero, first, xp.where(at_one, second, product))
    return xp.where(end, at_end, apart)


_betainc = InTheLast(
    "special.betainc", ("a", "b", "x"), (None, None, lambda xp, g, a, b, x: g * _beta_density(xp, a, b, x, 1 - x))
)


@public("special.betainc", "rule")
def betainc(a: Any, b: Any, x: Any, /) -> Tensor:
    """The regularized incomplete beta function, element by element: the integral of the beta density from 0 to x.

    >>> import xgrad as xg
    >>> xg.special.betainc(2.0, 1.0, xg.asarray(0.5)).numpy().round(12).tolist()  # x**2
    0.25
    >>> xg.grad(xg.special.betainc, argnums=2)(2.0, 1.0, xg.asarray(0.5)).numpy().round(12).tolist()
    1.0

    It is nan for an x outside of [0, 1], and for a negative a or b.

    Derivative:
        The density x**(a - 1) * (1 - x)**(b - 1) / beta(a, b) by x, in both modes and to any order. The derivatives by `a` and
        `b` are not known.

    Raises:
        NotImplementedError: for a derivative by `a` or `b`; `detach()` it, or give an array that requires no gradient.
    """
    return apply(_betainc, arrays("betainc", a, b, x))


def _f_density(xp: Any, dfn: Any, dfd: Any, x: Any) -> Any:
    """The density of the F distribution: the beta density of x / (x + dfd / dfn), and at 0 a product of powers."""
    one = xp.ones((), dtype=x.dtype)
    a, b, ratio = dfn / 2, dfd / 2, dfd / dfn
    end = x == 0
    t = xp.where(end, one, x)
    share, rest = t / (t + ratio), ratio / (t + ratio)
    large = t > 1
    slope = xp.where(large, share * rest / xp.where(large, t, one), rest * rest / ratio)
    t = xp.where(end, x, one)
    at_end = t ** (a - 1) * (t / ratio + 1) ** (-a - b) * ratio ** (-a) * xp.exp(-xp.special.betaln(a, b))
    return xp.where(end, at_end, _beta_density(xp, a, b, share, rest) * slope)


_fdtr = InTheLast(
    "special.fdtr", ("dfn", "dfd", "x"), (None, None, lambda xp, g, dfn, dfd, x: g * _f_density(xp, dfn, dfd, x))
)
_fdtrc = InTheLast(
    "special.fdtrc", ("dfn", "dfd", "x"), (None, None, lambda xp, g, dfn, dfd, x: -g * _f_density(xp, dfn, dfd, x))
)


@public("special.fdtr", "rule")
def fdtr(dfn: Any, dfd: Any, x: Any, /) -> Tensor:
    """The distribution function of the F distribution, element by element.

    `dfn` and `dfd` are the degrees of freedom of the numerator and the denominator.

    >>> import xgrad as xg
    >>> round(xg.special.fdtr(2.0, 3.0, xg.asarray(1.0)).item(), 4)
    0.5352

    It is nan for a negative x, and for degrees of freedom that are not positive.

    Derivative:
        The density of the F distribution by x, in both modes and to any order. The derivatives by `dfn` and `dfd` are not known.

    Raises:
        NotImplementedError: for a derivative by `dfn` or `dfd`; `detach()` it, or give an array that requires no gradient.
    """
    return apply(_fdtr, arrays("fdtr", dfn, dfd, x))


@public("special.fdtrc", "rule")
def fdtrc(dfn: Any, dfd: Any, x: Any, /) -> Tensor:
    """1 - fdtr(dfn, dfd, x), element by element, accurate where that is small: the p-value of an F test.

    >>> import xgrad as xg
    >>> round(xg.special.fdtrc(2.0, 3.0, xg.asarray(1.0)).item(), 4)
    0.4648

    It is nan for a negative x, and for degrees of freedom that are not positive.

    Derivative:
        Minus the density of the F distribution by x, in both modes and to any order. The derivatives by `dfn` and `dfd` are not
        known.

    Raises:
        NotImplementedError: for a derivative by `dfn` or `dfd`; `detach()` it, or give an array that requires no gradient.
    """
    return apply(_fdtrc, arrays("fdtrc", dfn, dfd, x))
