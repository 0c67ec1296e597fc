"""Exchanging attributes all at once: how a loaded state is taken over, and given back if something else cannot be loaded."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any


class Swap:
    """New values for attributes of objects. Each call exchanges them with those that the objects have.

    So a second call takes back the first. A call that is interrupted changes nothing.

    >>> from types import SimpleNamespace
    >>> x = SimpleNamespace(a=1)
    >>> swap = Swap([(x, "a", 2)])
    >>> swap()
    >>> x.a
    2
    >>> swap()
    >>> x.a
    1
    """

    def __init__(self, news: Iterable[tuple[Any, str, Any]]) -> None:
        self.held = list(news)

    def __call__(self) -> None:
        before = [(thing, name, getattr(thing, name)) for thing, name, _ in self.held]
        try:
            for thing, name, value in self.held:
                setattr(thing, name, value)
        except BaseException:
            for thing, name, value in reversed(before):
                with suppress(Exception):  # of one that cannot be set
                    setattr(thing, name, value)
            raise
        self.held = before[::-1]
