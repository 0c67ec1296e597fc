"""Functions that `xgrad.amp.autocast` leaves in float32 as a whole: losses, distances and normalization."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from xgrad.amp.autocast import raised
from xgrad.engine import casting

P = ParamSpec("P")
R = TypeVar("R")


def in_float32(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that needs range and digits: under autocast, tensors of half precision are cast to float32 first.

    Elsewhere it computes in the dtypes of its arguments.
    """

    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        if not casting.blocks or casting.current() is None:
            return function(*args, **kwargs)
        with casting.without_casts():
            return function(*map(raised, args), **{name: raised(value) for name, value in kwargs.items()})  # type: ignore[arg-type]

    return computed
