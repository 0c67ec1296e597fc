"""The beta function and binomial coefficients."""

from __future__ import annotations

from typing import Any

from xgrad.backends.beta import digamma_rise
from xgrad.engine.dispatch import apply
from xgrad.engine.op import Elementwise
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.special_arguments import arrays

# --- the beta function --------------------------------------------------------------------------------------

_beta = Elementwise(
    "special.beta",
    ("a", "b"),
    (lambda xp, g, a, b, y: -g * y * digamma_rise(xp, a, b), lambda xp, g, a, b, y: -g * y * digamma_rise(xp, b, a)),
)


@public("special.beta", "rule")
def beta(a: Any, b: Any, /) -> Tensor:
    """The beta function, gamma(a) * gamma(b) / gamma(a + b), element by element.

    >>> import xgrad as xg
    >>> a, b = xg.asarray(2.0), xg.asarray(3.0)
    >>> round(xg.special.beta(a, b).item(), 4)  # 1 / 12
    0.0833
    >>> round(xg.grad(xg.special.beta)(a, b).item(), 4)
    -0.0903

    Derivative:
        beta(a, b) * (digamma(a) - digamma(a + b)) by a, and the same with a and b exchanged by b. It is not finite at the poles,
        which are at 0 and at negative integers.
    """
    return apply(_beta, arrays("beta", a, b))


_betaln = Elementwise(
    "special.betaln",
    ("a", "b"),
    (lambda xp, g, a, b: -g * digamma_rise(xp, a, b), lambda xp, g, a, b: -g * digamma_rise(xp, b, a)),
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
    return g * (y * digamma_rise(xp, above, n + 1 - above) + _wave(xp, rest, n))


def _binom_by_k(xp: Any, g: Any, n: Any, k: Any, y: Any) -> Any:
    rest = n - k + 1
    above, below = _mirrored(xp, rest, n), _mirrored(xp, k + 1, n)
    return g * (y * digamma_rise(xp, below, above - below) + _wave(xp, k + 1, n) - _wave(xp, rest, n))


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
