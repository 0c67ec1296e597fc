"""Reads from a history which run it is of."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from xgrad.fit.config import Config
from xgrad.fit.errors import FitError

_RESULTS = ("out", "gif", "history")  # files, which are not to be written again


def configuration(path: str | Path, *, fix: bool = False) -> Config:
    """The options of the run that a history is of, without its files.

    Raises FitError for a file that cannot be read, is no history, or is of points that were handed over in a program.
    """
    try:
        history = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FitError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise FitError(f"{path} is not a history: it is not JSON") from None
    options = history.get("config") if isinstance(history, dict) else None
    if not isinstance(options, dict):
        raise FitError(f"{path} is not a history: it has no config")
    data = options.get("data")
    if isinstance(data, str) and data.endswith(" points") and not Path(data).exists():
        raise FitError(f"{path} is of {data} that a program handed over: they are not in it")
    known = {field.name for field in fields(Config)}
    kept: dict[str, Any] = {
        name: _back(value) for name, value in options.items() if name in known and name not in _RESULTS
    }
    try:
        return replace(Config(**kept), quiet=True, fix=fix)
    except TypeError as error:
        raise FitError(f"{path} is not a history: {error}") from None


def _back(value: object) -> object:
    """JSON has lists only."""
    return tuple(value) if isinstance(value, list) else value
