"""What xgrad does with NumPy for every backend: random numbers, which are then the same everywhere, and conversions."""

from __future__ import annotations

from typing import Any

import numpy as np


def default_rng(seed: int | None = None) -> np.random.Generator:
    """NumPy's generator. `seed` is a non-negative integer, or None for numbers that differ from run to run."""
    return np.random.default_rng(seed)


def as_plain(array: Any) -> Any:
    """A NumPy array as other libraries accept it: in the machine's byte order, and not of a subclass.

    Raises TypeError for a masked array, whose mask would be lost.
    """
    if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            "a masked array would lose its mask on another backend: call array.filled(value) first, or pass the mask separately"
        )
    native = array.dtype.newbyteorder("=")
    return np.asarray(array, dtype=native)


def name_of_code(code: str) -> str:
    """The name of the dtype for one of NumPy's codes, such as "f4". Any other string is returned as it is."""
    try:
        return np.dtype(code).name
    except TypeError:
        return code


def as_numbers(obj: Any, dtype: Any) -> Any:
    """A NumPy array from a sequence of objects that convert to numbers, such as fractions."""
    return np.asarray(obj, dtype=dtype)
