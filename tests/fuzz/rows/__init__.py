"""The rows of the grammar, one file for each chapter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fuzz.draw import Draw


@dataclass(frozen=True)
class Row:
    """An operation: how its arguments are drawn, and its lines."""

    name: str
    chapter: str
    covers: frozenset[str]  # the functions of xgrad's registry that it calls
    make: Callable[[Draw], Any]
    views: bool = False  # only in programs that write through views


ROWS: dict[str, Row] = {}


def row(name: str, *covers: str, views: bool = False) -> Callable[[Callable[[Draw], Any]], Callable[[Draw], Any]]:
    """Add a row. It covers the function of its own name unless others are given."""

    def register(make: Callable[[Draw], Any]) -> Callable[[Draw], Any]:
        chapter = make.__module__.rpartition(".")[2]
        assert name not in ROWS, name
        ROWS[name] = Row(name, chapter, frozenset(covers or (name,)), make, views)
        return make

    return register
