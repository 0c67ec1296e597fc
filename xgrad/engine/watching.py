"""Watching each operation as it runs, for `detect_anomaly`, xgrad.diagnose and checkpoints.

The fast path is only for the types in `plain_types`. While a watcher is called or a run is noted, that set is empty, so every
operation takes the general way, where the watchers are called. At other times watching takes no time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from xgrad.engine import plain, reading, tape, tracing
from xgrad.engine.reading import Notes

Watcher = Callable[..., None]

# The watchers of whole runs (xgrad.diagnose) that are open. While there is one, compiled functions run without their programs.
runs: WeakSet[Any] = WeakSet()
_lock = threading.Lock()


def add(watch: Watcher) -> None:
    """Call `watch(op, backend, raws, y, node)` after each operation, in every thread.

    `op` has a name. `raws` are its raw arrays and numbers, `y` is the result, and `node` records the operation or is None.
    """
    trace = tracing.current()
    if trace is not None:
        trace.refuse(
            "operations are watched (detect_anomaly, or a diagnosis) inside of the compiled function",
            "Watch around the call: the function then runs without compile",
        )
    with _lock:
        tape.watchers = (*tape.watchers, watch)
        plain.close()


def remove(watch: Watcher) -> None:
    """Stop calling a watcher. Nothing happens if it was not added. A finalizer must not call this: it may run inside the lock."""
    with _lock:
        if watch in tape.watchers:
            at = tape.watchers.index(watch)
            tape.watchers = tape.watchers[:at] + tape.watchers[at + 1 :]
            plain.reopen()


@contextmanager
def watching(watch: Watcher) -> Iterator[None]:
    """`add` for a block."""
    add(watch)
    try:
        yield
    finally:
        remove(watch)


@contextmanager
def noted(notes: Notes) -> Iterator[None]:
    """While the block runs, `notes` gets a report of each value that is read and each tensor that is made."""
    plain.close()
    try:
        with reading.noted(notes):
            yield
    finally:
        plain.reopen()
