"""NumPy's indexing for a library that supports only the standard's: every axis indexed, slices in range, adjacent integer arrays.

A key without arrays is completed. A key with arrays becomes flat positions, computed with functions of the standard.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any


def parts_of(key: Any, shape: tuple[int, ...], xp: Any = None) -> list[Any]:
    """The parts of the key: one for each axis, and None for new axes. `...` is expanded, and with `xp` masks become indices."""
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
    """A key without arrays, completed to index every axis, with slices that stay within the axis."""
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
    """The flat positions (in row-major order) of the elements that the key selects: integers, in the shape of the result.

    `holds` returns the truth of a 0-d array. Raises IndexError for an index out of range.
    """
    parts = parts_of(key, shape, xp)
    chosen = [i for i, part in enumerate(parts) if part is not None and not isinstance(part, slice)]
    arrays = [part for part in parts if hasattr(part, "shape")]
    common = xp.broadcast_arrays(*arrays)[0].shape
    front = _lie_apart(key)  # then the arrays' axes come first in the result
    block = 0 if front else chosen[0]  # the axis of the result where the arrays' axes begin
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
    """Whether the integers and arrays of a key are not adjacent. As in NumPy, a `...` between them counts, even for no axis."""
    parts = key if isinstance(key, tuple) else (key,)
    chosen = [i for i, part in enumerate(parts) if not (part is None or part is Ellipsis or isinstance(part, slice))]
    return chosen[-1] - chosen[0] >= len(chosen)


def _at(xp: Any, index: Any, axis: int, ndim: int) -> Any:
    """The index reshaped to `ndim` axes, its own from `axis` on and the others of length 1."""
    return xp.reshape(index, (*(1,) * axis, *index.shape, *(1,) * (ndim - axis - index.ndim)))


def _checked(xp: Any, part: Any, length: int, axis: int, holds: Callable[[Any], bool]) -> Any:
    """An index into one axis, made non-negative. Raises IndexError if it is out of range."""
    index = part if hasattr(part, "shape") else xp.asarray(int(part))
    index = xp.astype(index, xp.asarray(0).dtype, copy=False)
    if holds(xp.any((index < -length) | (index >= length))):
        raise IndexError(f"an index into axis {axis} is out of range: it must lie in {-length} to {length - 1}")
    return xp.where(index < 0, index + length, index)


def read(xp: Any, x: Any, key: Any, holds: Callable[[Any], bool]) -> Any:
    """x[key] for a key that contains arrays."""
    flat = positions(xp, key, x.shape, holds)
    taken = xp.take(xp.reshape(x, (-1,)), xp.reshape(flat, (-1,)), axis=0)
    return xp.reshape(taken, flat.shape)


def written(xp: Any, x: Any, value: Any, key: Any, holds: Callable[[Any], bool]) -> Any:
    """A copy of x with the value written at a key that contains arrays. For repeated positions the last value is written.

    A matrix of truth values has the elements of x as rows and the positions as columns: each row finds its last position.
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
