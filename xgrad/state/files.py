"""Files of tensors in the safetensors format: written whole or not at all, and read by a memory map.

The safetensors library writes the files. It also checks a file that is read, before any of it is used: that the header is
complete, that it describes each byte of the data once, and that the file has exactly these bytes. Then the file is mapped, and a
tensor is the part of the map that the header names. https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import errno
import mmap
import os
import re
import stat
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

from xgrad._files import is_special, replacing
from xgrad.nn.saving import StateError
from xgrad.state.decoding import strictly
from xgrad.state.encoding import is_plain

Named = str | os.PathLike[str]

# The dtypes of the format, by their names in a file.
DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64",
}  # fmt: skip


class Entry(NamedTuple):
    """A tensor of a file. `start` is its first byte."""

    dtype: str
    shape: tuple[int, ...]
    start: int


class File(NamedTuple):
    """A file that is mapped into memory. What it is replaced by later does not change it."""

    path: str
    entries: dict[str, Entry]
    metadata: dict[str, str]
    content: mmap.mmap


def library() -> Any:
    """The safetensors library. Raises ImportError, which says how to install it."""
    try:
        return import_module("safetensors")
    except ImportError as error:
        raise ImportError('xg.save and xg.load need safetensors: pip install "xgrad[state]"') from error


def write(path: Named, arrays: Mapping[str, tuple[str, Any]], metadata: Mapping[str, str]) -> None:
    """Write a file: arrays of NumPy by name, each with the name of its dtype. On any error an old file is as it was.

    Raises:
        OSError: for a path that cannot be written, and a full disk.
        ValueError: for names and structure of more than 100 MB, which the format cannot hold.
    """
    safetensors, path = library(), os.fsdecode(path)
    if is_special(path) or os.path.isdir(path):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    specs = {
        name: safetensors.TensorSpec(
            dtype=dtype, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes
        )
        for name, (dtype, array) in arrays.items()
    }  # fmt: skip
    with replacing(path) as temporary:
        temporary.touch()
        mode = stat.S_IMODE(temporary.stat().st_mode)
        try:
            safetensors.serialize_file(specs, temporary, dict(metadata))
        except safetensors.SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise ValueError(f"{path} cannot be written: {error}") from error
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
        temporary.chmod(mode)  # the library makes files that only their owner can read


def read(path: Named) -> File:
    """Check a file and map it.

    Raises:
        StateError: for anything but a complete file of the format.
        OSError: for a file that is not there, or that may not be read.
    """
    name = os.fsdecode(path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise StateError(
            f"{name} is no file that can be loaded: it is {'a folder' if os.path.isdir(path) else 'special'}"
        )
    content = _mapped(name)
    size = int.from_bytes(content[:8], "little")
    try:
        header = strictly(content[8 : 8 + size].decode("utf-8"))
        metadata = header.pop("__metadata__", None) or {}
        entries = {key: _entry(key, value, 8 + size) for key, value in header.items()}
    except ValueError as error:
        raise StateError(f"{name} is no valid safetensors file: {error}") from None
    return File(name, entries, metadata, content)


def _entry(name: str, value: dict[str, Any], data: int) -> Entry:
    if not is_plain(name):
        raise ValueError(f"the tensor name {name!r:.60} is a path out of a folder, or has control characters")
    return Entry(value["dtype"], tuple(value["shape"]), data + value["data_offsets"][0])


def _mapped(path: str) -> mmap.mmap:
    """The content of a file that the library accepts."""
    safetensors = library()
    while True:
        with open(path, "rb") as file:
            try:
                with safetensors.safe_open(path, framework="np"):
                    pass
            except safetensors.SafetensorError as error:
                raise StateError(f"{path} is no complete safetensors file: {error}") from None
            if not os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                continue  # it was replaced between the two openings
            return _map(file.fileno())


def _map(number: int) -> mmap.mmap:
    """A map of which a write changes no file. (PyTorch's tensors can always be written to.)"""
    try:
        return mmap.mmap(number, 0, access=mmap.ACCESS_COPY)
    except OSError:  # more than the system may need memory for, if all of it were written to
        return mmap.mmap(number, 0, access=mmap.ACCESS_READ)
