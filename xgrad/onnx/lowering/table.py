"""The table of lowerings: for the name of a function, how it is written as nodes of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# A lowering is called as the function is, with the graph in front. Its arrays are Values. It returns a Value or the name of a
# node's output, or a list of these for a function that returns several arrays.
Lowering = Callable[..., Any]
TABLE: dict[str, Lowering] = {}


def lowers(*names: str) -> Callable[[Lowering], Lowering]:
    """Register the lowering of these functions."""

    def register(lowering: Lowering) -> Lowering:
        for name in names:
            assert name not in TABLE, name
            TABLE[name] = lowering
        return lowering

    return register
