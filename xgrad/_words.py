"""Text for messages: values and names, shortened, on one line, in printable characters."""

from __future__ import annotations

import re

MOST = 60  # characters of a value in a message
LONGEST_WORD, LONGEST = 400, 1200  # characters in a line; a file's name may have 4096


def shown(value: object, most: int = MOST) -> str:
    """The repr of a value, without the middle of a long one.

    >>> shown("x" * 100, 20)
    "'xxxxxxxxxxx...xxxx'"
    """
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        text = "a number of thousands of digits"
    return shortened(text, most)


def shortened(text: str, most: int = MOST) -> str:
    """A text without its middle if it is longer than `most`.

    >>> shortened("0123456789", 7)
    '012...9'
    """
    if len(text) <= most:
        return text
    end = max(1, (most - 3) // 3)
    return f"{text[: most - 3 - end]}...{text[-end:]}"


def printable(text: str) -> str:
    r"""Replace control characters, and bytes of a name that are not UTF-8, by escapes.

    >>> printable("a\nb\udcff.csv")
    'a\\nb\\udcff.csv'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def one_line(text: str) -> str:
    """A message on one line, shortened and printable.

    >>> one_line("two\\n  lines")
    'two lines'
    """
    return shortened(short_words(printable(" ".join(text.split())), LONGEST_WORD), LONGEST)


def short_words(text: str, most: int = MOST) -> str:
    """A text with its long words shortened: argparse repeats its arguments in its messages."""
    return re.sub(r"\S+", lambda word: shortened(word[0], most), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
