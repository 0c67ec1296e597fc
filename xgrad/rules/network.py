"""Functions of neural networks, which the standard does not have. All are stable for every finite argument.

Each could be composed of functions of the standard. Its own rule is faster, and does not overflow.
"""

from __future__ import annotations

import math
from math import prod
from typing import Any

from xgrad.backends.data import is_scalar
from xgrad.engine.arguments import as_scalar, backend_of
from xgrad.engine.dispatch import apply, with_fast_path
from xgrad.engine.integers import integer, one_or_more
from xgrad.engine.op import Elementwise, Function, total
from xgrad.engine.operands import beside, operand, own_indices, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.declare import elementwise
from xgrad.rules.documentation import PYTORCH
from xgrad.rules.linear_algebra import matmul, matrix_transpose
from xgrad.rules.shapes import expand, normalize_axes, wide

# --- the affine map -----------------------------------------------------------------------------------------


def _rows(xp: Any, x: Any) -> Any:
    return (
        x if x.ndim == 2 else xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
    )  # not -1, which cannot be inferred for an empty array


def _linear_jvp(xp: Any, tangents: Any, x: Any, weight: Any) -> Any:
    dx, dw, db = (*tangents, None)[:3]
    moved = [xp.linear(dx, weight)] if dx is not None else []
    if dw is not None:
        moved.append(xp.linear(x, dw))
    t = total(moved)
    if db is None:
        return t
    return t + db if t is not None else xp.broadcast_to(db, (*x.shape[:-1], weight.shape[0]))


_linear = Function(
    "linear",
    ("x", "weight", "bias"),
    (
        lambda xp, g, weight: xp.matmul(g, weight),
        lambda xp, g, x, weight: xp.weight_gradient(_rows(xp, g), _rows(xp, x), weight),
        lambda xp, g: xp.sum(_rows(xp, g), axis=0),
    ),
    jvp=_linear_jvp,
    holomorphic=True,
)


@public("linear", "rule")
@with_fast_path("affine", _linear)
def linear(x: Any, weight: Any, bias: Any = None, /) -> Tensor:
    """The affine map x @ weight.T + bias of a layer.

    One operation stands for three: the bias is added in place, and the gradient of the weight has the memory layout of the
    weight.

    >>> import xgrad as xg
    >>> xg.linear(xg.asarray([[1.0, 2.0]]), xg.asarray([[3.0, 4.0]]), xg.asarray([0.5])).tolist()
    [[11.5]]

    Args:
        x: an array of shape (..., in), of any numeric dtype.
        weight: an array of shape (out, in).
        bias: an array of shape (out,), or None.

    Returns:
        A tensor of shape (..., out), of the dtype that the arguments promote to.

    Derivative:
        With the cotangent g: g @ weight for x, g.T @ x for the weight, and the sum of g over all axes but the last for the bias.

    Raises:
        ValueError: for a weight that is no matrix; for a bias of another shape than (out,); for an x whose last axis is not of
            length in.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
    """
    if not hasattr(x, "shape"):
        x = operand("linear", x)
    shapes = [tuple(getattr(array, "shape", ())) for array in (weight, bias)]
    if len(shapes[0]) != 2 or (bias is not None and shapes[1] != shapes[0][:1]):
        given = "" if bias is None else f" and the bias {shapes[1]}"
        raise ValueError(f"linear: the weight is (out, in) and the bias (out,); here the weight is {shapes[0]}{given}")
    return apply(_linear, (x, weight) if bias is None else (x, weight, bias))


@public("weight_gradient", "composition")
def weight_gradient(g: Any, x: Any, weight: Any = None, /) -> Tensor:
    """g.T @ x for two matrices: the gradient of the weight of `linear`.

    >>> import xgrad as xg
    >>> weight = xg.ones((1, 2))
    >>> xg.weight_gradient(xg.asarray([[2.0]]), xg.asarray([[3.0, 4.0]]), weight).tolist()
    [[6.0, 8.0]]

    Args:
        g: a matrix of shape (n, out), of any numeric dtype: the cotangent.
        x: a matrix of shape (n, in): the input of the layer.
        weight: the weight, of shape (out, in), or None. A backend may give the result the memory layout of it.

    Returns:
        A tensor of shape (out, in), of the dtype that g and x promote to.

    Raises:
        TypeError: for a value that is not an array.
        ValueError: for a g or an x with fewer than two axes, and for two numbers of rows.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
    """
    g, x = together("weight_gradient", g, x)
    product: Tensor = matmul(matrix_transpose(g), x)
    return product


# --- activations --------------------------------------------------------------------------------------------


def _sigmoid_rule(xp: Any, g: Any, y: Any) -> Any:
    h = 1 - y
    h *= y
    h *= g
    return h


sigmoid = elementwise(
    "sigmoid",
    "1 / (1 + exp(-x)), accurate also where it is small. sigmoid(1.0) = 0.7311",
    _sigmoid_rule,
    see=PYTORCH.format("nn.functional.sigmoid"),
)
relu = elementwise(
    "relu",
    "max(x, 0). The gradient at 0 is 0. relu(-1.0) = 0.0",
    lambda xp, g, y: xp.mask(g, y > 0),
    see=PYTORCH.format("nn.functional.relu"),
)
softplus = elementwise(
    "softplus",
    "log(1 + exp(x)). softplus(1.0) = 1.3133",
    lambda xp, g, x: g * xp.sigmoid(x),
    see=PYTORCH.format("nn.functional.softplus"),
)


def _sigmoid_cross_entropy_rule(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    """g * (sigmoid(x1) - x2). It is computed from the nearer one of 0 and 1, so that no digits cancel."""
    near = xp.astype(x1 > 0, g.dtype)
    away = 1 - (near + near)
    return g * ((near - x2) + away * xp.sigmoid(away * x1))


sigmoid_cross_entropy = elementwise(
    "sigmoid_cross_entropy",
    "-x2 * log(sigmoid(x1)) - (1 - x2) * log(sigmoid(-x1)). It is 0 where x1 is infinite and x2 equals sigmoid(x1). "
    "sigmoid_cross_entropy(1.0, 1.0) = 0.3133",
    _sigmoid_cross_entropy_rule,
    lambda xp, g, x1: -g * x1,
    see=PYTORCH.format("nn.functional.binary_cross_entropy_with_logits"),
)

_leaky_relu = Elementwise(
    "leaky_relu",
    ("x",),
    (lambda xp, g, x, negative_slope: xp.where(x > 0, g, g * negative_slope),),
)


@public("leaky_relu", "rule")
def leaky_relu(x: Any, /, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, and a multiple of it elsewhere.

    >>> import xgrad as xg
    >>> xg.leaky_relu(xg.asarray([-1.0, 2.0]), 0.5).tolist()
    [-0.5, 2.0]

    Args:
        x: an array of a real floating-point dtype, of any shape.
        negative_slope: the factor where x is 0 or less, a number.

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        1 where x is positive, and negative_slope elsewhere, also at 0.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for a negative_slope that is no number.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
    """
    if not is_scalar(negative_slope):
        raise TypeError(f"leaky_relu: negative_slope must be a number, not {type(negative_slope).__name__}")
    slope = as_scalar(backend_of("leaky_relu", (x,)), negative_slope)
    return apply(_leaky_relu, (x,), {"negative_slope": slope})


def weights(xp: Any, x: Any, y: Any, axis: Any) -> Any:
    """softmax over the axes: exp(x - y), divided by its sum, which is not exactly 1 because y is rounded.

    An element that is inf has the weight 1, as in the limit; several share it.
    """
    x = wide(xp, x)
    largest = float(xp.finfo(x.dtype).max)
    x = xp.minimum(x, largest)
    if not isinstance(axis, tuple) and (axis is not None or x.ndim == 1):
        return xp.softmax(x, axis=0 if axis is None else axis)
    y = xp.minimum(wide(xp, y), largest)
    y = xp.where(xp.isfinite(y), y, xp.full((), math.nan, dtype=y.dtype))
    weights = xp.exp(x - expand(xp, y, x.shape, axis))
    return weights / xp.sum(weights, axis=axis, keepdims=True)


_logsumexp = Function(
    "logsumexp",
    ("x",),
    (lambda xp, g, x, y, axis, keepdims: expand(xp, g, x.shape, axis) * weights(xp, x, y, axis),),
    jvp=lambda xp, t, x, y, axis, keepdims: xp.sum(t * weights(xp, x, y, axis), axis=axis, keepdims=keepdims),
)


@public("logsumexp", "rule")
def logsumexp(x: Any, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over axes, without overflow. It is -inf where there are no elements.

    >>> import xgrad as xg
    >>> xg.logsumexp(xg.asarray([1e4, 1e4])).item()
    10000.69314718056

    Args:
        x: an array of a real floating-point dtype. Integers become floats of the default dtype.

    Returns:
        A tensor of the shape of x without the axes, of the dtype of x.

    Derivative:
        softmax(x) over the axes. An element that is inf gets all of it, several share it. It is nan where all elements are -inf.

    https://docs.pytorch.org/docs/stable/generated/torch.logsumexp.html
    """
    return apply(_logsumexp, (x,), {"axis": one_or_more("logsumexp", axis), "keepdims": keepdims})


def _softmax_rule(xp: Any, g: Any, y: Any, axis: int) -> Any:
    """The Jacobian, diag(y) - y y^T, is symmetric: one rule serves both modes."""
    y = wide(xp, y)
    h = g * y
    return h - y * xp.sum(h, axis=axis, keepdims=True)


_softmax = Function("softmax", ("x",), (_softmax_rule,), jvp=_softmax_rule)
_log_softmax = Function(
    "log_softmax",
    ("x",),
    (lambda xp, g, y, axis: g - xp.exp(wide(xp, y)) * xp.sum(wide(xp, g), axis=axis, keepdims=True),),
    jvp=lambda xp, t, y, axis: t - xp.sum(t * xp.exp(wide(xp, y)), axis=axis, keepdims=True),
)


@public("softmax", "rule")
def softmax(x: Any, /, *, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along an axis, without overflow.

    >>> import xgrad as xg
    >>> xg.softmax(xg.asarray([1000.0, 1000.0])).tolist()
    [0.5, 0.5]

    Args:
        x: an array of a real floating-point dtype, with an axis at least. Integers become floats of the default dtype.

    Returns:
        A tensor of the shape and dtype of x, with sums of 1 along the axis. They are nan where an element is inf or nan, and
        where all are -inf.

    Derivative:
        With the cotangent g and the result y: y * (g - sum(g * y)), in both modes and to any order.

    Raises:
        ValueError: for an axis that x does not have.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
    """
    x = operand("softmax", x)
    return apply(_softmax, (x,), {"axis": normalize_axes("softmax", integer("softmax", axis), x.ndim)[0]})


@public("log_softmax", "rule")
def log_softmax(x: Any, /, *, axis: int = -1) -> Tensor:
    """The logarithm of softmax, x - logsumexp(x), along an axis. It is finite also where softmax is 0.

    >>> import xgrad as xg
    >>> xg.log_softmax(xg.asarray([0.0, 1000.0])).tolist()
    [-1000.0, 0.0]

    Args:
        x: an array of a real floating-point dtype, with an axis at least. Integers become floats of the default dtype.

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        With the cotangent g: g - softmax(x) * sum(g), in both modes and to any order.

    Raises:
        ValueError: for an axis that x does not have.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
    """
    x = operand("log_softmax", x)
    return apply(_log_softmax, (x,), {"axis": normalize_axes("log_softmax", integer("log_softmax", axis), x.ndim)[0]})


def _cross_entropy_slope(xp: Any, x: Any, number: Any, axis: int, ignore_index: int) -> tuple[Any, Any]:
    """softmax(x), and the class numbers along the axis (0 for those to ignore)."""
    number = xp.where(number == ignore_index, xp.zeros_like(number), number)
    return xp.softmax(x, axis=axis), xp.expand_dims(number, axis=axis)


def _cross_entropy_rule(xp: Any, g: Any, x: Any, number: Any, axis: int, ignore_index: int) -> Any:
    """g times (softmax(x) minus one at the class)."""
    g = xp.expand_dims(xp.mask(g, number != ignore_index), axis=axis)
    p, index = _cross_entropy_slope(xp, x, number, axis, ignore_index)
    return p * g - xp.scatter_along_axis(g, index, x.shape, axis)


def _cross_entropy_jvp(xp: Any, t: Any, x: Any, number: Any, axis: int, ignore_index: int) -> Any:
    t = t[0] if isinstance(t, (list, tuple)) else t
    p, index = _cross_entropy_slope(xp, x, number, axis, ignore_index)
    moved = xp.sum(p * t, axis=axis) - xp.squeeze(xp.take_along_axis(t, index, axis=axis), axis=axis)
    return xp.mask(moved, number != ignore_index)


_cross_entropy = Function("softmax_cross_entropy", ("x", "number"), (_cross_entropy_rule, None), jvp=_cross_entropy_jvp)


@public("softmax_cross_entropy", "rule")
def softmax_cross_entropy(x: Any, number: Any, /, *, axis: int = -1, ignore_index: int = -100) -> Tensor:
    """The cross entropy -log_softmax(x) at given classes.

    >>> import xgrad as xg
    >>> x, number = xg.asarray([[0.0, 0.0]]), xg.asarray([1])
    >>> round(xg.softmax_cross_entropy(x, number).item(), 4)
    0.6931
    >>> xg.grad(lambda x: xg.sum(xg.softmax_cross_entropy(x, number)))(x).tolist()
    [[0.5, -0.5]]

    Args:
        x: an array of scores (logits) of a real floating-point dtype, with one score for each class along the axis.
        number: the numbers of the classes, from 0, an array of integers of the shape of x without the axis.
        ignore_index: the number that stands for no class: there the result and the gradient are 0.

    Returns:
        A tensor of the shape of the numbers and the dtype of x.

    Derivative:
        The cotangent times softmax(x), less the cotangent at the class. The numbers get none.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for an axis or an ignore_index that is no integer.
        ValueError: for an axis that x does not have.
        IndexError: for a number that is no class, where the library checks its indices; elsewhere it gives nan, as -1 does.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
    """
    x, number = together("softmax_cross_entropy", x, own_indices(x, number))
    x, number = operand("softmax_cross_entropy", x), beside("softmax_cross_entropy", x, number)
    (axis,) = normalize_axes("softmax_cross_entropy", integer("softmax_cross_entropy", axis), x.ndim)
    ignored = integer("softmax_cross_entropy", ignore_index, "ignore_index")
    return apply(_cross_entropy, (x, number), {"axis": axis, "ignore_index": ignored})
