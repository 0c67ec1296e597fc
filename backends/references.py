"""Does anybody else hold this array? Where Python counts references, the count tells; elsewhere somebody may."""

from __future__ import annotations

import sys
from typing import Any


class _Holder:
    __slots__ = ("array",)

    array: object


def _count(array: Any) -> int:
    return sys.getrefcount(array) if hasattr(sys, "getrefcount") else sys.maxsize


def held_once(array: Any) -> bool:
    """Whether one lasting reference is all there is, seen from `backend.exclusive(x.data)` and no deeper."""
    return _count(array) <= _ALONE


def _count_when_alone() -> int:
    """The count where there is just one holder, from as deep in calls: it differs between versions of Python."""

    def exclusive(array: Any) -> int:
        return as_held_once(array)

    def as_held_once(array: Any) -> int:
        return _count(array)

    holder = _Holder()
    holder.array = object()
    return exclusive(holder.array)


_ALONE = _count_when_alone()


def held_once_through(holder: Any, name: str) -> bool:
    """Whether the attribute of `holder` is the one lasting reference to what it names, seen from a caller that has it too."""
    return _count(getattr(holder, name)) <= _ALONE_THROUGH


def _count_when_alone_through() -> int:
    def as_held_once_through(holder: Any, name: str) -> int:
        return _count(getattr(holder, name))

    def caller(holder: Any) -> int:
        held = holder.array
        return as_held_once_through(holder, "array") if held is not None else 0

    holder = _Holder()
    holder.array = object()
    return caller(holder)


_ALONE_THROUGH = _count_when_alone_through()
