"""Products: of vectors and matrices, by subscripts, and of sequences."""

from __future__ import annotations

from typing import Any

from xgrad.rules.numpy_functions.face import is_complex, linalg, not_given, one_axis, tensor, tensors, xp
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("dot")
def dot(a: Any, b: Any, out: None = None) -> Any:
    not_given("dot", out=out)
    a, b = tensors("dot", a, b)
    if not a.ndim or not b.ndim:
        return a * b
    return xp.tensordot(a, b, axes=((a.ndim - 1,), (max(b.ndim - 2, 0),)))


@numpy_function("vdot")
def vdot(a: Any, b: Any, /) -> Any:
    a, b = (xp.reshape(x, (-1,)) for x in tensors("vdot", a, b))
    return xp.sum((xp.conj(a) if is_complex(a) else a) * b)


@numpy_function("inner")
def inner(a: Any, b: Any, /) -> Any:
    a, b = tensors("inner", a, b)
    if not a.ndim or not b.ndim:
        return a * b
    return xp.tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


@numpy_function("outer")
def outer(a: Any, b: Any, out: None = None) -> Any:
    not_given("outer", out=out)
    a, b = tensors("outer", a, b)
    return xp.reshape(a, (-1, 1)) * xp.reshape(b, (1, -1))


@numpy_function("linalg.outer")
def vectors_outer(x1: Any, x2: Any, /) -> Any:
    return linalg.outer(*tensors("linalg.outer", x1, x2))


@numpy_function("kron")
def kron(a: Any, b: Any) -> Any:
    a, b = tensors("kron", a, b)
    ndim = max(a.ndim, b.ndim)
    m, n = (1,) * (ndim - a.ndim) + tuple(a.shape), (1,) * (ndim - b.ndim) + tuple(b.shape)
    wide_a = xp.reshape(a, tuple(k for pair in zip(m, (1,) * ndim, strict=True) for k in pair))
    wide_b = xp.reshape(b, tuple(k for pair in zip((1,) * ndim, n, strict=True) for k in pair))
    return xp.reshape(wide_a * wide_b, tuple(i * j for i, j in zip(m, n, strict=True)))


@numpy_function("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = tensors("tensordot", a, b)
    if not isinstance(axes, int):
        axes = tuple((axis,) if isinstance(axis, int) else tuple(axis) for axis in axes)
    return xp.tensordot(a, b, axes=axes)


@numpy_function("cross")
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = tensors("cross", a, b)
    a, b = xp.moveaxis(a, axisa, -1), xp.moveaxis(b, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(f"numpy.cross: vectors have 2 or 3 components, not {a.shape[-1]} and {b.shape[-1]}")
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (x if x.shape[-1] == 3 else xp.concat([x, xp.zeros_like(x[..., :1])], axis=-1) for x in (a, b))
    a, b = xp.broadcast_arrays(a, b)
    return xp.moveaxis(linalg.cross(a, b, axis=-1), -1, axisc)


@numpy_function("linalg.cross")
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return cross(x1, x2, axis=axis)


@numpy_function("linalg.vecdot")
def linalg_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return xp.vecdot(*tensors("linalg.vecdot", x1, x2), axis=axis)


@numpy_function("linalg.matmul")
def linalg_matmul(x1: Any, x2: Any, /) -> Any:
    return xp.matmul(*tensors("linalg.matmul", x1, x2))


@numpy_function("linalg.multi_dot")
def multi_dot(arrays: Any, *, out: None = None) -> Any:
    """The product of several matrices, in the order that takes the fewest multiplications."""
    not_given("linalg.multi_dot", out=out)
    parts = list(tensors("linalg.multi_dot", *arrays))
    if len(parts) < 2:
        raise ValueError("numpy.linalg.multi_dot takes two matrices or more")
    first, last = parts[0].ndim == 1, parts[-1].ndim == 1
    if first:
        parts[0] = xp.reshape(parts[0], (1, -1))
    if last:
        parts[-1] = xp.reshape(parts[-1], (-1, 1))
    y = _chain(parts, _best_order([part.shape[0] for part in parts] + [parts[-1].shape[1]]), 0, len(parts) - 1)
    if first and last:
        return y[0, 0]
    return y[0] if first else y[:, 0] if last else y


def _best_order(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each part of the chain."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


def _chain(parts: list[Any], split: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return parts[i]
    k = split[i, j]
    return xp.matmul(_chain(parts, split, i, k), _chain(parts, split, k + 1, j))


@numpy_function("trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Any:
    not_given("trace", out=out)
    return xp.sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@numpy_function("diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = tensor("diagonal", a)
    one, other = one_axis("diagonal", axis1, a.ndim), one_axis("diagonal", axis2, a.ndim)
    if one == other:
        raise ValueError(f"numpy.diagonal: axis1 and axis2 are both {axis1}")
    rest = [i for i in range(a.ndim) if i not in (one, other)]
    return linalg.diagonal(xp.permute_dims(a, (*rest, one, other)), offset=offset)


@numpy_function("linalg.diagonal")
def linalg_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return linalg.diagonal(tensor("linalg.diagonal", x), offset=offset)


@numpy_function("linalg.trace")
def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return linalg.trace(tensor("linalg.trace", x), offset=offset, dtype=dtype)
