"""Checks, before training, that the files of a run can be written and are different files."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from pathlib import Path

from xgrad._files import beside, is_special
from xgrad.fit.errors import FitError
from xgrad.fit.files import check_writable, descriptor

Named = str | Path


def check(written: Mapping[str, Named | None], read: Mapping[str, Named | None]) -> None:
    """Raise FitError, which names the option, for a file that cannot be written, or two options that name the same file.

    Args:
        written: the files to write by their options; None for options that are not given.
        read: the files to read, likewise.
    """
    outputs = [(option, path) for option, path in written.items() if path is not None]
    inputs = [(option, path) for option, path in read.items() if path is not None]
    for option, path in outputs:
        check_writable(path, option)
    for (option, path), (other, other_path) in combinations([*inputs, *outputs], 2):
        if other in read or not _are_same(path, other_path):
            continue
        if os.path.realpath(path) == os.devnull or (option in read and _is_terminal(path)):
            continue
        raise FitError(f"{option} and {other} name the same file, {other_path}")


def check_ending(path: Named, option: str, known: Collection[str]) -> None:
    """Raise FitError unless the name of a picture ends in a known format. A path that is no regular file needs no ending."""
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in known and (ending or not (is_special(path) or descriptor(path) is not None)):
        raise FitError(f"{option} {path}: the name must end in .{', .'.join(known)}")


def standard_output_is_one_of(paths: Iterable[Named | None]) -> bool:
    """Whether one of the files is the standard output of the process, to which nothing else may then be printed."""
    return any(path is not None and _is_standard_output(path) for path in paths)


def _is_standard_output(path: Named) -> bool:
    try:
        if os.path.realpath(path) == os.devnull:
            return False
        return descriptor(path) == 1 or os.path.samestat(os.stat(path), os.fstat(1))
    except (OSError, ValueError):
        return False


def _are_same(one: Named, other: Named) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # one of them does not exist yet
        pass
    try:
        first, second = os.path.realpath(one), os.path.realpath(other)
        return first == second or (_folded(first) == _folded(second) and _ignores_case(os.path.dirname(first)))
    except (OSError, ValueError):
        return False


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _ignores_case(folder: str) -> bool:
    """Whether the file system of this folder ignores case."""
    probe = beside(Path(folder, "probe"))
    try:
        probe.touch(exist_ok=False)
        return probe.with_name(probe.name.upper()).exists()
    finally:
        probe.unlink(missing_ok=True)


def _is_terminal(path: Named) -> bool:
    """Whether this is a character device, which can be read and written at the same time."""
    try:
        return stat.S_ISCHR(os.stat(path).st_mode)
    except OSError:
        return False
