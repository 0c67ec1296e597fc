"""Adding and writing at arrays of integers in an order that is always the same, through sorting.

A device adds by atomics, in whatever order its threads come, and floating-point sums depend on the order. Here, what goes to one
place is brought together by a stable sort and added up along a fixed tree. All of it is pure Array API, so it can be tested where
there is no device; no shape depends on data, so nothing waits for one.
"""

from __future__ import annotations

from math import prod
from typing import Any

Array = Any


def scatter_sorted(xp: Any, x: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of that shape with x added at `key`, which holds arrays of integers: the same bits in every run."""
    axis = _only_axis(xp, key)
    if axis is None:
        places = xp.getitem(xp.reshape(xp.arange(prod(shape)), shape), key)
        rows = xp.reshape(xp.broadcast_to(x, places.shape), (-1, 1))
        return xp.reshape(_sum_rows(xp, rows, xp.reshape(places, (-1,)), prod(shape)), shape)
    indices = xp.astype(key[axis] if isinstance(key, tuple) else key, xp.int64)  # n need not fit into fewer bits
    before, n, after = shape[:axis], shape[axis], shape[axis + 1 :]
    x = xp.broadcast_to(x, (*before, *indices.shape, *after))
    taken = tuple(range(axis, axis + indices.ndim))  # these axes of x are the one axis of the result
    others = tuple(i for i in range(x.ndim) if i not in taken)
    rows = xp.reshape(xp.permute_dims(x, (*taken, *others)), (prod(indices.shape), prod(before + after)))
    indices = xp.reshape(indices, (-1,))
    summed = _sum_rows(xp, rows, xp.where(indices < 0, indices + n, indices), n)
    return xp.moveaxis(xp.reshape(summed, (n, *before, *after)), 0, axis)


def settle(xp: Any, value: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """`value` for a write into that shape at `key`: what goes to one place is all the same, namely what comes last.

    Threads that write to one place then write the same, so it does not matter which of them is last.
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
    """Whether the key has arrays of integers in it (or lists): one place may then be named twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(part, list) or _is_integers(xp, part) for part in parts)


def _is_integers(xp: Any, part: Any) -> bool:
    return bool(getattr(part, "ndim", None)) and not xp.isdtype(part.dtype, "bool")


def _only_axis(xp: Any, key: Any) -> int | None:
    """The axis that one array of integers is for, with nothing but whole axes before it; None for any other key."""
    parts = key if isinstance(key, tuple) else (key,)
    *before, last = parts
    plain = all(isinstance(part, slice) and part == slice(None) for part in before)
    return len(before) if plain and _is_integers(xp, last) else None


def _sum_rows(xp: Any, rows: Array, places: Array, count: int) -> Array:
    """For each of `count` places, the sum of the rows that go there."""
    n, width = rows.shape
    if not n or not count:
        return xp.zeros((count, width), dtype=rows.dtype)
    order = xp.argsort(places, stable=True)
    places, rows = xp.take(places, order, axis=0), xp.take(rows, order, axis=0)
    # A running sum within each run of equal places: after the pass with `reach`, a row holds the sum of up to 2 * reach rows.
    reach = 1
    while reach < n:
        same = places[reach:] == places[:-reach]
        longer = xp.where(same[:, None], rows[reach:, :] + rows[:-reach, :], rows[reach:, :])
        rows = xp.concat([rows[:reach, :], longer])
        reach *= 2
    every = xp.arange(count, dtype=places.dtype)
    end = xp.searchsorted(places, every, side="right") - 1  # the last row of a run holds its sum
    end = xp.where(end < 0, xp.zeros_like(end), end)
    there = xp.take(places, end, axis=0) == every
    return xp.where(there[:, None], xp.take(rows, end, axis=0), xp.zeros((), dtype=rows.dtype))
