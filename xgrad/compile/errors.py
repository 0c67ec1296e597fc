"""What compile refuses, and where in the user's program that was."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

Place = tuple[str, int] | None  # a file and a line

OURS = tuple(str(folder) for folder in (Path(__file__).parents[1], (Path(__file__).parents[1] / "backends").resolve()))


class CompileError(RuntimeError):
    """`xgrad.compile` cannot compile what a function does. The message has the user's file and line, and what to write instead.

    >>> import xgrad as xg
    >>> @xg.compile
    ... def f(x):
    ...     return x if xg.sum(x) > 0 else -x
    >>> try:
    ...     f(xg.asarray([1.0, 2.0]))
    ... except xg.CompileError as error:
    ...     print(str(error).partition(":")[0])
    compile
    """

    says_where = True


def user_frame() -> FrameType | None:
    """The innermost frame that is not of xgrad."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back
    return frame


def user_line() -> str:
    """The user's file and line that is running now, as "train.py, line 12"; "" if there is none."""
    return described(user_place())


def user_place() -> Place:
    """The user's file and line that is running now."""
    frame = user_frame()
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def described(place: Place) -> str:
    return "" if place is None else f"{place[0]}, line {place[1]}"


def refused(what: str, instead: str) -> CompileError:
    """The error for something that cannot be compiled."""
    line = user_line()
    return CompileError(f"compile: {what}{' (' + line + ')' if line else ''}. {instead}")
