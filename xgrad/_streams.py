"""Output on streams that may be closed, full, or a broken pipe: what cannot be written is lost, and the program continues."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any


def complain(text: str) -> None:
    """Write a line to the standard error, if that is possible."""
    try:
        write_line(sys.stderr, text)
    except OSError:
        silence(sys.stderr)


def write_line(stream: Any, text: str) -> None:
    """Write a line. Raises OSError if that fails."""
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


class Forgiving:
    """A stream that may break, as when a terminal is closed. Then the output is lost and the run continues."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        try:
            self.stream.write(text)
        except (OSError, ValueError):
            silence(self.stream)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except (OSError, ValueError):
            silence(self.stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
