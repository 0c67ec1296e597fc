"""Sums over rows and columns of NumPy's arrays by BLAS, and standardization with them.

NumPy's `add.reduce` takes three times as long as a product with a row of ones, and a sum of products needs no array of products.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from xgrad.backends.normalization import standardize as plainly

_MOST = (
    1 << 12
)  # the longest sum by BLAS over last axes: it rounds more than NumPy's sum in pairs, by a few bits at this length
_ROWS = 1 << 16  # over first axes NumPy adds row by row, which rounds as much
_LEAST = 256  # elements: for smaller arrays the cost is that of the calls
_ones: dict[Any, Any] = {}


def ones(n: int, dtype: Any) -> Any:
    """A read-only row of n ones, n at most _ROWS."""
    row = _ones.get(dtype)
    if row is None:
        row = _ones[dtype] = np.ones(_ROWS, dtype=dtype)
        row.flags.writeable = False
    return row[:n]


def side(x: Any, axis: Any) -> int:
    """How many axes the sum takes if these are first axes, minus as many if they are last axes, and 0 if they are neither."""
    ndim = x.ndim
    if type(axis) is int:
        axis = (axis,)
    n = len(axis)
    if not 0 < n < ndim:
        return 0
    axes = sorted([a % ndim for a in axis])
    if axes[-1] - axes[0] != n - 1:
        return 0
    return n if axes[0] == 0 else -n if axes[-1] == ndim - 1 else 0


def sum_by_blas(x: Any, axis: Any, keepdims: bool) -> Any:
    """The sum over first or last axes of a contiguous array of floats; None where add.reduce is to be used."""
    if x.size < _LEAST or x.dtype.char not in "fd" or not x.flags.c_contiguous:
        return None
    n = side(x, axis)
    shape = x.shape
    if n > 0:
        rows = prod(shape[:n])
        if rows > _ROWS:
            return None
        total = ones(rows, x.dtype).dot(x.reshape(rows, -1)).reshape(shape[n:])
        return total.reshape((1,) * n + shape[n:]) if keepdims else total
    if n < 0:
        length = prod(shape[n:])
        if not 8 <= length <= _MOST:
            return None
        total = x.reshape(-1, length).dot(ones(length, x.dtype))
        return total.reshape(shape[:n] + (1,) * -n if keepdims else shape[:n])
    return None


def sum_of_products(x1: Any, x2: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    """sum(x1 * x2) over axes, without the array of products. None where this is not faster."""
    shape = x1.shape
    if shape != x2.shape or x1.size < _LEAST or x1.dtype.char not in "fd" or x1.dtype != x2.dtype:
        return None
    if not (x1.flags.c_contiguous and x2.flags.c_contiguous):
        return None
    ndim = x1.ndim
    axes = {a % ndim for a in axis}
    first = 0  # the last axes, from this one on, are summed by scalar products
    last = ndim
    while last and last - 1 in axes:
        last -= 1
    while first < last and first in axes:
        first += 1
    if len(axes) != first + ndim - last:
        return None
    rows, length = prod(shape[:first]), prod(shape[last:])
    if last == ndim:
        if rows > _ROWS:
            return None
        total = np.einsum("ij,ij->j", x1.reshape(rows, -1), x2.reshape(rows, -1))
    else:
        total = np.vecdot(x1.reshape(-1, length), x2.reshape(-1, length))
        if first:
            total = np.add.reduce(total.reshape(rows, -1), axis=0)
    kept = shape[first:last]
    return total.reshape((1,) * first + kept + (1,) * (ndim - last) if keepdims else kept)


def standardize(xp: Any, x: Any, axis: tuple[int, ...], eps: float, centered: bool = True) -> tuple[Any, Any, Any]:
    """As in normalization.py, in place."""
    if x.dtype.char not in "fd" or not x.size:
        return plainly(xp, x, axis, eps, centered)
    n = x.dtype.type(prod([x.shape[a] for a in axis]))
    if centered:
        mean = xp.sum(x, axis=axis, keepdims=True)
        mean /= n
        y = x - mean
        var = xp.sum_of_products(y, y, axis, True)
    else:
        var = xp.sum_of_products(x, x, axis, True)
        mean = np.zeros_like(var)
    var /= n
    scale = var + x.dtype.type(eps)
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    if centered:
        y *= scale
        return y, mean, var
    return x * scale, mean, var


def scatter_rows(x: Any, indices: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of that shape, to which each row of x is added at its index; None where `add.at` of rows is to be used."""
    if x.dtype.char not in "fd" or x.size < _LEAST or indices.dtype.kind not in "iu":
        return None
    n, columns = shape
    if indices.dtype.kind == "i" and np.minimum.reduce(indices) < 0:
        indices = np.where(indices < 0, indices + n, indices)
    y = np.zeros(n * columns, dtype=x.dtype)
    places = indices.astype(np.intp)[:, None] * columns + np.arange(columns)
    np.add.at(y, places.reshape(-1), x.reshape(-1))
    return y.reshape(shape)
