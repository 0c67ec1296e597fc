"""Switches that hold for a block of code."""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import Any

from xgrad.backends.determinism import require_determinism
from xgrad.engine.tape import set_recording


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


_debugging: ContextVar[bool] = ContextVar("xgrad_debug", default=False)


class debug(ContextDecorator):  # noqa: N801 (as no_grad)
    """Check what a library does not check by itself, for the thread that is in the block, at the price of waiting for a device.

    An index out of range raises IndexError on every backend: CuPy alone would wrap it around without a word.

    >>> import xgrad as xg
    >>> with xg.debug():
    ...     xg.asarray([1.0, 2.0])[xg.asarray([0, 1])].shape
    (2,)
    """

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(_debugging.set(True))

    def __exit__(self, *error: Any) -> None:
        _debugging.reset(self._tokens.pop())

    def _recreate_cm(self) -> debug:
        return type(self)()


def is_debugging() -> bool:
    return _debugging.get()


class use_deterministic:  # noqa: N801 (as no_grad)
    """Ask for the same bits in every run: for the whole process from here on, or, as `with`, until the block ends.

    What is added or written at repeated indices (the gradients of `x[i]`, `take` and `take_along_axis`, and `at(x, i).add`) is
    then sorted first on a GPU, instead of added by atomics in any order; that costs time. Elsewhere nothing changes: on a CPU
    every run gives the same bits anyway.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> with xg.use_deterministic(True):
    ...     xg.sum(x[xg.asarray([0, 0, 1])]).backward()
    >>> x.grad.numpy().tolist()
    [2.0, 1.0]
    """

    def __init__(self, on: bool = True, /) -> None:
        self._on = bool(on)
        self._before = [require_determinism(self._on)]
        self._is_new = True

    def __enter__(self) -> None:
        if not self._is_new:  # one object may be entered again, also inside itself
            self._before.append(require_determinism(self._on))
        self._is_new = False

    def __exit__(self, *error: Any) -> None:
        require_determinism(self._before.pop())
