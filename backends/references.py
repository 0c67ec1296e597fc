"""Does anybody else hold this array? Where Python counts references, the count tells; elsewhere somebody may."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import ref


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


def held_only_by_views(arrays: list[Any], *, borrowers: bool = False) -> bool:
    """Whether these arrays lie in one memory that nobody else holds, and are themselves held once each, besides the list.

    The memory belongs to one of them, or to an array that they are views of. With `borrowers`, those that `lend` has given it to
    do not count.
    """
    owner = arrays[0].base
    if owner is None:
        owner = arrays[0]
    if owner.base is not None or not owner.flags.writeable:
        return False
    alone, of_owner = _ALONE_TOGETHER
    if borrowers:
        of_owner += sum(view() is not None for view in _lent.get(id(owner), ()))
    for array in arrays:
        if array is owner:
            of_owner += 2  # by its tensor, and by the list
        elif array.base is owner and _count(array) <= alone:
            of_owner += 1
        else:
            return False
    array = None  # it may be the owner
    return _count(owner) <= of_owner


def _counts_when_alone_together() -> tuple[int, int]:
    """The counts for one view in a list, and for what owns its memory without being in the list: the rest is added to these."""

    class Owner:
        base = None

    def counts(arrays: list[Any]) -> tuple[int, int]:
        owner = arrays[0].base
        if owner is None:
            owner = arrays[0]
        for array in arrays:
            alone = _count(array)
        array = None
        return alone, _count(owner) - 1

    holder = _Holder()
    holder.array = view = _View()
    view.base = Owner()
    del view
    return counts([holder.array])


class _View:
    __slots__ = ("base",)

    base: Any


_ALONE_TOGETHER = _counts_when_alone_together()


# --- memory that is lent ------------------------------------------------------------------------------------

_lent: dict[int, list[ref[Any]]] = {}  # the views that were lent, by the id of the array whose memory it is


def lend(arrays: list[Any]) -> Any:
    """A view of the first of these arrays, which may be written to; None if others than they and earlier borrowers hold it."""
    if not held_only_by_views(arrays, borrowers=True):
        return None
    view = arrays[0][...]
    owner = id(view.base)
    _lent.setdefault(owner, []).append(ref(view, partial(_given_back, owner)))
    return view


def _given_back(owner: int, view: ref[Any]) -> None:
    lent = _lent.get(owner, [])
    with suppress(ValueError):
        lent.remove(view)
    if not lent:
        _lent.pop(owner, None)
