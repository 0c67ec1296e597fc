"""The parser of the command line: errors in one line, and the values of options."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, NoReturn

from xgrad._streams import complain
from xgrad._words import one_line, short_words, shown
from xgrad.fit.streams import say

MOST_DIGITS = 1000  # in an integer


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line, without the usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # "-1e2" and "-inf" after --range are numbers, not options
        self._negative_number_matcher = re.compile(r"^-(\.?\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        text = one_line(short_words(message))
        self.exit(2, f"{self.prog}: error: {text} ({self.prog} --help lists the options)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            (complain if file is sys.stderr else say)(message.rstrip("\n"))


def integer(text: str) -> int:
    """A whole number. ArgumentTypeError for any other text."""
    if len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} has {len(text)} characters; a number has at most {MOST_DIGITS}"
        )
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number") from None


def path_of(text: str) -> str | None:
    """The name of a file, or None where the option is empty."""
    return text or None
