"""Decorators of functions that `xgrad.amp.autocast` computes in one precision as a whole, and not operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from xgrad.amp.autocast import raised
from xgrad.engine import casting

P = ParamSpec("P")
R = TypeVar("R")


def in_float32(function: Callable[P, R]) -> Callable[P, R]:
    """For a function that needs range and digits, such as a loss: under autocast, half precision is cast to float32 first."""
    return _cast_by(lambda: raised, function)


def lowered(function: Callable[P, R]) -> Callable[P, R]:
    """For a product of several operations, such as one with a bias: under autocast, all is cast to the lower dtype first."""
    return _cast_by(lambda: casting.current().lowered, function)


def _cast_by(cast: Callable[[], Callable[[Any], Any]], function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        if not casting.blocks or casting.current() is None:
            return function(*args, **kwargs)
        each = cast()
        args, kwargs = map(each, args), {name: each(value) for name, value in kwargs.items()}  # type: ignore[assignment]
        with casting.without_casts():
            return function(*args, **kwargs)

    return computed
