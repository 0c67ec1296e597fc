"""Reads the columns x and y of a CSV file, and says on which line something is wrong."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path

from xgrad.fit.errors import FitError

_SHOWN = 5  # bad rows named in an error; the rest are counted


def read_csv(path: str | Path) -> tuple[list[float], list[float]]:
    """The columns x and y of a CSV file, as two lists of floats in the file's order.

    The first line names the columns (others than x and y are ignored); it may be left out where
    every line is two numbers. Empty lines are skipped.

    Raises FitError for a file that cannot be read, is empty, is no CSV, or has a row whose x or
    y is missing or not a finite number: the message names the lines.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as lines:
            return _columns(str(path), lines)
    except FileNotFoundError:
        raise FitError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise FitError(f"{path} is a folder; a CSV file with columns x,y is needed") from None
    except OSError as error:
        raise FitError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise FitError(f"{path} is not a CSV file: it is not text in UTF-8") from None
    except csv.Error as error:
        raise FitError(f"{path} is not a CSV file: {error}") from None


def _columns(path: str, lines: Iterable[str]) -> tuple[list[float], list[float]]:
    rows = csv.reader(_text_only(path, lines), skipinitialspace=True, strict=True)
    numbered = ((rows.line_num, row) for row in rows if any(cell.strip() for cell in row))
    first = next(numbered, None)
    if first is None:
        raise FitError(f"{path} is empty; a header x,y and one row per point are needed")
    places = _places(path, first[1])
    xs: list[float] = []
    ys: list[float] = []
    bad: list[str] = []
    wrong = 0
    headerless = places is None
    for line, row in [first, *numbered] if headerless else numbered:
        why = _take(row, places or (0, 1), len(first[1]), xs, ys)
        if why:
            wrong += 1
            if wrong <= _SHOWN:
                bad.append(f"line {line}: {why}")
    if wrong:
        more = f"; and {wrong - _SHOWN} more" if wrong > _SHOWN else ""
        rows_are = "1 bad row" if wrong == 1 else f"{wrong} bad rows"
        raise FitError(f"{path} has {rows_are}: {'; '.join(bad)}{more}")
    if len(xs) < 2:
        count = "no rows" if not xs else "only one row"
        raise FitError(f"{path} has {count} of data; at least two points are needed")
    return xs, ys


def _text_only(path: str, lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if "\0" in line:
            raise FitError(f"{path} is not a CSV file: it holds binary data")
        yield line


def _places(path: str, header: list[str]) -> tuple[int, int] | None:
    """Where x and y stand in a row; None if the first row is not a header but two numbers."""
    names = [cell.strip().lower() for cell in header]
    if names.count("x") == 1 and names.count("y") == 1:
        return names.index("x"), names.index("y")
    if len(header) == 2 and all(_number(cell) is not None for cell in header):
        return None
    shown = ",".join(header)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    hint = ""
    if len(header) == 1 and any(separator in shown for separator in ";\t"):
        hint = " separated by commas"
    raise FitError(f"{path}, line 1: columns x and y{hint} are needed; the line reads {shown!r}")


def _take(row: list[str], places: tuple[int, int], width: int, xs: list[float], ys: list[float]) -> str:
    """Append one point; where that cannot be done, append nothing and return why."""
    if len(row) > width:
        return f"{len(row)} values where the first row has {width}"
    point = []
    for name, place in zip("xy", places, strict=True):
        cell = row[place].strip() if place < len(row) else ""
        value = _number(cell)
        if not cell:
            return f"{name} is missing"
        if value is None:
            return f"{name} is {cell[:20]!r}, not a number"
        if not math.isfinite(value):
            return f"{name} is {cell[:20]}, not a finite number"
        point.append(value)
    xs.append(point[0])
    ys.append(point[1])
    return ""


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
