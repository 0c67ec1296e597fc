"""Ctrl-C as a request that is honoured between two steps, so that none is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def ctrl_c_asks() -> Iterator[Callable[[], bool]]:
    """Yields a function that says whether Ctrl-C was pressed. Pressed again, it interrupts at once.

    Only the main thread can do that; in another one, Ctrl-C does what it does without this.
    """
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.getsignal(signal.SIGINT)
    # one that is ignored (nohup) or not Python's stays as it is
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: False
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
