"""State that the last call has written in place: most of what a step of training takes from outside.

If each of these arrays is where the last call left it, and nobody else holds it, then its shape, dtype and layout are known, and
the next call may write into it again. This check takes a fraction of the time of a full one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

from xgrad.compile.guards import MISSING


def _unknown(array: Any) -> int:
    return sys.maxsize


_references: Callable[[Any], int] = getattr(sys, "getrefcount", _unknown)


def _count_when_alone() -> int:
    """The count of an array that a tensor has, in a loop as below. It depends on Python's version."""

    class Holder:
        _data = object()

    for t, place in [(Holder, 0)]:
        array = t._data
        return _references(array) + place
    raise AssertionError


_ALONE = _count_when_alone()


class InPlace:
    """The arrays of tensors and of moments that a call has written in place.

    Args:
        tensors: (tensor, its array, its place among the inputs).
        moments: (the number of a state, the name of a moment in it, its array, its place among the inputs).
        owned: for each input, whether it is one of these.
        backend: that of the arrays.
    """

    def __init__(
        self,
        tensors: Sequence[tuple[Any, Any, int]],
        moments: Sequence[tuple[int, str, Any, int]],
        owned: list[bool],
        backend: Any,
    ) -> None:
        self.owned, self._backend = owned, backend
        read_only = backend.is_read_only
        # Weak references: an eager step must find that nobody else holds the arrays.
        self._tensors = [(t, ref(array), t.node, read_only(array), place) for t, array, place in tensors]
        self._moments = [(i, name, ref(array), read_only(array), place) for i, name, array, place in moments]

    def take(self, values: list[Any], states: Sequence[Any]) -> bool:
        """Put the arrays among the inputs. Returns False if one was replaced, is held elsewhere, or is read-only now."""
        backend = self._backend
        is_read_only = backend.is_read_only
        for t, known, node, read_only, place in self._tensors:
            array = t._data
            if array is not known() or t.node is not node or t.backend is not backend:
                return False
            if _references(array) > _ALONE or is_read_only(array) is not read_only:
                return False
            values[place] = array
        for i, name, known, read_only, place in self._moments:
            array = states[i].get(name, MISSING)
            if array is not known() or _references(array) > _ALONE or is_read_only(array) is not read_only:
                return False
            values[place] = array
        return True
