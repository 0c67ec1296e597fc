"""Sums, means, extremes, norms and the like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from xgrad.onnx.lowering.arithmetic import result
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value, axes_of, total


def reduce(g: Graph, op: str, x: Operand, axes: Sequence[int], keepdims: bool) -> str:
    return g.node(op, x, g.ints(axes), keepdims=int(keepdims), noop_with_empty_axes=1)


def _reduction(op: str, g: Graph, x: Value, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> str:
    wide = "int32" if result(g) == "bool" else result(g)  # ONNX has no extremes of truth values
    y = reduce(g, op, g.cast(x, x.dtype, wide), axes_of(axis, x.ndim), keepdims)
    return g.cast(y, wide, result(g))


for _name, _op in (
    ("sum", "ReduceSum"),
    ("mean", "ReduceMean"),
    ("max", "ReduceMax"),
    ("min", "ReduceMin"),
    ("prod", "ReduceProd"),
):
    lowers(_name)(partial(_reduction, _op))


@lowers("all")
def all_(g: Graph, x: Value, axis: Any = None, keepdims: bool = False) -> str:
    one = g.cast(g.cast(x, x.dtype, "bool"), "bool", "int32")
    return g.cast(reduce(g, "ReduceMin", one, axes_of(axis, x.ndim), keepdims), "int32", "bool")


@lowers("any")
def any_(g: Graph, x: Value, axis: Any = None, keepdims: bool = False) -> str:
    one = g.cast(g.cast(x, x.dtype, "bool"), "bool", "int32")
    return g.cast(reduce(g, "ReduceMax", one, axes_of(axis, x.ndim), keepdims), "int32", "bool")


@lowers("count_nonzero")
def count_nonzero(g: Graph, x: Value, axis: Any = None, keepdims: bool = False) -> str:
    one = g.cast(g.cast(x, x.dtype, "bool"), "bool", "int64")
    return g.cast(reduce(g, "ReduceSum", one, axes_of(axis, x.ndim), keepdims), "int64", result(g))


@lowers("var")
def var(g: Graph, x: Value, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> str:
    axes = axes_of(axis, x.ndim)
    apart = g.node("Sub", x, reduce(g, "ReduceMean", x, axes, True))
    squares = reduce(g, "ReduceSum", g.node("Mul", apart, apart), axes, keepdims)
    n = total([x.shape[a] for a in axes])
    count = g.node("Sub", g.number(n, x.dtype), g.number(correction, x.dtype))
    count = g.node("Max", count, g.number(0, x.dtype))  # as NumPy does where the correction is above n
    return g.node("Div", squares, count)


@lowers("std")
def std(g: Graph, x: Value, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> str:
    return g.node("Sqrt", var(g, x, axis, correction, keepdims))


@lowers("cumulative_sum")
def cumulative_sum(
    g: Graph, x: Value, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> str:
    axis = 0 if axis is None else axis % x.ndim
    y = g.node("CumSum", g.cast(x, x.dtype, result(g)), g.number(axis, "int64"))
    return _with_initial(g, y, x, axis, 0) if include_initial else y


def _with_initial(g: Graph, y: str, x: Value, axis: int, value: float) -> str:
    first = g.expand(g.number(value, result(g)), [1 if a == axis else n for a, n in enumerate(x.shape)])
    return g.node("Concat", first, y, axis=axis)


@lowers("cumulative_prod")
def cumulative_prod(
    g: Graph, x: Value, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> str:
    """In log2(n) steps: in step k, each element is multiplied by the one 2 ** k places before."""
    axis = 0 if axis is None else axis % x.ndim
    n = g.fixed(x.shape[axis], "the number of elements of cumulative_prod")
    y, reach = g.cast(x, x.dtype, result(g)), 1
    while reach < n:
        ones = g.expand(g.number(1, result(g)), [reach if a == axis else m for a, m in enumerate(x.shape)])
        moved = g.node("Concat", ones, g.slice(y, [0], [-reach], [axis], [1]), axis=axis)
        y, reach = g.node("Mul", y, moved), 2 * reach
    return _with_initial(g, y, x, axis, 1) if include_initial else y


@lowers("diff")
def diff(g: Graph, x: Value, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> str:
    axis %= x.ndim
    parts = [part for part in (prepend, x, append) if part is not None]
    y = g.node("Concat", *parts, axis=axis) if len(parts) > 1 else x.name
    end = 2**63 - 1
    for _ in range(n):
        after, before = g.slice(y, [1], [end], [axis], [1]), g.slice(y, [0], [-1], [axis], [1])
        y = g.node("Not", g.node("Equal", after, before)) if x.dtype == "bool" else g.node("Sub", after, before)
    return y


# --- norms -------------------------------------------------------------------------------------------------


@lowers("linalg.vector_norm")
def vector_norm(g: Graph, x: Value, axis: Any = None, keepdims: bool = False, ord: float = 2) -> str:
    axes = axes_of(axis, x.ndim)
    if ord == 2:
        return reduce(g, "ReduceL2", x, axes, keepdims)
    if ord == 1:
        return reduce(g, "ReduceL1", x, axes, keepdims)
    if math.isinf(ord):
        return reduce(g, "ReduceMax" if ord > 0 else "ReduceMin", g.node("Abs", x), axes, keepdims)
    if ord == 0:
        is_zero = g.node("Equal", x, g.number(0, x.dtype))
        return reduce(g, "ReduceSum", g.cast(g.node("Not", is_zero), "bool", x.dtype), axes, keepdims)
    powers = g.node("Pow", g.node("Abs", x), g.number(ord, x.dtype))
    return g.node("Pow", reduce(g, "ReduceSum", powers, axes, keepdims), g.number(1 / ord, x.dtype))


@lowers("linalg.matrix_norm")
def matrix_norm(g: Graph, x: Value, keepdims: bool = False, ord: Any = "fro") -> str:
    rows, columns = x.ndim - 2, x.ndim - 1
    if ord == "fro":
        return reduce(g, "ReduceL2", x, [rows, columns], keepdims)
    if ord not in (1, -1, math.inf, -math.inf):
        g.refuse(f"linalg.matrix_norm with ord={ord!r} needs singular values, which ONNX lacks")
    over, of = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = reduce(g, "ReduceL1", x, [over], True)
    y = reduce(g, "ReduceMax" if ord > 0 else "ReduceMin", sums, [of], True)
    return y if keepdims else g.squeeze(y, [rows, columns])


@lowers("sum_of_products")
def sum_of_products(g: Graph, x1: Value, x2: Value, axis: Any = None, keepdims: bool = False) -> str:
    product = g.node("Mul", x1, x2)
    return reduce(g, "ReduceSum", product, axes_of(axis, max(x1.ndim, x2.ndim)), keepdims)


# --- normalization -----------------------------------------------------------------------------------------


@lowers("standardize")
def standardize(g: Graph, x: Value, axis: Any, eps: float, centered: bool = True) -> list[Operand | None]:
    """(x - mean) / sqrt(var + eps): LayerNormalization over last axes, otherwise as it is written."""
    axes = axes_of(axis, x.ndim)
    over = [x.shape[a] for a in axes]
    is_layer = centered and axes == list(range(x.ndim - len(axes), x.ndim)) and g.results[1:] == [None, None]
    if is_layer and all(isinstance(n, int) for n in over):
        count = g.fixed(total(over), "the size of a layer")
        ones = g.array([1.0] * count, x.dtype, over)  # type: ignore[arg-type]
        return [g.node("LayerNormalization", x, ones, axis=axes[0], epsilon=eps), None, None]
    wide = "float32" if x.dtype == "float16" else x.dtype
    moved: Operand = g.cast(x, x.dtype, wide)
    average = reduce(g, "ReduceMean", moved, axes, True)
    if centered:
        moved = g.node("Sub", moved, average)
    else:
        average = g.node("Mul", average, g.number(0, wide))
    spread = reduce(g, "ReduceMean", g.node("Mul", moved, moved), axes, True)
    found = g.node("Div", moved, g.node("Sqrt", g.node("Add", spread, g.number(eps, wide))))
    return [g.cast(found, wide, x.dtype), average, spread]


@lowers("scale_and_shift")
def scale_and_shift(g: Graph, x: Value, scale: Any, shift: Any = None) -> str:
    """As a part of the LayerNormalization that made x, if nothing else uses that."""
    dtype = result(g)
    node = g.nodes[-1] if g.nodes else None
    if node is not None and node.op_type == "LayerNormalization" and x.name == node.output[0] and x.name in g.used_once:
        of_weights = [part for part in (scale, shift) if part is not None]
        ones = g.initializers[node.input[1]]
        if all(isinstance(p, Value) and p.dtype == dtype and p.shape == tuple(ones.dims) for p in of_weights):
            node.input[1] = scale.name
            if shift is not None:
                node.input.append(shift.name)
            return str(node.output[0])
    y = g.node("Mul", g.scalar(x, dtype), g.scalar(scale, dtype))
    return y if shift is None else g.node("Add", y, g.scalar(shift, dtype))
