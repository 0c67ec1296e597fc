"""Diagonals and triangles of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.rules.numpy_functions.face import (
    tensor,
    xp,
)
from xgrad.rules.numpy_functions.indices import index_dtype
from xgrad.rules.numpy_functions.products import diagonal
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("diag")
def diag(v: Any, k: int = 0) -> Any:
    v = tensor("diag", v)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"numpy.diag takes a vector or a matrix, not an array of {v.ndim} axes")
    n, size = v.shape[0], v.shape[0] + abs(k)
    at = [(i + max(-k, 0)) * size + i + max(k, 0) for i in range(n)]
    return xp.reshape(xp.scatter(v, xp.asarray(at, dtype=index_dtype()), (size * size,)), (size, size))


@numpy_function("diagflat")
def diagflat(v: Any, k: int = 0) -> Any:
    return diag(xp.reshape(tensor("diagflat", v), (-1,)), k)


@numpy_function("tril")
def tril(m: Any, k: int = 0) -> Any:
    return _triangle(xp.tril, m, k)


@numpy_function("triu")
def triu(m: Any, k: int = 0) -> Any:
    return _triangle(xp.triu, m, k)


def _triangle(function: Callable[..., Any], m: Any, k: int) -> Any:
    m = tensor("tril", m)
    if m.ndim == 1:  # NumPy takes a vector for each row of a matrix
        m = xp.broadcast_to(m, (m.shape[0], m.shape[0]))
    return function(m, k=k)


@numpy_function("vander")
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:  # noqa: N803 (NumPy's name)
    x = tensor("vander", x)
    count = x.shape[0] if N is None else N
    columns = [xp.ones_like(x)]
    for _ in range(count - 1):
        columns.append(columns[-1] * x)
    y = xp.stack(columns, axis=1)[:, :count]
    return y if increasing else xp.flip(y, axis=1)
