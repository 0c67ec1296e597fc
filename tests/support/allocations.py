"""Memory: counting allocations, refusing one of them, and measuring the peak.

array-api-strict makes all of its arrays in one function, so every allocation can be counted there, and one refused. An in-place
operation counts as no allocation, although the library makes a new object for its result.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

IN_PLACE = ("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "__imod__", "__ifloordiv__")


class Allocations:
    """The number of arrays that were made, and which one is refused (counted from 1)."""

    def __init__(self, refused: int | None) -> None:
        self.refused = refused
        self.count = 0
        self._in_place = 0

    def allocate(self) -> None:
        if self._in_place:
            return
        self.count += 1
        if self.count == self.refused:
            raise MemoryError(f"allocation {self.count} was refused")

    def counted(self, make: Callable[..., Any]) -> Any:
        def new(*args: Any, **kwargs: Any) -> Any:
            self.allocate()
            return make(*args, **kwargs)

        return new

    def in_place(self, operator: Callable[..., Any]) -> Any:
        def operate(*args: Any) -> Any:
            self._in_place += 1
            try:
                return operator(*args)
            finally:
                self._in_place -= 1

        return operate


@contextmanager
def counted(backend: Any, refused: int | None = None) -> Iterator[Allocations]:
    """Count the arrays that array-api-strict makes while the block runs. Number `refused` raises MemoryError."""
    (array_type,) = backend.array_types
    allocations = Allocations(refused)
    with ExitStack() as stack:
        stack.enter_context(patch.object(array_type, "_new", staticmethod(allocations.counted(array_type._new))))
        for name in IN_PLACE:
            wrapped = allocations.in_place(getattr(array_type, name))
            stack.enter_context(patch.object(array_type, name, wrapped))
        yield allocations


def traced_peak(step: Callable[[], object]) -> int:
    """The peak of the bytes that Python and NumPy allocate while `step` runs, above those allocated before.

    tracemalloc counts requests, so the allocator and other memory of the process make no difference.
    """
    gc.collect()
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()
