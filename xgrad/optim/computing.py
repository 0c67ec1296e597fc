"""The end of a step on a backend with deferred computation: compute the step, or undo it."""

from __future__ import annotations

from typing import Any

from xgrad.engine import deferred
from xgrad.engine.persist import persist
from xgrad.engine.tensor import Tensor
from xgrad.optim.state import State


class Before:
    """A parameter and its state before the step. Deferred arrays are never written in place, so references to them suffice."""

    def __init__(self, p: Tensor, state: State | None) -> None:
        self.p = p
        self.data = p.data
        self.kept = None if state is None else dict(state)

    def restore(self, states: dict[Tensor, State]) -> None:
        self.p.data = self.data
        if self.kept is None:
            states.pop(self.p, None)
            return
        state = states[self.p]
        state.clear()
        state.update(self.kept)
        state.forget()


def compute(optimizer: Any, moved: list[Before]) -> None:
    """Compute what a step has deferred: parameters, state, gradients, and the losses that the gradients came from.

    An error of the computation is raised. Then parameters and state are as before the step, and the losses stay deferred.
    """
    leaves = {leaf for before in moved if (leaf := before.p._leaf()) is not None}
    losses, reached = deferred.take(leaves)
    gradients = [leaf.grad for leaf in reached if leaf.grad is not None]
    try:
        persist(optimizer, losses, gradients)
    except BaseException as error:
        for before in moved:
            before.restore(optimizer.state)
        told = (
            moved[0].p.backend.out_of_memory(f"{optimizer.name}.step", error) if isinstance(error, Exception) else None
        )
        if told is None:
            raise
        raise told from error
