"""Logistic functions, entropies and softmax, by the names and the arguments that they have in scipy.special.

Where x is 0 and the logarithm in xlogy, xlog1py, rel_entr or kl_div is not finite, the gradient by x is 0. Outside of the domains
of entr, rel_entr and kl_div, all gradients are 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import prod
from typing import Any

from xgrad.backends.elementary import log_ratio
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import one_or_more
from xgrad.engine.op import Elementwise, Function
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules import network
from xgrad.rules.manipulation import broadcast_to, moveaxis, reshape, squeeze
from xgrad.rules.shapes import expand, normalize_axes
from xgrad.rules.special_arguments import arrays, floating, of_one

Axis = int | tuple[int, ...] | None

# --- logistic functions and entropies -----------------------------------------------------------------------

expit = of_one(
    "special.expit",
    "1 / (1 + exp(-x)), with all its digits where it is small. expit(1.0) = 0.7311",
    lambda xp, g, x: g * (xp.special.expit(x) * xp.special.expit(-x)),
)
log_expit = of_one(
    "special.log_expit",
    "log(expit(x)), without overflow. log_expit(0.5) = -0.4741",
    lambda xp, g, x: g * xp.special.expit(-x),
)
logit = of_one(
    "special.logit",
    "log(x / (1 - x)): the inverse of expit. logit(0.8) = 1.3863",
    lambda xp, g, x: g / x + g / (1 - x),
)


def _entr_rule(xp: Any, g: Any, x: Any) -> Any:
    return xp.mask(-g * (xp.log(xp.where(x < 0, xp.ones((), dtype=x.dtype), x)) + 1), ~(x < 0))


entr = of_one("special.entr", "-x * log(x); 0 at 0, and -inf where x is negative. entr(0.5) = 0.3466", _entr_rule)


def _where_log_is_finite(xp: Any, x: Any, y: Any, pole: float) -> Any:
    """y, except where x is 0 and the logarithm of y is not finite: there, the number whose logarithm is 0."""
    flat = (x == 0) & ((y <= pole) | xp.isinf(y))
    return xp.where(flat, xp.full((), pole + 1, dtype=y.dtype), y)


_xlogy = Elementwise(
    "special.xlogy",
    ("x", "y"),
    (
        lambda xp, g, x, y: g * xp.log(_where_log_is_finite(xp, x, y, 0.0)),
        lambda xp, g, x, y: g * x / _where_log_is_finite(xp, x, y, 0.0),
    ),
)
_xlog1py = Elementwise(
    "special.xlog1py",
    ("x", "y"),
    (
        lambda xp, g, x, y: g * xp.log1p(_where_log_is_finite(xp, x, y, -1.0)),
        lambda xp, g, x, y: g * x / (_where_log_is_finite(xp, x, y, -1.0) + 1),
    ),
)


@public("special.xlogy", "rule")
def xlogy(x: Any, y: Any, /) -> Tensor:
    """x * log(y), element by element, and 0 where x is 0, unless y is nan.

    >>> import xgrad as xg
    >>> x, y = xg.asarray([0.0, 2.0]), xg.asarray([0.0, 1.0])
    >>> xg.special.xlogy(x, y).numpy().tolist()
    [0.0, 0.0]
    >>> xg.grad(lambda y: xg.sum(xg.special.xlogy(x, y)))(y).numpy().tolist()
    [0.0, 2.0]

    Derivative:
        log(y) by x, and x / y by y. Both are 0 where x is 0 and log(y) is not finite.
    """
    return apply(_xlogy, arrays("xlogy", x, y))


@public("special.xlog1py", "rule")
def xlog1py(x: Any, y: Any, /) -> Tensor:
    """x * log1p(y), element by element, and 0 where x is 0, unless y is nan.

    >>> import xgrad as xg
    >>> xg.special.xlog1py(xg.asarray([0.0, 2.0]), xg.asarray([-1.0, 1e-20])).numpy().tolist()
    [0.0, 2e-20]

    Derivative:
        log1p(y) by x, and x / (1 + y) by y. Both are 0 where x is 0 and log1p(y) is not finite.
    """
    return apply(_xlog1py, arrays("xlog1py", x, y))


def _inside(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Where log(x / y) is defined (-inf at x = 0), and x and y, with 1 in place of all other elements."""
    inside = ~((x < 0) | (y <= 0))
    one = xp.ones((), dtype=x.dtype)
    return inside, xp.where(inside, x, one), xp.where(inside, y, one)


def _rel_entr_by_x(xp: Any, g: Any, x: Any, y: Any) -> Any:
    inside, x, y = _inside(xp, x, y)
    return xp.mask(g * (log_ratio(xp, x, y) + 1), inside)


def _rel_entr_by_y(xp: Any, g: Any, x: Any, y: Any) -> Any:
    inside, x, y = _inside(xp, x, y)
    return xp.mask(-g * (x / y), inside)


def _kl_div_by_x(xp: Any, g: Any, x: Any, y: Any) -> Any:
    inside, x, y = _inside(xp, x, y)
    return xp.mask(g * log_ratio(xp, x, y), inside)


def _kl_div_by_y(xp: Any, g: Any, x: Any, y: Any) -> Any:
    """(y - x) / y, which is accurate where x and y are near, and 1 - x / y elsewhere, which has an accurate derivative there."""
    at_zero = (x == 0) & (y >= 0)
    inside, x, y = _inside(xp, x, y)
    near = (y < 2 * x) & (x < 2 * y)
    slope = xp.where(near, (y - x) / y, 1 - x / y)
    return xp.mask(g * xp.where(at_zero, xp.ones((), dtype=x.dtype), slope), inside | at_zero)


_rel_entr = Elementwise("special.rel_entr", ("x", "y"), (_rel_entr_by_x, _rel_entr_by_y))
_kl_div = Elementwise("special.kl_div", ("x", "y"), (_kl_div_by_x, _kl_div_by_y))


@public("special.rel_entr", "rule")
def rel_entr(x: Any, y: Any, /) -> Tensor:
    """x * log(x / y), element by element: the terms of the relative entropy.

    It is 0 where x is 0 and y is not negative, and inf for other arguments that are not positive.

    >>> import xgrad as xg
    >>> p, q = xg.asarray([0.5, 0.5]), xg.asarray([0.25, 0.75])
    >>> round(xg.sum(xg.special.rel_entr(p, q)).item(), 4)
    0.1438
    >>> xg.grad(lambda q: xg.sum(xg.special.rel_entr(p, q)))(q).numpy().round(4).tolist()
    [-2.0, -0.6667]

    Derivative:
        log(x / y) + 1 by x, which is -inf at x = 0, and -x / y by y. Both are 0 where the result is inf, and for x = y = 0.
    """
    return apply(_rel_entr, arrays("rel_entr", x, y))


@public("special.kl_div", "rule")
def kl_div(x: Any, y: Any, /) -> Tensor:
    """x * log(x / y) - x + y, element by element: the terms of the Kullback-Leibler divergence, none of which is negative.

    It is y where x is 0 and y is not negative, and inf for other arguments that are not positive.

    >>> import xgrad as xg
    >>> xg.special.kl_div(xg.asarray([1.0, 0.0]), xg.asarray([1.0, 2.0])).numpy().tolist()
    [0.0, 2.0]

    Derivative:
        log(x / y) by x, which is -inf at x = 0, and 1 - x / y by y. Both are 0 where the result is inf; at x = y = 0 they are 0
        and 1.
    """
    return apply(_kl_div, arrays("kl_div", x, y))


# --- softmax ------------------------------------------------------------------------------------------------

_logsumexp = Function(
    "special.logsumexp",
    ("x",),
    (lambda xp, g, x, y, axis, keepdims: expand(xp, g, x.shape, axis) * network.weights(xp, x, y, axis),),
    jvp=lambda xp, t, x, y, axis, keepdims: xp.sum(t * network.weights(xp, x, y, axis), axis=axis, keepdims=keepdims),
)


@public("special.logsumexp", "rule without weights, else a composition")
def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(b * exp(a))) over one axis or several, without overflow.

    >>> import xgrad as xg
    >>> a = xg.asarray([1000.0, 1000.0])
    >>> round(xg.special.logsumexp(a).item(), 4)
    1000.6931
    >>> xg.grad(xg.special.logsumexp)(a).numpy().tolist()
    [0.5, 0.5]

    Args:
        a: an array of a real floating-point dtype (integers become floats of the default dtype), of any shape, or a number.
        axis: one axis, or a tuple of axes; None means all.
        b: weights, whose shape broadcasts with that of a, also negative ones; None means 1. An element with the weight 0 does not
            count, whatever its value is.

    Returns:
        A tensor of the shape that a and b broadcast to, without the axes (with `keepdims`, with length 1 for each), of the dtype
        that they promote to. It is nan where the sum is negative, and -inf where it is 0.

    Derivative:
        softmax(a), by the rule in xgrad/rules/entropy.py; with weights, that of the functions that it is composed of. Both modes,
        any order. It is nan where all elements are -inf.

    Raises:
        ValueError: for an axis that is not there, and for shapes that do not broadcast.
        TypeError: for a value that is neither an array nor a number, and for an axis that is no integer.
    """
    axis = one_or_more("logsumexp", axis)
    if b is None:
        return apply(_logsumexp, (floating("logsumexp", a),), {"axis": axis, "keepdims": keepdims})
    a, b = arrays("logsumexp", a, b)
    shape = (a * b).shape
    scaled = _weighted(broadcast_to(a, shape), broadcast_to(b, shape), axis)
    return scaled if keepdims else squeeze(scaled, axis=normalize_axes("logsumexp", axis, scaled.ndim))


def _weighted(a: Tensor, b: Tensor, axis: Axis) -> Tensor:
    """log(sum(b * exp(a))), with the axes kept. The largest a is subtracted first. Elements with the weight 0 do not count."""
    xp = a.__array_namespace__()
    peak = xp.max(xp.where(b == 0, -math.inf, a.detach()), axis=axis, keepdims=True)
    peak = xp.where(xp.isfinite(peak), peak, 0.0)
    shifted = a - peak
    gone = (b == 0) & ~(shifted < math.log(xp.finfo(a.dtype).max))
    parts = xp.where(gone, 0.0, b * xp.exp(xp.where(gone, 0.0, shifted)))
    largest = a.detach() == peak
    first = xp.sum(xp.where(largest, parts, 0.0), axis=axis, keepdims=True)
    rest = xp.sum(xp.where(largest, 0.0, parts), axis=axis, keepdims=True)
    usual = (first > 0) & (rest > -first) & xp.isfinite(first)
    share = xp.where(usual, rest, 0.0) / xp.where(usual, first, 1.0)
    known = xp.log1p(share) + xp.log(xp.where(usual, first, 1.0))
    scaled: Tensor = xp.where(usual, known, xp.log(xp.where(usual, 1.0, first + rest))) + peak
    return scaled


@public("special.softmax", "composition")
def softmax(x: Any, axis: Axis = None) -> Tensor:
    """exp(x) / sum(exp(x)) over one axis or several: positive numbers with the sum 1.

    >>> import xgrad as xg
    >>> xg.special.softmax(xg.log(xg.asarray([1.0, 3.0]))).numpy().round(4).tolist()
    [0.25, 0.75]

    Args:
        x: an array of a real floating-point dtype (integers become floats of the default dtype), of any shape, or a number.
        axis: one axis, or a tuple of axes; None means all.

    Returns:
        A tensor of the shape and dtype of x. It is nan where all elements are -inf, or where one is inf.

    Derivative:
        p * (g - sum(p * g)) for the gradient g of the result p, in both modes and to any order.

    Raises:
        ValueError: for an axis that x does not have.
        TypeError: for a value that is neither an array nor a number, and for an axis that is no integer.
    """
    return _over_axes("softmax", network.softmax, x, axis)


@public("special.log_softmax", "composition")
def log_softmax(x: Any, axis: Axis = None) -> Tensor:
    """x - log(sum(exp(x))) over one axis or several: the logarithm of softmax, accurate where that is small.

    >>> import xgrad as xg
    >>> xg.special.log_softmax(xg.log(xg.asarray([1.0, 3.0]))).numpy().round(4).tolist()
    [-1.3863, -0.2877]

    Args:
        x: an array of a real floating-point dtype (integers become floats of the default dtype), of any shape, or a number.
        axis: one axis, or a tuple of axes; None means all.

    Returns:
        A tensor of the shape and dtype of x. It is nan where all elements are -inf, or where one is inf.

    Derivative:
        g - softmax(x) * sum(g) for the gradient g of the result, in both modes and to any order.

    Raises:
        ValueError: for an axis that x does not have.
        TypeError: for a value that is neither an array nor a number, and for an axis that is no integer.
    """
    return _over_axes("log_softmax", network.log_softmax, x, axis)


def _over_axes(name: str, function: Callable[..., Tensor], x: Any, axis: Axis) -> Tensor:
    """A function along one axis, applied over several axes, which are joined into one."""
    t = floating(name, x)
    axes = normalize_axes(name, one_or_more(name, axis), t.ndim)
    if len(axes) == 1:
        return function(t, axis=axes[0])
    places = tuple(range(-len(axes), 0))
    moved = moveaxis(t, axes, places)
    flat = reshape(moved, (*moved.shape[: t.ndim - len(axes)], prod(t.shape[i] for i in axes)))
    return moveaxis(reshape(function(flat, axis=-1), moved.shape), places, axes)
