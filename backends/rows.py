"""Sums over rows and columns of NumPy's arrays by BLAS, and standardization with them.

NumPy's `add.reduce` takes three times as long as a product with a row of ones, and a sum of products needs no array of products.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from xgrad.backends.normalization import standardize as plainly

# The longest sum by BLAS over last axes: it rounds more than NumPy's sum in pairs, by a few bits at this length.
_MOST = 1 << 12
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


def ends(ndim: int, axis: Any) -> tuple[int, int] | None:
    """The axes that a sum over some first and some last axes keeps, from `first` to `last` - 1. None for a sum over others."""
    given = (axis,) if type(axis) is int else axis
    axes = {a % ndim for a in given if -ndim <= a < ndim}
    if not axes or len(axes) != len(given):  # one that does not exist, or one twice: NumPy raises
        return None
    first, last = 0, ndim
    while last and last - 1 in axes:
        last -= 1
    while first < last and first in axes:
        first += 1
    return (first, last) if len(axes) == first + ndim - last else None


def sum_by_blas(x: Any, axis: Any, keepdims: bool) -> Any:
    """The sum over first and last axes of a contiguous array of floats; None where add.reduce is to be used."""
    if x.size < _LEAST or x.dtype.char not in "fd" or not x.flags.c_contiguous:
        return None
    shape, ndim = x.shape, x.ndim
    found = ends(ndim, axis)
    few = axis if type(axis) is int else axis[0] if len(axis) == 1 else ndim
    if -ndim <= few < ndim and shape[few] in range(2, 8) and ndim > 1:
        return _sum_of_few(x, few % ndim, keepdims)
    if found is None:
        return None
    first, last = found
    rows, length = prod(shape[:first]), prod(shape[last:])
    if not last or rows > _ROWS:  # all axes, or too many rows
        return None
    if last == ndim:
        total = ones(rows, x.dtype).dot(x.reshape(rows, -1))
    elif 8 <= length <= _MOST:
        total = x.reshape(-1, length).dot(ones(length, x.dtype))
    else:
        return None
    if first and last < ndim:
        total = np.add.reduce(total.reshape(rows, -1), axis=0)
    kept = shape[first:last]
    return total.reshape((1,) * first + kept + (1,) * (ndim - last) if keepdims else kept)


def _sum_of_few(x: Any, axis: int, keepdims: bool) -> Any:
    """The sum over an axis of a few elements: whole slices are added, where add.reduce would make many short sums."""
    before = (slice(None),) * axis
    total = x[(*before, 0)] + x[(*before, 1)]
    for k in range(2, x.shape[axis]):
        total += x[(*before, k)]
    return np.expand_dims(total, axis) if keepdims else total


def sum_of_products(x1: Any, x2: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    """sum(x1 * x2) over axes, without the array of products. None where this is not faster."""
    shape = x1.shape
    if shape != x2.shape or x1.size < _LEAST or x1.dtype.char not in "fd" or x1.dtype != x2.dtype:
        return None
    if not (x1.flags.c_contiguous and x2.flags.c_contiguous):
        return None
    ndim = x1.ndim
    found = ends(ndim, axis)
    if found is None:
        return None
    first, last = found
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
