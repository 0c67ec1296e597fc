"""Functions that change the shape or the order of elements, and arrays that are made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.onnx.lowering.arithmetic import result
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value, axes_of, total
from xgrad.onnx.sizes import Dim, Size


def output(g: Graph, i: int = 0) -> Value:
    """The shape and dtype of a result, as the program has it."""
    found = g.results[i]
    assert found is not None
    return found


@lowers("reshape")
def reshape(g: Graph, x: Value, shape: Sequence[Dim], copy: Any = None) -> str:
    if total(x.shape) == 0:  # ONNX takes a 0 in a shape as "as before"
        return filled(g, 0)
    if all(not isinstance(n, Size) for n in shape):
        return g.node("Reshape", x, g.vector(shape))  # as it was written, with its -1
    return g.reshape(x, output(g).shape)


@lowers("expand_dims")
def expand_dims(g: Graph, x: Value, axis: Any = 0) -> str:
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    ndim = x.ndim + len(axes)
    return g.unsqueeze(x, sorted(a % ndim for a in axes))


@lowers("squeeze")
def squeeze(g: Graph, x: Value, axis: Any) -> str:
    return g.squeeze(x, axes_of(axis, x.ndim))


@lowers("permute_dims")
def permute_dims(g: Graph, x: Value, axes: Sequence[int]) -> str:
    return g.transpose(x, [a % x.ndim for a in axes])


@lowers("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(g: Graph, x: Value) -> str:
    n = x.ndim
    return g.transpose(x, [*range(n - 2), n - 1, n - 2])


@lowers("moveaxis")
def moveaxis(g: Graph, x: Value, source: Any, destination: Any) -> str:
    from_ = [a % x.ndim for a in (source if isinstance(source, tuple | list) else (source,))]
    to = [a % x.ndim for a in (destination if isinstance(destination, tuple | list) else (destination,))]
    order = [a for a in range(x.ndim) if a not in from_]
    for place, a in sorted(zip(to, from_, strict=True)):
        order.insert(place, a)
    return g.transpose(x, order)


@lowers("broadcast_to")
def broadcast_to(g: Graph, x: Value, shape: Sequence[Dim]) -> Operand:
    return x if tuple(shape) == x.shape else g.expand(x, output(g).shape)


@lowers("broadcast_arrays")
def broadcast_arrays(g: Graph, *arrays: Value) -> list[Operand]:
    shape = output(g).shape
    return [x if x.shape == shape else g.expand(x, shape) for x in arrays]


@lowers("meshgrid")
def meshgrid(g: Graph, *arrays: Value, indexing: str = "xy") -> list[str]:
    n, found = len(arrays), []
    for i, x in enumerate(arrays):
        place = 1 - i if indexing == "xy" and i < 2 and n > 1 else i
        column = g.unsqueeze(g.reshape(x, (total(x.shape),)), [a for a in range(n) if a != place])
        found.append(g.expand(column, output(g, i).shape))
    return found


@lowers("concat")
def concat(g: Graph, arrays: Sequence[Value], axis: int | None = 0) -> str:
    parts: list[Operand] = [g.cast(x, x.dtype, result(g)) for x in arrays]
    if axis is None:
        parts = [g.reshape(part, (-1,)) for part in parts]
    return g.node("Concat", *parts, axis=axis or 0)


@lowers("stack")
def stack(g: Graph, arrays: Sequence[Value], axis: int = 0) -> str:
    axis %= arrays[0].ndim + 1
    return g.node("Concat", *[g.unsqueeze(g.cast(x, x.dtype, result(g)), [axis]) for x in arrays], axis=axis)


@lowers("unstack")
def unstack(g: Graph, x: Value, axis: int = 0) -> list[str]:
    axis %= x.ndim
    n = g.fixed(x.shape[axis], "the number of parts of unstack")
    return [g.node("Gather", x, g.number(i, "int64"), axis=axis) for i in range(n)]


@lowers("chunk")
def chunk(g: Graph, x: Value, chunks: int, axis: int = 0) -> list[str]:
    axis %= x.ndim
    found: list[str] = []
    start: Dim = 0
    for i in range(len(g.results)):
        n = output(g, i).shape[axis]
        found.append(g.slice(x, [start], [start + n], [axis], [1]))
        start = start + n
    return found


@lowers("flip")
def flip(g: Graph, x: Value, axis: Any = None) -> Operand:
    axes = axes_of(axis, x.ndim)
    n = len(axes)
    if not n:
        return x
    return g.slice(x, [-1] * n, [-(2**63) + 1] * n, axes, [-1] * n)


@lowers("roll")
def roll(g: Graph, x: Value, shift: Any, axis: Any = None) -> str:
    if axis is None:
        flat = _rolled(
            g, g.reshape(x, (total(x.shape),)), shift if isinstance(shift, int) else sum(shift), 0, total(x.shape)
        )
        return g.reshape(flat, x.shape, (total(x.shape),))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else (shift,) * len(axes)
    y: Operand = x
    for a, k in zip(axes, shifts, strict=True):
        y = _rolled(g, y, k, a % x.ndim, x.shape[a])
    return y if isinstance(y, str) else y.name


def _rolled(g: Graph, x: Operand, shift: int, axis: int, n: Dim) -> str:
    """The last `shift` elements in front of the others."""
    g.check_static(shift, "the shift of roll")
    if isinstance(n, Size):  # by their places: an axis may be shorter than the shift
        places = g.node("Sub", g.range(n), g.number(shift, "int64"))
        count = g.node("Max", g.number(n, "int64"), g.number(1, "int64"))  # nothing divides by 0, also for no elements
        return g.node("Gather", x, g.node("Mod", places, count), axis=axis)
    k = shift % n if n else 0
    end = 2**63 - 1
    first, last = (([-k], [end]), ([0], [-k])) if k else (([0], [end]), ([0], [0]))
    return g.node("Concat", *[g.slice(x, start, stop, [axis], [1]) for start, stop in (first, last)], axis=axis)


@lowers("tile")
def tile(g: Graph, x: Value, repetitions: Sequence[Dim]) -> str:
    times = (1,) * (x.ndim - len(repetitions)) + tuple(repetitions)
    return g.node("Tile", g.unsqueeze(x, list(range(len(times) - x.ndim))), g.vector(times))


@lowers("repeat")
def repeat(g: Graph, x: Value, repeats: Any, axis: int | None = None) -> str:
    if isinstance(repeats, Value):
        g.refuse("repeat with an array of counts has no counterpart in ONNX. Pass an integer")
    if repeats == 0:
        return filled(g, 0)
    if axis is None:
        flat = g.expand(g.reshape(x, (total(x.shape), 1)), (total(x.shape), repeats))
        return g.reshape(flat, (total(x.shape) * repeats,))
    axis %= x.ndim
    before, n, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    wide = g.expand(g.unsqueeze(x, [axis + 1]), (*before, n, repeats, *after))
    return g.reshape(wide, (*before, n * repeats, *after), (*before, n, repeats, *after))


@lowers("tril")
def tril(g: Graph, x: Value, k: int = 0) -> str:
    return g.node("Trilu", x, g.number(k, "int64"), upper=0)


@lowers("triu")
def triu(g: Graph, x: Value, k: int = 0) -> str:
    return g.node("Trilu", x, g.number(k, "int64"), upper=1)


# --- new arrays ----------------------------------------------------------------------------------------------


def filled(g: Graph, value: Any) -> str:
    """An array of the result's shape and dtype that is full of a number or a 0-d array."""
    y = output(g)
    return g.expand(g.scalar(value, y.dtype), y.shape)


@lowers("zeros_like", "empty_like")
def zeros_like(g: Graph, x: Value, dtype: Any = None) -> str:
    return filled(g, 0)


@lowers("ones_like")
def ones_like(g: Graph, x: Value, dtype: Any = None) -> str:
    return filled(g, 1)


@lowers("full_like")
def full_like(g: Graph, x: Value, fill_value: Any, dtype: Any = None) -> str:
    return filled(g, fill_value)


@lowers("full")
def full(g: Graph, shape: Any, fill_value: Any, dtype: Any = None) -> str:
    return filled(g, fill_value)
