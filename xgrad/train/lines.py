"""The lines of the keys of a TOML document: `tomllib` gives the values without their places."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from itertools import accumulate

Path = tuple[str | int, ...]  # the place of a value: keys, and positions in arrays

_BLANKS = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACES = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (  # the longest delimiter first; up to two more quotation marks belong to the text before the last three
    re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\\n])*"'),
    re.compile(r"'[^'\n]*'"),
)
_OTHER = re.compile(r"[^,\]}#\n]*")  # a number, a date, true or false


def lines_of(text: str) -> dict[Path, int]:
    """The line of each table, key and element of an array, by its path. The document must be valid.

    >>> lines_of('[data]\\npath = "a.csv"\\ninputs = ["x",\\n  "y"]')[("data", "inputs", 1)]
    4

    The grammar: https://toml.io/en/v1.0.0
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


class _Scanner:
    """Goes through a document from its beginning to its end, once. `at` is where it is."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")  # as tomllib reads it
        self.at = 0
        self.starts = [0, *accumulate(len(line) + 1 for line in self.text.split("\n"))]
        self.found: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # of the tables in each array of tables

    def document(self) -> None:
        table: Path = ()
        while True:
            self.skip(_BLANKS)
            if self.at >= len(self.text):
                return
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Path:
        """`[table]`, or `[[table]]` for one more table of an array."""
        is_array = self.text.startswith("[[", self.at)
        line = self.line()
        self.at += 2 if is_array else 1
        key = self.key()
        table = self.resolved(key if not is_array else key[:-1])
        if is_array:
            table = (*table, key[-1])
            self.found.setdefault(table, line)
            self.counts[table] = self.counts.get(table, 0) + 1
            table = (*table, self.counts[table] - 1)
        self.note(table, 0, line)
        self.skip(_SPACES)
        self.at += 2 if is_array else 1
        return table

    def resolved(self, key: Path) -> Path:
        """The path of a header: where a part names an array of tables, its last table is meant."""
        table: Path = ()
        for part in key:
            table = (*table, part)
            if table in self.counts:
                table = (*table, self.counts[table] - 1)
        return table

    def pair(self, table: Path) -> None:
        """`key = value`."""
        line = self.line()
        path = (*table, *self.key())
        self.note(path, len(table), line)
        self.skip(_SPACES)
        self.at += 1  # the equals sign
        self.skip(_SPACES)
        self.value(path)

    def note(self, path: Path, known: int, line: int) -> None:
        """Keep the line of a path, and of the tables that a dotted key makes."""
        for length in range(known + 1, len(path) + 1):
            self.found.setdefault(path[:length], line)

    def key(self) -> Path:
        """A key: bare, quoted, or several of them with dots between."""
        parts: list[str | int] = []
        while True:
            self.skip(_SPACES)
            quoted = self.text[self.at] in "\"'"
            start = self.at
            self.skip(*_STRINGS[2:]) if quoted else self.skip(_BARE_KEY)
            token = self.text[start : self.at]
            parts.append(tomllib.loads(f"key = {token}")["key"] if quoted else token)
            self.skip(_SPACES)
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def value(self, path: Path) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self.skip(*_STRINGS)
        elif first == "[":
            self.items(path, "]")
        elif first == "{":
            self.items(path, "}")
        else:
            self.skip(_OTHER)

    def items(self, path: Path, end: str) -> None:
        """The elements of an array, or the pairs of an inline table."""
        self.at += 1
        place = 0
        while True:
            self.skip(_BLANKS)
            if self.text[self.at] == end:
                self.at += 1
                return
            if end == "}":
                self.pair(path)
            else:
                self.found[(*path, place)] = self.line()
                self.value((*path, place))
                place += 1
            self.skip(_BLANKS)
            if self.text[self.at] == ",":
                self.at += 1

    def skip(self, *patterns: re.Pattern[str]) -> None:
        """Go behind what the first of the patterns that fits has found."""
        found = next(filter(None, (pattern.match(self.text, self.at) for pattern in patterns)))
        self.at = found.end()

    def line(self) -> int:
        """The number of the line, from 1."""
        return bisect_right(self.starts, self.at)
