"""Ctrl-C, SIGTERM and SIGHUP end a run between two steps, so that no step is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from xgrad._starting import SIGNALS, leave

PATIENCE = 3  # while files are written, this signal ends the writing


class Interrupted(KeyboardInterrupt):
    """Raised by a repeated signal to end a run at once. `number` is the number of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Ending:
    """Whether the run is to end: call it. `number` is the number of the first signal, or None."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.saving = False  # set while results are saved
        self._while_saving = 0

    def __call__(self) -> bool:
        return self.number is not None

    def ask(self, number: int, frame: Any) -> None:
        """The signal handler. A second signal ends the current step at once; the steps before it are still saved."""
        asked_before = self.number is not None
        self.number = number if self.number is None else self.number
        self._while_saving += self.saving
        if self._while_saving >= PATIENCE or (asked_before and not self.saving):
            raise Interrupted(number)


@contextmanager
def ending() -> Iterator[Ending]:
    """Handles the signals while the block runs, and yields an Ending.

    Only the main thread can do that. In other threads the signals act as usual. So do a signal that is ignored (nohup), and
    SIGTERM and SIGHUP in a program that handles them itself.
    """
    asked = Ending()
    with _handled(asked.ask):
        yield asked


@contextmanager
def raising() -> Iterator[None]:
    """In this block each of the signals raises Interrupted where the program is, as Ctrl-C does in a program of the user's."""

    def interrupt(number: int, frame: Any) -> None:
        raise Interrupted(number)

    with _handled(interrupt):
        yield


@contextmanager
def _handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """The signals that act as usual call this handler while the block runs."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: own for number in SIGNALS if _is_ours(number, own := signal.getsignal(number))}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, own in before.items():
            signal.signal(number, own)


@contextmanager
def held() -> Iterator[None]:
    """Delays signals until the block has ended."""
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
