"""The memory of XLA's arrays as NumPy arrays, and back: results are shown without a copy, and are known when they come in again.

A NumPy array that shows an array of JAX has a `Resident` as its base. The Resident holds the array of JAX, which holds the
memory. Views that a user makes of the NumPy array have that array as their base, so they are never taken for it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np


class Resident:
    """The memory of an array of JAX on the CPU. `array` is None once that array was given to XLA to write into."""

    __slots__ = ()

    array: Any


@cache
def _memory_of(size: int) -> Any:
    """The class of a Resident of so many bytes. By ctypes an array is shown in half the time that np.asarray takes."""
    return type("Resident", (Resident, ctypes.c_char * size), {"__slots__": ("array",)})


def shower(shape: tuple[int, ...], dtype: Any, writeable: bool) -> Callable[[Any], Any]:
    """A function that shows an array of JAX as a NumPy array, without a copy.

    The array must be computed, and held by nobody else. A writeable array of NumPy then has the memory for itself.
    """
    count = 1
    for n in shape:
        count *= n
    size = count * dtype.itemsize
    if not size:
        return lambda array: np.empty(shape, dtype)
    at = _memory_of(size).from_address
    ndarray = np.ndarray

    def show(array: Any) -> Any:
        memory = at(array.unsafe_buffer_pointer())
        memory.array = array
        return ndarray(shape, dtype, memory)

    def show_read_only(array: Any) -> Any:
        shown = show(array)
        shown.flags.writeable = False
        return shown

    return show if writeable else show_read_only


def address(memory: Resident) -> int:
    """Where the memory is."""
    return ctypes.addressof(memory)  # type: ignore[arg-type]


def resident(array: Any) -> Resident | None:
    """The Resident whose memory this NumPy array shows, as `shower` made it; None for any other array.

    Raises:
        RuntimeError: for an array that was given up to a compiled function before, and has lost its memory.
    """
    base = array.base
    if not isinstance(base, Resident):
        return None
    if base.array is None:
        raise RuntimeError(
            "this array was given up to a compiled function, which has written other numbers into its memory"
        )
    return base
