"""Switches that hold for a block of code."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from xgrad.tape import set_recording


class no_grad(ContextDecorator):  # noqa: N801 (PyTorch's name)
    """Nothing is recorded while the block, or the decorated function, runs. Holds for the thread that is in it.

    >>> import xgrad as xg
    >>> x = xg.asarray(2.0, requires_grad=True)
    >>> with xg.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    def __init__(self) -> None:
        self._blocks: list[Any] = []  # entered and not yet left: one object may be entered again inside itself

    def __enter__(self) -> None:
        block = set_recording(False)
        block.__enter__()
        self._blocks.append(block)

    def __exit__(self, *error: Any) -> None:
        self._blocks.pop().__exit__(*error)

    def _recreate_cm(self) -> no_grad:
        return type(self)()
