"""Shape manipulation. Every function here is linear, and its transpose moves the cotangent back to where x had it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any

from xgrad.engine.dispatch import apply, apply_to_one
from xgrad.engine.integers import integer, integers, one_or_more
from xgrad.engine.op import JointlyLinear, Multilinear
from xgrad.engine.operands import as_tensors, operand
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.engine.views import Kind, as_view, layout_of, link_of
from xgrad.rules import strides
from xgrad.rules.shapes import Axes, inverse, normalize_axes

# --- one array, same elements -------------------------------------------------------------------------------

_reshape = Multilinear("reshape", ("x",), (lambda xp, g, x_shape: xp.reshape(g, x_shape),))
_squeeze = Multilinear("squeeze", ("x",), (lambda xp, g, x_shape: xp.reshape(g, x_shape),))
_expand_dims = Multilinear("expand_dims", ("x",), (lambda xp, g, x_shape: xp.reshape(g, x_shape),))
_permute_dims = Multilinear("permute_dims", ("x",), (lambda xp, g, axes: xp.permute_dims(g, inverse(axes)),))
_flip = Multilinear("flip", ("x",), (lambda xp, g, axis: xp.flip(g, axis=axis),))
_roll = Multilinear("roll", ("x",), (lambda xp, g, shift, axis: xp.roll(g, _negated(shift), axis=axis),))
_broadcast_to = Multilinear("broadcast_to", ("x",), (lambda xp, g: g,))  # summed to the shape of x by the engine

# The kinds of views: how each is computed from its base, how it is written back into its base, and its layout.
RESHAPED = Kind(
    lambda base, shape: apply_to_one(_reshape, base, {"shape": shape}),
    lambda base, new, shape, in_memory: apply_to_one(_reshape, new, {"shape": base.shape}),
    strides.reshaped,
)
PERMUTED = Kind(
    lambda base, axes: apply_to_one(_permute_dims, base, {"axes": axes}),
    lambda base, new, axes, in_memory: apply_to_one(_permute_dims, new, {"axes": inverse(axes)}),
    strides.permuted,
)
FLIPPED = Kind(
    lambda base, axes: apply_to_one(_flip, base, {"axis": axes}),
    lambda base, new, axes, in_memory: apply_to_one(_flip, new, {"axis": axes}),
    strides.flipped,
)
BROADCAST = Kind(lambda base, shape: apply_to_one(_broadcast_to, base, {"shape": shape}), None, strides.broadcast)


def _negated(shift: int | tuple[int, ...]) -> int | tuple[int, ...]:
    return -shift if isinstance(shift, int) else tuple(-s for s in shift)


@public("reshape", "rule")
def reshape(x: Any, /, shape: Sequence[int], *, copy: bool | None = None) -> Tensor:
    """The same elements, row by row, in another shape.

    >>> import xgrad as xg
    >>> xg.reshape(xg.asarray([1.0, 2.0, 3.0, 4.0]), (2, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]

    Args:
        shape: the lengths of the axes, a tuple of integers or one integer. One of them may be -1: it follows from the others.

    Returns:
        A tensor of that shape and the dtype of x: a view of x where the elements lie row by row, so that no copy is needed. Of a
        transposed or stepped view it may be a copy. With `copy=True` it is always one.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for a length that is no integer.
        ValueError: for a shape of another number of elements; for two lengths of -1; for `copy=False` where only a copy will do.
    """
    y = apply_to_one(_reshape, x, {"shape": integers("reshape", shape, "shape"), "copy": copy})
    if copy or not isinstance(x, Tensor) or not _lies_as(x, y._data.shape):
        return y
    return as_view(y, x, RESHAPED, y._data.shape)


def _lies_as(x: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether x can be viewed in that shape without a copy."""
    return link_of(x) is None or strides.reshaped(*layout_of(x), shape) is not None


@public("squeeze", "rule")
def squeeze(x: Any, /, axis: int | tuple[int, ...]) -> Tensor:
    """x without some of its axes of length 1.

    >>> import xgrad as xg
    >>> xg.squeeze(xg.zeros((1, 3, 1)), (0, 2)).shape
    (3,)

    Returns:
        A tensor of the remaining shape and the dtype of x: a view of x.

    Raises:
        ValueError: for an axis of another length than 1; for an axis that x does not have, or one named twice.
    """
    y = apply_to_one(_squeeze, x, {"axis": one_or_more("squeeze", axis, needed=True)})
    return as_view(y, x, RESHAPED, y._data.shape) if isinstance(x, Tensor) else y


@public("expand_dims", "rule")
def expand_dims(x: Any, /, axis: int | tuple[int, ...]) -> Tensor:
    """x with new axes of length 1.

    >>> import xgrad as xg
    >>> xg.expand_dims(xg.zeros((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)

    Args:
        axis: where the new axis is in the result, counted from the end where it is negative; or a tuple of such places.

    Returns:
        A tensor of the longer shape and the dtype of x: a view of x.

    Raises:
        IndexError: for an axis that the result does not have.
        ValueError: for an axis in a tuple that the result does not have, or one named twice.
    """
    x = operand("expand_dims", x)
    axis = one_or_more("expand_dims", axis, needed=True)
    if isinstance(axis, int):
        if not -x.ndim - 1 <= axis <= x.ndim:
            raise IndexError(
                f"expand_dims: axis {axis} of an array with {x.ndim} axes; it must lie in {-x.ndim - 1} to {x.ndim}"
            )
        y = apply_to_one(_expand_dims, x, {"axis": axis})
        return as_view(y, x, RESHAPED, y._data.shape) if isinstance(x, Tensor) else y
    width = x.ndim + len(axis)
    new = normalize_axes("expand_dims", axis, width)
    if len(set(new)) != len(new):
        raise ValueError(f"expand_dims: {axis} names an axis twice")
    lengths = iter(x.shape)
    return reshape(x, tuple(1 if i in new else next(lengths) for i in range(width)))


@public("permute_dims", "rule")
def permute_dims(x: Any, /, axes: Sequence[int]) -> Tensor:
    """The axes in another order.

    >>> import xgrad as xg
    >>> xg.permute_dims(xg.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)

    Args:
        axes: for each axis of the result, the axis of x that it is, counted from the end where it is negative.

    Returns:
        A tensor of the permuted shape and the dtype of x: a view of x.

    Derivative:
        The cotangent's axes are permuted back.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for an axis that is no integer.
        ValueError: for axes that are no permutation of those of x.
    """
    x = operand("permute_dims", x)
    order = normalize_axes("permute_dims", axes, x.ndim)
    y = apply_to_one(_permute_dims, x, {"axes": order})
    return as_view(y, x, PERMUTED, order) if isinstance(x, Tensor) else y


@public("moveaxis", "composition")
def moveaxis(x: Any, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Tensor:
    """Some axes moved to other places. The others keep their order.

    >>> import xgrad as xg
    >>> xg.moveaxis(xg.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)

    Args:
        source: the axis to move, or a tuple of axes, counted from the end where they are negative.
        destination: the place of each in the result.

    Returns:
        A tensor of the permuted shape and the dtype of x: a view of x.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for an axis that is no integer.
        ValueError: for an axis that x does not have, or one named twice; for more sources than destinations, or fewer.
    """
    x = operand("moveaxis", x)
    from_, to = normalize_axes("moveaxis", source, x.ndim), normalize_axes("moveaxis", destination, x.ndim)
    if len(set(from_)) != len(from_) or len(set(to)) != len(to) or len(from_) != len(to):
        raise ValueError(
            f"moveaxis: source {source} and destination {destination} must name the same number of distinct axes"
        )
    rest = iter(i for i in range(x.ndim) if i not in from_)
    placed = dict(zip(to, from_, strict=True))
    return permute_dims(x, tuple(placed[i] if i in placed else next(rest) for i in range(x.ndim)))


@public("flip", "rule")
def flip(x: Any, /, *, axis: Axes = None) -> Tensor:
    """The elements in reverse order along some axes.

    >>> import xgrad as xg
    >>> xg.flip(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=1).tolist()
    [[2.0, 1.0], [4.0, 3.0]]

    Returns:
        A tensor of the shape and dtype of x: a view of x.

    Derivative:
        The cotangent is flipped back.

    Raises:
        ValueError: for an axis that x does not have, or one named twice (TypeError in JAX).
    """
    x = operand("flip", x)
    axes = normalize_axes("flip", axis, x.ndim)
    y = apply_to_one(_flip, x, {"axis": axes})
    return as_view(y, x, FLIPPED, axes) if isinstance(x, Tensor) else y


@public("roll", "rule")
def roll(x: Any, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Tensor:
    """The elements moved along axes. Those that leave at the end come in at the front.

    >>> import xgrad as xg
    >>> xg.roll(xg.asarray([1.0, 2.0, 3.0, 4.0]), 1).tolist()
    [4.0, 1.0, 2.0, 3.0]

    Args:
        shift: by how many places, towards the end where it is positive; or a tuple, with a shift for each axis.
        axis: the axis, counted from the end where it is negative, or a tuple of axes. None rolls the flattened array.

    Returns:
        A tensor of the shape and dtype of x: a copy.

    Derivative:
        The cotangent is rolled back.

    Raises:
        TypeError: for an x that is neither an array nor a number; for a shift or an axis that is no integer.
        ValueError: for an axis that x does not have; for shifts and axes that do not go together.
    """
    shift, axis = one_or_more("roll", shift, "shift", needed=True), one_or_more("roll", axis)
    if axis == ():  # along no axis nothing moves
        shift, axis = 0, None
    return apply(_roll, (x,), {"shift": shift, "axis": axis})


# --- repetition ---------------------------------------------------------------------------------------------


@public("broadcast_to", "rule")
def broadcast_to(x: Any, /, shape: Sequence[int]) -> Tensor:
    """x repeated, without copying, along new axes and along axes of length 1.

    >>> import xgrad as xg
    >>> xg.broadcast_to(xg.asarray([1.0, 2.0]), (3, 2)).tolist()
    [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]

    Returns:
        A tensor of that shape and the dtype of x: a view of x that cannot be written to.

    Derivative:
        Each element of x gets the sum of the cotangents of its repetitions.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for a length that is no integer.
        ValueError: for a shape that x does not broadcast to.
    """
    y = apply_to_one(_broadcast_to, x, {"shape": integers("broadcast_to", shape, "shape")})
    return as_view(y, x, BROADCAST, y._data.shape) if isinstance(x, Tensor) else y


def repeated(x: Any, shape: tuple[int, ...]) -> Tensor:
    """As `broadcast_to`, but no view, so that it can be written to."""
    return apply_to_one(_broadcast_to, x, {"shape": shape})


def rearranged(x: Any, shape: tuple[int, ...]) -> Tensor:
    """As `reshape`, but no view: a write to it does not reach x."""
    return apply_to_one(_reshape, x, {"shape": shape})


@public("broadcast_arrays", "composition")
def broadcast_arrays(*arrays: Any) -> tuple[Tensor, ...]:
    """All arrays in the shape that they broadcast to together.

    >>> import xgrad as xg
    >>> x, y = xg.broadcast_arrays(xg.asarray([1.0, 2.0]), xg.asarray([[3.0], [4.0]]))
    >>> x.tolist(), y.tolist()
    ([[1.0, 2.0], [1.0, 2.0]], [[3.0, 3.0], [4.0, 4.0]])

    Args:
        arrays: arrays, or numbers, which take the dtype of the arrays.

    Returns:
        A tuple of tensors of one shape, each of its own dtype: views of the arrays that cannot be written to.

    Raises:
        ValueError: for shapes that do not broadcast.
    """
    arrays = as_tensors("broadcast_arrays", arrays)
    shape = broadcast_shapes(*(array.shape for array in arrays))
    return tuple(broadcast_to(array, shape) for array in arrays)


@public("broadcast_shapes", "not differentiable: shapes are not arrays")
def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to.

    >>> import xgrad as xg
    >>> xg.broadcast_shapes((3, 1), (4,))
    (3, 4)

    Args:
        shapes: tuples of integers, or integers.

    Returns:
        A tuple of integers; () without arguments.

    Raises:
        TypeError: for a length that is no integer.
        ValueError: for shapes that do not broadcast.
    """
    shapes = tuple([integers("broadcast_shapes", shape, "shape") for shape in shapes])
    width = max((len(shape) for shape in shapes), default=0)
    result = [1] * width
    for shape in shapes:
        for i, n in enumerate(shape, start=width - len(shape)):
            if n != 1 and result[i] not in (1, n):
                raise ValueError(f"shapes {' and '.join(str(tuple(s)) for s in shapes)} do not broadcast")
            if n != 1:
                result[i] = n
    return tuple(result)


# --- several arrays -----------------------------------------------------------------------------------------


def _concat_rule(xp: Any, g: Any, shapes: list[tuple[int, ...]], axis: int | None) -> list[Any]:
    lengths = [prod(shape) if axis is None else shape[axis] for shape in shapes]
    ends = list(accumulate(lengths))
    parts = [g[(slice(None),) * (axis or 0) + (slice(end - n, end), ...)] for n, end in zip(lengths, ends, strict=True)]
    return [xp.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)] if axis is None else parts


_concat = JointlyLinear("concat", (), joint=_concat_rule)
_stack = JointlyLinear(
    "stack", (), joint=lambda xp, g, shapes, axis: [g[(slice(None),) * axis + (i, ...)] for i in range(len(shapes))]
)


@public("concat", "rule")
def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Tensor:
    """Arrays joined along one of their axes.

    >>> import xgrad as xg
    >>> xg.concat([xg.asarray([[1.0, 2.0]]), xg.asarray([[3.0, 4.0]])], axis=1).tolist()
    [[1.0, 2.0, 3.0, 4.0]]

    Args:
        arrays: a sequence of arrays, whose shapes agree but for that axis.
        axis: the axis, counted from the end where it is negative; None flattens the arrays first.

    Returns:
        A tensor of the joint shape, of the dtype that the arrays promote to: a copy.

    Derivative:
        Each array gets its part of the cotangent.

    Raises:
        ValueError: for an empty sequence; for an axis that the first array does not have; for shapes that do not agree
            (TypeError in JAX).
    """
    arrays = as_tensors("concat", arrays)
    if not arrays:
        raise ValueError("concat: there are no arrays to join")
    if axis is not None:
        (axis,) = normalize_axes("concat", integer("concat", axis), arrays[0].ndim)
    return apply(_concat, arrays, {"axis": axis}, as_list=True)


@public("stack", "rule")
def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> Tensor:
    """Arrays of one shape joined along a new axis.

    >>> import xgrad as xg
    >>> xg.stack([xg.asarray([1.0, 2.0]), xg.asarray([3.0, 4.0])], axis=1).tolist()
    [[1.0, 3.0], [2.0, 4.0]]

    Args:
        arrays: a sequence of arrays of one shape. A number counts as a 0-d array, of the dtype of the others.
        axis: where the new axis is in the result, counted from the end where it is negative.

    Returns:
        A tensor with one axis more, of the dtype that the arrays promote to: a copy.

    Derivative:
        Each array gets its slice of the cotangent.

    Raises:
        ValueError: for an empty sequence; for an axis that the result does not have; for several shapes.
    """
    arrays = as_tensors("stack", arrays)
    if not arrays:
        raise ValueError("stack: there are no arrays to join")
    (axis,) = normalize_axes("stack", integer("stack", axis), arrays[0].ndim + 1)
    return apply(_stack, arrays, {"axis": axis}, as_list=True)
