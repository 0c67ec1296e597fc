"""Standardization over axes, and the affine map of each element that follows it in a layer.

Batch, layer, group and instance normalization are these two. One rule stands for what would be ten operations.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from xgrad.backends import normalization
from xgrad.backends.data import REAL
from xgrad.backends.refusal import ROWS
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integers
from xgrad.engine.op import Function, Multilinear, total
from xgrad.engine.operands import as_tensors, operand
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tensor import Tensor
from xgrad.rules.shapes import expand, normalize_axes, wide

for _function in (normalization.sum_of_products, normalization.scale_and_shift, normalization.standardize):
    ROWS[_function.__name__] = _function

Axes = tuple[int, ...]

# --- a sum of products --------------------------------------------------------------------------------------

_sum_of_products = Multilinear(
    "sum_of_products",
    ("x1", "x2"),
    (
        lambda xp, g, x2, axis: expand(xp, g, x2.shape, axis) * x2,
        lambda xp, g, x1, axis: expand(xp, g, x1.shape, axis) * x1,
    ),
)


@public("sum_of_products", "rule")
def sum_of_products(x1: Any, x2: Any, /, *, axis: int | Axes | None = None, keepdims: bool = False) -> Tensor:
    """The sum of x1 * x2 over axes, without the array of products where the library can do so.

    >>> import xgrad as xg
    >>> xg.sum_of_products(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), xg.asarray([[1.0, 1.0], [2.0, 2.0]]), axis=0).tolist()
    [7.0, 10.0]

    Args:
        x1: an array of a real or complex floating-point dtype. None of its elements is conjugated.
        x2: an array of the same shape.
        axis: the axes to sum over, an integer or several; None means all.
        keepdims: whether the axes stay, with length 1.

    Returns:
        A tensor of the shape of x1 without the axes, of the dtype that both promote to.

    Derivative:
        The cotangent times the other array.

    Raises:
        TypeError: for a value that is no array, and for an axis that is no integer.
        ValueError: for two shapes, and for an axis that they do not have.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://data-apis.org/array-api/latest/API_specification/generated/array_api.vecdot.html
    """
    x1, x2 = as_tensors("sum_of_products", (x1, x2))
    if x1.shape != x2.shape:
        raise ValueError(f"sum_of_products: the arrays must have the same shape, got {x1.shape} and {x2.shape}")
    axes = normalize_axes("sum_of_products", axis, x1.ndim)
    return apply(_sum_of_products, (x1, x2), {"axis": axes, "keepdims": keepdims})


# --- scale and shift ----------------------------------------------------------------------------------------


def _of_scale(xp: Any, g: Any, x: Any, scale_shape: tuple[int, ...]) -> Any:
    """The cotangent of the scale: the sum of g * x over the axes along which it was repeated."""
    extra = g.ndim - len(scale_shape)
    axes = (*range(extra), *(i + extra for i, n in enumerate(scale_shape) if n == 1 != g.shape[i + extra]))
    if not axes:
        return g * x
    return xp.reshape(xp.sum_of_products(wide(xp, g), wide(xp, x), axis=axes, keepdims=True), scale_shape)


def _scale_and_shift_jvp(xp: Any, tangents: Any, x: Any, scale: Any) -> Any:
    dx, dscale, dshift = (*tangents, None)[:3]
    moved = [dx * scale] if dx is not None else []
    if dscale is not None:
        moved.append(x * dscale)
    t = total(moved)
    if dshift is None:
        return t
    return t + dshift if t is not None else xp.broadcast_to(dshift, x.shape)


_scale_and_shift = Function(
    "scale_and_shift",
    ("x", "scale", "shift"),
    (lambda xp, g, scale: g * scale, _of_scale, lambda xp, g: g),
    jvp=_scale_and_shift_jvp,
    holomorphic=True,
)


@public("scale_and_shift", "rule")
def scale_and_shift(x: Any, scale: Any, shift: Any = None, /) -> Tensor:
    """x * scale + shift, where scale and shift are repeated along the axes that they lack.

    One operation stands for two: the sum is written into the product.

    >>> import xgrad as xg
    >>> xg.scale_and_shift(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), xg.asarray([1.0, 10.0]), xg.asarray([0.5, 0.5])).tolist()
    [[1.5, 20.5], [3.5, 40.5]]

    Args:
        x: an array of a real or complex floating-point dtype.
        scale: an array whose shape broadcasts to that of x.
        shift: an array whose shape broadcasts to that of x, or None.

    Returns:
        A tensor of the shape of x, of the dtype that the arguments promote to.

    Derivative:
        With the cotangent g: g * scale for x, the sum of g * x for the scale, and the sum of g for the shift.

    Raises:
        TypeError: for a value that is no array.
        ValueError: for a scale or a shift whose shape does not broadcast to that of x.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.addcmul.html
    """
    args = as_tensors("scale_and_shift", (x, scale) if shift is None else (x, scale, shift))
    shape = args[0].shape
    for array in args[1:]:
        extra = len(shape) - len(array.shape)
        if extra < 0 or any(n not in (1, shape[i + extra]) for i, n in enumerate(array.shape)):
            raise ValueError(f"scale_and_shift: the shape {array.shape} does not broadcast to {shape}")
    return apply(_scale_and_shift, args)


# --- standardization ----------------------------------------------------------------------------------------


class StandardizeResult(NamedTuple):
    """Standardized values, and the mean and the variance over the axes, which keep the length 1."""

    values: Tensor
    mean: Tensor
    var: Tensor


def _inverse_std(xp: Any, var: Any, eps: float) -> Any:
    return 1 / xp.sqrt(var + eps)


def _projected(xp: Any, g: Any, y: Any, n: int, axis: Axes, centered: bool) -> Any:
    """g - mean(g) - y * mean(g * y), in one new array. It is symmetric in g, so it serves both modes.

    Without centering, the mean of g stays.
    """
    h = y * (xp.sum_of_products(g, y, axis=axis, keepdims=True) / -n)
    h += g
    if centered:
        h -= xp.mean(g, axis=axis, keepdims=True)
    return h


def _standardize_vjp(xp: Any, g: list[Any], y: Any, var: Any, axis: Axes, eps: float, centered: bool) -> Any:
    gy, gmean, gvar = g
    y, n = wide(xp, y), prod(y.shape[a] for a in axis)
    scale = _inverse_std(xp, var, eps)
    h = None
    if gy is not None:
        h = _projected(xp, wide(xp, gy), y, n, axis, centered)
        h *= scale
    if gvar is not None:  # the derivative of the variance is 2 * (x - mean) / n
        moved = y * (2 / n * gvar / scale)
        h = moved if h is None else h + moved
    if gmean is not None and centered:
        moved = expand(xp, gmean / n, y.shape, axis)
        h = moved if h is None else h + moved
    return h


def _standardize_jvp(xp: Any, t: Any, y: Any, var: Any, axis: Axes, eps: float, centered: bool) -> list[Any]:
    t, y, n = wide(xp, t), wide(xp, y), prod(y.shape[a] for a in axis)
    scale = _inverse_std(xp, var, eps)
    moved = _projected(xp, t, y, n, axis, centered)
    moved *= scale
    dmean = xp.mean(t, axis=axis, keepdims=True) if centered else xp.zeros_like(var)
    return [moved, dmean, 2 / n * xp.sum_of_products(t, y, axis=axis, keepdims=True) / scale]


_standardize = Several("standardize", "x", ("y", "mean", "var"), _standardize_vjp, _standardize_jvp)


@public("standardize", "rule")
def standardize(
    x: Any, /, *, axis: int | Axes | None = None, eps: float = 1e-5, centered: bool = True
) -> StandardizeResult:
    """(x - mean) / sqrt(var + eps) over axes, with the mean and the variance.

    >>> import xgrad as xg
    >>> y, mean, var = xg.standardize(xg.asarray([[1.0, 3.0], [2.0, 6.0]]), axis=1, eps=0.0)
    >>> y.tolist(), mean.tolist(), var.tolist()
    ([[-1.0, 1.0], [-1.0, 1.0]], [[2.0], [4.0]], [[1.0], [4.0]])

    Args:
        x: an array of a real floating-point dtype.
        axis: the axes over which mean and variance are taken, an integer or several; None means all.
        eps: the number that is added to the variance, 0 or more.
        centered: whether the mean is subtracted. Otherwise x / sqrt(mean(x**2) + eps) is computed, and the mean is 0.

    Returns:
        A named tuple of tensors: `values` of the shape and dtype of x, and `mean` and `var`, in which the axes have length 1. The
        variance is that of the population: the sum of squares is divided by the number of elements.

    Derivative:
        With the cotangent g of the values y: (g - mean(g) - y * mean(g * y)) / sqrt(var + eps), in both modes and to any order.

    Raises:
        TypeError: for an x of another dtype, or that is no array, and for an axis that is no integer.
        ValueError: for an axis that x does not have.

    Ba, Kiros, Hinton, "Layer normalization" (2016): https://arxiv.org/abs/1607.06450
    """
    x = operand("standardize", x)
    if x.backend.rank(x.dtype) != REAL:
        raise TypeError(f"standardize: x must have a real floating-point dtype, not {x.dtype}")
    axes = axis if axis is None or type(axis) is int else integers("standardize", axis)
    found = _standardize(x, axis=normalize_axes("standardize", axes, x.ndim), eps=float(eps), centered=bool(centered))
    return StandardizeResult(*found)
