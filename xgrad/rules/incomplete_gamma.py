"""The incomplete gamma functions, and how their inverse moves with the concentration.

The derivative by x is a density. It is computed as exp of a sum of logarithms. At the ends of the domain it is computed as a
product of powers, which has the right derivatives of all orders there, since 0**0 is 1. For large parameters, where terms of
the sum would cancel, the logarithm is taken of the distance from the mean.

The derivative by the concentration is minus the density times the speed at which the quantile moves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.backends.beta import stirling
from xgrad.backends.elementary import linear_minus_log1p
from xgrad.backends.log_tails import log_gamma_kernel
from xgrad.backends.looking import may_look
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integer
from xgrad.engine.op import Elementwise
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.special_arguments import arrays, root_pi


def gamma_density(xp: Any, a: Any, x: Any) -> Any:
    """x**(a - 1) * exp(-x) / gamma(a)"""
    one = xp.ones((), dtype=x.dtype)
    end = x == 0
    t = xp.where(end, one, x)
    if may_look(xp, x) and bool(((a < 10) & (x > 0)).all()):
        return xp.exp((a - 1) * xp.log(x) - x - xp.special.gammaln(a))
    near = (a >= 10) & (t > 0.6 * a) & (t < 1.7 * a)
    mean = xp.where(near, a, 10 * one)
    d = (xp.where(near, t, mean) - mean) / mean
    close = xp.exp(-mean * linear_minus_log1p(d) - stirling(mean)) * xp.sqrt(mean) / (t * root_pi(xp, x, 2.0))
    apart = xp.exp((a - 1) * xp.log(t) - t - xp.special.gammaln(a))
    at_end = xp.where(end, x, one) ** (a - 1) * xp.exp(-xp.where(end, x, one) - xp.special.gammaln(a))
    return xp.where(end, at_end, xp.where(near, close, apart))


def _by_concentration(xp: Any, a: Any, x: Any) -> Any:
    """The derivative of gammainc by a: 0 at both ends."""
    inner = (x > 0) & (x < math.inf)
    t = xp.where(inner, x, xp.ones((), dtype=x.dtype))
    return xp.mask(-gamma_density(xp, a, t) * t * xp.special.gamma_slope(a, xp.log(t)), inner)


_gammainc = Elementwise(
    "special.gammainc",
    ("a", "x"),
    (lambda xp, g, a, x: g * _by_concentration(xp, a, x), lambda xp, g, a, x: g * gamma_density(xp, a, x)),
)
_gammaincc = Elementwise(
    "special.gammaincc",
    ("a", "x"),
    (lambda xp, g, a, x: -g * _by_concentration(xp, a, x), lambda xp, g, a, x: -g * gamma_density(xp, a, x)),
)


@public("special.gammainc", "rule")
def gammainc(a: Any, x: Any, /) -> Tensor:
    """The regularized lower incomplete gamma function, element by element: the integral of the gamma density from 0 to x.

    >>> import xgrad as xg
    >>> round(xg.special.gammainc(1.0, xg.asarray(1.0)).item(), 4)  # 1 - 1 / e
    0.6321
    >>> round(xg.grad(xg.special.gammainc, argnums=1)(1.0, xg.asarray(1.0)).item(), 4)  # 1 / e
    0.3679

    It is nan for a negative a or x.

    Derivative:
        The density x**(a - 1) * exp(-x) / gamma(a) by x, and minus the density times x * gamma_slope(a, log(x)) by a, in both
        modes and to any order.
    """
    return apply(_gammainc, arrays("gammainc", a, x))


@public("special.gammaincc", "rule")
def gammaincc(a: Any, x: Any, /) -> Tensor:
    """1 - gammainc(a, x), element by element, accurate where that is small.

    >>> import xgrad as xg
    >>> round(xg.special.gammaincc(1.0, xg.asarray(40.0)).item() * 1e18, 4)  # exp(-40)
    4.2484

    It is nan for a negative a or x.

    Derivative:
        Minus that of gammainc, in both modes and to any order.
    """
    return apply(_gammaincc, arrays("gammaincc", a, x))


# --- their logarithms ---------------------------------------------------------------------------------------


def _log_speed(xp: Any, a: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Where x is positive and finite, x there, and how fast the logarithm moves with log(x): up to the sign."""
    inner = (x > 0) & (x < math.inf)
    x = xp.where(inner, x, xp.ones((), dtype=x.dtype))
    y = xp.where(inner, y, xp.zeros((), dtype=y.dtype))
    return inner, x, xp.exp(log_gamma_kernel(xp, a, x) - y)


def _log_by_a(sign: int) -> Callable[..., Any]:
    def rule(xp: Any, g: Any, a: Any, x: Any, y: Any) -> Any:
        inner, x, speed = _log_speed(xp, a, x, y)
        return xp.mask(g * (-sign * speed * xp.special.gamma_slope(a, xp.log(x))), inner)

    return rule


def _log_by_x(xp: Any, g: Any, a: Any, x: Any, y: Any) -> Any:
    inner, t, speed = _log_speed(xp, a, x, y)
    end = xp.where(x == 0, math.inf * xp.ones((), dtype=x.dtype), xp.zeros((), dtype=x.dtype))
    return g * xp.where(inner, speed / t, end)


def _log_of_rest_by_x(xp: Any, g: Any, a: Any, x: Any, y: Any) -> Any:
    """At 0 minus the density, and -1 at inf, where the tail is that of an exponential distribution."""
    inner, t, speed = _log_speed(xp, a, x, y)
    one = xp.ones((), dtype=x.dtype)
    end = xp.where(x == math.inf, one, gamma_density(xp, a, xp.where(x == 0, x, one)))
    return -g * xp.where(inner, speed / t, end)


_gammaincln = Elementwise("special.gammaincln", ("a", "x"), (_log_by_a(1), _log_by_x))
_gammainccln = Elementwise("special.gammainccln", ("a", "x"), (_log_by_a(-1), _log_of_rest_by_x))


@public("special.gammaincln", "rule")
def gammaincln(a: Any, x: Any, /) -> Tensor:
    """The logarithm of gammainc(a, x), element by element, also where that underflows.

    >>> import xgrad as xg
    >>> x = xg.asarray(1e-200)
    >>> round(xg.special.gammaincln(3.0, x).item(), 4)  # 3 * log(x) - log(6)
    -1383.3428
    >>> round(xg.grad(xg.special.gammaincln, argnums=1)(3.0, x).item() * 1e-200, 4)  # 3 / x
    3.0

    Derivative:
        That of gammainc divided by gammainc, in both modes and to any order, from the logarithms of both. By x it is inf at 0.

    https://github.com/CamDavidsonPilon/autograd-gamma has a function of this name.
    """
    return apply(_gammaincln, arrays("gammaincln", a, x))


@public("special.gammainccln", "rule")
def gammainccln(a: Any, x: Any, /) -> Tensor:
    """The logarithm of gammaincc(a, x), element by element, also where that underflows.

    >>> import xgrad as xg
    >>> round(xg.special.gammainccln(1.0, xg.asarray(5000.0)).item(), 4)  # -x
    -5000.0

    Derivative:
        That of gammaincc divided by gammaincc, in both modes and to any order, from the logarithms of both.
    """
    return apply(_gammainccln, arrays("gammainccln", a, x))


# --- their inverses -----------------------------------------------------------------------------------------


def _quantile_by_a(xp: Any, g: Any, a: Any, y: Any) -> Any:
    inner = (y > 0) & (y < math.inf)
    y = xp.where(inner, y, xp.ones((), dtype=y.dtype))
    return xp.mask(g * (y * xp.special.gamma_slope(a, xp.log(y))), inner)


def _quantile_by_level(sign: int) -> Callable[..., Any]:
    def rule(xp: Any, g: Any, a: Any, y: Any) -> Any:
        infinite = xp.isinf(y)
        y = xp.where(infinite, xp.ones((), dtype=y.dtype), y)
        slope = xp.where(infinite, math.inf * xp.ones((), dtype=y.dtype), 1 / gamma_density(xp, a, y))
        return g * (sign * slope)

    return rule


_gammaincinv = Elementwise("special.gammaincinv", ("a", "p"), (_quantile_by_a, _quantile_by_level(1)))
_gammainccinv = Elementwise("special.gammainccinv", ("a", "q"), (_quantile_by_a, _quantile_by_level(-1)))


@public("special.gammaincinv", "rule")
def gammaincinv(a: Any, p: Any, /) -> Tensor:
    """The inverse of gammainc by its last argument, element by element: the quantiles of the gamma distribution.

    >>> import xgrad as xg
    >>> p = xg.asarray(0.5)
    >>> round(xg.special.gammaincinv(1.0, p).item(), 4)  # log(2)
    0.6931
    >>> round(xg.grad(xg.special.gammaincinv, argnums=1)(1.0, p).item(), 4)  # 1 / (1 - p)
    2.0

    It is nan for a p outside of [0, 1], and for an a that is not positive.

    Derivative:
        By the implicit function theorem: 1 over the density by p, and x * gamma_slope(a, log(x)) by a, for the quantile x. In
        both modes and to any order.
    """
    return apply(_gammaincinv, arrays("gammaincinv", a, p))


@public("special.gammainccinv", "rule")
def gammainccinv(a: Any, q: Any, /) -> Tensor:
    """The inverse of gammaincc by its last argument, element by element: gammaincinv(a, 1 - q), accurate for small q.

    >>> import xgrad as xg
    >>> round(xg.special.gammainccinv(1.0, xg.asarray(1e-30)).item(), 4)  # -log(q)
    69.0776

    It is nan for a q outside of [0, 1], and for an a that is not positive.

    Derivative:
        As that of gammaincinv, with minus 1 over the density by q. In both modes and to any order.
    """
    return apply(_gammainccinv, arrays("gammainccinv", a, q))


# --- how quantiles move -------------------------------------------------------------------------------------


def _slope_by_t(xp: Any, g: Any, a: Any, t: Any, y: Any, order: int) -> Any:
    """From the derivative by t of the equation that defines the slope, differentiated by a `order` times."""
    if order == 0:
        return g * (xp.special.digamma(a) - t - y * (a - xp.exp(t)))
    before = order * xp.special.gamma_slope(a, t, order=order - 1)
    return g * (xp.special.polygamma(order, a) - y * (a - xp.exp(t)) - before)


_gamma_slope = Elementwise(
    "special.gamma_slope",
    ("a", "t"),
    (lambda xp, g, a, t, order: g * xp.special.gamma_slope(a, t, order=order + 1), _slope_by_t),
)


@public("special.gamma_slope", "rule")
def gamma_slope(a: Any, t: Any, /, *, order: int = 0) -> Tensor:
    """How fast the logarithm of a quantile of the gamma distribution moves with the concentration, element by element.

    At a fixed value of gammainc(a, exp(t)), it is the derivative of t by a: what a sample of the gamma distribution needs for its
    gradient. t is the logarithm of the quantile, because the quantile itself may underflow. It is positive everywhere, and is
    computed to 13 digits by sums of positive terms.

    >>> import xgrad as xg
    >>> a, x = xg.asarray(1.0), xg.asarray(0.5)
    >>> round(xg.special.gamma_slope(a, xg.log(x)).item(), 6)
    1.613958
    >>> by_a, by_x = xg.grad(xg.special.gammainc, argnums=(0, 1))(a, x)
    >>> round((-by_a / by_x / x).item(), 6)
    1.613958

    Args:
        a: the concentration, above 0: an array of a real floating-point dtype (integers become floats of the default dtype), of
            any shape, or a number.
        t: the logarithm of the quantile: an array of the same kind, or a number. They are broadcast.
        order: how often the function is differentiated by a, 0 or more.

    Returns:
        A tensor of the shape of both, broadcast, and of their dtype. It is computed in double precision.

    Derivative:
        By a the function of the next order. By t, for order 0, digamma(a) - t - gamma_slope(a, t) * (a - exp(t)), and for other
        orders the derivatives of that by a. In both modes and to any order.

    Raises:
        ValueError: for an order below 0.
        TypeError: for an order that is no integer.

    Figurnov, Mohamed and Mnih, Implicit reparameterization gradients: https://arxiv.org/abs/1805.08498
    """
    if integer("gamma_slope", order, "order") < 0:
        raise ValueError(f"gamma_slope: order must be 0 or more, got {order!r}")
    return apply(_gamma_slope, arrays("gamma_slope", a, t), {"order": integer("gamma_slope", order, "order")})
