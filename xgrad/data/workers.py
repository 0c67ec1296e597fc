"""Threads that make batches ahead of time, and the reading of the samples of one batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import copy_context
from itertools import islice
from typing import Any

Make = Callable[[Any, threading.Event], Any]


def prefetched(tasks: Iterator[Any], make: Make, workers: int, ahead: int) -> Iterator[Any]:
    """`make(task, stopping)` for each task, in order, made by `workers` threads that are up to `ahead` tasks in front.

    An error comes out at its turn. When the iterator is closed, which a `break`, an error or Ctrl-C does, tasks that have not
    begun are dropped, and each thread ends after its task. `stopping` is then set, so that `make` can end earlier.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    stopping = threading.Event()
    context = copy_context()  # the backend and the modes of the caller hold in the threads
    pool = ThreadPoolExecutor(workers, thread_name_prefix="xgrad-DataLoader")
    pending: deque[Future[Any]] = deque()

    def submit(count: int) -> None:
        for task in islice(tasks, count):
            pending.append(pool.submit(context.copy().run, make, task, stopping))

    try:
        submit(ahead)
        while pending:
            submit(1 + ahead - len(pending))
            yield pending.popleft().result()
    finally:
        stopping.set()
        pending.clear()
        # Without waiting: a thread may need a lock that this one holds, or may be in a long read.
        pool.shutdown(wait=False, cancel_futures=True)


class Turns:
    """Lets threads read from one iterator in the order of their tasks."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self.iterator = iterator
        self.turn = 0
        self.condition = threading.Condition()

    def take(self, number: int, read: Callable[[Iterator[Any]], Any]) -> Any:
        """`read(iterator)`, after those of the tasks with smaller numbers."""
        with self.condition:
            while self.turn != number:
                self.condition.wait()
        try:
            return read(self.iterator)
        finally:
            with self.condition:
                self.turn = number + 1
                self.condition.notify_all()
