"""Files that are either written whole or left as they were, and the history among them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xgrad.fit.errors import FitError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on leaving without an error it takes `path`'s place.

    After an error the temporary file is gone and `path` is as it was. What is not a regular file
    (/dev/stdout, say) cannot be replaced and is written to directly.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        yield target
        return
    temporary = _beside(target)
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_writable(path: str | Path, option: str) -> None:
    """Raises FitError, naming `option`, if `replacing(path)` would fail. Leaves nothing behind."""
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise FitError(f"{option} {path}: this is a folder; name a file in it")
        if not target.parent.is_dir():
            raise FitError(f"{option} {path}: the folder {target.parent} does not exist")
        if target.exists() and not os.access(target, os.W_OK):
            raise FitError(f"{option} {path}: this file is write-protected")
        if target.is_file() or not target.exists():
            _beside(target).touch()
            _beside(target).unlink()
    except OSError as error:
        raise FitError(f"{option} {path} cannot be written: {error.strerror or error}") from None


def _beside(target: Path) -> Path:
    # the suffix is kept: matplotlib and Pillow read the format from it
    return target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")


def write_history(path: str | Path, history: Mapping[str, Any]) -> None:
    """Write a history as JSON; nan and infinities become the strings "nan", "inf" and "-inf"."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        json.dump(_plain(history), file, allow_nan=False, ensure_ascii=False)
        file.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
