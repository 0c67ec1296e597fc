"""Writing files whole or not at all, and checking beforehand that they can be written."""

from __future__ import annotations

import json
import math
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xgrad._files import beside, is_special, replacing
from xgrad._interrupt import held
from xgrad.fit.errors import FitError


def write(path: str | Path, content: bytes) -> None:
    """Write the content to a file, or raise OSError and leave the file as it was.

    A path that is no regular file (/dev/stdout, a FIFO) is opened and written to.
    """
    number = descriptor(path)
    if number is None:
        with replacing(path) as temporary, open(temporary, "wb") as file:
            file.write(content)
        return
    for stream in (sys.stdout, sys.stderr):  # so that earlier output comes first
        if stream is not None:
            stream.flush()
    with os.fdopen(os.dup(number), "wb") as file:
        file.write(content)


def check_writable(path: str | Path, option: str) -> None:
    """Raise FitError, which names `option`, if `write(path)` would fail. Leaves nothing behind."""
    if str(path) == "-":
        raise FitError(f"{option} - : name a file, or /dev/stdout for the standard output")
    try:
        _check_writable(path, option)
    except FitError:
        raise
    except OSError as error:
        raise FitError(f"{option} {path} cannot be written: {error.strerror or error}") from None
    except ValueError as error:  # a name with a NUL, or that the file system cannot encode
        raise FitError(f"{option} {path} cannot be the name of a file: {error}") from None


def _check_writable(path: str | Path, option: str) -> None:
    number = descriptor(path)
    if number is not None:
        if not _is_open_for_writing(number):
            raise FitError(f"{option} {path}: this is not open for writing")
        return
    target = Path(os.path.realpath(path))
    if target.is_dir() or str(path).endswith(os.sep):
        raise FitError(f"{option} {path}: this is a folder; name a file in it")
    special = is_special(path)
    if special and stat.S_ISBLK(os.stat(path).st_mode):
        raise FitError(f"{option} {path}: this is a disk; name a file")
    if not special and not target.parent.is_dir():
        raise FitError(f"{option} {path}: the folder {target.parent} does not exist")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise FitError(f"{option} {path}: this file is write-protected")
    if not special:
        with held():
            temporary = beside(target)
            temporary.touch(exist_ok=False)
            temporary.unlink()


def descriptor(path: str | Path) -> int | None:
    """The file descriptor that a path such as /dev/stdout or /dev/fd/3 denotes, directly or through links; else None."""
    place = os.path.abspath(path)
    for _ in range(40):  # as many links as Linux follows
        folder, name = os.path.split(place)
        if name.isdecimal() and os.path.realpath(folder) == os.path.realpath("/dev/fd"):
            return int(name)
        if not os.path.islink(place):
            return None
        place = os.path.join(folder, os.readlink(place))
    return None


def _is_open_for_writing(number: int) -> bool:
    import fcntl  # exists on systems with /dev/fd

    try:
        return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError:
        return False


def write_history(path: str | Path, history: Mapping[str, Any]) -> None:
    """Write a history as JSON; nan and infinities become the strings "nan", "inf" and "-inf"."""
    write(path, as_json(history))


def as_json(history: Mapping[str, Any]) -> bytes:
    """A history as JSON in ASCII, in which file names that are not UTF-8 survive."""
    return (json.dumps(_plain(history), allow_nan=False) + "\n").encode("ascii")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
