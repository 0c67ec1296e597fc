"""The columns of a CSV file while it is read: numbers, or words that stand for categories."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from xgrad._words import shown
from xgrad.backends import host_tables
from xgrad.data.csvrows import KEPT, BadRows, number

NO_CODE = -1  # the code of a cell that is a number or missing
NUMBERS, WORDS = "numbers", "words"  # kinds of columns
Host = Any  # a NumPy array


class Column:
    """One column. It is of numbers if its cells are numbers, and of categories if none of them is, or if it was named so.

    `known` are the only words that there may be, if they are known before. `kind` is NUMBERS or WORDS where that was said.
    """

    def __init__(self, name: str, place: int, kind: str | None = None, known: Sequence[str] | None = None) -> None:
        self.name = name
        self.place = place
        self.kind = kind
        self.known = known
        self.words: dict[str, int] = {word: i for i, word in enumerate(known or ())}
        self.numbers = array("d")
        self.codes: array[int] | None = array("q") if kind == WORDS else None  # of the words; made with the first one
        self.missing: list[int] = []  # the rows without a value
        self.first_words: list[tuple[int, str]] = []  # the first cells that are no numbers, with their rows
        self.word_count = 0

    def take(self, cell: str) -> str:
        """Append a cell. Returns "", or why it cannot be used."""
        value = None if self.kind == WORDS else number(cell)
        if value is None:
            return self._take_word(cell)
        if value - value != 0:
            return f"{self.name} is {shown(cell, 24)[1:-1]}, not a finite number"
        self.numbers.append(value)
        if self.codes is not None:
            self.codes.append(NO_CODE)
        return ""

    def _take_word(self, cell: str) -> str:
        if self.kind == NUMBERS:
            return f"{self.name} is {shown(cell, 24)}, not a number"
        if self.known is not None and cell not in self.words:
            return f"{self.name} is {shown(cell, 24)}, which is none of {shown(list(self.known))}"
        if len(self.first_words) < KEPT:
            self.first_words.append((len(self.numbers), cell))
        self.word_count += 1
        if self.codes is None:
            self.codes = array("q", [NO_CODE]) * len(self.numbers)
        self.codes.append(self.words.setdefault(cell, len(self.words)))
        self.numbers.append(0.0)
        return ""

    def take_missing(self) -> None:
        """Append a row without a value."""
        self.missing.append(len(self.numbers))
        self.numbers.append(0.0)
        if self.codes is not None:
            self.codes.append(NO_CODE)

    def shorten(self, length: int) -> None:
        """Take back the rows from `length` on, of a row that is bad."""
        del self.numbers[length:]
        if self.codes is not None:
            self.word_count -= sum(code != NO_CODE for code in self.codes[length:])
            del self.codes[length:]
        while self.missing and self.missing[-1] >= length:
            self.missing.pop()
        while self.first_words and self.first_words[-1][0] >= length:
            self.first_words.pop()

    @property
    def is_mixed(self) -> bool:
        """Whether some cells are numbers and others are not."""
        return self.kind is None and 0 < self.word_count < len(self.numbers) - len(self.missing)

    @property
    def has_words(self) -> bool:
        """Whether it is a column of categories."""
        return self.kind == WORDS or self.word_count > 0

    def fill(self, missing: Any, lines: Sequence[int], bad: BadRows) -> None:
        """Fill the rows without a value."""
        if not self.missing:
            return
        value = missing.get(self.name) if isinstance(missing, Mapping) else missing
        if self.has_words and isinstance(value, str):
            if self.known is not None and value not in self.words:
                bad.add(
                    lines[self.missing[0]],
                    f"{self.name} would be {value!r}, which is none of {shown(list(self.words))}",
                )
                return
            code = self.words.setdefault(value, len(self.words))
            assert self.codes is not None
            for row in self.missing:
                self.codes[row] = code
        elif not self.has_words and value is not None and not isinstance(value, str):
            for row in self.missing:
                self.numbers[row] = value
        else:
            for row in self.missing:
                bad.add(
                    lines[row], f"{self.name} is missing" + (", and its values are words" if self.has_words else "")
                )

    def coded(self) -> tuple[list[str], Host]:
        """The words in order, and for each row the number of its word."""
        codes = host_tables.column(self.codes, "int64")
        if self.known is not None:
            return list(self.words), codes.copy()
        ordered = sorted(self.words)
        places = {word: i for i, word in enumerate(ordered)}
        return ordered, host_tables.renumbered(codes, [places[word] for word in self.words])

    def as_numbers(self, dtype: Any, lines: Sequence[int], bad: BadRows) -> Host:
        """The numbers as doubles. Raises DataError for a number that the dtype cannot hold."""
        found = host_tables.column(self.numbers, "float64")
        row = host_tables.first_too_large(found, dtype)
        if row is not None:
            whole = "" if dtype.kind == "f" else ", or no whole number below 2**53"
            bad.add(lines[row], f"{self.name} is {found[row].item()!r}, which is beyond {dtype.name}{whole}")
            bad.check()
        return found
