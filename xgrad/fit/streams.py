"""The standard streams of the command, which may be closed, full, or a broken pipe."""

from __future__ import annotations

import os
import sys

from xgrad._streams import silence, write_line
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
        write_line(sys.stdout, text)
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise FitError(f"the standard output cannot be written: {error.strerror or error}") from None
