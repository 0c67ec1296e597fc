"""The incomplete beta function, its inverse and its logarithm, and the F distribution.

The derivative by x is a density, which is computed as those in incomplete_gamma.py are. The derivatives by the parameters are the
density times the speed at which the quantile moves, `beta_slope`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.backends.beta import digamma_rise
from xgrad.backends.log_tails import log_beta_kernel
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integer
from xgrad.engine.op import Elementwise
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.special_arguments import arrays

# --- how quantiles move -------------------------------------------------------------------------------------


def _by_t(xp: Any, g: Any, a: Any, b: Any, t: Any, y: Any, order: tuple[int, int]) -> Any:
    """From the derivative by t of the equation that defines the slope, differentiated by a and b."""
    m, n = order
    x, rest = xp.sigmoid(t), xp.sigmoid(-t)
    found = -y * (a * rest - b * x)
    if m + n == 0:
        return g * (found - digamma_rise(xp, a, b) + xp.softplus(-t))
    found = found - xp.special.polygamma(m + n, a + b)
    if n == 0:
        found = found + xp.special.polygamma(m, a)
    if m:
        found = found - m * rest * xp.special.beta_slope(a, b, t, order=(m - 1, n))
    if n:
        found = found + n * x * xp.special.beta_slope(a, b, t, order=(m, n - 1))
    return g * found


_beta_slope = Elementwise(
    "special.beta_slope",
    ("a", "b", "t"),
    (
        lambda xp, g, a, b, t, order: g * xp.special.beta_slope(a, b, t, order=(order[0] + 1, order[1])),
        lambda xp, g, a, b, t, order: g * xp.special.beta_slope(a, b, t, order=(order[0], order[1] + 1)),
        _by_t,
    ),
)


@public("special.beta_slope", "rule")
def beta_slope(a: Any, b: Any, t: Any, /, *, order: tuple[int, int] = (0, 0)) -> Tensor:
    """How fast the logit of a quantile of the beta distribution moves with the parameter a, element by element.

    At a fixed value of betainc(a, b, expit(t)), it is the derivative of t by a. The derivative by b is -beta_slope(b, a, -t).
    t is the logit of the quantile, because the quantile itself may be near 0 or 1. It is positive everywhere, and is computed to
    13 digits by sums of positive terms.

    >>> import xgrad as xg
    >>> a, b, x = xg.asarray(2.0), xg.asarray(3.0), xg.asarray(0.5)
    >>> round(xg.special.beta_slope(a, b, xg.special.logit(x)).item(), 6)
    0.52077
    >>> by_a, by_b, by_x = xg.grad(xg.special.betainc, argnums=(0, 1, 2))(a, b, x)
    >>> round((-by_a / by_x / (x * (1 - x))).item(), 6)
    0.52077

    Args:
        a: the exponent of x, above 0: an array of a real floating-point dtype (integers become floats of the default dtype), of
            any shape, or a number.
        b: the exponent of 1 - x, above 0: an array of the same kind, or a number.
        t: the logit of the quantile: an array of the same kind, or a number. The three are broadcast.
        order: how often the function is differentiated by a, and how often by b: two integers, 0 or more.

    Returns:
        A tensor of the shape of all three, broadcast, and of their dtype. It is computed in double precision.

    Derivative:
        By a and b the function of the next order. By t, for the order (0, 0), digamma(a) - digamma(a + b) - log(x) - beta_slope *
        (a * (1 - x) - b * x) with x = expit(t), and for other orders the derivatives of that. In both modes and to any order.

    Raises:
        ValueError: for an order below 0.
        TypeError: for an order that is no integer.

    Figurnov, Mohamed and Mnih, Implicit reparameterization gradients: https://arxiv.org/abs/1805.08498
    """
    m, n = (integer("beta_slope", each, "order") for each in order)
    if min(m, n) < 0:
        raise ValueError(f"beta_slope: order must be two integers, 0 or more, got {order!r}")
    return apply(_beta_slope, arrays("beta_slope", a, b, t), {"order": (m, n)})


# --- the incomplete beta function ----------------------------------------------------------------------------


def beta_density(xp: Any, a: Any, b: Any, x: Any, rest: Any) -> Any:
    """x**(a - 1) * rest**(b - 1) / beta(a, b), where rest is 1 - x"""
    one = xp.ones((), dtype=x.dtype)
    end = (x == 0) | (rest == 0)
    apart = xp.exp(log_beta_kernel(xp, a, b, xp.where(end, one / 2, x), xp.where(end, one / 2, rest), less=1))
    beta = xp.special.betaln(a, b)
    limit = math.log(xp.finfo(x.dtype).max)
    scale = xp.exp(xp.where(-beta < limit, -beta, limit * one))
    # Where one power is infinite, only that power counts: its derivatives are larger than those of the other one.
    at_zero, at_one = (x == 0) & (a < 1), (rest == 0) & (b < 1)
    both = end & ~at_zero & ~at_one
    product = xp.where(both, x, one) ** (a - 1) * xp.where(both, rest, one) ** (b - 1)
    first, second = xp.where(at_zero, x, one) ** (a - 1), xp.where(at_one, rest, one) ** (b - 1)
    at_end = scale * xp.where(at_zero, first, xp.where(at_one, second, product))
    return xp.where(end, at_end, apart)


def _inner(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """Where x is between 0 and 1, x with 1/2 in place of all other elements, and the logit of that."""
    inner = (x > 0) & (x < 1)
    x = xp.where(inner, x, xp.full((), 0.5, dtype=x.dtype))
    return inner, x, xp.log(x) - xp.log1p(-x)


def _slope_by(xp: Any, a: Any, b: Any, t: Any, place: int) -> Any:
    """The derivative of a quantile's logit by a (place 0) or by b (place 1)."""
    return -xp.special.beta_slope(b, a, -t) if place else xp.special.beta_slope(a, b, t)


def _by_parameter(place: int, sign: int) -> Callable[..., Any]:
    """The rule of betainc (sign 1) or betaincc (sign -1): 0 at both ends."""

    def rule(xp: Any, g: Any, a: Any, b: Any, x: Any) -> Any:
        inner, x, t = _inner(xp, x)
        speed = xp.exp(log_beta_kernel(xp, a, b, x, 1 - x)) * _slope_by(xp, a, b, t, place)
        return xp.mask(g * (-sign * speed), inner)

    return rule


_betainc = Elementwise(
    "special.betainc",
    ("a", "b", "x"),
    (_by_parameter(0, 1), _by_parameter(1, 1), lambda xp, g, a, b, x: g * beta_density(xp, a, b, x, 1 - x)),
)
_betaincc = Elementwise(
    "special.betaincc",
    ("a", "b", "x"),
    (_by_parameter(0, -1), _by_parameter(1, -1), lambda xp, g, a, b, x: -g * beta_density(xp, a, b, x, 1 - x)),
)


@public("special.betainc", "rule")
def betainc(a: Any, b: Any, x: Any, /) -> Tensor:
    """The regularized incomplete beta function, element by element: the integral of the beta density from 0 to x.

    >>> import xgrad as xg
    >>> xg.special.betainc(2.0, 1.0, xg.asarray(0.5)).numpy().round(12).tolist()  # x**2
    0.25
    >>> by_a, by_x = xg.grad(xg.special.betainc, argnums=(0, 2))(xg.asarray(2.0), 1.0, xg.asarray(0.5))
    >>> round(by_a.item(), 4), round(by_x.item(), 4)  # x**2 * log(x), 2 * x
    (-0.1733, 1.0)

    It is nan for an x outside of [0, 1], and for a negative a or b.

    Derivative:
        The density x**(a - 1) * (1 - x)**(b - 1) / beta(a, b) by x. By a and b, minus the density times how fast a quantile
        moves, x * (1 - x) * beta_slope(a, b, logit(x)) for a. In both modes and to any order.
    """
    return apply(_betainc, arrays("betainc", a, b, x))


@public("special.betaincc", "rule")
def betaincc(a: Any, b: Any, x: Any, /) -> Tensor:
    """1 - betainc(a, b, x), element by element, accurate where that is small.

    >>> import xgrad as xg
    >>> round(xg.special.betaincc(1.0, 50.0, xg.asarray(0.5)).item() * 1e16, 4)  # 2**-50
    8.8818

    It is nan for an x outside of [0, 1], and for a negative a or b.

    Derivative:
        Minus that of betainc, in both modes and to any order.
    """
    return apply(_betaincc, arrays("betaincc", a, b, x))


# --- its logarithm ------------------------------------------------------------------------------------------


def _log_speed(xp: Any, a: Any, b: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    """Where x is between 0 and 1, x and its logit there, and how fast the logarithm moves with the logit: up to the sign."""
    inner, x, t = _inner(xp, x)
    y = xp.where(inner, y, xp.zeros((), dtype=y.dtype))
    return inner, x, t, xp.exp(log_beta_kernel(xp, a, b, x, 1 - x) - y)


def _log_by_parameter(place: int, sign: int) -> Callable[..., Any]:
    def rule(xp: Any, g: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
        inner, x, t, speed = _log_speed(xp, a, b, x, y)
        return xp.mask(g * (-sign * speed * _slope_by(xp, a, b, t, place)), inner)

    return rule


def _log_by_x(sign: int) -> Callable[..., Any]:
    def rule(xp: Any, g: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
        inner, t, _, speed = _log_speed(xp, a, b, x, y)
        one = xp.ones((), dtype=x.dtype)
        x = xp.where(inner, one / 2, x)
        end = xp.where(y == -math.inf, math.inf * one, beta_density(xp, a, b, x, 1 - x))
        return g * (sign * xp.where(inner, speed / (t * (1 - t)), end))

    return rule


_betaincln = Elementwise(
    "special.betaincln",
    ("a", "b", "x"),
    (_log_by_parameter(0, 1), _log_by_parameter(1, 1), _log_by_x(1)),
)
_betainccln = Elementwise(
    "special.betainccln",
    ("a", "b", "x"),
    (_log_by_parameter(0, -1), _log_by_parameter(1, -1), _log_by_x(-1)),
)


@public("special.betaincln", "rule")
def betaincln(a: Any, b: Any, x: Any, /) -> Tensor:
    """The logarithm of betainc(a, b, x), element by element, also where that underflows.

    >>> import xgrad as xg
    >>> x = xg.asarray(1e-200)
    >>> round(xg.special.betaincln(3.0, 1.0, x).item(), 4)  # 3 * log(x)
    -1381.5511
    >>> round(xg.grad(xg.special.betaincln)(xg.asarray(3.0), 1.0, x).item(), 4)  # log(x)
    -460.517

    Derivative:
        That of betainc divided by betainc, in both modes and to any order, from the logarithms of both. By x it is inf at 0.

    https://github.com/CamDavidsonPilon/autograd-gamma has a function of this name.
    """
    return apply(_betaincln, arrays("betaincln", a, b, x))


@public("special.betainccln", "rule")
def betainccln(a: Any, b: Any, x: Any, /) -> Tensor:
    """The logarithm of betaincc(a, b, x), element by element, also where that underflows.

    >>> import xgrad as xg
    >>> round(xg.special.betainccln(1.0, 5000.0, xg.asarray(0.5)).item(), 4)  # 5000 * log(1 / 2)
    -3465.7359

    Derivative:
        That of betaincc divided by betaincc, in both modes and to any order, from the logarithms of both. By x it is -inf at 1.
    """
    return apply(_betainccln, arrays("betainccln", a, b, x))


# --- its inverse --------------------------------------------------------------------------------------------


def _quantile_by(place: int) -> Callable[..., Any]:
    def rule(xp: Any, g: Any, a: Any, b: Any, y: Any) -> Any:
        inner, y, t = _inner(xp, y)
        return xp.mask(g * (y * (1 - y) * _slope_by(xp, a, b, t, place)), inner)

    return rule


_betaincinv = Elementwise(
    "special.betaincinv",
    ("a", "b", "p"),
    (_quantile_by(0), _quantile_by(1), lambda xp, g, a, b, y: g / beta_density(xp, a, b, y, 1 - y)),
)
_betainccinv = Elementwise(
    "special.betainccinv",
    ("a", "b", "q"),
    (_quantile_by(0), _quantile_by(1), lambda xp, g, a, b, y: -g / beta_density(xp, a, b, y, 1 - y)),
)


@public("special.betaincinv", "rule")
def betaincinv(a: Any, b: Any, p: Any, /) -> Tensor:
    """The inverse of betainc by its last argument, element by element: the quantiles of the beta distribution.

    >>> import xgrad as xg
    >>> round(xg.special.betaincinv(2.0, 1.0, xg.asarray(0.25)).item(), 4)  # sqrt(p)
    0.5
    >>> round(xg.grad(xg.special.betaincinv, argnums=2)(2.0, 1.0, xg.asarray(0.25)).item(), 4)
    1.0

    It is nan for a p outside of [0, 1], and for an a or b that is not positive.

    Derivative:
        By the implicit function theorem: 1 over the density by p, and x * (1 - x) * beta_slope(a, b, logit(x)) by a, for the
        quantile x. In both modes and to any order.
    """
    return apply(_betaincinv, arrays("betaincinv", a, b, p))


@public("special.betainccinv", "rule")
def betainccinv(a: Any, b: Any, q: Any, /) -> Tensor:
    """The inverse of betaincc by its last argument, element by element: betaincinv(a, b, 1 - q), accurate for small q.

    >>> import xgrad as xg
    >>> round(xg.special.betainccinv(1.0, 2.0, xg.asarray(0.25)).item(), 4)  # 1 - sqrt(q)
    0.5

    It is nan for a q outside of [0, 1], and for an a or b that is not positive.

    Derivative:
        As that of betaincinv, with minus 1 over the density by q. In both modes and to any order.
    """
    return apply(_betainccinv, arrays("betainccinv", a, b, q))


# --- the F distribution -------------------------------------------------------------------------------------


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
    return xp.where(end, at_end, beta_density(xp, a, b, share, rest) * slope)


def _f_by(place: int, sign: int) -> Callable[..., Any]:
    """By dfn or dfd: with a = dfn / 2, b = dfd / 2 and the logit log(x * dfn / dfd), which moves with them, too."""

    def rule(xp: Any, g: Any, dfn: Any, dfd: Any, x: Any) -> Any:
        inner = (x > 0) & (x < math.inf)
        x = xp.where(inner, x, xp.ones((), dtype=x.dtype))
        a, b, t = dfn / 2, dfd / 2, xp.log(x) + xp.log(dfn / dfd)
        share, rest = dfn * x / (dfd + dfn * x), dfd / (dfd + dfn * x)
        moved = (-1 / dfd if place else 1 / dfn) - 0.5 * _slope_by(xp, a, b, t, place)
        return xp.mask(g * (sign * xp.exp(log_beta_kernel(xp, a, b, share, rest)) * moved), inner)

    return rule


_fdtr = Elementwise(
    "special.fdtr",
    ("dfn", "dfd", "x"),
    (_f_by(0, 1), _f_by(1, 1), lambda xp, g, dfn, dfd, x: g * _f_density(xp, dfn, dfd, x)),
)
_fdtrc = Elementwise(
    "special.fdtrc",
    ("dfn", "dfd", "x"),
    (_f_by(0, -1), _f_by(1, -1), lambda xp, g, dfn, dfd, x: -g * _f_density(xp, dfn, dfd, x)),
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
        The density of the F distribution by x. By `dfn` and `dfd`, from `beta_slope`. In both modes and to any order.
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
        Minus that of fdtr, in both modes and to any order.
    """
    return apply(_fdtrc, arrays("fdtrc", dfn, dfd, x))
