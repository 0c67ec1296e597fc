"""Functions of the user's that run before and after each step of an optimizer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

Hook = Callable[..., Any]
_numbers = itertools.count()


class StepHookHandle:
    """The handle of a hook, which removes it."""

    def __init__(self, optimizer: Any, when: str, hook: Hook) -> None:
        self.optimizer, self.number = optimizer, next(_numbers)
        optimizer._hooks = {**optimizer._hooks, self.number: (when, hook)}

    def remove(self) -> None:
        """Remove the hook. Removing it twice is no error."""
        hooks = self.optimizer._hooks
        self.optimizer._hooks = {number: hook for number, hook in hooks.items() if number != self.number}


def before_step(optimizer: Any, closure: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Call the hooks that run before a step. Returns its arguments, which a hook may replace."""
    args: tuple[Any, ...] = (optimizer,) if closure is None else (optimizer, closure)
    kwargs: dict[str, Any] = {}
    for when, hook in tuple(optimizer._hooks.values()):
        replaced = hook(optimizer, args, kwargs) if when == "before" else None
        if replaced is not None:
            if not isinstance(replaced, tuple) or len(replaced) != 2:
                raise TypeError(
                    f"{optimizer.name}: a hook before a step must return None or (args, kwargs), got {replaced!r:.60}"
                )
            args, kwargs = replaced
    return args, kwargs


def after_step(optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Call the hooks that run after a step."""
    for when, hook in tuple(optimizer._hooks.values()):
        if when == "after":
            hook(optimizer, args, kwargs)
