"""Reading a history: the options of its run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from xgrad._words import shortened, shown
from xgrad.diagnose.finding import SEVERITIES
from xgrad.fit.config import OPTIONS, Config
from xgrad.fit.errors import FitError
from xgrad.fit.schema import FINITE, FLAG, NUMBER, TEXT, Kind, Maybe, Named, OneOf, Several, Whole, place

MOST_BYTES = 1_000_000_000
MOST_DIGITS = 4000  # Python reads no integer much longer than that
RESULTS = ("out", "gif", "history")  # the files of a run, which another run does not write again

FINDING: dict[str, Kind] = {
    "rule": TEXT,
    "severity": OneOf(SEVERITIES),
    "step": Whole(0),
    "where": TEXT,
    "says": TEXT,
    "evidence": Named(),
    "fix": TEXT,
    "because": TEXT,
}
ALWAYS = [name for name in FINDING if name != "because"]  # which older histories lack
TRIAL = Named({"change": TEXT, "r2": NUMBER, "right": NUMBER, "loss": NUMBER, "errors": Several(TEXT)})
HISTORY = Named(
    {
        "config": Named(OPTIONS),
        "versions": Named(others=TEXT),
        "seconds": FINITE,
        "loss": Several(NUMBER),
        "r2": NUMBER,
        "x": Several(FINITE),
        "y": Several(FINITE),
        "prediction": Several(NUMBER),
        "findings": Several(Named(FINDING, required=ALWAYS)),
        "fix": Named(
            {"before": TRIAL, "trials": Several(TRIAL), "fix": Maybe(TEXT), "good": FLAG, "why_not": TEXT},
        ),
    },
    required=("config",),
    together=("x", "y", "prediction"),
)


def configuration(path: str | Path, *, fix: bool = False) -> Config:
    """The options of the run of a history, without its files.

    Raises FitError for a file that cannot be read, is no history, or comes from a run on points that a program passed in.
    """
    options = read(path)["config"]
    data = options.get("data")
    if isinstance(data, str) and data.endswith(" points") and not _exists(data):
        raise FitError(f"{path} is of a run on {data} that a program passed in, which it does not contain")
    kept: dict[str, Any] = {
        name: _back(value) for name, value in options.items() if name in OPTIONS and name not in RESULTS
    }
    try:
        return replace(Config(**kept), quiet=True, fix=fix)
    except FitError as error:
        raise FitError(f"{path}: {error}") from None


def read(path: str | Path) -> dict[str, Any]:
    """The content of a history. Raises FitError, which names the field, for a file that is no history."""
    try:
        history = json.loads(
            _text(path),
            object_pairs_hook=lambda pairs: _unique(path, pairs),
            parse_int=lambda digits: _integer(path, digits),
        )
    except RecursionError:
        raise FitError(f"{path} is not a history: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise FitError(f"{path} is not a history: it is not JSON (line {error.lineno}: {error.msg})") from None
    if not isinstance(history, dict) or "config" not in history:
        raise FitError(f"{path} is not a history: it has no config")
    found = HISTORY.fault(history)
    if found:
        at, why = found
        option = f" (--{str(at[1]).replace('_', '-')})" if at[0] == "config" and len(at) > 1 else ""
        raise FitError(f"{path} is not a history: {shortened(place(at), 200)}{option} {why}")
    return history


def _text(path: str | Path) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except IsADirectoryError:
        raise FitError(f"{path} is a folder; a history is needed: a file that xgrad fit --history wrote") from None
    except OSError as error:
        raise FitError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise FitError(f"{path} cannot be the name of a file: {error}") from None

    def refuse(why: str) -> NoReturn:
        raise FitError(f"{path} is not a history: {why}")

    if len(content) > MOST_BYTES:
        refuse(f"it is larger than {MOST_BYTES // 10**6} MB")
    if not content.strip():
        refuse("it is empty")
    if content.startswith(b"\x1f\x8b"):
        refuse("it is compressed; gunzip it first")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(f"byte {error.start + 1} is not text in UTF-8")
    start = text[:1000].lstrip()[:1]
    if start and start not in "{[":
        refuse(f"it is not JSON: it begins with {shown(start)}")
    return text


def _unique(path: str | Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise FitError(f"{path} is not a history: the key {shown(key)} occurs twice in one object")
        found[key] = value
    return found


def _integer(path: str | Path, digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise FitError(f"{path} is not a history: it holds a number of {len(digits)} digits")
    return int(digits)


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def _back(value: object) -> object:
    """A value of JSON as an option: lists become tuples."""
    return tuple(value) if isinstance(value, list) else value
