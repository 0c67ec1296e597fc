"""What the command says: on streams that may be closed, full, or read by nobody."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from xgrad.fit.errors import FitError


def open_standard_files() -> None:
    """Put the null device where standard input, output or error is closed: the next file to be opened would take its place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def say(text: str) -> None:
    """A line on the standard output. Where nobody reads it that is no error; where it cannot be written, a FitError says so."""
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise FitError(f"the standard output cannot be written: {error.strerror or error}") from None


def complain(text: str) -> None:
    """A line on the standard error, if there is one."""
    try:
        _write(sys.stderr, text)
    except OSError:
        silence(sys.stderr)


def _write(stream: Any, text: str) -> None:
    if stream is None:  # it was closed when Python started
        return
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:  # as the environment's language has it
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")
    stream.flush()


def silence(stream: Any) -> None:
    """Send what is left in a broken stream to the null device: Python writes it at the end, and would fail again."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
