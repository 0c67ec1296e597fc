"""Warns, once for each line of the program, if a lazy library's graph of tasks grows from step to step of a loop.

An array that a loop carries from step to step without computing it makes each step slower than the one before.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import NamedTuple

from xgrad.backends.frames import users_frame

TIMES = 8  # how often the graph must have grown at one line before the warning
SAMPLE = 32  # the number of its layers that are remembered

Place = tuple[str, int, int]


class Largest(NamedTuple):
    """The largest graph that was seen so far at one line of the program."""

    size: int
    first: int  # the size when the growth began
    times: int
    names: tuple[str, ...]  # the names of some of its layers


_seen: dict[Place, Largest] = {}
_warned: set[Place] = set()


def look(layers: Collection[str]) -> None:
    """Note that the program reads a value with a graph of these layers, and warn if the graph keeps growing at this line.

    The graph has grown if it is larger than the graph seen at this line before, and contains it.
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
        f"{place[0]}, line {place[1]}: the graph that is computed here grows in each pass, from {first} to {size} layers of "
        "tasks so far. The loop carries arrays along that are not computed, so each pass computes all earlier passes again. An "
        "optimizer's step() computes its parameters, its state and the losses. For everything else that the loop carries along "
        "(parameters, buffers, sums) call xgrad.persist(...) in the loop.",
        stacklevel=depth,
    )


def _holds(layers: Collection[str], before: Largest) -> bool:
    """Whether most of the earlier graph is in this one. (Some layers are in all graphs: those of the program's inputs.)"""
    return sum(name in layers for name in before.names) >= 0.8 * len(before.names)
