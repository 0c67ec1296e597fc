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
    """A NumPy array was about to move to another backend within `transfer_guard("error")`.

    >>> import numpy as np
    >>> import xgrad as xg
    >>> with xg.use_backend("strict"), xg.transfer_guard("error"):  # array-api-strict
    ...     try:
    ...         xg.asarray([1.0, 2.0]) * np.ones(2)
    ...     except xg.TransferError as error:
    ...         print(str(error).partition(" at ")[0])
    a NumPy array of shape (2,) and dtype float64 moves to Backend(strict, device1)
    """


@contextmanager
def transfer_guard(level: str) -> Iterator[None]:
    """Report NumPy arrays that move to another backend because they met one of its tensors, while the block runs.

    The report has the line of the program. On the NumPy backend nothing moves. It holds for this thread and this asyncio task;
    the environment variable XGRAD_TRANSFER_GUARD sets the level for the process.

    >>> import numpy as np
    >>> import xgrad as xg
    >>> with xg.transfer_guard("error"):
    ...     y = xg.asarray([1.0, 2.0]) * 3.0

    Args:
        level: "allow" (no report), "warn" (a warning) or "error" (a TransferError).

    Returns:
        A context manager.

    Raises:
        TransferError: in the block, at level "error".
        ValueError: on entering the block, for another level.

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
