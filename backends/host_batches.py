"""Batches on the host: rows of NumPy arrays, and samples put together."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

from xgrad.backends.errors import DataError


def as_indices(indices: Any) -> Any:
    """A sequence of integers as a NumPy array. Raises TypeError for any other numbers."""
    array = np.asarray(indices)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(f"the numbers of samples must be a sequence of integers, not of dtype {array.dtype}")
    return array.astype(np.intp, copy=False)


def joined(arrays: Sequence[Any]) -> Any:
    """Vectors, one after another."""
    return np.concatenate([as_indices([]), *arrays])


def is_numpy(value: Any) -> bool:
    """Whether a value is a NumPy array or a NumPy scalar."""
    return isinstance(value, np.ndarray | np.generic)


def stacked(samples: Sequence[Any]) -> Any:
    """NumPy arrays or scalars of one shape as one array with a new axis 0. Raises ValueError for several shapes."""
    return np.stack([np.asarray(each) for each in samples])


class MappedArray:
    """An array in a file that is mapped into memory: only the rows that are asked for are read, as copies.

    Before it reads, it compares the size of the file with that at the beginning. A read beyond the end of a file ends the process
    (SIGBUS), so a file that another program has cut raises DataError instead. A file that is cut in the midst of a read of some
    microseconds cannot be noticed.

    Attributes:
        shape, dtype, ndim, nbytes: as those of a NumPy array.
        path: the file, for messages.
    """

    def __init__(self, array: Any, path: str) -> None:
        mapping = mapping_of(array)
        if mapping is None:
            raise TypeError("MappedArray: the array is not in a mapped file")
        self._array = array.view(np.ndarray)
        self._mapping = mapping
        self._length = mapping.size()
        self.path = path

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype.newbyteorder("="))
    ndim = property(lambda self: self._array.ndim)
    nbytes = property(lambda self: self._array.nbytes)

    def __len__(self) -> int:
        return len(self._array)

    def __repr__(self) -> str:
        return f"MappedArray({self.path!r}, shape={self.shape}, dtype={self.dtype})"

    def __getitem__(self, key: Any) -> Any:
        return np.array(self._checked()[key], dtype=self.dtype)

    def take(self, indices: Any, axis: int = 0) -> Any:
        """The rows with these numbers, as a NumPy array."""
        return self._checked().take(indices, axis).astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError("a mapped array is copied when it is read; copy=False cannot be met")
        return np.array(self._checked(), dtype=self.dtype if dtype is None else dtype)

    def _checked(self) -> Any:
        now = self._mapping.size()
        if now < self._length:
            raise DataError(f"{self.path} has shrunk from {self._length} to {now} bytes while it was in use")
        return self._array


def mapping_of(array: Any) -> Any:
    """The mapped file that a NumPy array lies in; None for an array in memory."""
    while isinstance(array, np.ndarray):
        array = array.base
    if isinstance(array, memoryview):
        array = array.obj
    return array if isinstance(array, mmap.mmap) else None


def guarded(array: Any) -> Any:
    """A NumPy array as it is, or a MappedArray of one that lies in a mapped file."""
    if mapping_of(array) is None:
        return array
    return MappedArray(array, str(getattr(array, "filename", None) or "the mapped file"))


def flat(values: Any) -> tuple[list[Any], tuple[int, ...]]:
    """The values of an array or a nested list as one list of Python's values, and their shape."""
    if isinstance(values, np.ndarray):
        return values.reshape(-1).tolist(), values.shape
    array = np.asarray(values, dtype=object)  # so that no number becomes a string
    return [each.item() if isinstance(each, np.generic) else each for each in array.reshape(-1).tolist()], array.shape


def coded(places: Sequence[int], count: int, shape: tuple[int, ...]) -> Any:
    """One-hot codes of places, as booleans. The place -1 is a row of zeros."""
    found: Any = np.asarray(places, dtype=np.intp)[:, None] == np.arange(count)
    return found.reshape(shape)


def named(names: Sequence[str], places: Any) -> Any:
    """The names at places, as an array of strings of the shape of `places`."""
    return np.asarray(names)[places]
