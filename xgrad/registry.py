"""Every public function, by its name in the namespace, and what can be said of its derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[str, Callable[..., Any]] = {}
ELEMENTWISE: set[str] = set()  # those that treat each element alone, and broadcast
DERIVATIVES: dict[str, str] = {}  # name -> "rule", "composition", or why there is none


def public(name: str, derivative: str) -> Callable[[F], F]:
    """Publish a function under a name of the standard (or a door's), saying how its derivative comes about."""

    def register(function: F) -> F:
        FUNCTIONS[name] = function
        DERIVATIVES[name] = derivative
        return function

    return register
