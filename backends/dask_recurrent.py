"""Recurrent layers on dask's arrays: one task runs all steps by NumPy, where the steps would be a graph of thousands of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from xgrad.backends.base import Backend
from xgrad.backends.dask_blocks import Array, in_one_block

SAVED = {"LSTM": 5, "GRU": 4}  # what the cell saves, in units of the hidden size; others save nothing


def forward(inputs: Sequence[Any], mode: str, reverse: bool) -> list[Array]:
    """The h, the c and the gates of every step."""
    x, h, c, *_ = inputs
    hidden = h.shape[1] if c is None else c.shape[1]
    steps = x.shape[:2]
    shapes = [(*steps, h.shape[1])]
    if c is not None:
        shapes.append((*steps, hidden))
    if mode in SAVED:
        shapes.append((*steps, SAVED[mode] * hidden))
    found = _in_one_task(_forward, shapes, [inputs], mode=mode, reverse=reverse)
    return [found[0], found[c is not None], found[-1]]


def gradients(
    g: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], mode: str, reverse: bool, moving: Sequence[bool]
) -> list[Any]:
    """The gradients of the inputs, given those of h, c and the gates, where None is 0."""
    moves = [i for i, each in enumerate(moving) if each]
    shapes = [tuple(inputs[i].shape) for i in moves]
    found = iter(
        _in_one_task(_gradients, shapes, [g, inputs, outputs], mode=mode, reverse=reverse, moving=tuple(moving))
    )
    return [next(found) if each else None for each in moving]


def _in_one_task(function: Any, shapes: Sequence[Any], groups: Sequence[Any], **options: Any) -> list[Array]:
    """The results of a function of several groups of arrays, some of which may be None. The task gives them as one flat array."""
    places = [(k, i) for k, group in enumerate(groups) for i, each in enumerate(group) if each is not None]
    arrays = [groups[k][i] for k, i in places]
    sizes = [prod(shape) for shape in shapes]
    flat = in_one_block(
        _flat,
        (sum(sizes),),
        *arrays,
        run=function,
        places=places,
        lengths=[len(group) for group in groups],
        static=options,
    )
    ends = np.cumsum([0, *sizes])
    return [flat[a:b].reshape(shape) for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)]


def _flat(*arrays: Any, run: Any, places: Any, lengths: Any, static: Any) -> Any:
    groups: list[list[Any]] = [[None] * n for n in lengths]
    for (k, i), each in zip(places, arrays, strict=True):
        groups[k][i] = each
    return np.concatenate([np.asarray(each).reshape(-1) for each in run(*groups, **static)])


def _forward(inputs: Any, mode: str, reverse: bool) -> list[Any]:
    h, c, gates = Backend.load("numpy", None).xp.recurrent(*inputs, mode=mode, reverse=reverse)
    return [each for i, each in enumerate((h, c, gates)) if not i or each is not h]


def _gradients(g: Any, inputs: Any, outputs: Any, mode: str, reverse: bool, moving: Any) -> list[Any]:
    found = Backend.load("numpy", None).xp._recurrent_gradients(g, inputs, outputs, mode, reverse, moving)
    return [each for each, moves in zip(found, moving, strict=True) if moves]
