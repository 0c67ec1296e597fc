"""Bessel functions of any order, by the names and the arguments that they have in scipy.special.

Their derivatives by the argument are differences of the functions of the neighbouring orders. Those by the order are not known.
"""

from __future__ import annotations

from typing import Any

from xgrad.engine.dispatch import apply
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.special_arguments import InTheLast, arrays

_jv = InTheLast(
    "special.jv",
    ("v", "x"),
    (None, lambda xp, g, v, x: g * (0.5 * (xp.special.jv(v - 1, x) - xp.special.jv(v + 1, x)))),
)
_yn = InTheLast(
    "special.yn",
    ("n", "x"),
    (None, lambda xp, g, n, x: g * (0.5 * (xp.special.yn(n - 1, x) - xp.special.yn(n + 1, x)))),
)
_iv = InTheLast(
    "special.iv",
    ("v", "x"),
    (None, lambda xp, g, v, x: g * (0.5 * (xp.special.iv(v - 1, x) + xp.special.iv(v + 1, x)))),
)


def _ive_rule(xp: Any, g: Any, v: Any, x: Any, y: Any) -> Any:
    return g * (0.5 * (xp.special.ive(v - 1, x) + xp.special.ive(v + 1, x)) - xp.sign(x) * y)


_ive = InTheLast("special.ive", ("v", "x"), (None, _ive_rule))


@public("special.jv", "rule")
def jv(v: Any, x: Any, /) -> Tensor:
    """The Bessel function of the first kind of the real order v, element by element.

    >>> import xgrad as xg
    >>> x = xg.asarray(1.0)
    >>> round(xg.special.jv(2.0, x).item(), 4), round(xg.grad(xg.special.jv, argnums=1)(2.0, x).item(), 4)
    (0.1149, 0.2102)

    It is nan for a negative x, unless the order is an integer.

    Derivative:
        (jv(v - 1, x) - jv(v + 1, x)) / 2 by x, in both modes and to any order. The derivative by v is not known.

    Raises:
        NotImplementedError: for a derivative by v; `detach()` it, or give a number. Also on a library that has no such function.

    https://dlmf.nist.gov/10.6
    """
    return apply(_jv, arrays("jv", v, x))


@public("special.jn", "composition")
def jn(v: Any, x: Any, /) -> Tensor:
    """The Bessel function of the first kind of order v, element by element: another name of jv.

    >>> import xgrad as xg
    >>> round(xg.special.jn(2, xg.asarray(1.0)).item(), 4)
    0.1149

    Derivative:
        That of jv.
    """
    return jv(v, x)


@public("special.yn", "rule")
def yn(n: Any, x: Any, /) -> Tensor:
    """The Bessel function of the second kind of the integer order n, element by element.

    >>> import xgrad as xg
    >>> x = xg.asarray(1.0)
    >>> round(xg.special.yn(2, x).item(), 4), round(xg.grad(xg.special.yn, argnums=1)(2, x).item(), 4)
    (-1.6507, 2.5202)

    It is -inf at 0, and nan for a negative x.

    Derivative:
        (yn(n - 1, x) - yn(n + 1, x)) / 2 by x, in both modes and to any order.

    Raises:
        NotImplementedError: for a derivative by n; `detach()` it, or give a number. Also on a library that has no such function.

    https://dlmf.nist.gov/10.6
    """
    return apply(_yn, arrays("yn", n, x))


@public("special.iv", "rule")
def iv(v: Any, x: Any, /) -> Tensor:
    """The modified Bessel function of the first kind of the real order v, element by element.

    >>> import xgrad as xg
    >>> x = xg.asarray(1.0)
    >>> round(xg.special.iv(2.0, x).item(), 4), round(xg.grad(xg.special.iv, argnums=1)(2.0, x).item(), 4)
    (0.1357, 0.2937)

    It is nan for a negative x, unless the order is an integer.

    Derivative:
        (iv(v - 1, x) + iv(v + 1, x)) / 2 by x, in both modes and to any order. The derivative by v is not known.

    Raises:
        NotImplementedError: for a derivative by v; `detach()` it, or give a number. Also on a library that has no such function.

    https://dlmf.nist.gov/10.29
    """
    return apply(_iv, arrays("iv", v, x))


@public("special.ive", "rule")
def ive(v: Any, x: Any, /) -> Tensor:
    """exp(-abs(x)) * iv(v, x), element by element, which does not overflow.

    >>> import xgrad as xg
    >>> round(xg.special.ive(2.0, xg.asarray(1000.0)).item(), 6)
    0.012592

    Derivative:
        (ive(v - 1, x) + ive(v + 1, x)) / 2 - sign(x) * ive(v, x) by x, in both modes and to any order. For large x the terms
        cancel: it loses as many digits as x has. The derivative by v is not known.

    Raises:
        NotImplementedError: for a derivative by v; `detach()` it, or give a number. Also on a library that has no such function.

    https://dlmf.nist.gov/10.29
    """
    return apply(_ive, arrays("ive", v, x))
