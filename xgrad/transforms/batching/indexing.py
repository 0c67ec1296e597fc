"""Indexing of arrays with hidden axes, by keys and indices that may have hidden axes too."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import prod
from numbers import Integral
from typing import Any

from xgrad.backends.layout import layout
from xgrad.backends.raw import IndexingRaw
from xgrad.rules.shapes import normalize_axes
from xgrad.transforms.batching.array import Axes, Batched, agreed, apply_elementwise, full, merged

Function = Callable[..., Any]

ALL = slice(None)

MASK_VARIES = (
    "vmap: a mask that differs from example to example selects another number of elements for each. Use xgrad.where, which keeps "
    "the shape; x[mask] = v works if the shape of v does not depend on that number."
)


# --- at a key -----------------------------------------------------------------------------------------------


def getitem(function: Function, x: Batched, key: Any) -> Batched:
    parts = _spelled_out(key, x.ndim, x)
    if not _arrays(parts):
        return x.like(function(x.value, (*(ALL,) * len(x.axes), *parts)))
    line = _Line.of(parts, x.shape)
    if line is not None:
        xp = x.backend.base.xp
        return _reshaped(take(xp.take, _reshaped(x, line.flat), line.numbers, axis=line.axis), line.picked)
    place = _Place(x, parts, x.axes)
    return x.like(place.in_order(function(x.spread(place.axes, x.ndim), place.key)), place.axes)


def setitem(function: Function, x: Batched, value: Any, key: Any) -> Batched:
    parts = _spelled_out(key, x.ndim, x)
    if not isinstance(value, Batched):
        value = x.like(x.backend.base.xp.asarray(value, dtype=x.dtype), ())
    first = parts[0] if parts else None
    if isinstance(first, Batched) and _is_mask(first) and all(_is_whole(part) for part in parts[1:]):
        return _choose(x, value, first)
    place = _Place(x, parts, merged(x.axes, value.axes, _varying(parts)))
    written = place.as_found(value.spread(place.axes, place.ndim))
    return x.like(function(full(x, place.axes), written, place.key), place.axes)


def scatter(function: Function, x: Batched, key: Any, shape: tuple[int, ...]) -> Batched:
    parts = _spelled_out(key, len(shape), x)
    line = _Line.of(parts, shape)
    if line is not None:
        xp, at = x.backend.base.xp, line.axis
        lines = _reshaped(x, (*line.flat[:at], *line.numbers.shape, *line.flat[at + 1 :]))
        return _reshaped(scatter_take(xp.scatter_take, lines, line.numbers, line.flat, at), shape)
    place = _Place(x, parts, merged(x.axes, _varying(parts)))
    found = place.as_found(full(x, place.axes))
    return x.like(function(found, place.key, (*(axis.size for axis in place.axes), *shape)), place.axes)


def _choose(x: Batched, value: Batched, mask: Batched) -> Batched:
    """A write at a mask as a choice for each element, which keeps the shape."""
    xp, rest = x.backend.base.xp, x.shape[mask.ndim :]
    if value.ndim > len(rest):  # one value for each True of the mask
        count = _numbers(mask).shape[0]
        shape = (*value.hidden, count, *rest)
        value = value.like(xp.broadcast_to(value.spread(value.axes, 1 + len(rest)), shape))
        value = scatter(xp.scatter, value, mask, x.shape)
    axes = merged(x.axes, mask.axes, value.axes)
    chosen = mask.spread(axes, mask.ndim)[(..., *(None,) * len(rest))]
    written = xp.cast(value.spread(axes, x.ndim), x.dtype)
    return x.like(xp.where(chosen, written, full(x, axes)), axes)


def _reshaped(x: Batched, shape: tuple[int, ...]) -> Batched:
    return x if x.shape == shape else x.like(x.backend.base.xp.reshape(x.value, (*x.hidden, *shape)))


class _Line:
    """A key with one mask, or with adjacent integer arrays and integers, and whole slices: the indices `numbers` along one axis.

    The standard's `take` can do this. `flat` is the shape of the array with the axes of the key merged into one. `picked` is the
    shape of the result.
    """

    def __init__(self, side_by_side: list[Any], axis: int, shape: tuple[int, ...]) -> None:
        self.axis = axis
        first = side_by_side[0]
        if isinstance(first, Batched) and _is_mask(first):
            self.numbers, end = _numbers(first), axis + first.ndim
            picked = self.numbers.shape
        else:
            end = axis + len(side_by_side)
            number = _in_line(side_by_side, shape[axis:end])
            picked = number.shape
            self.numbers = _reshaped(number, (prod(picked),))
        self.flat = (*shape[:axis], prod(shape[axis:end]), *shape[end:])
        self.picked = (*shape[:axis], *picked, *shape[end:])

    @staticmethod
    def of(parts: list[Any], shape: tuple[int, ...]) -> _Line | None:
        """The key as one line; None if it is another kind of key."""
        arrays = _arrays(parts)
        if not arrays:
            return None
        at = [i for i, part in enumerate(parts) if not _is_whole(part)]
        side_by_side = parts[at[0] : at[-1] + 1]
        if len(side_by_side) > 1 and not all(_is_index(part) for part in side_by_side):
            return None
        if _takes_any(arrays[0]) and not _is_mask(arrays[0]):
            return None  # the library checks each index against its own axis
        return _Line(side_by_side, at[0], shape)


def _takes_any(x: Batched) -> bool:
    """Whether the library supports any key with arrays."""
    return isinstance(x.backend.base.xp, IndexingRaw)


def _in_line(indices: list[Any], lengths: tuple[int, ...]) -> Batched:
    """Indices into several axes as one index into these axes merged, counted from 0.

    An index that is out of range of its own axis becomes one that is out of range of the merged axis.
    """
    number: Any = 0
    beyond: Any = False
    for index, n in zip(indices, lengths, strict=True):
        if isinstance(index, Batched):
            index = index.like(index.backend.base.xp.where(index.value < 0, index.value + n, index.value))
        elif index < 0:
            index += n
        beyond = beyond | (index < 0) | (index >= n)
        number = number * n + index
    return apply_elementwise(
        number.backend.base.xp.where, beyond, number.like(number.value * 0 + prod(lengths)), number
    )


def _numbers(mask: Batched) -> Batched:
    """The indices of the True elements of the mask, along its axes merged into one."""
    mask = _same_for_all(mask)
    xp = mask.backend.base.xp
    return mask.like(xp.nonzero(xp.reshape(mask.value, (prod(mask.shape),)))[0])


def _same_for_all(mask: Batched) -> Batched:
    """The mask without hidden axes. Raises NotImplementedError if it differs between examples."""
    one = agreed(mask)
    if one is None:
        raise NotImplementedError(MASK_VARIES)
    return one


class _Place:
    """A key into arrays like `like`, as a key into their values, which have the hidden axes `axes`.

    Along a hidden axis that only the key has, the values have length 1.

    Integer arrays in a key give the result new axes, the picked ones. These replace the axes of the arrays if the arrays and
    integers in the key are adjacent, and come first if they are not. An index that differs between examples is such an array
    along a hidden axis too, so the axes of the library's result have to be reordered.
    """

    def __init__(self, like: Batched, parts: list[Any], axes: Axes) -> None:
        self.xp = like.backend.base.xp
        parts = [_same_for_all(part) if isinstance(part, Batched) and _is_mask(part) else part for part in parts]
        arrays = _arrays(parts)
        varying = _varying(parts)
        self.axes = merged(axes, varying)
        width = max((1 if _is_mask(part) else part.ndim for part in arrays), default=0)

        def in_key(part: Any) -> Any:
            if not isinstance(part, Batched):
                return part
            return part.value if _is_mask(part) or not varying else part.spread(varying, width)

        def example(axis: Any) -> Any:
            """The index along a hidden axis of the key: the number of the example, or 0 if the array lacks that axis."""
            shape = tuple(axis.size if other is axis else 1 for other in varying) + (1,) * width
            numbers = self.xp.reshape(self.xp.arange(axis.size), shape)
            return numbers if axis in axes else numbers * 0

        self.key = (*(example(axis) if axis in varying else ALL for axis in self.axes), *map(in_key, parts))
        # Every axis of the result gets a label: a hidden axis is its own label, the others get numbers.
        picked: list[Any] = [("picked", i) for i in range(width)]
        labels: list[Any] = [("part", i) for i in range(len(parts))]
        visible = [
            (_picks(part, arrays), label if _stays(part) else None) for part, label in zip(parts, labels, strict=True)
        ]
        hidden = [(axis in varying, axis) for axis in self.axes]
        self.found = layout([*hidden, *visible], [*varying, *picked])
        self.wanted = [*self.axes, *layout(visible, picked)]
        self.ndim = len(self.wanted) - len(self.axes)

    def in_order(self, value: Any) -> Any:
        """The library's result, with its axes in the order of the result."""
        return self._permuted(value, self.found, self.wanted)

    def as_found(self, value: Any) -> Any:
        """An array with the axes of the result, in the order that the library expects."""
        return self._permuted(value, self.wanted, self.found)

    def _permuted(self, value: Any, now: list[Any], then: list[Any]) -> Any:
        return value if now == then else self.xp.permute_dims(value, tuple(now.index(label) for label in then))


def _picks(part: Any, arrays: list[Batched]) -> bool:
    return isinstance(part, Batched) or (isinstance(part, int) and bool(arrays))


def _stays(part: Any) -> bool:
    return part is None or isinstance(part, slice)


def _arrays(parts: Sequence[Any]) -> list[Batched]:
    return [part for part in parts if isinstance(part, Batched)]


def _varying(parts: Sequence[Any]) -> Axes:
    """The hidden axes of the arrays in a key."""
    return merged(*(part.axes for part in _arrays(parts)))


def _is_mask(part: Batched) -> bool:
    return bool(part.backend.base.xp.isdtype(part.dtype, "bool"))


def _spelled_out(key: Any, ndim: int, x: Batched) -> list[Any]:
    """The parts of a key into arrays like x, with `...` and missing parts at the end as slices.

    A `...` for no axis stays if it is between two other parts, since these are then not adjacent.
    """
    parts = [_in_one_form(part, x) for part in (key if isinstance(key, tuple) else (key,))]
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    taken = sum(_axes_taken(part) for part in parts)
    if at is None:
        return [*parts, *[ALL] * (ndim - taken)]
    if ndim == taken and 0 < at < len(parts) - 1:
        return parts
    return [*parts[:at], *[ALL] * (ndim - taken), *parts[at + 1 :]]


def _axes_taken(part: Any) -> int:
    """How many axes of an array a part of a key indexes."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, Batched) and _is_mask(part) else 1


def _in_one_form(part: Any, x: Batched) -> Any:
    """A part of a key, with a NumPy integer as an int, and a list or a boolean as an array."""
    if isinstance(part, Batched | slice) or part is None or part is Ellipsis:
        return part
    if isinstance(part, Integral) and not isinstance(part, bool):
        return operator.index(part)
    return x.like(x.backend.base.xp.asarray(part), ())


def _is_index(part: Any) -> bool:
    return isinstance(part, int) or (isinstance(part, Batched) and not _is_mask(part))


def _is_whole(part: Any) -> bool:
    return isinstance(part, slice) and part == ALL


# --- at indices along an axis -------------------------------------------------------------------------------


def take(function: Function, x: Batched, indices: Batched, /, *, axis: int = 0) -> Batched:
    (axis,) = normalize_axes("take", axis, x.ndim)
    xp = x.backend.base.xp
    if not indices.axes:
        return x.like(function(x.value, indices.value, axis=axis + len(x.axes)))
    if x.axes and _takes_any(x):  # it checks the range
        return getitem(xp.getitem, x, (*(ALL,) * axis, indices))
    if x.axes and indices.ndim != 1:  # beyond the standard
        found = take(function, x, _reshaped(indices, (prod(indices.shape),)), axis=axis)
        return _reshaped(found, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))
    if not x.axes:  # all examples index the same array
        found = function(x.value, xp.reshape(indices.value, (prod(indices.value.shape),)), axis=axis)
        apart = xp.reshape(found, (*x.shape[:axis], *indices.value.shape, *x.shape[axis + 1 :]))
        hidden = range(len(indices.axes))
        return indices.like(xp.moveaxis(apart, tuple(axis + i for i in hidden), tuple(hidden)))
    return take_along_axis(xp.take_along_axis, x, _in_lines(indices, x.shape, axis), axis=axis)


def scatter_take(function: Function, x: Batched, indices: Batched, shape: tuple[int, ...], axis: int) -> Batched:
    if not indices.axes:
        return x.like(function(x.value, indices.value, (*x.hidden, *shape), axis + len(x.axes)))
    xp, count = x.backend.base.xp, prod(indices.shape)
    if _takes_any(x):
        return scatter(xp.scatter, x, (*(ALL,) * axis, indices), shape)
    x = _reshaped(x, (*x.shape[:axis], count, *x.shape[axis + indices.ndim :]))
    indices = _reshaped(indices, (count,))
    return scatter_along_axis(xp.scatter_along_axis, x, _in_lines(indices, shape, axis), shape, axis)


def _in_lines(indices: Batched, shape: tuple[int, ...], axis: int) -> Batched:
    """The indices repeated for each line along the axis of an array of that shape."""
    before, after = shape[:axis], shape[axis + 1 :]
    hidden = (ALL,) * len(indices.axes)
    lines = indices.value[(*hidden, *(None,) * len(before), ALL, *(None,) * len(after))]
    xp = indices.backend.base.xp
    return indices.like(xp.broadcast_to(lines, (*indices.hidden, *before, *indices.shape, *after)))


def take_along_axis(function: Function, x: Batched, indices: Batched, /, *, axis: int = -1) -> Batched:
    axes = merged(x.axes, indices.axes)
    (axis,) = normalize_axes("take_along_axis", axis, x.ndim)
    return x.like(function(full(x, axes), full(indices, axes), axis=axis + len(axes)), axes)


def scatter_along_axis(function: Function, x: Batched, indices: Batched, shape: tuple[int, ...], axis: int) -> Batched:
    axes = merged(x.axes, indices.axes)
    whole = (*(each.size for each in axes), *shape)
    return x.like(function(full(x, axes), full(indices, axes), whole, axis + len(axes)), axes)
