"""Seeing each operation as it runs: what stands behind `detect_anomaly` and the diagnoses.

While somebody watches, or notes what is read, the quick way through an operation is closed (see dispatch.py: it is for the types
in `plain_types`), so every operation passes the one place where watchers are called. While nobody does, nothing is paid for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from xgrad.engine import reading
from xgrad.engine.reading import Notes
from xgrad.engine.tape import watchers
from xgrad.engine.tensor import plain_types

Watcher = Callable[..., None]

_lock = threading.Lock()
_types: set[type] = set()  # what takes the quick way again when it is open
_closed = 0  # how many want it closed


def add(watch: Watcher) -> None:
    """Call `watch(op, backend, raws, y, node)` after each operation, in every thread.

    `op` has a name; `raws` are the backend's arrays and the numbers it was given; `y` is the result, `node` what records it, or
    None.
    """
    with _lock:
        watchers.append(watch)
        _close()


def remove(watch: Watcher) -> None:
    """Stop calling it. Nothing happens if it was not called."""
    with _lock:
        if watch in watchers:
            watchers.remove(watch)
            _open()


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
    """While the block runs, `notes` gets a report of what is read and made in it."""
    with _lock:
        _close()
    try:
        with reading.noted(notes):
            yield
    finally:
        with _lock:
            _open()


def _close() -> None:
    global _closed
    _closed += 1
    _types.update(plain_types)
    plain_types.clear()


def _open() -> None:
    global _closed
    _closed -= 1
    if not _closed:
        plain_types.update(_types)
        _types.clear()
