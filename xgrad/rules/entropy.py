"""Logistic functions, entropies and softmax, by the names and the arguments that they have in scipy.special.

The gradients of xlogy, xlog1py, rel_entr and kl_div by x are 0 where x is 0 and the logarithm is of no positive number.
All gradients of entr, rel_entr and kl_div are 0 outside of their domains.
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
    """y, where x is 0 and y beyond the pole of the logarithm or infinite: the number whose logarithm is 0."""
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
    """x * log(y), elementwise; 0 where x is 0, and there with the gradient 0 if log(y) is not finite.

    >>> import xgrad as xg
    >>> xg.special.xlogy(xg.asarray([0.0, 2.0]), xg.asarray([0.0, 1.0])).numpy().tolist()
    [0.0, 0.0]
    """
    return apply(_xlogy, arrays("xlogy", x, y))


@public("special.xlog1py", "rule")
def xlog1py(x: Any, y: Any, /) -> Tensor:
    """x * log1p(y), elementwise; 0 where x is 0, and there with the gradient 0 if log1p(y) is not finite."""
    return apply(_xlog1py, arrays("xlog1py", x, y))


def _inside(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Where log(x / y) is known (-inf at x = 0), and x and y, 1 elsewhere."""
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
    """(y - x) / y, and 1 - x / y where these are far apart, for the sake of its derivative."""
    at_zero = (x == 0) & (y >= 0)
    inside, x, y = _inside(xp, x, y)
    near = (y < 2 * x) & (x < 2 * y)
    slope = xp.where(near, (y - x) / y, 1 - x / y)
    return xp.mask(g * xp.where(at_zero, xp.ones((), dtype=x.dtype), slope), inside | at_zero)


_rel_entr = Elementwise("special.rel_entr", ("x", "y"), (_rel_entr_by_x, _rel_entr_by_y))
_kl_div = Elementwise("special.kl_div", ("x", "y"), (_kl_div_by_x, _kl_div_by_y))


@public("special.rel_entr", "rule")
def rel_entr(x: Any, y: Any, /) -> Tensor:
    """x * log(x / y), elementwise; 0 where x is 0 and y is not negative, and inf outside of its domain."""
    return apply(_rel_entr, arrays("rel_entr", x, y))


@public("special.kl_div", "rule")
def kl_div(x: Any, y: Any, /) -> Tensor:
    """x * log(x / y) - x + y, elementwise; y where x is 0 and y is not negative, and inf outside of its domain."""
    return apply(_kl_div, arrays("kl_div", x, y))


# --- softmax ------------------------------------------------------------------------------------------------

_logsumexp = Function(
    "special.logsumexp",
    ("x",),
    (lambda xp, g, x, y, axis, keepdims: expand(xp, g, x.shape, axis) * network.weights(xp, x, y, axis),),
    jvp=lambda xp, t, x, y, axis, keepdims: xp.sum(t * network.weights(xp, x, y, axis), axis=axis, keepdims=keepdims),
)


@public("special.logsumexp", "rule (with weights, a composition)")
def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(b * exp(a))) over the axes, without overflow; b is 1 where it is left out. nan where the sum is negative."""
    axis = one_or_more("logsumexp", axis)
    if b is None:
        return apply(_logsumexp, (floating("logsumexp", a),), {"axis": axis, "keepdims": keepdims})
    a, b = arrays("logsumexp", a, b)
    shape = (a * b).shape
    scaled = _weighted(broadcast_to(a, shape), broadcast_to(b, shape), axis)
    return scaled if keepdims else squeeze(scaled, axis=normalize_axes("logsumexp", axis, scaled.ndim))


def _weighted(a: Tensor, b: Tensor, axis: Axis) -> Tensor:
    """The largest elements are taken out first; those with the weight 0 do not count, whatever they are."""
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
    """exp(x) / sum(exp(x)) over the axes; all of them where none is given."""
    return _over_axes("softmax", network.softmax, x, axis)


@public("special.log_softmax", "composition")
def log_softmax(x: Any, axis: Axis = None) -> Tensor:
    """x - logsumexp(x) over the axes; all of them where none is given."""
    return _over_axes("log_softmax", network.log_softmax, x, axis)


def _over_axes(name: str, function: Callable[..., Tensor], x: Any, axis: Axis) -> Tensor:
    """A function along one axis, over several: they are made one."""
    t = floating(name, x)
    axes = normalize_axes(name, one_or_more(name, axis), t.ndim)
    if len(axes) == 1:
        return function(t, axis=axes[0])
    places = tuple(range(-len(axes), 0))
    moved = moveaxis(t, axes, places)
    flat = reshape(moved, (*moved.shape[: t.ndim - len(axes)], prod(t.shape[i] for i in axes)))
    return moveaxis(reshape(function(flat, axis=-1), moved.shape), places, axes)
