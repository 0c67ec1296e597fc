"""Places of extremes, and orders."""

from __future__ import annotations

from typing import Any

from xgrad.onnx.lowering.arithmetic import result
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value, total


def _arg(g: Graph, op: str, x: Value, axis: int | None, keepdims: bool) -> str:
    wide = "int32" if x.dtype == "bool" else x.dtype
    y: Operand = g.cast(x, x.dtype, wide)
    if axis is None:
        y = g.node(op, g.reshape(y, (total(x.shape),), x.shape), axis=0, keepdims=0)
        return g.cast(g.expand(y, (1,) * x.ndim) if keepdims else y, "int64", result(g))
    return g.cast(g.node(op, y, axis=axis % x.ndim, keepdims=int(keepdims)), "int64", result(g))


@lowers("argmax")
def argmax(g: Graph, x: Value, axis: int | None = None, keepdims: bool = False) -> str:
    return _arg(g, "ArgMax", x, axis, keepdims)


@lowers("argmin")
def argmin(g: Graph, x: Value, axis: int | None = None, keepdims: bool = False) -> str:
    return _arg(g, "ArgMin", x, axis, keepdims)


def _ordered(g: Graph, x: Value, axis: int, descending: bool) -> list[str]:
    """The sorted elements and their places, those of equal elements in ascending order."""
    axis %= x.ndim
    count = g.vector([x.shape[axis]])
    return g.several("TopK", 2, x, count, axis=axis, largest=int(descending), sorted=1)


@lowers("sort")
def sort(g: Graph, x: Value, axis: int = -1, descending: bool = False, stable: bool = True) -> str:
    return _ordered(g, x, axis, descending)[0]


@lowers("argsort")
def argsort(g: Graph, x: Value, axis: int = -1, descending: bool = False, stable: bool = True) -> str:
    return g.cast(_ordered(g, x, axis, descending)[1], "int64", result(g))


@lowers("searchsorted")
def searchsorted(g: Graph, x1: Value, x2: Any, side: str = "left", sorter: Any = None) -> str:
    """How many elements of x1 are less than each of x2, or not greater for the right side."""
    rows = x1.name if sorter is None else g.node("Gather", x1, sorter, axis=0)
    op = "Less" if side == "left" else "LessOrEqual"
    value = g.scalar(x2, x1.dtype)
    below = g.node(op, rows, g.node("Unsqueeze", value, g.ints([-1])))
    return g.cast(g.node("ReduceSum", g.cast(below, "bool", "int64"), g.ints([-1]), keepdims=0), "int64", result(g))
