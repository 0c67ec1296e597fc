"""Keys of arrays: a key with one entry for each axis, and what its slices and index arrays select."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xgrad.onnx.nodes import Graph, Operand, Value
from xgrad.onnx.sizes import Dim, Size

FULL = slice(None)


def entries(g: Graph, key: Any, ndim: int) -> list[Any]:
    """The entries of a key: slices, integers, None, and Values that are arrays of integers. The ellipsis is spelled out.

    A mask that is constant becomes arrays of integers. Any other mask is refused: the shape of the result depends on values.
    """
    given: list[Any] = []
    for entry in key if isinstance(key, tuple) else (key,):
        if isinstance(entry, list):
            entry = Value(g.ints(entry), (len(entry),), "int64")
        if isinstance(entry, bool):
            g.refuse("a key with True or False has no counterpart in ONNX")
        if isinstance(entry, Value) and entry.dtype == "bool":
            if entry.name not in g.hosts or not entry.ndim:
                g.refuse("a mask in a key selects a number of elements that depends on values")
            for places in g.hosts[entry.name].nonzero():
                given.append(Value(g.ints(places.tolist()), places.shape, "int64"))
            continue
        given.append(entry)
    missing = ndim - sum(entry is not None and entry is not ... for entry in given)
    if ... not in [entry for entry in given if not isinstance(entry, Value | Size)]:
        given.append(...)
    found: list[Any] = []
    for entry in given:
        found += [FULL] * missing if entry is ... else [entry]
    return found


def is_array(entry: Any) -> bool:
    return isinstance(entry, Value)


@dataclass
class Run:
    """What a slice selects: `count` elements from `first` on, `step` apart."""

    first: Dim
    count: Dim
    step: int

    def is_all(self, n: Dim) -> bool:
        return self.first == 0 and self.count == n and self.step == 1


def run_of(g: Graph, entry: Any, n: Dim) -> Run:
    """What a slice or an integer selects of an axis with n elements."""
    if isinstance(entry, int | Size):
        return Run(n + entry if isinstance(entry, int) and entry < 0 else entry, 1, 1)
    step = 1 if entry.step is None else entry.step
    if isinstance(n, int) and all(isinstance(part, int | None) for part in (entry.start, entry.stop)):
        places = range(n)[entry]
        return Run(places.start, len(places), step)
    if step != 1:
        g.refuse("a write with a step along a dynamic axis has no lowering")
    start, stop = (
        default if part is None else n + part if isinstance(part, int) and part < 0 else part
        for part, default in ((entry.start, 0), (entry.stop, n))
    )
    return Run(start, stop - start, 1)


def broadcast(g: Graph, shapes: Sequence[Sequence[Dim]]) -> tuple[Dim, ...]:
    """The shape that these broadcast to."""
    ndim = max((len(shape) for shape in shapes), default=0)
    found: list[Dim] = []
    for axis in range(-ndim, 0):
        sizes = [shape[axis] for shape in shapes if len(shape) >= -axis and shape[axis] != 1]
        found.append(sizes[0] if sizes else 1)
    return tuple(found)


@dataclass
class Advanced:
    """The arrays of a key, and the integers beside them. They are broadcast, and index together.

    Attributes:
        axes: the axes that they index.
        indices: an array of shape (*shape, number of axes), for GatherND and ScatterND.
        shape: the shape that they are broadcast to.
        place: where the axes of `shape` are among those of the result, after the axes that come before.
    """

    axes: list[int]
    indices: Operand
    shape: tuple[Dim, ...]
    place: int


def advanced(g: Graph, key: list[Any]) -> Advanced | None:
    """None for a key without arrays. `key` has no None."""
    if not any(map(is_array, key)):
        return None
    axes = [axis for axis, entry in enumerate(key) if not isinstance(entry, slice)]
    shape = broadcast(g, [key[axis].shape for axis in axes if is_array(key[axis])])
    parts = []
    for axis in axes:
        entry = key[axis]
        index = g.cast(entry, entry.dtype, "int64") if is_array(entry) else g.number(entry, "int64")
        if not is_array(entry) or entry.shape != shape:
            index = g.expand(index, shape) if shape else index
        parts.append(g.unsqueeze(index, [len(shape)]))
    indices = parts[0] if len(parts) == 1 else g.node("Concat", *parts, axis=len(shape))
    adjacent = axes == list(range(axes[0], axes[0] + len(axes)))
    return Advanced(axes, indices, shape, axes[0] if adjacent else 0)
