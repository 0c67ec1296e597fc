"""A graph of tasks that grows from step to step is found where it is looked at, and warned of once.

On a library that puts work off, whatever a loop takes along and nobody computes makes each step slower than the last.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import NamedTuple

from xgrad.backends.frames import users_frame

TIMES = 8  # how often the graph must have grown at one place
SAMPLE = 32  # how many of its layers are remembered

Place = tuple[str, int, int]


class Largest(NamedTuple):
    """The largest graph that one place of the program has looked at so far."""

    size: int
    first: int  # the size where the growth began
    times: int
    names: tuple[str, ...]  # of some of its layers


_seen: dict[Place, Largest] = {}
_warned: set[Place] = set()


def look(layers: Collection[str]) -> None:
    """Report that the program looks at a graph of these layers, at the line where it does.

    The graph has grown if it is larger than the one seen at this line before, and holds that one.
    """
    frame, depth = users_frame()
    place = frame.f_code.co_filename, frame.f_lineno, frame.f_lasti
    size, before = len(layers), _seen.get(place)
    if place in _warned or (before and size <= before.size and _holds(layers, before)):
        return
    grows = before is not None and _holds(layers, before)
    first, times = (before.first, before.times + 1) if before and grows else (size, 0)
    if len(_seen) > 1000:
        _seen.clear()
    _seen[place] = Largest(size, first, times, tuple(layers)[:: size // SAMPLE + 1])
    if times < TIMES or size < 2 * first:
        return
    _warned.add(place)
    warnings.warn(
        f"{place[0]}, line {place[1]}: what is computed here grows each time, and has grown from {first} layers of tasks to "
        f"{size}. The loop takes along what nobody has computed, so each pass computes all passes before it again. An "
        "optimizer's step() computes its parameters, its state and the losses; for anything else call xgrad.persist(...) "
        "in the loop with what it takes along: parameters, buffers, sums.",
        stacklevel=depth,
    )


def _holds(layers: Collection[str], before: Largest) -> bool:
    """Whether most of the earlier graph is in this one. (The arrays that a program starts from are in all its graphs.)"""
    return sum(name in layers for name in before.names) >= 0.8 * len(before.names)
