"""Reading with keys, arrays of indices, and the like."""

from __future__ import annotations

from typing import Any

from xgrad.onnx.lowering.reshaping import output
from xgrad.onnx.lowering.selection import FULL, advanced, entries, is_array
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value, total
from xgrad.onnx.sizes import Size

END = 2**63 - 1


@lowers("getitem")
def getitem(g: Graph, x: Value, key: Any) -> Operand:
    """One Slice for all slices and integers; Gather or GatherND for arrays of indices; new axes last."""
    if x.name in g.only_last:  # the key says so too
        return x
    found = entries(g, key, x.ndim)
    plain = [entry for entry in found if entry is not None]
    if any(map(is_array, plain)):
        y, ndim = _with_arrays(g, x, plain)
        return _with_new_axes(g, y, found, ndim)
    y = _sliced(g, x, plain)
    y = g.squeeze(y, [axis for axis, entry in enumerate(plain) if not isinstance(entry, slice)])
    kept = [entry for entry in found if entry is None or isinstance(entry, slice)]
    return g.unsqueeze(y, [axis for axis, entry in enumerate(kept) if entry is None])


def _sliced(g: Graph, x: Operand, key: list[Any]) -> Operand:
    """The slices of a key, and integers as slices of one element."""
    rows = []
    for axis, entry in enumerate(key):
        if is_array(entry) or entry == FULL:
            continue
        if isinstance(entry, int | Size):
            rows.append((entry, END if entry == -1 else entry + 1, axis, 1))
            continue
        step = 1 if entry.step is None else entry.step
        start = (0 if step > 0 else END) if entry.start is None else entry.start
        stop = (END if step > 0 else -END) if entry.stop is None else entry.stop
        rows.append((start, stop, axis, step))
    if not rows:
        return x
    starts, stops, axes, steps = zip(*rows, strict=True)
    g.check_static(steps, "the step of a slice")
    return g.slice(x, starts, stops, axes, steps)


def _with_arrays(g: Graph, x: Value, key: list[Any]) -> tuple[Operand, int]:
    """The elements at a key with arrays of indices, and the number of axes of the result."""
    y = _sliced(g, x, [entry if isinstance(entry, slice) else FULL for entry in key])
    arrays = [(axis, entry) for axis, entry in enumerate(key) if not isinstance(entry, slice)]
    if len(arrays) == 1:
        axis, index = arrays[0]
        return g.node("Gather", y, index, axis=axis), x.ndim - 1 + index.ndim
    found = advanced(g, key)
    assert found is not None
    rest = [axis for axis in range(x.ndim) if axis not in found.axes]
    y = g.node("GatherND", g.transpose(y, [*found.axes, *rest]), found.indices)
    n, ndim = len(found.shape), len(found.shape) + len(rest)
    order = [*range(n, n + found.place), *range(n), *range(n + found.place, ndim)]
    return g.transpose(y, order), ndim


def _with_new_axes(g: Graph, y: Operand, key: list[Any], ndim: int) -> Operand:
    """New axes for each None of a key that has arrays. They are next to the axes of the slices around them."""
    if None not in [entry for entry in key if not is_array(entry)]:
        return y
    arrays = [i for i, entry in enumerate(key) if entry is not None and not isinstance(entry, slice)]
    if arrays != list(range(arrays[0], arrays[0] + len(arrays))):
        g.refuse("a key with None and separated arrays has no lowering")
    count = ndim - sum(isinstance(entry, slice) for entry in key)  # the axes that the arrays give
    axes, place = [], 0
    for i, entry in enumerate(key):
        if entry is None:
            axes.append(place)
            place += 1
        elif isinstance(entry, slice):
            place += 1
        elif i == arrays[0]:
            place += count
    return g.unsqueeze(y, axes)


@lowers("take")
def take(g: Graph, x: Value, indices: Any, axis: int | None = None) -> str:
    index = indices if isinstance(indices, Value) else g.ints(list(indices))
    return g.node("Gather", x, index, axis=(axis or 0) % max(x.ndim, 1))


@lowers("take_along_axis")
def take_along_axis(g: Graph, x: Value, indices: Value, axis: int = -1) -> str:
    axis %= x.ndim
    shape = output(g).shape
    whole = tuple(x.shape[axis] if a == axis else n for a, n in enumerate(shape))
    data = x if x.shape == whole else g.expand(x, whole)
    index = indices if indices.shape == shape else g.expand(indices, shape)
    return g.node("GatherElements", data, index, axis=axis)


@lowers("take_pooled")
def take_pooled(g: Graph, x: Value, indices: Value, axes: int) -> str:
    before = x.shape[: x.ndim - axes]
    rows = (*before, total(x.shape[len(before) :]))
    lines = (*before, total(indices.shape[len(before) :]))
    found = g.node("GatherElements", g.reshape(x, rows), g.reshape(indices, lines), axis=len(before))
    return g.reshape(found, indices.shape, lines)
