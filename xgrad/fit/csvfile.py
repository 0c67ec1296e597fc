"""Reads the columns x and y of a CSV file. Errors name the line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TextIO

from xgrad._words import shown
from xgrad.backends.errors import DataError
from xgrad.data.csvrows import BadRows, number, opened, rows
from xgrad.fit.errors import FitError

MOST_ROWS = 10_000_000  # the largest number of points to train on


def read_csv(path: str | Path) -> tuple[list[float], list[float]]:
    """The columns x and y of a CSV file, as two lists of floats in the file's order.

    The first line names the columns; columns other than x and y are ignored. It may be missing if every line consists of two
    numbers. Empty lines are skipped.

    Raises FitError for a file that cannot be read, is empty or no CSV file, or has a row whose x or y is missing or not a finite
    number. The message names the lines.
    """
    try:
        with opened(path, "a CSV file with columns x,y") as file:
            return _columns(str(path), file)
    except DataError as error:
        raise FitError(str(error)) from None


def _columns(path: str, file: TextIO) -> tuple[list[float], list[float]]:
    numbered = rows(path, file)
    first = next(numbered, None)
    if first is None:
        raise DataError(f"{path} is empty; a header x,y and one row per point are needed")
    places = _places(path, *first)
    xs: list[float] = []
    ys: list[float] = []
    bad = BadRows(path)

    def take(line: int, row: list[str]) -> None:
        why = _take(row, places or (0, 1), len(first[1]), xs, ys)
        if why:
            bad.add(line, why)
        if len(xs) + bad.count > MOST_ROWS:
            raise DataError(f"{path} has more than {MOST_ROWS} rows, which is the largest number of points to train on")

    if places is None:
        take(*first)
    for line, row in numbered:
        take(line, row)
    bad.check()
    if len(xs) < 2:
        count = "no rows" if not xs else "only one row"
        raise DataError(f"{path} has {count} of data; at least two points are needed")
    return xs, ys


def _places(path: str, line: int, header: list[str]) -> tuple[int, int] | None:
    """The places of x and y in a row; None if the first row is no header but two numbers."""
    names = [cell.strip().lower() for cell in header]
    if names.count("x") == 1 and names.count("y") == 1:
        return names.index("x"), names.index("y")
    if len(header) == 2 and all(number(cell) is not None for cell in header):
        return None
    shown_header = ",".join(header)
    hint = ""
    if len(header) == 1 and any(separator in shown_header for separator in ";\t"):
        hint = " separated by commas"
    twice = next((name for name in "xy" if names.count(name) > 1), None)
    why = f"there are several columns {twice}" if twice else f"columns x and y{hint} are needed"
    raise DataError(f"{path}, line {line}: {why}; the line reads {shown(shown_header)}")


def _take(row: list[str], places: tuple[int, int], width: int, xs: list[float], ys: list[float]) -> str:
    """Append the point of a row, or return why there is none and append nothing."""
    if len(row) > width:
        return f"{len(row)} values where the first row has {width}"
    point = []
    for name, place in zip("xy", places, strict=True):
        cell = row[place].strip() if place < len(row) else ""
        value = number(cell)
        if not cell:
            return f"{name} is missing"
        if value is None:
            return f"{name} is {shown(cell, 24)}, not a number"
        if not math.isfinite(value):
            return f"{name} is {shown(cell, 24)[1:-1]}, not a finite number"
        point.append(value)
    xs.append(point[0])
    ys.append(point[1])
    return ""
