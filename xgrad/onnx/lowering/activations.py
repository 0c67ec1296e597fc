"""Activations, the softmax and its relatives."""

from __future__ import annotations

import math
from typing import Any

from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Value, axes_of


@lowers("gelu")
def gelu(g: Graph, x: Value, approximate: str = "none") -> str:
    if g.opset >= 20:
        return g.node("Gelu", x, approximate=approximate)
    half, one = g.number(0.5, x.dtype), g.number(1.0, x.dtype)
    if approximate == "none":
        inner = g.node("Erf", g.node("Mul", x, g.number(math.sqrt(0.5), x.dtype)))
    else:
        cube = g.node("Mul", g.node("Mul", g.node("Mul", x, x), x), g.number(0.044715, x.dtype))
        inner = g.node("Tanh", g.node("Mul", g.node("Add", x, cube), g.number(math.sqrt(2 / math.pi), x.dtype)))
    return g.node("Mul", g.node("Mul", x, half), g.node("Add", inner, one))


@lowers("softplus")
def softplus(g: Graph, x: Value) -> str:
    return g.node("Softplus", x)


@lowers("silu")
def silu(g: Graph, x: Value) -> str:
    return g.node("Mul", x, g.node("Sigmoid", x))


@lowers("mish")
def mish(g: Graph, x: Value) -> str:
    return g.node("Mish", x)


@lowers("tanhshrink")
def tanhshrink(g: Graph, x: Value) -> str:
    return g.node("Sub", x, g.node("Tanh", x))


@lowers("leaky_relu")
def leaky_relu(g: Graph, x: Value, negative_slope: float = 0.01) -> str:
    return g.node("LeakyRelu", x, alpha=float(negative_slope))


@lowers("softmax")
def softmax(g: Graph, x: Value, axis: int = -1) -> str:
    return g.node("Softmax", x, axis=axis)


@lowers("log_softmax")
def log_softmax(g: Graph, x: Value, axis: int = -1) -> str:
    return g.node("LogSoftmax", x, axis=axis)


@lowers("logsumexp")
def logsumexp(g: Graph, x: Value, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element is taken out first; where that is infinite, it is the result."""
    over = axes_of(axis, x.ndim)
    if not over:
        return x
    axes = g.ints(over)
    zero, one = g.number(0, x.dtype), g.number(1, x.dtype)
    peak = g.node("ReduceMax", x, axes, keepdims=1)
    infinite = g.node("IsInf", peak)
    exp = g.node("Exp", g.node("Sub", x, g.node("Where", infinite, zero, peak)))
    sum_ = g.node("ReduceSum", exp, axes, keepdims=1)
    y = g.node("Add", g.node("Log", g.node("Where", infinite, one, sum_)), peak)
    return y if keepdims else g.node("Squeeze", y, axes)


# --- special functions ---------------------------------------------------------------------------------------


@lowers("special.log_expit")
def log_expit(g: Graph, x: Value) -> str:
    return g.node("Neg", g.node("Softplus", g.node("Neg", x)))


@lowers("special.logit")
def logit(g: Graph, x: Value) -> str:
    return g.node("Log", g.node("Div", x, g.node("Sub", g.number(1, x.dtype), x)))


@lowers("special.erfc")
def erfc(g: Graph, x: Value) -> str:
    return g.node("Sub", g.number(1, x.dtype), g.node("Erf", x))


@lowers("special.ndtr")
def ndtr(g: Graph, x: Value) -> str:
    erf = g.node("Erf", g.node("Mul", x, g.number(math.sqrt(0.5), x.dtype)))
    return g.node("Mul", g.node("Add", erf, g.number(1, x.dtype)), g.number(0.5, x.dtype))
