"""NumPy's files: arrays from NPY and NPZ, read whole or mapped into memory.

Nothing is unpickled, so a hostile file runs no code. Sizes are compared with the file before memory is taken.
"""

from __future__ import annotations

import mmap
import os
import zipfile
from collections.abc import Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy

from xgrad.backends.errors import DataError
from xgrad.backends.host_batches import MappedArray

MAP_FROM = 1 << 28  # bytes: larger arrays are mapped unless the caller says otherwise
MOST_UNPACKED = 1 << 32  # bytes: a larger array is not unpacked unless the caller says so
LOCAL_HEADER = 30  # bytes of a zip archive before the name of each member, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
END = ".npy"  # how the names of arrays end in an archive


class Header(NamedTuple):
    """What the beginning of an NPY file says."""

    shape: tuple[int, ...]
    order: Any  # "C" or "F"
    dtype: Any

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * int(self.dtype.itemsize)


def read_npy(path: str, mapped: bool | None) -> Any:
    """The array of an NPY file: a NumPy array, or a MappedArray. `mapped=None` maps large ones."""
    with _opened(path) as file:
        header = _header(file, path, "an NPY file")
        begin, size = file.tell(), os.fstat(file.fileno()).st_size
        if begin + header.nbytes > size:
            raise DataError(f"{path} is cut off: its array has {header.nbytes} bytes, and {size - begin} are there")
        if _is_mapped(header, mapped):
            return _mapped(file, path, begin, header)
        return _read(file, path, header)


def read_npz(path: str, names: Sequence[str] | None, mapped: bool | None, most: int) -> dict[str, Any]:
    """The arrays of an NPZ file by name. Arrays that are not compressed can be mapped."""
    with _opened(path) as file, _as_archive(file, path) as archive:
        found = {info.filename.removesuffix(END): info for info in archive.infolist() if info.filename.endswith(END)}
        if not found:
            raise DataError(f"{path} has no arrays")
        for name in names or ():
            if name not in found:
                raise DataError(f"{path} has no array {name!r}; it has {', '.join(found)}")
        chosen = list(found) if names is None else names
        return {name: _member(file, path, archive, found[name], name, mapped, most) for name in chosen}


def _member(
    file: BinaryIO, path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, mapped: bool | None, most: int
) -> Any:  # fmt: skip
    where = f"{path}, array {name!r},"
    with archive.open(info) as member:
        header = _header(member, where, "in NPY format")  # type: ignore[arg-type]  # it can be read
        if member.tell() + header.nbytes != info.file_size:
            raise DataError(
                f"{where} is damaged: it has {header.nbytes} bytes by its header, and {info.file_size - member.tell()} are there"
            )
        if info.compress_type == zipfile.ZIP_STORED and _is_mapped(header, mapped):
            begin = _begin(file, info, where) + member.tell()
            return _mapped(file, path, begin, header)
        if info.compress_type != zipfile.ZIP_STORED and info.file_size > most:
            raise DataError(
                f"{where} is compressed and takes {info.file_size} bytes, more than max_bytes={most}; an array that was saved "
                "by numpy.savez, without compression, can be mapped"
            )
        return _read(member, where, header)  # type: ignore[arg-type]


def _begin(file: BinaryIO, info: zipfile.ZipInfo, where: str) -> int:
    """Where the bytes of a member begin in the archive, and a check that they are there."""
    file.seek(info.header_offset)
    local = file.read(LOCAL_HEADER)
    if len(local) < LOCAL_HEADER or local[:4] != b"PK\x03\x04":
        raise DataError(f"{where} is damaged: there is no such member at byte {info.header_offset}")
    begin = (
        info.header_offset
        + LOCAL_HEADER
        + int.from_bytes(local[26:28], "little")
        + int.from_bytes(local[28:30], "little")
    )
    if begin + info.file_size > os.fstat(file.fileno()).st_size:
        raise DataError(f"{where} is cut off")
    return begin


def _is_mapped(header: Header, mapped: bool | None) -> bool:
    wanted = header.nbytes >= MAP_FROM if mapped is None else mapped
    return wanted and header.nbytes > 0  # nothing of no bytes can be mapped


def _mapped(file: BinaryIO, path: str, begin: int, header: Header) -> MappedArray:
    try:
        memory = mmap.mmap(file.fileno(), begin + header.nbytes, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be mapped into memory: {error}") from None
    shape, order, dtype = header
    return MappedArray(np.ndarray(shape, dtype, memory, begin, order=order), path)


def _read(file: BinaryIO, where: str, header: Header) -> Any:
    """The array that follows the header."""
    flat = np.empty(prod(header.shape), header.dtype)
    if header.nbytes:
        rest: Any = memoryview(flat.view(np.uint8))  # type: ignore[arg-type]  # a NumPy array is a buffer
        while len(rest):
            count = file.readinto(rest)  # type: ignore[attr-defined]
            if not count:
                raise DataError(f"{where} is cut off: {len(rest)} of {header.nbytes} bytes are missing")
            rest = rest[count:]
    native = flat.astype(header.dtype.newbyteorder("="), copy=False)
    return native.reshape(header.shape, order=header.order)


def _header(file: BinaryIO, where: str, kind: str) -> Header:
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:  # version 3 is for the names of fields, which arrays of numbers do not have
            raise ValueError(f"version {version[0]}.{version[1]} of the format is not for arrays of numbers")
        shape, is_fortran, dtype = read(file)
    except (DataError, OSError, zipfile.BadZipFile):
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:100]
        raise DataError(f"{where} is not {kind}: {why or type(error).__name__}") from None
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which are not loaded, because loading them could run code; save numbers"
        )
    if dtype.kind not in "biufc":
        raise DataError(f"{where} is of dtype {dtype}, which holds no numbers")
    if any(type(n) is not int or n < 0 for n in shape):
        raise DataError(f"{where} is damaged: its shape is {shape}")
    return Header(shape, "F" if is_fortran else "C", dtype)


@contextmanager
def _opened(path: str) -> Any:
    """The file, for reading bytes. Errors of reading become a DataError of one line."""
    try:
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; a file is needed") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        if isinstance(error, DataError) or "null" not in str(error):
            raise
        raise DataError(f"{path!r} cannot be the name of a file: {error}") from None


@contextmanager
def _as_archive(file: BinaryIO, path: str) -> Any:
    """The file as a zip archive. What zipfile and its decompressors raise becomes a DataError of one line."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (DataError, OSError, MemoryError):
        raise
    except (
        Exception
    ) as error:  # BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError for a password, ...
        why = " ".join(str(error).split())[:100]
        raise DataError(f"{path} is not an NPZ file, or it is damaged: {why or type(error).__name__}") from None
