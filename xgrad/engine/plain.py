"""Which types of tensors the fast path takes, and blocks in which it takes none, so that every operation goes the general way."""

from __future__ import annotations

import os
import threading

ON = os.environ.get("XGRAD_FASTPATH", "1") != "0"  # whether there is a fast path

# Real tensors, and subclasses of which operations need not know. The set is empty while something needs the fast path off.
plain_types: set[type] = set()

_lock = threading.RLock()  # an abandoned block may be ended by the garbage collector, inside of another one's `close`
_waiting: set[type] = set()  # the types that return to `plain_types`
_closed = 0  # how many need the fast path off


def add(kind: type) -> None:
    """Let the fast path take tensors of this type."""
    with _lock:
        (_waiting if _closed else plain_types).add(kind)


def close() -> None:
    """Turn the fast path off, in every thread, until `reopen` was called as often as `close`."""
    global _closed
    with _lock:
        _closed += 1
        _waiting.update(plain_types)
        plain_types.clear()


def reopen() -> None:
    """The end of what `close` began."""
    global _closed
    with _lock:
        _closed -= 1
        if not _closed:
            plain_types.update(_waiting)
            _waiting.clear()
