"""Reads the columns x and y of a CSV file. Errors name the line."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from xgrad.fit.errors import FitError
from xgrad.fit.words import shown

MOST_ROWS = 10_000_000  # the largest number of points to train on
LONGEST = 1_000_000  # characters in a line
_SHOWN = 5  # an error names so many bad rows and counts the others
_NO_TEXT = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as Python reads them
_UTF_16 = ("\udcff\udcfe", "\udcfe\udcff")  # how a file in UTF-16 begins, as Python reads it
_WORDS = {  # part of an error of the csv module: our message for it
    "end of data": "a quotation mark opens here and is not closed",
    "field limit": f"a cell has more than {csv.field_size_limit()} characters",
}
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)


def read_csv(path: str | Path) -> tuple[list[float], list[float]]:
    """The columns x and y of a CSV file, as two lists of floats in the file's order.

    The first line names the columns; columns other than x and y are ignored. It may be missing if every line consists of two
    numbers. Empty lines are skipped.

    Raises FitError for a file that cannot be read, is empty or no CSV file, or has a row whose x or y is missing or not a finite
    number. The message names the lines.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            return _columns(str(path), file)
    except FileNotFoundError:
        hint = "; /dev/stdin is the standard input" if str(path) == "-" else ""
        raise FitError(f"{path}: there is no such file{hint}") from None
    except IsADirectoryError:
        raise FitError(f"{path} is a folder; a CSV file with columns x,y is needed") from None
    except OSError as error:
        raise FitError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        if isinstance(error, FitError):
            raise
        raise FitError(f"{path} cannot be the name of a file: {error}") from None


def _columns(path: str, file: TextIO) -> tuple[list[float], list[float]]:
    numbered = _rows(path, file)
    first = next(numbered, None)
    if first is None:
        raise FitError(f"{path} is empty; a header x,y and one row per point are needed")
    places = _places(path, *first)
    xs: list[float] = []
    ys: list[float] = []
    bad: list[str] = []
    wrong = 0

    def take(line: int, row: list[str]) -> None:
        nonlocal wrong
        why = _take(row, places or (0, 1), len(first[1]), xs, ys)
        if why:
            wrong += 1
            if wrong <= _SHOWN:
                bad.append(f"line {line}: {why}")
        if len(xs) + wrong > MOST_ROWS:
            raise FitError(f"{path} has more than {MOST_ROWS} rows, which is the largest number of points to train on")

    if places is None:
        take(*first)
    for line, row in numbered:
        take(line, row)
    if wrong:
        more = f"; and {wrong - _SHOWN} more" if wrong > _SHOWN else ""
        rows_are = "1 bad row" if wrong == 1 else f"{wrong} bad rows"
        raise FitError(f"{path} has {rows_are}: {'; '.join(bad)}{more}")
    if len(xs) < 2:
        count = "no rows" if not xs else "only one row"
        raise FitError(f"{path} has {count} of data; at least two points are needed")
    return xs, ys


def _rows(path: str, file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its last line in the file."""
    rows = csv.reader(_lines(path, file), skipinitialspace=True, strict=True)
    begins = 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            why = next((ours for theirs, ours in _WORDS.items() if theirs in str(error)), str(error))
            raise FitError(f"{path} is not a CSV file: line {begins}: {why}") from None
        if row is None:
            return
        begins = rows.line_num + 1
        if any(cell.strip() for cell in row):
            yield rows.line_num, row


def _lines(path: str, file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        why = ""
        if number == 1 and line.startswith(_UTF_16):
            why = "it is text in UTF-16; save it in UTF-8"
        elif not line.isascii() and (found := _NO_TEXT.search(line)):
            why = f"byte 0x{ord(found[0]) - 0xDC00:02x} is not text in UTF-8"
        elif "\0" in line:
            why = "it holds binary data"
        elif len(line) > LONGEST:
            why = f"it has more than {LONGEST} characters"
        if why:
            raise FitError(f"{path} is not a CSV file: line {number}: {why}")
        yield line


def _places(path: str, line: int, header: list[str]) -> tuple[int, int] | None:
    """The places of x and y in a row; None if the first row is no header but two numbers."""
    names = [cell.strip().lower() for cell in header]
    if names.count("x") == 1 and names.count("y") == 1:
        return names.index("x"), names.index("y")
    if len(header) == 2 and all(_number(cell) is not None for cell in header):
        return None
    shown_header = ",".join(header)
    hint = ""
    if len(header) == 1 and any(separator in shown_header for separator in ";\t"):
        hint = " separated by commas"
    twice = next((name for name in "xy" if names.count(name) > 1), None)
    why = f"there are several columns {twice}" if twice else f"columns x and y{hint} are needed"
    raise FitError(f"{path}, line {line}: {why}; the line reads {shown(shown_header)}")


def _take(row: list[str], places: tuple[int, int], width: int, xs: list[float], ys: list[float]) -> str:
    """Append the point of a row, or return why there is none and append nothing."""
    if len(row) > width:
        return f"{len(row)} values where the first row has {width}"
    point = []
    for name, place in zip("xy", places, strict=True):
        cell = row[place].strip() if place < len(row) else ""
        value = _number(cell)
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


def _number(cell: str) -> float | None:
    """The number in a cell, or None. Stricter than `float`, which also accepts 1_000 and the digits of other scripts."""
    cell = cell.strip()
    return float(cell) if _NUMBER.fullmatch(cell) else None
