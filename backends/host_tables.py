"""Columns of a table as NumPy arrays: checked, converted, and put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Host = Any  # a NumPy array


def column(numbers: Any, dtype: str) -> Host:
    """A NumPy array that shares the memory of an `array.array`."""
    return np.frombuffer(numbers, dtype=dtype) if len(numbers) else np.empty(0, dtype=dtype)


def dtype_of(name: Any, kinds: str) -> Any:
    """NumPy's dtype of that name; None if there is none, or if it is of another kind."""
    try:
        found = np.dtype(name)
    except TypeError:
        return None
    return found if found.kind in kinds else None


def first_too_large(numbers: Host, dtype: Any) -> int | None:
    """The first row whose number is not in the range of the dtype, or has a fraction that an integer dtype cannot hold."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        bad = np.abs(numbers) > np.finfo(dtype).max
    else:
        limits = np.iinfo(dtype)
        bad = (numbers != np.floor(numbers)) | (numbers < float(limits.min)) | (numbers >= float(limits.max) + 1)
        bad |= np.abs(numbers) >= 2.0**53  # from here on, a double stands for several integers
    found = np.flatnonzero(bad)
    return int(found[0]) if found.size else None


def renumbered(codes: Host, new: Sequence[int]) -> Host:
    """The codes c replaced by new[c]."""
    return np.asarray(new, dtype=np.int64)[codes]


def one_hot(codes: Host, count: int, out: Host) -> None:
    """Write 1 where the column is the code of the row, and 0 elsewhere, into an array of shape (rows, count)."""
    out[...] = codes[:, None] == np.arange(count)


def empty(rows: int, columns: int, dtype: Any) -> Host:
    return np.empty((rows, columns), dtype=dtype)
