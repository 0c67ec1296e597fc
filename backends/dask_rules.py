"""An optimizer's update rule on dask's arrays: one task for each block instead of one for each operation."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from operator import getitem
from typing import Any
from uuid import uuid4

from xgrad.backends.base import Backend
from xgrad.backends.dask_blocks import Array, da, np


class InOneTask:
    """The rule as one task: all its operations run on a block's NumPy arrays, on the worker that has the block."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule

    def __call__(self, xp: Any, arrays: tuple[Array, ...], numbers: Any, flags: Any) -> tuple[Array, ...]:
        p, g, *kept = arrays
        alike = [p, *(array if array.chunks == p.chunks else array.rechunk(p.chunks) for array in (g, *kept))]
        return tuple(_parts(self.rule, alike, numbers, flags))


def _parts(rule: Any, arrays: list[Array], numbers: Any, flags: Any) -> list[Array]:
    """The rule's results as dask arrays: for each block the rule returns a tuple, of which all parts but the second are used."""
    blockwise: Any = import_module("dask.blockwise").blockwise
    HighLevelGraph: Any = import_module("dask.highlevelgraph").HighLevelGraph  # noqa: N806 (a class)
    unique = uuid4().hex
    whole, axes = f"rule-step-{unique}", tuple(range(arrays[0].ndim))
    operands = [part for array in arrays for part in (array.name, axes)]
    numblocks = {array.name: array.numblocks for array in arrays}
    made = blockwise(_run, whole, axes, *operands, numblocks=numblocks, rule=rule, numbers=numbers, flags=flags)
    graph = HighLevelGraph.from_collections(whole, made, dependencies=arrays)
    found = []
    for i, array in enumerate(arrays[:1] + arrays[2:]):
        name = f"rule-part-{i}-{unique}"
        part = blockwise(getitem, name, axes, whole, axes, i, None, numblocks={whole: array.numblocks})
        layers, dependencies = {**graph.layers, name: part}, {**graph.dependencies, name: {whole}}
        found.append(da.Array(HighLevelGraph(layers, dependencies), name, array.chunks, meta=array._meta))
    return found


def _run(*blocks: Any, rule: Any, numbers: Any, flags: Any) -> tuple[Any, ...]:
    """Run the rule on copies of the blocks, because it writes in place and other tasks may hold the blocks."""
    p, g, *kept = blocks
    made = rule(Backend.load("numpy", None).xp, (np.array(p), g, *map(np.array, kept)), numbers, flags)
    return tuple(map(np.asarray, made))
