"""Whether an array has other references, so that its memory must not be written. Without reference counts, it may have."""

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
    """Whether an array has one lasting reference. Call it directly in `backend.exclusive(x.data)`: a deeper call counts more."""
    return _count(array) <= _ALONE


def _count_when_alone() -> int:
    """The reference count of an object with one holder, taken at the same depth of calls. It depends on Python's version."""

    def exclusive(array: Any) -> int:
        return as_held_once(array)

    def as_held_once(array: Any) -> int:
        return _count(array)

    holder = _Holder()
    holder.array = object()
    return exclusive(holder.array)


_ALONE = _count_when_alone()


def held_once_through(holder: Any, name: str) -> bool:
    """Whether `holder.name` is the only lasting reference to its value. The caller must have a reference to it as well."""
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
    """Whether these arrays share one memory to which nothing else refers, each with one reference besides the list.

    The memory belongs to one of them, or to an array that they are views of. With `borrowers`, views that `lend` returned are not
    counted.
    """
    owner = arrays[0].base
    if owner is None:
        owner = arrays[0]
    if type(owner) is not type(arrays[0]):
        return False  # the memory of a file, a buffer or another library: whoever has it may look at it
    if owner.base is not None or not owner.flags.writeable:
        return False
    alone, of_owner = _ALONE_TOGETHER
    if borrowers:
        of_owner += sum(view() is not None for view in _lent.get(id(owner), ()))
    for array in arrays:
        if array is owner:
            of_owner += 2  # its tensor's reference, and the list's
        elif array.base is owner and _count(array) <= alone:
            of_owner += 1
        else:
            return False
    array = None  # this name may refer to the owner
    return _count(owner) <= of_owner


def _counts_when_alone_together() -> tuple[int, int]:
    """The count of one view in a list, and that of its owner outside of the list, without the views' references."""

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

_lent: dict[int, list[ref[Any]]] = {}  # the views that were lent, by the id of the array that owns the memory


def lend(arrays: list[Any]) -> Any:
    """A writable view of the first array; None if the memory has references besides these arrays and views lent earlier."""
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
