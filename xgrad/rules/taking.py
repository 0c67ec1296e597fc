"""Elements at the indices of an array, along one axis: take, take_along_axis, and their transposes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integer
from xgrad.engine.modes import is_debugging
from xgrad.engine.op import JointlyLinear, sum_to
from xgrad.engine.operands import beside, operand, own_indices, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.indexing import placed
from xgrad.rules.manipulation import broadcast_shapes, broadcast_to, reshape
from xgrad.rules.shapes import normalize_axes

_take = JointlyLinear(
    "take",
    ("x", "indices"),
    (lambda xp, g, x_shape, indices, axis: xp.scatter_take(g, indices, x_shape, axis), None),
    fixed=("indices",),
)
_scatter_take = JointlyLinear(
    "scatter_take",
    ("x", "indices"),
    (lambda xp, g, indices, axis: xp.take(g, indices, axis=axis), None),
    fixed=("indices",),
)
_take_along_axis = JointlyLinear(
    "take_along_axis",
    ("x", "indices"),
    (lambda xp, g, x_shape, indices, axis: _to_lines(xp, g, x_shape, indices, axis), None),
    fixed=("indices",),
)
_scatter_along_axis = JointlyLinear(
    "scatter_along_axis",
    ("x", "indices"),
    (lambda xp, g, indices, axis: xp.take_along_axis(g, indices, axis=axis), None),
    fixed=("indices",),
)


def _to_lines(xp: Any, g: Any, x_shape: tuple[int, ...], indices: Any, axis: int) -> Any:
    """The transpose of `take_along_axis`, before the engine sums it over the axes along which x was broadcast."""
    if indices.shape != g.shape:
        indices = xp.broadcast_to(indices, g.shape)
    if (*x_shape[:axis], *x_shape[axis + 1 :]) != (*g.shape[:axis], *g.shape[axis + 1 :]):
        x_shape = (*g.shape[:axis], x_shape[axis], *g.shape[axis + 1 :])
    return xp.scatter_along_axis(g, indices, x_shape, axis)


def _check_lines(name: str, shapes: Sequence[tuple[int, ...]], axis: int) -> tuple[int, ...]:
    """The shape that all axes but one broadcast to, with length 1 there. Raises ValueError if there is none."""
    try:
        if len({len(shape) for shape in shapes}) == 1:
            return broadcast_shapes(*((*shape[:axis], 1, *shape[axis + 1 :]) for shape in shapes))
    except ValueError:
        pass
    given = " and ".join(str(tuple(shape)) for shape in shapes)
    raise ValueError(
        f"{name}: the shapes {given} must have the same number of axes, and broadcast along all of them but axis {axis}"
    )


@public("take", "rule")
def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Tensor:
    """The elements at some indices along an axis.

    >>> import xgrad as xg
    >>> xg.take(xg.asarray([[1.0, 2.0, 3.0]]), xg.asarray([2, 0]), axis=1).tolist()
    [[3.0, 1.0]]

    Args:
        indices: an array of integers, counted from the end where they are negative. (The standard has one axis only; here there
            may be several, or none.)
        axis: the axis, counted from the end where it is negative; None is for vectors only.

    Returns:
        A tensor of the dtype of x and of its shape, with the shape of the indices in place of the axis: a copy.

    Derivative:
        The cotangent is added at the indices: an element taken twice gets both.

    Raises:
        TypeError: for an x that is neither an array nor a number; for an axis or indices that are no integers (ValueError in
            JAX).
        ValueError: for an axis that x does not have, and for None where x is no vector.
        IndexError: for an index out of range (JAX gives nan for it, unless `xgrad.debug` is on).
    """
    x, indices = together("take", x, own_indices(x, indices))
    x, indices = operand("take", x), beside("take", x, indices)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: axis is needed for an array with {x.ndim} axes")
        axis = 0
    (axis,) = normalize_axes("take", integer("take", axis), x.ndim)
    if getattr(indices, "ndim", 1) != 1:  # beyond the standard
        line = take(x, reshape(indices, (-1,)), axis=axis)
        return reshape(line, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices))
    return apply(_take, (x, indices), {"axis": axis})


@public("take_along_axis", "rule")
def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Tensor:
    """For each line along an axis, the elements at that line's own indices.

    >>> import xgrad as xg
    >>> x = xg.asarray([[10.0, 20.0, 30.0]])
    >>> xg.take_along_axis(x, xg.asarray([[0, 0], [1, 2]]), axis=1).tolist()
    [[10.0, 10.0], [20.0, 30.0]]

    Args:
        indices: an array of integers with as many axes as x, counted from the end where they are negative. All axes but the one
            broadcast.

    Returns:
        A tensor of the dtype of x, and of the shape of the indices after broadcasting: a copy.

    Derivative:
        The cotangent is added at the indices: an element taken twice gets both.

    Raises:
        ValueError: for an axis that x does not have; for another number of axes; for shapes that do not broadcast.
        IndexError: for an index out of range (JAX gives nan for it, unless `xgrad.debug` is on); for indices that are no integers
            (TypeError in JAX).
    """
    x, indices = together("take_along_axis", x, own_indices(x, indices))
    x, indices = operand("take_along_axis", x), beside("take_along_axis", x, indices)
    (axis,) = normalize_axes("take_along_axis", integer("take_along_axis", axis), x.ndim)
    _check_lines("take_along_axis", (x.shape, indices.shape), axis)
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices))
    return apply(_take_along_axis, (x, indices), {"axis": axis})


@public("scatter_take", "rule")
def scatter_take(x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Tensor:
    """Zeros with x added at some indices along an axis: the transpose of `take`.

    >>> import xgrad as xg
    >>> xg.scatter_take(xg.asarray([1.0, 2.0, 5.0]), xg.asarray([0, 0, 2]), (4,), 0).tolist()
    [3.0, 0.0, 5.0, 0.0]

    Args:
        x: an array of any numeric dtype, of the shape of `take(result, indices, axis=axis)`.
        indices: an array of integers.
        shape: the shape of the result, a tuple of integers.
        axis: the axis, from 0.

    Returns:
        A tensor of that shape and the dtype of x. What is added to one place twice is added up.

    Derivative:
        x gets the elements of the cotangent at the indices.

    Raises:
        IndexError: for an index out of range (array-api-strict leaves out what comes there, and so does JAX unless
            `xgrad.debug` is on).
        ValueError: for an x of another shape; for an axis that the result does not have.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html
    """
    if indices.ndim != 1:
        line = reshape(x, (*x.shape[:axis], prod(indices.shape), *x.shape[axis + indices.ndim :]))
        return scatter_take(line, reshape(indices, (-1,)), shape, axis)
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices), tuple(shape))
    return apply(_scatter_take, (x, own_indices(x, indices)), {"shape": tuple(shape), "axis": axis})


@public("scatter_along_axis", "rule")
def scatter_along_axis(x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Tensor:
    """Zeros with x added at each line's own indices: the transpose of `take_along_axis`.

    >>> import xgrad as xg
    >>> xg.scatter_along_axis(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), xg.asarray([[0, 0], [2, 1]]), (2, 3), 1).tolist()
    [[3.0, 0.0, 0.0], [0.0, 4.0, 3.0]]

    Args:
        x: an array of any numeric dtype, of the shape of `take_along_axis(result, indices, axis=axis)`.
        indices: an array of integers with as many axes as the result.
        shape: the shape of the result, a tuple of integers.

    Returns:
        A tensor of that shape and the dtype of x. What is added to one place twice is added up.

    Derivative:
        x gets the elements of the cotangent at the indices.

    Raises:
        IndexError: for an index out of range (array-api-strict leaves out what comes there, and so does JAX unless
            `xgrad.debug` is on).
        ValueError: for an axis that the result does not have; for shapes that do not fit.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html
    """
    x, shape = operand("scatter_along_axis", x), tuple(shape)
    (axis,) = normalize_axes("scatter_along_axis", integer("scatter_along_axis", axis), len(shape))
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices), shape)
    lines = _check_lines("scatter_along_axis", (x.shape, indices.shape, shape), axis)
    taken = (*lines[:axis], indices.shape[axis], *lines[axis + 1 :])
    x, indices = (array if array.shape == taken else broadcast_to(array, taken) for array in (x, indices))
    wide = (*lines[:axis], shape[axis], *lines[axis + 1 :])
    scattered = apply(_scatter_along_axis, (x, own_indices(x, indices)), {"shape": wide, "axis": axis})
    return scattered if wide == shape else sum_to(scattered.__array_namespace__(), scattered, shape)
