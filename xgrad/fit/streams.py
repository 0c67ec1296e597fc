"""The output of the command, on streams that may be closed, full, or a broken pipe."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from xgrad.fit.errors import FitError


def open_standard_files() -> None:
    """Open the null device for each standard stream that is closed, so that no other file gets its descriptor."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def say(text: str) -> None:
    """Write a line to the standard output. A broken pipe is no error. FitError if it cannot be written for another reason."""
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise FitError(f"the standard output cannot be written: {error.strerror or error}") from None


def complain(text: str) -> None:
    """Write a line to the standard error, if that is possible."""
    try:
        _write(sys.stderr, text)
    except OSError:
        silence(sys.stderr)


def _write(stream: Any, text: str) -> None:
    if stream is None:  # it was closed when Python started
        return
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:  # the encoding of the terminal lacks a character
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")
    stream.flush()


def silence(stream: Any) -> None:
    """Redirect a broken stream to the null device, since Python would fail again when it flushes the stream at exit."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
