"""The transfer guard: it reports NumPy arrays that move to another library because they met one of its arrays.

    XGRAD_TRANSFER_GUARD   allow (the default), warn or error

Each such move costs time: on a GPU, a copy from the host. What a program asks for (`xg.asarray`, a parameter, `load_state_dict`)
is not reported.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from xgrad.backends.frames import users_frame

LEVELS = ("allow", "warn", "error")

_in_context: ContextVar[str | None] = ContextVar("xgrad_transfer_guard", default=None)


class TransferError(RuntimeError):
    """A NumPy array would have moved to a device unasked, under `transfer_guard("error")`."""


@contextmanager
def transfer_guard(level: str) -> Iterator[None]:
    """While the block runs, "allow", "warn" of, or raise a TransferError ("error") at NumPy arrays that move unasked.

    A NumPy array moves to the backend and device of the tensor that it meets. The report has the line of the program. On the
    NumPy backend nothing moves. It holds for this thread and asyncio task; XGRAD_TRANSFER_GUARD sets it for the process.

    >>> import numpy as np
    >>> import xgrad as xg
    >>> with xg.transfer_guard("error"):
    ...     y = xg.asarray([1.0, 2.0]) * 3.0

    It is named after JAX's: https://docs.jax.dev/en/latest/transfer_guard.html
    """
    token = _in_context.set(_checked(level, "transfer_guard(level)"))
    try:
        yield
    finally:
        _in_context.reset(token)


def _checked(level: Any, what: str) -> str:
    if level not in LEVELS:
        raise ValueError(f"{what} is one of {', '.join(map(repr, LEVELS))}, not {level!r}")
    return str(level)


def report_move(array: Any, target: Any) -> None:
    """Report that a NumPy array is about to move to a backend."""
    level = _in_context.get()
    if level is None:
        level = _checked(os.environ.get("XGRAD_TRANSFER_GUARD") or "allow", "XGRAD_TRANSFER_GUARD")
    if level == "allow":
        return
    frame, depth = users_frame()
    text = (
        f"a NumPy array of shape {tuple(array.shape)} and dtype {array.dtype} moves to {target} at "
        f"{frame.f_code.co_filename}, line {frame.f_lineno}. To move it once, and not in each step, call "
        "xgrad.asarray(array) before."
    )
    if level == "error":
        raise TransferError(text)
    warnings.warn(text, stacklevel=depth)
