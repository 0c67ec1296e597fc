"""Arithmetic on NumPy's arrays at the ends of their range, at no cost elsewhere.

The quick way comes first, with NumPy's floating-point errors raised; the careful way only where there were any.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_FEW = 256  # elements: below that, it is a call that costs


def hypot(x1: Any, x2: Any) -> Any:
    """sqrt(x1*x1 + x2*x2). For a large array and a number, several times as quick as NumPy's."""
    if getattr(x1, "size", 0) >= _FEW and _is_real(x1) and _is_number(x2, x1):
        try:
            with np.errstate(over="raise", under="raise"):
                squares = _squares(x1, x2)
                return np.sqrt(squares, out=squares)
        except FloatingPointError:
            pass
    return np.hypot(x1, x2)


def over_squares(g: Any, x1: Any, x2: Any) -> Any:
    """g / (x1*x1 + x2*x2), by the squares themselves unless they overflow or underflow."""
    is_number = _is_number(x2, x1)
    if (is_number and x1.size >= _FEW) or (not is_number and _are_alike(x1, x2)):
        try:
            with np.errstate(all="raise"):
                return g / _squares(x1, x2)
        except FloatingPointError:
            pass
    size = np.hypot(x1, x2)
    if type(x2) is not float:  # where x1 is infinite, g may be too
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
    """x1*x1 + x2*x2, in an array that nobody else holds."""
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
