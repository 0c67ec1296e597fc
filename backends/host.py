"""What xgrad does on the host whatever the backend: random numbers, so that they are the same everywhere; arrays on their way."""

from __future__ import annotations

from typing import Any

import numpy as np


def default_rng(seed: int | None = None) -> np.random.Generator:
    """NumPy's generator. `seed` is a non-negative integer, or None for numbers that differ from run to run."""
    return np.random.default_rng(seed)


def as_plain(array: Any) -> Any:
    """A NumPy array as other libraries take it: in the machine's byte order, and of no subclass.

    Raises TypeError for a masked array, whose mask would be lost.
    """
    if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            "a masked array would lose its mask on another backend: call array.filled(value) first, or keep the mask apart"
        )
    native = array.dtype.newbyteorder("=")
    return np.asarray(array, dtype=native)


def name_of_code(code: str) -> str:
    """The name of the dtype that NumPy has for a code, such as "f4"; what is no code, as it is."""
    try:
        return np.dtype(code).name
    except TypeError:
        return code


def as_numbers(obj: Any, dtype: Any) -> Any:
    """A sequence of objects that turn into numbers, such as fractions, as an array of NumPy's."""
    return np.asarray(obj, dtype=dtype)
