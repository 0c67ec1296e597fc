"""Products of matrices and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.onnx.lowering.arithmetic import result
from xgrad.onnx.lowering.reductions import reduce
from xgrad.onnx.lowering.reshaping import matrix_transpose, output
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Value, total
from xgrad.onnx.sizes import Dim


@lowers("matmul", "linalg.matmul")
def matmul(g: Graph, x1: Value, x2: Value) -> str:
    return g.node("MatMul", g.scalar(x1, result(g)), g.scalar(x2, result(g)))


@lowers("linear")
def linear(g: Graph, x: Value, weight: Value, bias: Value | None = None) -> str:
    """Gemm for a matrix x, otherwise a MatMul with the transposed weight."""
    dtype = result(g)
    if x.ndim == 2 and weight.ndim == 2 and (bias is None or bias.ndim == 1):
        return g.node("Gemm", *(None if p is None else g.scalar(p, dtype) for p in (x, weight, bias)), transB=1)
    y = g.node("MatMul", g.scalar(x, dtype), g.cast(matrix_transpose(g, weight), weight.dtype, dtype))
    return y if bias is None else g.node("Add", y, g.scalar(bias, dtype))


@lowers("weight_gradient")
def weight_gradient(g: Graph, x1: Value, x2: Value, weight: Any = None) -> str:
    return g.node("MatMul", matrix_transpose(g, x1), x2)


@lowers("vecdot", "linalg.vecdot")
def vecdot(g: Graph, x1: Value, x2: Value, axis: int = -1) -> str:
    product = g.node("Mul", g.scalar(x1, result(g)), g.scalar(x2, result(g)))
    ndim = max(x1.ndim, x2.ndim)
    return reduce(g, "ReduceSum", product, [axis % ndim], False)


@lowers("tensordot", "linalg.tensordot")
def tensordot(g: Graph, x1: Value, x2: Value, axes: Any = 2) -> str:
    """The axes to sum over are brought to the end of x1 and to the front of x2: a product of two matrices is left."""
    one, two = (list(range(x1.ndim - axes, x1.ndim)), list(range(axes))) if isinstance(axes, int) else axes
    over1, over2 = [a % x1.ndim for a in one], [a % x2.ndim for a in two]
    kept1, kept2 = [a for a in range(x1.ndim) if a not in over1], [a for a in range(x2.ndim) if a not in over2]
    shape1, shape2 = [x1.shape[a] for a in kept1], [x2.shape[a] for a in kept2]
    summed = [x1.shape[a] for a in over1]
    a = _matrix(g, x1, [*kept1, *over1], (total(shape1), total(summed)), result(g))
    b = _matrix(g, x2, [*over2, *kept2], (total(summed), total(shape2)), result(g))
    return g.reshape(g.node("MatMul", a, b), (*shape1, *shape2), (total(shape1), total(shape2)))


def _matrix(g: Graph, x: Value, order: Sequence[int], shape: Sequence[Dim], dtype: str) -> str:
    turned = g.cast(g.transpose(x, order), x.dtype, dtype)
    return g.reshape(turned, shape, [x.shape[a] for a in order])


@lowers("linalg.outer")
def outer(g: Graph, x1: Value, x2: Value) -> str:
    return g.node("Mul", g.unsqueeze(g.scalar(x1, result(g)), [1]), g.unsqueeze(g.scalar(x2, result(g)), [0]))


@lowers("linalg.diagonal")
def diagonal(g: Graph, x: Value, offset: int = 0) -> str:
    """The elements at (i, i + offset), by their places in the flattened matrices."""
    rows, columns = x.shape[-2:]
    n = output(g).shape[-1]
    flat = g.reshape(x, (*x.shape[:-2], rows * columns))
    first = g.number(offset if offset >= 0 else columns * -offset, "int64")
    places = g.node("Add", g.node("Mul", g.range(n), g.number(columns + 1, "int64")), first)
    return g.node("Gather", flat, places, axis=x.ndim - 2)


@lowers("linalg.trace")
def trace(g: Graph, x: Value, offset: int = 0, dtype: Any = None) -> str:
    rows, columns = x.shape[-2:]
    i, j = g.unsqueeze(g.range(rows), [1]), g.range(columns)
    on = g.node("Equal", g.node("Add", i, g.number(offset, "int64")), j)
    kept = g.node("Where", on, g.scalar(x, result(g)), g.number(0, result(g)))
    return reduce(g, "ReduceSum", kept, [x.ndim - 2, x.ndim - 1], False)


@lowers("linalg.det")
def det(g: Graph, x: Value) -> str:
    return g.node("Det", x)


@lowers("linalg.matrix_power")
def matrix_power(g: Graph, x: Value, n: int) -> str:
    if n < 0:
        g.refuse("linalg.matrix_power with a negative exponent needs an inverse, which ONNX lacks")
    if n == 0:
        size = x.shape[-1]
        eye = g.node("Equal", g.unsqueeze(g.range(size), [1]), g.range(size))
        return g.expand(g.cast(eye, "bool", x.dtype), x.shape)
    y, square = None, x.name
    while True:
        if n % 2:
            y = square if y is None else g.node("MatMul", y, square)
        n //= 2
        if not n:
            return str(y)
        square = g.node("MatMul", square, square)


@lowers("linalg.cross")
def cross(g: Graph, x1: Value, x2: Value, axis: int = -1) -> str:
    """From rolled copies: a[1, 2, 0] * b[2, 0, 1] - a[2, 0, 1] * b[1, 2, 0]."""
    dtype = result(g)
    a, b = g.scalar(x1, dtype), g.scalar(x2, dtype)

    def rolled(x: str, ndim: int, places: list[int]) -> str:
        return g.node("Gather", x, g.ints(places), axis=axis if axis < 0 else axis + ndim - output(g).ndim)

    left = g.node("Mul", rolled(a, x1.ndim, [1, 2, 0]), rolled(b, x2.ndim, [2, 0, 1]))
    right = g.node("Mul", rolled(a, x1.ndim, [2, 0, 1]), rolled(b, x2.ndim, [1, 2, 0]))
    return g.node("Sub", left, right)
