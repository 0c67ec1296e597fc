"""Scatter-add and writes at arrays of integers in a fixed order, by sorting.

A GPU adds by atomics in any order, and the rounding of a floating-point sum depends on the order. Here a stable sort puts the
values for one place next to each other, and they are added along a fixed tree. Only functions of the standard are used, so this
can be tested without a device. No shape depends on data, so nothing waits for the device.
"""

from __future__ import annotations

from math import prod
from typing import Any

Array = Any


def scatter_sorted(xp: Any, x: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of that shape with x added at `key`, which contains arrays of integers, with the same bits in every run."""
    axis = _only_axis(xp, key)
    if axis is None:
        places = xp.getitem(xp.reshape(xp.arange(prod(shape)), shape), key)
        rows = xp.reshape(xp.broadcast_to(x, places.shape), (-1, 1))
        return xp.reshape(_sum_rows(xp, rows, xp.reshape(places, (-1,)), prod(shape)), shape)
    indices = xp.astype(
        key[axis] if isinstance(key, tuple) else key, xp.int64
    )  # the length of the axis may not fit the indices' dtype
    before, n, after = shape[:axis], shape[axis], shape[axis + 1 :]
    x = xp.broadcast_to(x, (*before, *indices.shape, *after))
    taken = tuple(range(axis, axis + indices.ndim))  # these axes of x become one axis of the result
    others = tuple(i for i in range(x.ndim) if i not in taken)
    rows = xp.reshape(xp.permute_dims(x, (*taken, *others)), (prod(indices.shape), prod(before + after)))
    indices = xp.reshape(indices, (-1,))
    summed = _sum_rows(xp, rows, xp.where(indices < 0, indices + n, indices), n)
    return xp.moveaxis(xp.reshape(summed, (n, *before, *after)), 0, axis)


def settle(xp: Any, value: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """`value` for a write at `key`, with each element replaced by the last one that is written to the same place.

    Threads that write to one place then write the same value, so their order does not matter.
    """
    places = xp.getitem(xp.reshape(xp.arange(prod(shape)), shape), key)
    value = xp.broadcast_to(value, places.shape)
    flat = xp.reshape(places, (-1,))
    if flat.shape[0] < 2:
        return value
    order = xp.argsort(flat, stable=True)
    last = xp.searchsorted(xp.take(flat, order, axis=0), flat, side="right") - 1
    return xp.reshape(xp.take(xp.reshape(value, (-1,)), xp.take(order, last, axis=0), axis=0), places.shape)


def holds_integers(xp: Any, key: Any) -> bool:
    """Whether the key contains arrays (or lists) of integers. Then it may select a place twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(part, list) or _is_integers(xp, part) for part in parts)


def _is_integers(xp: Any, part: Any) -> bool:
    return bool(getattr(part, "ndim", None)) and not xp.isdtype(part.dtype, "bool")


def _only_axis(xp: Any, key: Any) -> int | None:
    """The axis that the key's one array of integers indexes, if only whole axes precede it; None for any other key."""
    parts = key if isinstance(key, tuple) else (key,)
    *before, last = parts
    plain = all(isinstance(part, slice) and part == slice(None) for part in before)
    return len(before) if plain and _is_integers(xp, last) else None


def _sum_rows(xp: Any, rows: Array, places: Array, count: int) -> Array:
    """For each of `count` places, the sum of the rows with that place."""
    n, width = rows.shape
    if not n or not count:
        return xp.zeros((count, width), dtype=rows.dtype)
    order = xp.argsort(places, stable=True)
    places, rows = xp.take(places, order, axis=0), xp.take(rows, order, axis=0)
    # A running sum within each run of equal places: after the pass with `reach`, a row has the sum of up to 2 * reach rows.
    reach = 1
    while reach < n:
        same = places[reach:] == places[:-reach]
        longer = xp.where(same[:, None], rows[reach:, :] + rows[:-reach, :], rows[reach:, :])
        rows = xp.concat([rows[:reach, :], longer])
        reach *= 2
    every = xp.arange(count, dtype=places.dtype)
    end = xp.searchsorted(places, every, side="right") - 1  # the last row of a run has its sum
    end = xp.where(end < 0, xp.zeros_like(end), end)
    there = xp.take(places, end, axis=0) == every
    return xp.where(there[:, None], xp.take(rows, end, axis=0), xp.zeros((), dtype=rows.dtype))
