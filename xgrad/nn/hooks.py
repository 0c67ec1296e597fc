"""Hooks: functions that a module calls before or after each forward."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_numbers = itertools.count()


class Hook(NamedTuple):
    """A function that a module calls, and whether it is given the keyword arguments too."""

    function: Callable[..., Any]
    with_kwargs: bool

    def before(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The arguments of the forward that follows."""
        if not self.with_kwargs:
            replaced = self.function(module, args)
            if replaced is None:
                return args, kwargs
            return (replaced if isinstance(replaced, tuple) else (replaced,)), kwargs
        replaced = self.function(module, args, kwargs)
        if replaced is None:
            return args, kwargs
        if not (isinstance(replaced, tuple) and len(replaced) == 2):
            raise RuntimeError(
                f"a forward pre-hook with keyword arguments returns None or a tuple of arguments and a dict, got {replaced!r}"
            )
        return replaced

    def after(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        """The output of the forward before."""
        given = (args, kwargs) if self.with_kwargs else (args,)
        replaced = self.function(module, *given, output)
        return output if replaced is None else replaced


Hooks = Mapping[int, Hook]


def added(hooks: Hooks, hook: Hook, first: bool) -> tuple[Hooks, int]:
    """The hooks with one more, and its number."""
    number = next(_numbers)
    return ({number: hook, **hooks} if first else {**hooks, number: hook}), number


class HookHandle:
    """The handle of a hook, which removes it. In a `with` block, the hook is removed at its end."""

    def __init__(self, module: Any, kind: str, number: int) -> None:
        self.module, self.kind, self.number = module, kind, number

    def remove(self) -> None:
        """Remove the hook. Removing it twice is no error."""
        hooks: Hooks = getattr(self.module, self.kind)
        setattr(self.module, self.kind, {number: hook for number, hook in hooks.items() if number != self.number})

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()
