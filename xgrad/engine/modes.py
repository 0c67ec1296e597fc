"""Context managers that change how a block of code runs: no_grad, debug, use_deterministic."""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import Any

from xgrad.backends.determinism import require_determinism
from xgrad.engine.tape import set_recording


class no_grad(ContextDecorator):  # noqa: N801 (PyTorch's name)
    """Turn recording off in a block, or in the function that it decorates. Results there require no gradient.

    It holds for this thread and this asyncio task. Transforms such as `grad` turn recording on again for the function that they
    differentiate. Raises nothing.

    >>> import xgrad as xg
    >>> x = xg.asarray(2.0, requires_grad=True)
    >>> with xg.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False

    https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html
    """

    def __init__(self) -> None:
        self._blocks: list[Any] = []  # the blocks that are open: one object may be entered again inside itself

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
    """Check in a block what a library does not check by itself: indices, on CuPy.

    CuPy wraps an index that is out of range around; here it raises IndexError, as on every other backend. Each check waits for
    the device. It holds for this thread and this asyncio task, and decorates functions too.

    >>> import xgrad as xg
    >>> with xg.debug():
    ...     try:
    ...         xg.asarray([1.0, 2.0])[xg.asarray([0, 2])]
    ...     except IndexError:
    ...         print("caught")
    caught

    Raises:
        IndexError: in the block, for an index out of range.

    https://docs.cupy.dev/en/stable/user_guide/difference.html
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
    """Make results the same bit for bit in every run: from this call on, or as `with` until the block ends.

    On a GPU, elements that are added at repeated indices (by the gradients of `x[i]`, `take` and `take_along_axis`, and by
    `at(x, i).add`) are otherwise added by atomic operations in any order. Here they are sorted first, which takes time. On a CPU
    nothing changes: every run gives the same bits anyway. It holds for the whole process. Raises nothing.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> with xg.use_deterministic(True):
    ...     xg.sum(x[xg.asarray([0, 0, 1])]).backward()
    >>> x.grad.numpy().tolist()
    [2.0, 1.0]

    Args:
        on: whether to turn it on or off.

    https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
    """

    def __init__(self, on: bool = True, /) -> None:
        self._on = bool(on)
        self._before = [require_determinism(self._on)]
        self._is_new = True

    def __enter__(self) -> None:
        if not self._is_new:  # one object may be entered again, even inside itself
            self._before.append(require_determinism(self._on))
        self._is_new = False

    def __exit__(self, *error: Any) -> None:
        require_determinism(self._before.pop())
