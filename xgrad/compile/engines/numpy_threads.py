"""Loops over blocks on several threads: NumPy's functions let other threads run while they compute.

Its BLAS has threads of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

LEAST_BLOCKS = 16  # for each thread, 2 MB: shorter loops gain nothing, above all beside the threads of the BLAS
_pool: ThreadPoolExecutor | None = None
_lock = threading.Lock()


def count() -> int:
    """How many threads may compute: OMP_NUM_THREADS, as for NumPy's BLAS, and otherwise as many as this process has cores."""
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(loop: Callable[[Any], list[list[Any]]], parts: Sequence[Any]) -> list[list[Any]]:
    """Run `loop(part)` for each part, the first in this thread. It returns some lists, which are joined in order.

    An error is raised after all threads have ended. np.errstate holds in all of them.
    """
    pool = _workers()
    running = [pool.submit(copy_context().run, loop, part) for part in parts[1:]]
    try:
        found = loop(parts[0])
    finally:
        wait(running)
    for each in running:
        for joined, further in zip(found, each.result(), strict=True):
            joined.extend(further)
    return found


def _workers() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(count() - 1, 1), thread_name_prefix="xgrad.compile")
        return _pool


def _forget() -> None:
    """A forked process has none of the threads."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
