"""Slices with negative steps, for PyTorch, which only has positive ones.

x[5:1:-2] is x[3:6:2] in reverse order. So axes with such slices are first sliced with a positive step and flipped. The rest of
the key is then applied to the result: integer arrays, masks and new axes work as usual.
"""

from __future__ import annotations

from typing import Any

from xgrad.backends.layout import axes_taken


def runs_backwards(key: Any) -> bool:
    """Whether any slice in the key has a negative step."""
    parts = key if type(key) is tuple else (key,)
    return any(type(part) is slice and part.step is not None and part.step < 0 for part in parts)


class Turned:
    """The part of x that a key with negative steps selects, for reading and writing."""

    def __init__(self, x: Any, key: Any) -> None:
        self.x = x
        parts = key if isinstance(key, tuple) else (key,)
        forwards: list[Any] = [slice(None)] * len(x.shape)
        rest: list[Any] = []
        axes: list[int] = []
        axis = 0
        for part in parts:
            if part is Ellipsis:
                axis = len(x.shape) - sum(axes_taken(later) for later in parts[len(rest) + 1 :])
            elif type(part) is slice and part.step is not None and part.step < 0:
                forwards[axis] = _forwards(part, x.shape[axis])
                axes.append(axis)
                part = slice(None)
            rest.append(part)
            axis += axes_taken(part)
        self.forwards, self.axes, self.rest = tuple(forwards), tuple(axes), tuple(rest)

    def get(self) -> Any:
        return self._turned()[self.rest]

    def put(self, value: Any) -> None:
        """Write the value into x. (flip makes a copy, so it is undone on the value.)"""
        turned = self._turned()
        turned[self.rest] = value
        self.x[self.forwards] = turned.flip(self.axes)

    def _turned(self) -> Any:
        return self.x[self.forwards].flip(self.axes)


def _forwards(part: slice, n: int) -> slice:
    """A slice with a positive step that selects the same elements."""
    places = range(n)[part]
    return slice(places[-1], places[0] + 1, -places.step) if places else slice(0, 0)
