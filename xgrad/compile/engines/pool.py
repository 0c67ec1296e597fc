"""Results from a pool: arrays that were handed out before, and that nothing but the pool refers to any more.

New memory costs more than what is computed in it: the system clears each page. Without reference counts every result is new.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_KEPT = 2  # arrays of a result: the one that the user still holds, and the one that is computed meanwhile


class Slot(list[Any]):
    """The arrays of one result of a runner. The first one is looked at first.

    Generated code does what `take` does, without a call:  o = slot[0]; o = o if refs(o) <= ALONE else slot.other()
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__([None])
        self.make = make

    def other(self) -> Any:
        """Another array that nothing else refers to, or a new one."""
        for k in range(1, len(self)):
            found = self[k]
            if found is not None and refs(found) <= ALONE:
                self[k], self[0] = self[0], found
                return found
        found = self.make()
        if self[0] is not None:
            self.insert(1, self[0])
            del self[_KEPT:]
        self[0] = found
        return found

    def take(self) -> Any:
        """An array that nothing else refers to."""
        found = self[0]
        return found if refs(found) <= ALONE else self.other()


def _never(array: Any) -> int:
    return sys.maxsize


refs: Callable[[Any], int] = getattr(sys, "getrefcount", _never)


def _count_when_alone() -> int:
    """The count of an array that a slot has and a local name refers to. It depends on Python's version."""
    if refs is _never:
        return -1
    slot = [object()]
    found = slot[0]
    return refs(found)


ALONE = _count_when_alone()


def _count_in_call() -> int:
    """The count of `found` in `f(found, refs(found))` where a local name is all that refers to it."""
    if refs is _never:
        return -1

    def f(array: Any, count: int) -> int:
        return count

    found = object()
    return f(found, refs(found))


ALONE_IN_CALL = _count_in_call()
