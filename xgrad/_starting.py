"""Signals during the start of the `xgrad` command: it ends at once, with one line and without a traceback.

`xgrad` imports this first, because the import of the rest takes long enough for a Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from itertools import pairwise
from typing import Any, NoReturn

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def leave(number: int, frame: Any) -> NoReturn:
    """End the process with the status that a shell gives a process that this signal ended."""
    with suppress(OSError):
        os.write(2, b"xgrad: interrupted\n")
    os._exit(128 + number)


def is_command() -> bool:
    """Whether this process is `xgrad` or `python -m xgrad`, and not a program that imports xgrad."""
    name = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else ""
    if name == "-m":
        return ("-m", "xgrad") in pairwise(sys.orig_argv) or "-mxgrad" in sys.orig_argv
    return name in ("xgrad", "xgrad.exe")


def listen() -> None:
    """End the process on a signal. A signal that is ignored, as under nohup, stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, leave)


if is_command():
    with suppress(ValueError):  # this is not the main thread
        listen()
