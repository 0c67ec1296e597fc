"""Casts of arguments: while a block of `xgrad.amp.autocast` runs, it may replace the arguments of an operation before that runs.

This file knows no operation and no dtype. It holds the caster of the innermost block, and dispatch.py asks it:

    caster.cast(op, args)    the arguments to run the operation with
    caster.key               what tells casters apart that cast in different ways, for the signature of a compiled function

While no block is open, this costs one test of an empty list, and in the fast path nothing: an open block turns it off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from xgrad.backends.guarded import NO_GUARD
from xgrad.engine import plain

P = ParamSpec("P")
R = TypeVar("R")

blocks: list[None] = []  # one entry for each open block, in any thread, that casts
_innermost: ContextVar[cast_by | None] = ContextVar("xgrad_casting", default=None)


class cast_by:  # noqa: N801 (it is used as a function is)
    """Let `caster` cast arguments in this thread (and this asyncio task) while the block runs. With None, nothing is cast."""

    __slots__ = ("_token", "caster", "ended", "outer")

    def __init__(self, caster: Any) -> None:
        self.caster = caster

    def __enter__(self) -> None:
        self.ended = False
        self.outer = _innermost.get()
        self._token = _innermost.set(self)
        if self.caster is not None:
            blocks.append(None)
            plain.close()

    def __exit__(self, *error: object) -> None:
        self.ended = True
        if self.caster is not None:
            plain.reopen()
            blocks.pop()
        _innermost.reset(self._token)


def current() -> Any:
    """The caster of the innermost block; None if nothing is cast.

    A task that is started in a block may outlive it. For the rest of the task, the block no longer holds.
    """
    block = _innermost.get() if blocks else None
    while block is not None and block.ended:
        block = block.outer
    return None if block is None else block.caster


def key() -> Any:
    """What the results of operations depend on besides their arguments: the key of the caster, or None."""
    caster = current() if blocks else None
    return None if caster is None else caster.key


def prepared(op: Any, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments that the operation runs with."""
    caster = current()
    found: Sequence[Any] = args if caster is None else caster.cast(op, args)
    return found


def without_casts() -> AbstractContextManager[None]:
    """A block in which nothing is cast. The reverse pass runs in one: its arrays have the dtypes that the forward pass chose."""
    return cast_by(None) if blocks else NO_GUARD


def uncast(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that computes with the dtypes of its arguments, such as one that resizes images by a matrix product."""

    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        if not blocks:
            return function(*args, **kwargs)
        with cast_by(None):
            return function(*args, **kwargs)

    return computed
