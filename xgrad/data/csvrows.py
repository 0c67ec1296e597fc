"""The rows of a CSV file, and the numbers in its cells. Errors name the line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from xgrad.backends.errors import DataError

LONGEST = 1_000_000  # characters in a line
SHOWN = 5  # an error names so many bad rows and counts the others
KEPT = 1000  # bad rows, of which the first by line are named
UTF_8 = "utf-8"
_NO_TEXT = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as Python reads them
_UTF_16 = ("\udcff\udcfe", "\udcfe\udcff")  # how a file in UTF-16 begins, as Python reads it
_WORDS = {  # part of an error of the csv module: our message for it
    "end of data": "a quotation mark opens here and is not closed",
    "field limit": f"a cell has more than {csv.field_size_limit()} characters",
}


@contextmanager
def opened(path: str | Path, needed: str, encoding: str = UTF_8) -> Iterator[TextIO]:
    """The file as text. Raises DataError where it cannot be read, in this call or within the block."""
    is_default = encoding.lower().replace("_", "-") in (UTF_8, "utf8", "utf-8-sig")
    try:
        chosen, errors = ("utf-8-sig", "surrogateescape") if is_default else (encoding, "strict")
        with open(path, encoding=chosen, errors=errors, newline="") as file:
            yield file
    except FileNotFoundError:
        hint = "; /dev/stdin is the standard input" if str(path) == "-" else ""
        raise DataError(f"{path}: there is no such file{hint}") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; {needed} is needed") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except LookupError as error:
        if "unknown encoding" not in str(error):
            raise
        raise DataError(f"{path}: there is no text encoding {encoding!r}") from None
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be the name of a file: {error}") from None


def rows(path: str, file: TextIO, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its last line in the file."""
    reader = csv.reader(_lines(path, file), skipinitialspace=True, strict=True, delimiter=delimiter)
    begins = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            why = next((ours for theirs, ours in _WORDS.items() if theirs in str(error)), str(error))
            raise DataError(f"{path} is not a CSV file: line {begins}: {why}") from None
        if row is None:
            return
        begins = reader.line_num + 1
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _lines(path: str, file: TextIO) -> Iterator[str]:
    number = 0
    escaped = file.errors == "surrogateescape"
    while True:
        try:
            line = file.readline(LONGEST + 1)
        except UnicodeError as error:
            raise DataError(f"{path} is not text in {file.encoding}, after line {number}: {error}") from None
        if not line:
            return
        number += 1
        why = ""
        if escaped and number == 1 and line.startswith(_UTF_16):
            why = "it is text in UTF-16; save it in UTF-8"
        elif escaped and not line.isascii() and (found := _NO_TEXT.search(line)):
            why = f"byte 0x{ord(found[0]) - 0xDC00:02x} is not text in UTF-8"
        elif "\0" in line:
            why = "it holds binary data"
        elif len(line) > LONGEST:
            why = f"it has more than {LONGEST} characters"
        if why:
            raise DataError(f"{path} is not a CSV file: line {number}: {why}")
        yield line


def number(cell: str) -> float | None:
    """The number in a cell, or None. Stricter than `float`, which also accepts 1_000 and the digits of other scripts."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return None if "_" in cell or not cell.isascii() else value


class BadRows:
    """The rows of a file that cannot be used: the first ones by line, and how many there are."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.count = 0
        self._first: list[tuple[int, str]] = []

    def add(self, line: int, why: str) -> None:
        self.count += 1
        if len(self._first) < KEPT:
            self._first.append((line, why))

    def check(self, hint: str = "") -> None:
        """Raise DataError if there are any."""
        if self.count:
            more = f"; and {self.count - SHOWN} more" if self.count > SHOWN else ""
            rows_are = "1 bad row" if self.count == 1 else f"{self.count} bad rows"
            shown = "; ".join(f"line {line}: {why}" for line, why in sorted(self._first)[:SHOWN])
            raise DataError(f"{self.path} has {rows_are}: {shown}{more}{hint}")
