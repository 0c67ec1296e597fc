"""Standardization and what belongs to it: extension functions of rules/normalization.py, written with the standard's functions.

NumPy has faster versions of its own (rows.py).
"""

from __future__ import annotations

from typing import Any


def sum_of_products(xp: Any, x1: Any, x2: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    """sum(x1 * x2) over axes."""
    return xp.sum(x1 * x2, axis=axis, keepdims=keepdims)


def scale_and_shift(xp: Any, x: Any, scale: Any, shift: Any = None) -> Any:
    """x * scale + shift. The sum is written into the product."""
    y = x * scale
    if shift is None:
        return y
    if shift.dtype != y.dtype or not y.shape:
        return y + shift
    y += shift
    return y


def standardize(xp: Any, x: Any, axis: tuple[int, ...], eps: float, centered: bool = True) -> tuple[Any, Any, Any]:
    """(x - mean) / sqrt(var + eps), the mean and the variance. Those of half-precision arrays are float32."""
    if x.dtype in xp.narrow_dtypes:
        y, mean, var = xp.standardize(xp.astype(x, xp.float32), axis=axis, eps=eps, centered=centered)
        return xp.astype(y, x.dtype), mean, var
    if centered:
        mean = xp.mean(x, axis=axis, keepdims=True)
        y = x - mean
        var = xp.mean(xp.square(y), axis=axis, keepdims=True)
    else:
        y = x
        var = xp.mean(xp.square(y), axis=axis, keepdims=True)
        mean = xp.zeros_like(var)
    return y / xp.sqrt(var + eps), mean, var
