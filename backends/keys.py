"""NumPy's keys for a library that has the standard's only: every axis named, slices in range, integer arrays beside each other.

A key without arrays is completed. Any other is turned into flat positions, by functions of the standard.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any


def parts_of(key: Any, shape: tuple[int, ...], xp: Any = None) -> list[Any]:
    """The key with one part for each axis, besides None for new ones: without `...`, and without masks where `xp` is given."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if xp is not None:
        parts = [each for part in parts for each in (xp.nonzero(part) if _is_mask(xp, part) else (part,))]
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if taken > len(shape):
        raise IndexError(f"too many indices: {taken} for an array with {len(shape)} axes")
    ellipses = [i for i, part in enumerate(parts) if part is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index has one ellipsis ('...') at most")
    at = ellipses[0] if ellipses else len(parts)
    return [*parts[:at], *[slice(None)] * (len(shape) - taken), *parts[at + 1 :]]


def _is_mask(xp: Any, part: Any) -> bool:
    return hasattr(part, "dtype") and bool(xp.isdtype(part.dtype, "bool"))


def completed(key: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A key without arrays that names every axis, with slices that end where the axis does."""
    lengths = iter(shape)
    parts = []
    for part in parts_of(key, shape):
        length = None if part is None else next(lengths)
        parts.append(_within(part, length) if isinstance(part, slice) and length is not None else part)
    return tuple(parts)


def _within(part: slice, length: int) -> slice:
    start, stop, step = part.indices(length)
    if not len(range(start, stop, step)):
        return slice(0, 0, 1)
    return slice(start, None if stop < 0 else stop, step)


def positions(xp: Any, key: Any, shape: tuple[int, ...], holds: Callable[[Any], bool]) -> Any:
    """The positions, among the elements row by row, of what the key names: integers, in the shape of the result.

    `holds` tells whether a 0-d array is true. Raises IndexError for an index out of range.
    """
    parts = parts_of(key, shape, xp)
    chosen = [i for i, part in enumerate(parts) if part is not None and not isinstance(part, slice)]
    arrays = [part for part in parts if hasattr(part, "shape")]
    common = xp.broadcast_arrays(*arrays)[0].shape
    front = _lie_apart(key)  # then their axes come first
    block = 0 if front else chosen[0]  # the axis of the result where theirs begin
    before = sum(i < block for i in range(len(parts)) if i not in chosen) if not front else 0
    ndim = len(parts) - len(chosen) + len(common)
    flat = xp.zeros((1,) * ndim, dtype=xp.asarray(0).dtype)
    axis, place = 0, len(common) if front else 0
    for i, part in enumerate(parts):
        if part is None:
            place += 1
            continue
        length, stride = shape[axis], prod(shape[axis + 1 :])
        axis += 1
        if i in chosen:
            index = _checked(xp, part, length, axis - 1, holds)
            index = xp.reshape(index, (*(1,) * (len(common) - index.ndim), *index.shape))
            flat = flat + _at(xp, index, before, ndim) * stride
            if not front and i == chosen[0]:
                place += len(common)
        else:
            flat = flat + _at(xp, xp.arange(*part.indices(length)), place, ndim) * stride
            place += 1
    return flat


def _lie_apart(key: Any) -> bool:
    """Whether something lies between the integers and arrays of a key: also `...` that stands for no axis, as in NumPy."""
    parts = key if isinstance(key, tuple) else (key,)
    chosen = [i for i, part in enumerate(parts) if not (part is None or part is Ellipsis or isinstance(part, slice))]
    return chosen[-1] - chosen[0] >= len(chosen)


def _at(xp: Any, index: Any, axis: int, ndim: int) -> Any:
    """The index with its axes at `axis` and further, among `ndim`."""
    return xp.reshape(index, (*(1,) * axis, *index.shape, *(1,) * (ndim - axis - index.ndim)))


def _checked(xp: Any, part: Any, length: int, axis: int, holds: Callable[[Any], bool]) -> Any:
    """An index of one axis, counted from its start."""
    index = part if hasattr(part, "shape") else xp.asarray(int(part))
    index = xp.astype(index, xp.asarray(0).dtype, copy=False)
    if holds(xp.any((index < -length) | (index >= length))):
        raise IndexError(
            f"an index into axis {axis} of shape is out of range: it must lie in {-length} to {length - 1}"
        )
    return xp.where(index < 0, index + length, index)


def read(xp: Any, x: Any, key: Any, holds: Callable[[Any], bool]) -> Any:
    """x[key], for a key with arrays in it."""
    flat = positions(xp, key, x.shape, holds)
    taken = xp.take(xp.reshape(x, (-1,)), xp.reshape(flat, (-1,)), axis=0)
    return xp.reshape(taken, flat.shape)


def written(xp: Any, x: Any, value: Any, key: Any, holds: Callable[[Any], bool]) -> Any:
    """A copy of x with the value at a key with arrays in it. Of what is written to one place, the last stays.

    Each place of x looks for the last of the positions that name it, in a matrix of truth values.
    """
    flat = positions(xp, key, x.shape, holds)
    value = value if hasattr(value, "shape") else xp.asarray(value, dtype=x.dtype)
    while value.ndim > flat.ndim and value.shape[0] == 1:
        value = xp.squeeze(value, axis=0)
    values = xp.reshape(xp.broadcast_to(value, flat.shape), (-1,))
    if 0 in flat.shape or 0 in x.shape:
        return xp.asarray(x, copy=True)
    hits = xp.arange(prod(x.shape))[:, None] == xp.reshape(flat, (1, -1))
    count = hits.shape[1]
    last = count - 1 - xp.argmax(xp.astype(xp.flip(hits, axis=1), xp.int64), axis=1)
    found = xp.where(xp.any(hits, axis=1), xp.take(values, last, axis=0), xp.reshape(x, (-1,)))
    return xp.reshape(found, x.shape)
