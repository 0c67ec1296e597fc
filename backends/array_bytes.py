"""NumPy arrays as JSON: base64 of their bytes, little-endian, row by row, so that all bits stay. Equal elements are stored once.

"order" has the axes from the outermost to the innermost in memory, if they are not in their order: a product can depend on it in
the last bit.
"""

from __future__ import annotations

import base64
from importlib import import_module
from typing import Any

import numpy as np

MOST_REPEATED = 1 << 32  # bytes of an array that is stored as one element


def write(array: Any) -> dict[str, Any]:
    """The array as an object of JSON."""
    order = _order(array)
    data = np.array(array.transpose(order), order="C")
    if data.dtype.kind != "V":
        data = data.astype(data.dtype.newbyteorder("<"), copy=False)
    bits = np.frombuffer(data.tobytes(), np.uint8).reshape(-1, data.itemsize)
    equal = len(bits) > 1 and bool((bits == bits[0]).all()) and data.nbytes <= MOST_REPEATED
    found: dict[str, Any] = {
        "repeated" if equal else "base64": base64.b64encode(bits[0] if equal else data.tobytes()).decode()
    }
    return found if order == tuple(range(len(order))) else {**found, "order": list(order)}


def read(part: dict[str, Any], shape: tuple[int, ...], name: str) -> Any:
    """The array of this shape and this name of a dtype. Raises ValueError for what `write` does not write for such an array."""
    if not {*part} <= {"repeated", "base64", "order"} or len({*part} - {"order"}) != 1:
        raise ValueError(f"unknown keys {', '.join(map(repr, part))}"[:100])
    dtype, repeated = dtype_of(name), "repeated" in part
    text = part["repeated" if repeated else "base64"]
    if not isinstance(text, str):
        raise ValueError("no base64")
    data = base64.b64decode(text, validate=True)
    total = dtype.itemsize
    for n in shape:
        total *= n
    if repeated and not dtype.itemsize < total <= MOST_REPEATED:
        raise ValueError("cannot be one repeated element")
    wanted = dtype.itemsize if repeated else total
    if len(data) != wanted:
        raise ValueError(f"has {len(data)} bytes in the place of {wanted}")
    if name == "bool" and not set(data) <= {0, 1}:
        raise ValueError("a truth value is neither 0 nor 1")
    order = _read_order(part.get("order", list(range(len(shape)))), len(shape))
    lying = tuple(shape[a] for a in order)
    array = np.frombuffer(data, dtype=dtype if dtype.kind == "V" else dtype.newbyteorder("<")).astype(dtype)
    array = np.full(lying, array[0]) if repeated else array.reshape(lying)
    return array.transpose(np.argsort(order)) if order else array


def dtype_of(name: str) -> Any:
    """NumPy's dtype of this name. Raises ValueError for bfloat16 without the package that has it."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        ml_dtypes = import_module("ml_dtypes")
    except ImportError:
        raise ValueError("dtype bfloat16 needs the package ml_dtypes: pip install ml_dtypes") from None
    return np.dtype(ml_dtypes.bfloat16)


def as_bfloat16(array: Any) -> Any:
    """A float32 array in bfloat16. Without ml_dtypes it stays as it is: float32 has every value of bfloat16."""
    try:
        dtype = dtype_of("bfloat16")
    except ValueError:
        return array
    return array.astype(dtype)


def _order(array: Any) -> tuple[int, ...]:
    """The axes from the outermost in memory, if the array is dense in that order. Otherwise as they are."""
    axes = tuple(range(array.ndim))
    if array.flags.c_contiguous:
        return axes
    order = tuple(sorted(axes, key=lambda a: -array.strides[a]))
    return order if array.transpose(order).flags.c_contiguous else axes


def _read_order(part: Any, count: int) -> tuple[int, ...]:
    if isinstance(part, list) and all(type(a) is int for a in part) and sorted(part) == list(range(count)):
        return tuple(part)
    raise ValueError(f"no order of {count} axes")


# --- memory that others fill or read: files of arrays -----------------------------------------------------------------


def row_major(array: Any) -> Any:
    """The array with its elements row by row and little-endian; itself if they lie like that."""
    kind = array.dtype if array.dtype.kind == "V" else array.dtype.newbyteorder("<")
    return np.asarray(array, dtype=kind, order="C")


def as_pairs(array: Any) -> Any:
    """Complex numbers as pairs of real ones, along a new last axis."""
    array = row_major(array)
    return array.reshape((*array.shape, 1)).view(array.real.dtype)


def order_in_memory(array: Any) -> list[int] | None:
    """The axes from the outermost to the innermost in memory; None where that is their order, or where there is no such order."""
    order = _order(array)
    return None if order == tuple(range(array.ndim)) else list(order)


def in_order(array: Any, order: list[int]) -> Any:
    """A copy of the array that lies in memory in this order of its axes."""
    return np.array(array.transpose(order), order="C").transpose(np.argsort(order))


def of_buffer(buffer: Any, offset: int, shape: tuple[int, ...], name: str) -> Any:
    """The little-endian elements in a buffer from a byte on, as an array that shares its memory and cannot be written to.

    Raises ValueError for a shape that NumPy does not have, and as `dtype_of` does.
    """
    dtype, total = dtype_of(name), 1
    for n in shape:
        total *= n
    array = np.frombuffer(buffer, dtype if dtype.kind == "V" else dtype.newbyteorder("<"), total, offset)
    array = array.astype(dtype, copy=False).reshape(shape)
    array.flags.writeable = False
    return array
