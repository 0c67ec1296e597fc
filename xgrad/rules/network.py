"""Functions that networks need and the standard leaves out. All are stable for every finite argument.

They are compositions in principle; each has a rule because that is faster, and does not overflow on the way.
"""

from __future__ import annotations

from typing import Any

from xgrad.dispatch import affine, apply, is_scalar, weak
from xgrad.op import Elementwise, Function, total
from xgrad.registry import public
from xgrad.rules.declare import elementwise
from xgrad.rules.shapes import expand, normalize_axes
from xgrad.tensor import Tensor

# --- the affine map -----------------------------------------------------------------------------------------


def _rows(xp: Any, x: Any) -> Any:
    return x if x.ndim == 2 else xp.reshape(x, (-1, x.shape[-1]))


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
        lambda xp, g, x: xp.matmul(xp.matrix_transpose(_rows(xp, g)), _rows(xp, x)),
        lambda xp, g: xp.sum(_rows(xp, g), axis=0),
    ),
    jvp=_linear_jvp,
    holomorphic=True,
)


linear = public("linear", "rule")(affine(_linear))


# --- activations --------------------------------------------------------------------------------------------


def _sigmoid_rule(xp: Any, g: Any, y: Any) -> Any:
    h = g * y
    h -= h * y
    return h


sigmoid = elementwise(
    "sigmoid",
    "1 / (1 + exp(-x)), elementwise, within eps of the value.",
    _sigmoid_rule,
)
relu = elementwise("relu", "max(x, 0), elementwise. The gradient at 0 is 0.", lambda xp, g, y: xp.mask(g, y > 0))
softplus = elementwise("softplus", "log(1 + exp(x)), elementwise.", lambda xp, g, x: g * xp.sigmoid(x))

_leaky_relu = Elementwise(
    "leaky_relu",
    ("x",),
    (lambda xp, g, x, negative_slope: xp.where(x > 0, g, g * negative_slope),),
)


@public("leaky_relu", "rule")
def leaky_relu(x: Any, /, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, `negative_slope` times x elsewhere.

    >>> import xgrad as xg
    >>> xg.leaky_relu(xg.asarray([-1.0, 2.0]), 0.5).numpy().tolist()
    [-0.5, 2.0]
    """
    if not is_scalar(negative_slope):
        raise TypeError(f"leaky_relu: negative_slope must be a number, not {type(negative_slope).__name__}")
    return apply(_leaky_relu, (x,), {"negative_slope": weak(negative_slope)})


def _weights(xp: Any, x: Any, y: Any, axis: Any) -> Any:
    """exp(x - y), made to sum to 1: at 1e4, y in float32 is rounded by so much that alone it would not."""
    weights = xp.exp(x - expand(xp, y, x.shape, axis))
    return weights / xp.sum(weights, axis=axis, keepdims=True)


_logsumexp = Function(
    "logsumexp",
    ("x",),
    (lambda xp, g, x, y, axis, keepdims: expand(xp, g, x.shape, axis) * _weights(xp, x, y, axis),),
    jvp=lambda xp, t, x, y, axis, keepdims: xp.sum(t * _weights(xp, x, y, axis), axis=axis, keepdims=keepdims),
)


@public("logsumexp", "rule")
def logsumexp(x: Any, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over the axes, without overflow.

    >>> import xgrad as xg
    >>> xg.logsumexp(xg.asarray([1e4, 1e4])).item()
    10000.69314718056
    """
    return apply(_logsumexp, (x,), {"axis": axis, "keepdims": keepdims})


def _softmax_rule(xp: Any, g: Any, y: Any, axis: int) -> Any:
    """The Jacobian, diag(y) - y y^T, is symmetric: one text for both directions."""
    h = g * y
    return h - y * xp.sum(h, axis=axis, keepdims=True)


_softmax = Function("softmax", ("x",), (_softmax_rule,), jvp=_softmax_rule)
_log_softmax = Function(
    "log_softmax",
    ("x",),
    (lambda xp, g, y, axis: g - xp.exp(y) * xp.sum(g, axis=axis, keepdims=True),),
    jvp=lambda xp, t, y, axis: t - xp.sum(t * xp.exp(y), axis=axis, keepdims=True),
)


@public("softmax", "rule")
def softmax(x: Any, /, *, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along the axis."""
    return apply(_softmax, (x,), {"axis": normalize_axes("softmax", axis, x.ndim)[0]})


@public("log_softmax", "rule")
def log_softmax(x: Any, /, *, axis: int = -1) -> Tensor:
    """x - logsumexp(x) along the axis."""
    return apply(_log_softmax, (x,), {"axis": normalize_axes("log_softmax", axis, x.ndim)[0]})
