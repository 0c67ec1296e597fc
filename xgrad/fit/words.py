"""Words for people: what they gave, shortened, in one line and in characters that can be shown."""

from __future__ import annotations

import re

MOST = 60  # characters of a value that are shown
LONGEST_WORD, LONGEST = 400, 1200  # of a line; a file's name may have 4096


def shown(value: object, most: int = MOST) -> str:
    """A value as it would be written in Python; the middle of a long one is left out.

    >>> shown("x" * 100, 20)
    "'xxxxxxxxxxx...xxxx'"
    """
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        text = "a number of thousands of digits"
    return shortened(text, most)


def shortened(text: str, most: int = MOST) -> str:
    """
    >>> shortened("0123456789", 7)
    '012...9'
    """
    if len(text) <= most:
        return text
    end = max(1, (most - 3) // 3)
    return f"{text[: most - 3 - end]}...{text[-end:]}"


def printable(text: str) -> str:
    r"""Control characters, and bytes of a name that are no text, become escapes.

    >>> printable("a\nb\udcff.csv")
    'a\\nb\\udcff.csv'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def one_line(text: str) -> str:
    """
    >>> one_line("two\\n  lines")
    'two lines'
    """
    return shortened(short_words(printable(" ".join(text.split())), LONGEST_WORD), LONGEST)


def short_words(text: str, most: int = MOST) -> str:
    """A text without long words: for what argparse says of what it was given."""
    return re.sub(r"\S+", lambda word: shortened(word[0], most), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
