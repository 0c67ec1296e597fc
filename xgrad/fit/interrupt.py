"""Ctrl-C, SIGTERM and SIGHUP as requests that are honoured between two steps, so that none is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xgrad._starting import SIGNALS, leave

PATIENCE = 3  # signals while files are written, the last of which gives them up


class Interrupted(KeyboardInterrupt):
    """What a run is broken off by, where it cannot be asked any more. `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Ending:
    """Call it to hear whether the run was asked to end; `number` is the signal that asked first."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.saving = False  # set where what there is is being saved
        self._while_saving = 0

    def __call__(self) -> bool:
        return self.number is not None

    def ask(self, number: int, frame: Any) -> None:
        """A signal's handler. Asked again, a step is broken off at once; what was before it is still saved."""
        asked_before = self.number is not None
        self.number = number if self.number is None else self.number
        self._while_saving += self.saving
        if self._while_saving >= PATIENCE or (asked_before and not self.saving):
            raise Interrupted(number)


@contextmanager
def ending() -> Iterator[Ending]:
    """Listens to signals while the block runs.

    Only the main thread can do that; in another one, they do what they do without this. So does a signal that is ignored
    (nohup), and SIGTERM and SIGHUP in a program that handles them itself.
    """
    asked = Ending()
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: handler for number in SIGNALS if _is_ours(number, handler := signal.getsignal(number))}
    for number in before:
        signal.signal(number, asked.ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Signals wait until the block is done, which is not to be left half done."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_ours(number: int, handler: Any) -> bool:
    return callable(handler) if number == signal.SIGINT else handler in (signal.SIG_DFL, leave)
