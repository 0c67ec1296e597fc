"""Shape manipulation: every function here is linear, and its transpose moves the gradient back to where it came from."""

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

# How each of them is a view of its argument: how it is read, put back, and laid out.
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
    """The same elements in another shape; one length may be -1.

    A view of x where there is one without a copy, as for NumPy's arrays that lie row by row: of a transposed or stepped view the
    result may be a copy. `copy=True` always makes one.

    >>> import xgrad as xg
    >>> xg.reshape(xg.asarray([1.0, 2.0, 3.0, 4.0]), (2, -1)).shape
    (2, 2)
    """
    y = apply_to_one(_reshape, x, {"shape": integers("reshape", shape, "shape"), "copy": copy})
    if copy or not isinstance(x, Tensor) or not _lies_as(x, y._data.shape):
        return y
    return as_view(y, x, RESHAPED, y._data.shape)


def _lies_as(x: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether the elements of x, as they lie, have that shape too."""
    return link_of(x) is None or strides.reshaped(*layout_of(x), shape) is not None


@public("squeeze", "rule")
def squeeze(x: Any, /, axis: int | tuple[int, ...]) -> Tensor:
    """Without the axes named, which must have length 1. A view of x."""
    y = apply_to_one(_squeeze, x, {"axis": one_or_more("squeeze", axis, needed=True)})
    return as_view(y, x, RESHAPED, y._data.shape) if isinstance(x, Tensor) else y


@public("expand_dims", "rule")
def expand_dims(x: Any, /, axis: int | tuple[int, ...]) -> Tensor:
    """With a new axis of length 1 at each position of the result that `axis` names. A view of x.

    >>> import xgrad as xg
    >>> xg.expand_dims(xg.zeros((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
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
    """The axes in another order: axis i of the result is axis `axes[i]` of x. A view of x."""
    x = operand("permute_dims", x)
    order = normalize_axes("permute_dims", axes, x.ndim)
    y = apply_to_one(_permute_dims, x, {"axes": order})
    return as_view(y, x, PERMUTED, order) if isinstance(x, Tensor) else y


@public("moveaxis", "composition")
def moveaxis(x: Any, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Tensor:
    """The axes in `source` moved to the places in `destination`, the others keeping their order. A view of x."""
    x = operand("moveaxis", x)
    from_, to = normalize_axes("moveaxis", source, x.ndim), normalize_axes("moveaxis", destination, x.ndim)
    if len(set(from_)) != len(from_) or len(set(to)) != len(to) or len(from_) != len(to):
        raise ValueError(f"moveaxis: source {source} and destination {destination} must be as many distinct axes each")
    rest = iter(i for i in range(x.ndim) if i not in from_)
    placed = dict(zip(to, from_, strict=True))
    return permute_dims(x, tuple(placed[i] if i in placed else next(rest) for i in range(x.ndim)))


@public("flip", "rule")
def flip(x: Any, /, *, axis: Axes = None) -> Tensor:
    """The elements in reverse order along the axes (all of them by default). A view of x."""
    x = operand("flip", x)
    axes = normalize_axes("flip", axis, x.ndim)
    y = apply_to_one(_flip, x, {"axis": axes})
    return as_view(y, x, FLIPPED, axes) if isinstance(x, Tensor) else y


@public("roll", "rule")
def roll(x: Any, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Tensor:
    """The elements moved on by `shift` places along the axes; those that fall off the end come in at the front."""
    shift, axis = one_or_more("roll", shift, "shift", needed=True), one_or_more("roll", axis)
    if axis == ():  # along no axis nothing moves
        shift, axis = 0, None
    return apply(_roll, (x,), {"shift": shift, "axis": axis})


# --- repetition ---------------------------------------------------------------------------------------------


@public("broadcast_to", "rule")
def broadcast_to(x: Any, /, shape: Sequence[int]) -> Tensor:
    """x repeated, without copying, along new axes and along axes of length 1. A view of x that cannot be written to."""
    y = apply_to_one(_broadcast_to, x, {"shape": integers("broadcast_to", shape, "shape")})
    return as_view(y, x, BROADCAST, y._data.shape) if isinstance(x, Tensor) else y


def repeated(x: Any, shape: tuple[int, ...]) -> Tensor:
    """As `broadcast_to`, but a tensor of its own, which can be written to."""
    return apply_to_one(_broadcast_to, x, {"shape": shape})


def rearranged(x: Any, shape: tuple[int, ...]) -> Tensor:
    """As `reshape`, but a tensor of its own: a write to it does not reach x."""
    return apply_to_one(_reshape, x, {"shape": shape})


@public("broadcast_arrays", "composition")
def broadcast_arrays(*arrays: Any) -> tuple[Tensor, ...]:
    """All arrays in the shape that they broadcast to together. A number among them takes the dtype of the others."""
    arrays = as_tensors("broadcast_arrays", arrays)
    shape = broadcast_shapes(*(array.shape for array in arrays))
    return tuple(broadcast_to(array, shape) for array in arrays)


@public("broadcast_shapes", "not differentiable: shapes are not arrays")
def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to. Raises ValueError if there is none.

    >>> import xgrad as xg
    >>> xg.broadcast_shapes((3, 1), (4,))
    (3, 4)
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
    """The arrays one after the other along an axis; flattened first if it is None."""
    arrays = as_tensors("concat", arrays)
    if not arrays:
        raise ValueError("concat: there are no arrays to join")
    if axis is not None:
        (axis,) = normalize_axes("concat", integer("concat", axis), arrays[0].ndim)
    return apply(_concat, arrays, {"axis": axis}, as_list=True)


@public("stack", "rule")
def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> Tensor:
    """The arrays, all of one shape, along a new axis. A number among them takes the dtype of the others."""
    arrays = as_tensors("stack", arrays)
    if not arrays:
        raise ValueError("stack: there are no arrays to join")
    (axis,) = normalize_axes("stack", integer("stack", axis), arrays[0].ndim + 1)
    return apply(_stack, arrays, {"axis": axis}, as_list=True)
