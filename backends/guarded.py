"""A namespace whose functions run on one device, for a library that runs every function on its current device."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from types import ModuleType
from typing import Any

NO_GUARD: AbstractContextManager[Any] = nullcontext()


class Guarded:
    """The namespace `xp`, with each call inside the context manager `guard`, which makes the device the current one."""

    def __init__(self, xp: Any, guard: AbstractContextManager[Any]) -> None:
        self._xp = xp
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._xp, name)
        if isinstance(value, type):  # a dtype
            return value
        if callable(value):
            value = _guarded(value, self._guard)
        elif isinstance(value, ModuleType) or hasattr(type(value), "__getattr__"):  # linalg, fft, special
            value = Guarded(value, self._guard)
        else:
            return value
        self.__dict__[name] = value
        return value


def _guarded(function: Callable[..., Any], guard: AbstractContextManager[Any]) -> Callable[..., Any]:
    @wraps(function, assigned=("__name__", "__doc__"), updated=())
    def called(*args: Any, **kwargs: Any) -> Any:
        with guard:
            return function(*args, **kwargs)

    return called
