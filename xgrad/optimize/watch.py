"""What happens after each iteration: the user's callback, and the list of all places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.optimize.objective import Evaluated
from xgrad.optimize.result import OptimizeResult


class Watch:
    """Calls the callback, and notes whether it asked to stop."""

    def __init__(self, callback: Callable[..., Any] | None, of: Evaluated, keeps_all: bool) -> None:
        self.callback = callback
        self.of = of
        self.stopped = False
        self.visited: list[Any] | None = [of.tree(of.start)] if keeps_all else None
        self.takes_result = callback is not None and _takes_result(callback)

    def halts(self, x: Tensor, **state: Any) -> bool:
        """Whether to stop after the iteration that led to x. `state` is the rest of the intermediate result, as `fun`."""
        if self.visited is not None:
            self.visited.append(self.of.tree(x))
        if self.callback is None:
            return False
        try:
            if self.takes_result:
                self.callback(intermediate_result=OptimizeResult(x=self.of.tree(x), **state))
            else:
                self.callback(self.of.tree(x))
        except StopIteration:
            self.stopped = True
        return self.stopped


def _takes_result(callback: Callable[..., Any]) -> bool:
    """Whether the only parameter is called intermediate_result: SciPy's newer kind of callback."""
    import inspect

    try:
        return set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):  # a function of C has no signature
        return False
