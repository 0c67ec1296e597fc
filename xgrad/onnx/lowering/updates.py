"""Writing at keys and at indices: each gives a new array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.onnx.lowering.reshaping import filled, output
from xgrad.onnx.lowering.selection import Run, advanced, entries, is_array, run_of
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value, total
from xgrad.onnx.sizes import Dim, Size


@lowers("setitem")
def setitem(g: Graph, x: Value, value: Any, key: Any) -> Operand:
    """x with `value` at the key."""
    if isinstance(key, Value) and key.dtype == "bool" and key.name not in g.hosts:
        return _masked(g, x, value, key)
    return _written(g, x, value, entries(g, key, x.ndim), x.shape, x.dtype)


@lowers("scatter")
def scatter(g: Graph, x: Value, key: Any, shape: Sequence[Dim]) -> Operand:
    """Zeros with x added at the key."""
    return _written(g, None, x, entries(g, key, len(shape)), output(g).shape, x.dtype)


def _masked(g: Graph, x: Value, value: Any, mask: Value) -> str:
    if isinstance(value, Value) and value.ndim:
        g.refuse("a write of an array at a mask takes as many elements as the mask has, which depends on values")
    where = g.unsqueeze(mask, list(range(mask.ndim, x.ndim)))
    return g.where(where, g.scalar(value, x.dtype), x, x.dtype)


def _written(g: Graph, x: Value | None, value: Any, key: list[Any], shape: tuple[Dim, ...], dtype: str) -> Operand:
    """The value written into x, or added to zeros for None."""
    plain = [entry for entry in key if entry is not None]
    if any(map(is_array, plain)):
        return _at_arrays(g, x, value, key, shape, dtype)
    runs = [run_of(g, entry, n) for entry, n in zip(plain, shape, strict=True)]
    part, widths = _part(g, value, key, runs, dtype)
    mask: str | None = None
    pads: list[tuple[Dim, Dim]] = []
    for axis, (run, n) in enumerate(zip(runs, shape, strict=True)):
        if run.is_all(n):
            pads.append((0, 0))
            continue
        if x is not None or run.step != 1:
            there = _selected(g, run, n, len(shape) - 1 - axis)
            mask = there if mask is None else g.node("And", mask, there)
        if widths[axis] == 1 and x is not None:  # it broadcasts
            pads.append((0, 0))
        elif run.step == 1:
            pads.append((run.first, n - run.first - run.count))
        else:
            part = g.node("Gather", part, g.ints(_places(g, run, n)), axis=axis)
            pads.append((0, 0))
    if any(pad != (0, 0) for pad in pads):
        ends = [before for before, _ in pads] + [after for _, after in pads]
        part = g.node("Pad", part, g.vector(ends), g.number(0, dtype))
    if mask is not None:
        part = g.where(mask, part, g.number(0, dtype) if x is None else x, dtype)
    return g.expand(part, shape)


def _part(g: Graph, value: Any, key: list[Any], runs: list[Run], dtype: str) -> tuple[str, list[Dim]]:
    """The value with an axis for each axis of the array, and their sizes: 1 where it broadcasts."""
    wanted: list[int | None] = []  # the axes of the array that those of the value are; None for new ones
    axis = 0
    for entry in key:
        if entry is None:
            wanted.append(None)
            continue
        if isinstance(entry, slice):
            wanted.append(axis)
        axis += 1
    shape = value.shape if isinstance(value, Value) else ()
    y = g.scalar(value, dtype)
    extra = len(shape) - len(wanted)
    if extra > 0:  # leading axes of one element
        y, shape = g.squeeze(y, list(range(extra))), shape[extra:]
    wanted = wanted[len(wanted) - len(shape) :]
    y = g.squeeze(y, [i for i, a in enumerate(wanted) if a is None])
    held = {a: n for a, n in zip(wanted, shape, strict=True) if a is not None}
    y = g.unsqueeze(y, [a for a in range(len(runs)) if a not in held])
    widths: list[Dim] = [held.get(a, 1) for a in range(len(runs))]
    pairs = [(width, run.count) for width, run in zip(widths, runs, strict=True)]
    if any(width != n for width, n in pairs) and all(width != 1 or n == 1 for width, n in pairs):
        g.refuse("a write of a value whose shape does not fit the key")
    return y, widths


def _selected(g: Graph, run: Run, n: Dim, after: int) -> str:
    """Whether each place of an axis is selected, with axes of one element behind it."""
    if isinstance(n, int) and not isinstance(run.first, Size) and not isinstance(run.count, Size):
        chosen = set(range(run.first, run.first + run.step * run.count, run.step))
        return g.array([i in chosen for i in range(n)], "bool", (n, *(1,) * after))
    places = g.reshape(g.range(n), (n, *(1,) * after), (n,))
    low = g.node("GreaterOrEqual", places, g.number(run.first, "int64"))
    return g.node("And", low, g.node("Less", places, g.number(run.first + run.count, "int64")))


def _places(g: Graph, run: Run, n: Dim) -> list[int]:
    """For each place of an axis, which element of the value goes there; 0 where none does."""
    what = "a write with a step"
    found = [0] * g.fixed(n, what)
    for i in range(g.fixed(run.count, what)):
        found[g.fixed(run.first, what) + run.step * i] = i
    return found


def _at_arrays(g: Graph, x: Value | None, value: Any, key: list[Any], shape: tuple[Dim, ...], dtype: str) -> str:
    """A write at arrays of indices, with whole axes beside them."""
    if any(entry is None or (isinstance(entry, slice) and entry != slice(None)) for entry in key):
        g.refuse("a write at arrays of indices beside slices has no lowering")
    found = advanced(g, key)
    assert found is not None
    rest = [axis for axis in range(len(shape)) if axis not in found.axes]
    order = [*found.axes, *rest]
    n, ndim = len(found.shape), len(found.shape) + len(rest)
    kept = [shape[axis] for axis in rest]
    updates = g.expand(g.scalar(value, dtype), (*kept[: found.place], *found.shape, *kept[found.place :]))
    updates = g.transpose(
        updates, [*range(found.place, found.place + n), *range(found.place), *range(found.place + n, ndim)]
    )
    start = g.transpose(x, order) if x is not None else g.expand(g.number(0, dtype), [shape[axis] for axis in order])
    y = g.node("ScatterND", start, found.indices, updates, reduction=None if x is not None else "add")
    return g.transpose(y, [order.index(axis) for axis in range(len(shape))])


# --- the transposes of taking ---------------------------------------------------------------------------------


@lowers("scatter_along_axis")
def scatter_along_axis(g: Graph, x: Value, indices: Value, shape: Any, axis: int) -> str:
    return g.node("ScatterElements", filled(g, 0), indices, x, axis=axis, reduction="add")


@lowers("scatter_take")
def scatter_take(g: Graph, x: Value, indices: Value, shape: Any, axis: int) -> str:
    n = indices.ndim
    order = [*range(axis, axis + n), *range(axis), *range(axis + n, x.ndim)]
    target = output(g).shape
    turned = [axis, *(a for a in range(len(target)) if a != axis)]
    zeros = g.expand(g.number(0, x.dtype), [target[a] for a in turned])
    y = g.node("ScatterND", zeros, g.unsqueeze(indices, [n]), g.transpose(x, order), reduction="add")
    return g.transpose(y, [turned.index(a) for a in range(len(target))])


@lowers("scatter_pooled")
def scatter_pooled(g: Graph, x: Value, indices: Value, size: Sequence[Dim]) -> str:
    before = x.shape[: x.ndim - len(size)]
    lines, whole = (*before, total(x.shape[len(before) :])), (*before, total(size))
    zeros = g.expand(g.number(0, x.dtype), whole)
    index, values = g.reshape(indices, lines), g.reshape(x, lines)
    y = g.node("ScatterElements", zeros, index, values, axis=len(before), reduction="add")
    return g.reshape(y, output(g).shape, whole)
