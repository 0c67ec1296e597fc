"""Arithmetic on NumPy's arrays that is also right where squares overflow or underflow, at no cost for ordinary numbers.

Each function first computes the plain formula with NumPy's floating-point errors raised, and a careful one only after an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_FEW = 256  # elements: for smaller arrays the cost is that of the calls


def hypot(x1: Any, x2: Any) -> Any:
    """sqrt(x1*x1 + x2*x2). For a large array and a number, several times as fast as NumPy's function."""
    if getattr(x1, "size", 0) >= _FEW and _is_real(x1) and _is_number(x2, x1):
        try:
            with np.errstate(over="raise", under="raise"):
                squares = _squares(x1, x2)
                return np.sqrt(squares, out=squares)
        except FloatingPointError:
            pass
    return np.hypot(x1, x2)


def over_squares(g: Any, x1: Any, x2: Any) -> Any:
    """g / (x1*x1 + x2*x2), computed from the squares unless one overflows or underflows."""
    is_number = _is_number(x2, x1)
    if (is_number and x1.size >= _FEW) or (not is_number and _are_alike(x1, x2)):
        try:
            with np.errstate(all="raise"):
                return g / _squares(x1, x2)
        except FloatingPointError:
            pass
    size = np.hypot(x1, x2)
    if type(x2) is not float:  # where x1 is infinite, g may be infinite too
        g = np.where(size != np.inf, g, g.dtype.type(0))
    return g / size / size


def _is_real(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype.kind == "f" and x.dtype.itemsize >= 4


def _is_number(x: Any, like: Any) -> bool:
    """Whether x is a number, or a 0-d array of the dtype of a real array."""
    return (
        type(x) is float
        or type(x) is int
        or (getattr(x, "shape", None) == () and _is_real(like) and x.dtype == like.dtype)
    )


def _are_alike(x1: Any, x2: Any) -> bool:
    return _is_real(x1) and _is_real(x2) and x1.dtype == x2.dtype and x1.shape == x2.shape != ()


def _squares(x1: Any, x2: Any) -> Any:
    """x1*x1 + x2*x2, as a new array."""
    squares = x1 * x1
    squares += x2 * x2
    return squares


def gap(x1: Any, x2: Any) -> Any:
    """x1 - x2, and 0 where both are the same infinity."""
    try:
        with np.errstate(over="ignore", invalid="raise"):
            return x1 - x2
    except FloatingPointError:
        apart = (x1 != x2) | np.isfinite(x1)
        return np.where(apart, x1, 0) - np.where(apart, x2, 0)
