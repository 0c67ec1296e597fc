"""Attention: the mean of values weighted by the softmax of scores."""

from __future__ import annotations

import math
from typing import Any

from xgrad.onnx.lowering.reductions import reduce
from xgrad.onnx.lowering.reshaping import matrix_transpose
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value
from xgrad.onnx.sizes import Dim


@lowers("attention")
def attention(
    g: Graph, q: Value, k: Value, v: Value, bias: Any = None, drop: Any = None, *, scale: float, is_causal: bool = False
) -> list[Operand]:
    """softmax(q @ k.T * scale + bias) @ v, and the softmax."""
    dtype = q.dtype
    scores = g.node("MatMul", g.node("Mul", q, g.number(scale, dtype)), matrix_transpose(g, k))
    low = g.number(-math.inf, dtype)
    if isinstance(bias, Value) and bias.dtype == "bool":
        scores = g.node("Where", bias, scores, low)
    elif bias is not None:
        scores = g.node("Add", scores, g.scalar(bias, dtype))
    if is_causal:
        scores = g.node("Where", past(g, q.shape[-2], k.shape[-2]), scores, low)
    weights = g.node("Softmax", scores, axis=-1) if bias is None else _softmax(g, scores, dtype, q.ndim)
    dropped = weights if drop is None else g.node("Mul", weights, g.scalar(drop, dtype))
    return [g.node("MatMul", dropped, v), weights]


def past(g: Graph, rows: Dim, columns: Dim) -> str:
    """For the query of each row, whether a key is not after it."""
    if isinstance(rows, int) and isinstance(columns, int):
        return g.array([i >= j for i in range(rows) for j in range(columns)], "bool", (rows, columns))
    return g.node("GreaterOrEqual", g.unsqueeze(g.range(rows), [1]), g.range(columns))


def _softmax(g: Graph, scores: str, dtype: str, ndim: int) -> str:
    """The softmax, and 0 where all scores are -inf."""
    last = [ndim - 1]
    zero, one = g.number(0, dtype), g.number(1, dtype)
    peak = reduce(g, "ReduceMax", scores, last, True)
    peak = g.node("Where", g.node("IsInf", peak, detect_positive=0), zero, peak)
    weights = g.node("Exp", g.node("Sub", scores, peak))
    total = reduce(g, "ReduceSum", weights, last, True)
    return g.node("Div", weights, g.node("Where", g.node("Equal", total, zero), one, total))
