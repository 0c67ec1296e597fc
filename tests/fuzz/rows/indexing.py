"""Reading parts of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.fuzz.draw import Draw, Value, away, need
from tests.fuzz.rows import row


def a_slice(d: Draw, n: int) -> str:
    """A slice of an axis of length n, of either direction; now and then beyond its ends, or empty."""
    chosen: str = d.one_of(
        [
            ":",
            "1:",
            ":-1",
            "::-1",
            "::2",
            "::-2",
            f":{n}",
            "-2:",
            f"{n - 1}::-1",
            "1:9",
            f"-9:{max(n - 1, 1)}",
            "-1:0:-1",
            "2:1" if d.chance(0.1) else ":2",
        ]
    )
    return chosen


def an_integer(d: Draw, n: int) -> str:
    need(n)
    k = int(d.rng.random() * n)
    return str(k if d.chance(0.5) else k - n)


def an_array(d: Draw, n: int, shape: tuple[int, ...] | None = None, *, distinct: bool = False) -> str:
    """An array of indices into an axis of length n, as text."""
    need(n)
    if shape is None:
        shape = d.one_of([(2,), (3,), (1,), (2, 2), (0,)] if d.chance(0.1) else [(2,), (3,), (1,), (2, 2)])
    size = int(np.prod(shape, dtype=int))
    low = 0 if d.chance(0.5) else -n
    numbers = [int(low + d.rng.random() * (n - low)) for _ in range(size)]
    if distinct:
        need(size <= n)
        order = list(range(n))
        d.rng.shuffle(order)
        numbers = order[:size]
    return f"xp.asarray({np.asarray(numbers, dtype=int).reshape(shape).tolist()}, dtype=xp.int64)"


def with_array(text: str) -> bool:
    return "asarray" in text or text.startswith("v")


def basic_key(d: Draw, x: Value, *, none: bool = True) -> str:
    """Integers, slices, None, and an Ellipsis."""
    parts = []
    for n in x.shape:
        if d.chance(0.35) and n:
            parts.append(an_integer(d, n))
        else:
            parts.append(a_slice(d, n))
    if d.chance(0.5):  # an Ellipsis for some of the axes, or for none
        at = int(d.rng.random() * (len(parts) + 1))
        left_out = d.one_of([0, 1, 2])
        parts[at : at + left_out] = ["..."]
    if none and d.chance(0.3):
        parts.insert(int(d.rng.random() * (len(parts) + 1)), "None")
    if "..." not in parts and d.chance(0.2):
        parts = parts[:-1]
    return ", ".join(parts) or "..."


def fancy_key(d: Draw, x: Value, *, distinct: bool = False) -> str:
    """Integer arrays at one or several axes, beside slices and integers."""
    need(x.ndim)
    shape = d.one_of([(2,), (3,), (1,), (2, 2)])
    at = {k for k in range(x.ndim) if d.chance(0.5)} or {x.ndim - 1}
    need(len(at) == 1 or not distinct)
    parts = []
    for k, n in enumerate(x.shape):
        if k in at:
            one = (*shape[:-1], 1) if len(at) > 1 and d.chance(0.3) else shape
            parts.append(an_array(d, n, one, distinct=distinct))
        else:
            parts.append(an_integer(d, n) if d.chance(0.2) and n and not distinct else a_slice(d, n))
    if len(parts) > 1 and parts[-1] == ":" and d.chance(0.5):
        parts[-1] = "..."
    if any(":" in part or part == "..." for part in parts):
        d.tags.add("arrays beside slices")
    return parts[0] if len(parts) == 1 else ", ".join(parts)


def read(d: Draw, x: Value, key: str) -> Value:
    return d.let(f"{x}[{key}]", f"read({x}, S[{key}])")


@row("getitem")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(1, 4))
    read(d, x, basic_key(d, x))


@row("a negative step", "getitem")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(1, 4))
    keys = [d.one_of(["::-1", "::-2", "-1::-1", ":0:-1", ":"]) for _ in range(x.ndim)]
    read(d, x, ", ".join(keys))


@row("an integer array", "getitem")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    key = fancy_key(d, x)
    d.tags.add("integer arrays")
    read(d, x, key)


@row("an index that is computed", "getitem", "argmax", "argmin")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    i = d.full("i", where=lambda v: v.array.min() >= 0 and v.array.max() < x.shape[0] and v.ndim <= 2)
    d.tags.add("integer arrays")
    if d.chance(0.5) or x.ndim == 1:
        read(d, x, f"{i}")
    else:
        d.tags.add("arrays beside slices")
        read(d, x, f"{i}, ...")


def a_mask(d: Draw, x: Value, dims: int) -> str:
    """A mask of that many leading axes of x, one there is or a new one, as text."""
    shape = x.shape[:dims]
    there = [v for v in d.values if v.kind == "b" and v.shape == shape and v.ndim]
    if there and d.chance(0.6):
        return str(d.one_of(there))
    size = int(np.prod(shape, dtype=int))
    flags = np.asarray([d.chance(0.6) for _ in range(size)], dtype=bool).reshape(shape)
    return f"xp.asarray({flags.tolist()}, dtype=xp.bool)" if size else f"xp.zeros({shape}, dtype=xp.bool)"


@row("a mask", "getitem")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(1, 4))
    dims = d.one_of([x.ndim, x.ndim, 1])
    d.tags.add("shape by values")
    if dims < x.ndim:
        d.tags.add("partial masks")
    read(d, x, a_mask(d, x, dims))


@row("take")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    axis = d.axis(x)
    indices = an_array(d, x.shape[axis], (d.one_of([1, 2, 3]),))
    d.let(f"xp.take({x}, {indices}{'' if x.ndim == 1 and d.chance(0.5) else f', axis={axis}'})")


@row("take_along_axis")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    axis = d.axis(x)
    shape = list(x.shape)
    shape[axis] = d.one_of([1, 2, 3])
    d.let(f"xp.take_along_axis({x}, {an_array(d, x.shape[axis], tuple(shape))}, axis={axis})")


@row("scatter")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 2))
    n = x.shape[0] + d.one_of([0, 1])
    if d.chance(0.4):
        key = f"(slice(0, {x.shape[0]}),)"
    else:
        key = f"({an_array(d, n, (x.shape[0],))},)"
        d.tags.add("integer arrays")
    d.let(f"xp.scatter({x}, {key}, {(n, *x.shape[1:])})")


@row("scatter_take")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 3))
    axis = d.axis(x) % x.ndim
    n = d.one_of([1, 2, 3])
    shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
    d.let(f"xp.scatter_take({x}, {an_array(d, n, (x.shape[axis],))}, {shape}, {axis})")


@row("scatter_along_axis")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 3))
    axis = d.axis(x) % x.ndim
    n = d.one_of([1, 2, 3])
    shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
    d.let(f"xp.scatter_along_axis({x}, {an_array(d, n, x.shape)}, {shape}, {axis})")


@row("mask", "mask")
def _(d: Draw) -> None:
    x = d.pick("ffc")
    away(x.array.real, 0.2)
    d.let(f"xp.mask({x}, xp.real({x}) > 0.2)" if x.kind == "c" else f"xp.mask({x}, {x} > 0.2)")


def values_like(d: Draw, shape: Any, x: Value) -> Value:
    """A value that can be written where there is that shape of x."""

    def fits(v: Value) -> bool:
        try:
            return np.broadcast_shapes(v.shape, shape) == tuple(shape)
        except ValueError:
            return False

    return d.pick(x.kind if d.chance(0.9) else "f", where=lambda v: fits(v) and v.dtype == x.dtype)
