"""Special functions, by the names and the arguments that they have in scipy.special, which finds them in a tensor's namespace.

The backend computes their values: with its library's function, or with a few functions of the standard. i0e has a kink at 0 in
its odd derivatives, and i1e in its even ones. They are 0 there: the mean of the limits from both sides.
"""

from __future__ import annotations

import math
from typing import Any

from xgrad.backends.data import is_scalar
from xgrad.backends.special import FORMULAS
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integer
from xgrad.engine.op import Elementwise
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.declare import constant
from xgrad.rules.special_arguments import InTheLast, arrays, floating, of_one, root_pi

# --- the error function and the normal distribution ---------------------------------------------------------

erf = of_one(
    "special.erf",
    "The error function. erf(0.5) = 0.5205",
    lambda xp, g, x: g * (xp.exp(-x * x) * (2 / root_pi(xp, x))),
)
erfc = of_one(
    "special.erfc",
    "1 - erf(x), accurate where that is small. erfc(0.5) = 0.4795",
    lambda xp, g, x: g * (xp.exp(-x * x) * (-2 / root_pi(xp, x))),
)
erfcx = of_one(
    "special.erfcx",
    "exp(x * x) * erfc(x). erfcx(1.0) = 0.4276",
    lambda xp, g, x: g * xp.special.derivative(x, of="erfcx", order=1),
)
erfinv = of_one(
    "special.erfinv",
    "The inverse of erf. erfinv(0.5) = 0.4769",
    lambda xp, g, y: g * (xp.exp(y * y) * (root_pi(xp, y) / 2)),
)
erfcinv = of_one(
    "special.erfcinv",
    "The inverse of erfc, accurate for small arguments. erfcinv(0.5) = 0.4769",
    lambda xp, g, y: -g * (xp.exp(y * y) * (root_pi(xp, y) / 2)),
)
ndtr = of_one(
    "special.ndtr",
    "The distribution function of the standard normal distribution. ndtr(0.5) = 0.6915",
    lambda xp, g, x: g * (xp.exp(x * x * -0.5) / root_pi(xp, x, 2.0)),
)
ndtri = of_one(
    "special.ndtri",
    "The inverse of ndtr: the quantiles of the standard normal distribution. ndtri(0.975) = 1.96",
    lambda xp, g, y: g * (xp.exp(y * y * 0.5) * root_pi(xp, y, 2.0)),
)
log_ndtr = of_one(
    "special.log_ndtr",
    "The logarithm of ndtr, accurate far out on both sides. log_ndtr(-20.0) = -203.9172",
    lambda xp, g, x: g * xp.special.derivative(x, of="log_ndtr", order=1),
)

# --- the gamma function -------------------------------------------------------------------------------------

gamma = of_one(
    "special.gamma",
    "The gamma function. gamma(5.0) = 24.0",
    lambda xp, g, x, y: g * y * xp.special.digamma(x),
)
gammaln = of_one(
    "special.gammaln",
    "The logarithm of the absolute value of the gamma function. gammaln(10.0) = 12.8018",
    lambda xp, g, x: g * xp.special.digamma(x),
)


def _rgamma_rule(xp: Any, g: Any, x: Any, y: Any) -> Any:
    """-y * digamma(x), and left of 0 by reflection, which is finite at the poles of the gamma function."""
    left = x <= 0
    one = xp.ones((), dtype=x.dtype)
    t = xp.where(left, x, 0 * one)
    phase = t - 2 * xp.round(t * 0.5)
    wave = xp.cos(phase * xp.acos(xp.asarray(-1.0, dtype=x.dtype))) * xp.special.gamma(1 - t)
    return g * (xp.where(left, wave, 0 * one) - y * xp.special.digamma(xp.where(left, 1 - x, x)))


rgamma = of_one("special.rgamma", "1 / gamma(x), which is 0 at the poles of gamma. rgamma(3.0) = 0.5", _rgamma_rule)
gammasgn = constant(
    "special.gammasgn", "The sign of the gamma function: 1 or -1, nan at its poles left of 0. gammasgn(-0.5) = -1.0"
)
digamma = of_one(
    "special.digamma",
    "The derivative of the logarithm of the gamma function. digamma(1.0) = -0.5772",
    lambda xp, g, x: g * xp.special.polygamma(1, x),
)

_polygamma = InTheLast("special.polygamma", ("n", "x"), (None, lambda xp, g, n, x: g * xp.special.polygamma(n + 1, x)))


@public("special.polygamma", "rule")
def polygamma(n: Any, x: Any, /) -> Tensor:
    """The n-th derivative of digamma, element by element.

    >>> import xgrad as xg
    >>> x = xg.asarray(1.0)
    >>> round(xg.special.polygamma(1, x).item(), 6)  # pi**2 / 6
    1.644934
    >>> round(xg.grad(xg.special.polygamma, argnums=1)(1, x).item(), 6)
    -2.404114

    Args:
        n: the order, 0, 1, 2 ...: a number or an array. The result is nan for any other n.
        x: an array of a real floating-point dtype (integers become floats of the default dtype), or a number.

    Derivative:
        polygamma(n + 1, x) by x, in both modes and to any order. The derivative by n is not known.

    Raises:
        NotImplementedError: for a derivative by n; `detach()` it, or give a number.
    """
    if is_scalar(n):
        n = float(n)
        return apply(_polygamma, (n, floating("polygamma", x))) if n else digamma(x)
    return apply(_polygamma, (n, arrays("polygamma", n, x)[1] if is_scalar(x) else floating("polygamma", x)))


@public("special.multigammaln", "composition")
def multigammaln(a: Any, d: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension d, element by element.

    >>> import xgrad as xg
    >>> round(xg.special.multigammaln(xg.asarray(3.0), 2).item(), 4)
    1.5502

    Args:
        a: an array of a real floating-point dtype (integers become floats of the default dtype), of any shape, or a number. It is
            above (d - 1) / 2.
        d: the dimension, an integer above 0.

    Returns:
        A tensor of the shape and dtype of a.

    Derivative:
        The sum of digamma(a - j / 2) over j = 0 ... d - 1, in both modes and to any order.

    Raises:
        ValueError: for a dimension below 1.
        TypeError: for a dimension that is no integer.

    https://en.wikipedia.org/wiki/Multivariate_gamma_function
    """
    if integer("multigammaln", d, "d") < 1:
        raise ValueError(f"multigammaln: d must be 1 or more, got {d!r}")
    a = floating("multigammaln", a)
    total = gammaln(a) + d * (d - 1) / 4 * math.log(math.pi)
    for j in range(1, int(d)):
        total = total + gammaln(a - j / 2)
    return total


@public("special.psi", "composition")
def psi(x: Any, /) -> Tensor:
    """The derivative of the logarithm of the gamma function, element by element: another name of digamma.

    >>> import xgrad as xg
    >>> round(xg.special.psi(xg.asarray(1.0)).item(), 4)  # minus Euler's constant
    -0.5772

    Derivative:
        polygamma(1, x), in both modes and to any order. It is inf at the poles, which are at 0 and at negative integers.
    """
    return digamma(x)


# --- Bessel functions ---------------------------------------------------------------------------------------

y0 = of_one(
    "special.y0",
    "The Bessel function of the second kind of order 0. y0(0.5) = -0.4445",
    lambda xp, g, x: -g * xp.special.y1(x),
)
y1 = of_one(
    "special.y1",
    "The Bessel function of the second kind of order 1. y1(0.5) = -1.4715",
    lambda xp, g, x, y: g * (xp.special.y0(x) - y / x),
)
j0 = of_one("special.j0", "The Bessel function of order 0. j0(0.5) = 0.9385", lambda xp, g, x: -g * xp.special.j1(x))
j1 = of_one(
    "special.j1",
    "The Bessel function of order 1. j1(0.5) = 0.2423",
    lambda xp, g, x: -g * xp.special.derivative(x, of="j0", order=2),
)
i0 = of_one(
    "special.i0", "The modified Bessel function of order 0. i0(0.5) = 1.0635", lambda xp, g, x: g * xp.special.i1(x)
)
i0e = of_one(
    "special.i0e",
    "exp(-abs(x)) * i0(x). Its derivatives of odd orders are 0 at 0. i0e(0.5) = 0.645",
    lambda xp, g, x: g * xp.special.derivative(x, of="i0e", order=1),
)
i1 = of_one(
    "special.i1",
    "The modified Bessel function of order 1. i1(0.5) = 0.2579",
    lambda xp, g, x: g * xp.special.derivative(x, of="i0", order=2),
)
i1e = of_one(
    "special.i1e",
    "exp(-abs(x)) * i1(x). Its derivatives of even orders are 0 at 0. i1e(0.5) = 0.1564",
    lambda xp, g, x: g * xp.special.derivative(x, of="i1e", order=1),
)

_derivative = Elementwise(
    "special.derivative",
    ("x",),
    (lambda xp, g, x, of, order: g * xp.special.derivative(x, of=of, order=order + 1),),
)


@public("special.derivative", "rule")
def derivative(x: Any, /, *, of: str, order: int) -> Tensor:
    """A derivative of i0, i0e, i1e, j0, erfcx or log_ndtr, to any order, element by element.

    The usual formulas for these derivatives lose digits. The rules of the six functions, and of i1 and j1, use this function.

    >>> import xgrad as xg
    >>> xg.special.derivative(xg.asarray(0.0), of="i0", order=4).item()
    0.375

    Args:
        x: an array of a real floating-point dtype (integers become floats of the default dtype), of any shape, or a number.
        of: the name of the function.
        order: how many times it is differentiated, 0 or more.

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        The derivative of the next order, in both modes. Where i0e or i1e has a kink, at 0, it is 0, the mean of both sides.

    Raises:
        ValueError: for another function, and for an order that is not an integer of 0 or more.

    https://dlmf.nist.gov/10
    """
    if of not in FORMULAS or not isinstance(order, int) or order < 0:
        known = ", ".join(sorted(FORMULAS))
        raise ValueError(
            f"derivative: `of` must be one of {known}, and `order` an integer, 0 or more; got {of!r} and {order!r}"
        )
    return apply(_derivative, (floating("derivative", x),), {"of": of, "order": order})
