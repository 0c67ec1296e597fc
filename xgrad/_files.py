"""Writing files whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path in the same folder. If the block ends without an error, the temporary file replaces `path`.

    The new file has the permissions of the old one. A link is followed. After an error the temporary file is removed and `path`
    is as it was; an OSError names `path`. A path that is no regular file cannot be replaced: it is yielded itself.
    """
    if is_special(path):
        yield Path(path)
        return
    target = Path(os.path.realpath(path))
    temporary = beside(target)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())  # some file systems report a full disk only here
        _make_alike(temporary, target)
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        if error.filename != str(temporary):
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _make_alike(temporary: Path, target: Path) -> None:
    """Give the new file the owner and the permissions of the file that it replaces, if there is one."""
    with suppress(OSError):
        old = target.stat()
        temporary.chmod(stat.S_IMODE(old.st_mode))
        if hasattr(os, "chown"):  # only root may, and only root needs to
            os.chown(temporary, old.st_uid, old.st_gid)


def _sync_folder(folder: Path) -> None:
    """Write the new name to the disk, where the system lets a program ask for that. The file itself is there already."""
    with suppress(OSError, AttributeError):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether the path exists and is neither a regular file nor a folder."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def beside(target: Path) -> Path:
    """A new name in the same folder, short enough for the file system, with the ending of the target."""
    return target.with_name(f".xgrad-{os.getpid()}-{secrets.token_hex(4)}{target.suffix[:20]}")
