"""The trace that is running: while `xgrad.compile` records a function, optimizers ask it for their state and numbers.

The trace itself is in compile/, which is above the engine. While no function is recorded, this costs one test of an empty list.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

active: list[None] = []  # one entry for each trace, in any thread
_current: ContextVar[Any] = ContextVar("xgrad_trace", default=None)


def current() -> Any:
    """The trace that runs in this thread (and asyncio task); None if there is none."""
    return _current.get() if active else None


@contextmanager
def running(trace: Any) -> Iterator[None]:
    """While the block runs, `trace` is the current one."""
    token = _current.set(trace)
    active.append(None)
    try:
        yield
    finally:
        active.pop()
        _current.reset(token)
