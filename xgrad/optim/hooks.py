"""Functions of the user's that run before and after each step of an optimizer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

Hook = Callable[..., Any]
_numbers = itertools.count()


class StepHookHandle:
    """The handle of a hook, which removes it."""

    def __init__(self, optimizer: Any, kind: str, hook: Hook) -> None:
        self.optimizer, self.kind, self.number = optimizer, kind, next(_numbers)
        setattr(optimizer, kind, {**getattr(optimizer, kind), self.number: hook})

    def remove(self) -> None:
        """Remove the hook. Removing it twice is no error."""
        hooks = getattr(self.optimizer, self.kind)
        setattr(self.optimizer, self.kind, {number: hook for number, hook in hooks.items() if number != self.number})


def before_step(optimizer: Any, hooks: Mapping[int, Hook], closure: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Call the hooks. Returns the arguments of the step, which a hook may replace."""
    args: tuple[Any, ...] = (optimizer,) if closure is None else (optimizer, closure)
    kwargs: dict[str, Any] = {}
    for hook in tuple(hooks.values()):
        replaced = hook(optimizer, args, kwargs)
        if replaced is not None:
            if not isinstance(replaced, tuple) or len(replaced) != 2:
                raise TypeError(
                    f"{optimizer.name}: a hook before a step must return None or (args, kwargs), got {replaced!r:.60}"
                )
            args, kwargs = replaced
    return args, kwargs
