"""The hooks that call a watcher. Copies and pickles of a watched model or optimizer are not watched."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any, Protocol

from xgrad import nn, optim
from xgrad.diagnose.operations import Operations
from xgrad.diagnose.run import Run
from xgrad.engine import tape


class Watcher(Protocol):
    """The part of `Watch` that hooks use."""

    run: Run
    operations: Operations

    def before_update(self) -> None: ...

    def after_update(self) -> None: ...


Reference = Callable[[], Watcher | None]


def hook(w: Watcher) -> list[Callable[[], None]]:
    """Attach the watcher to its model, loss and optimizer. Returns functions that detach it. The hooks do not keep it alive."""
    me: Reference = weakref.ref(w)
    removing = [w.run.model.register_forward_hook(Called(me)).remove]
    if isinstance(w.run.loss, nn.Module):
        removing.append(w.run.loss.register_forward_hook(Called(me)).remove)
    if w.run.optimizer is not None:
        removing.append(Step(w.run.optimizer, me).remove)
    return removing


def _nobody() -> None:
    return None


class Called:
    """A forward hook that notes the arguments of the model or the loss."""

    def __init__(self, me: Reference) -> None:
        self.me = me

    def __call__(self, module: Any, args: tuple[Any, ...], output: Any) -> None:
        w = self.me()
        if w is None or w.operations.private or not tape.is_recording():
            return
        if module is w.run.model:
            w.run.batch = args
        elif module is w.run.loss:
            w.run.target = args[1] if len(args) > 1 else None

    def __reduce__(self) -> Any:
        return Called, (_nobody,)


class Step:
    """Replaces the `step` of an optimizer."""

    def __init__(self, optimizer: optim.Optimizer, me: Reference) -> None:
        self.me = me
        self.optimizer = weakref.ref(optimizer)
        self.plain = type(optimizer).step
        optimizer.step = self  # type: ignore[assignment, method-assign]

    def __call__(self, closure: Callable[[], Any] | None = None) -> Any:
        w, optimizer = self.me(), self.optimizer()
        assert optimizer is not None
        if w is None or w.operations.private:
            return self.plain(optimizer, closure)
        loss = None
        if closure is not None:  # it computes the gradients that the watcher reads
            with tape.set_recording(True):
                loss = closure()
        w.before_update()
        self.plain(optimizer)
        w.after_update()
        return loss

    def remove(self) -> None:
        optimizer = self.optimizer()
        if optimizer is not None and vars(optimizer).get("step") is self:
            del optimizer.step

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        optimizer = self.optimizer()
        return MethodType(self.plain, memo[id(optimizer)])

    def __reduce__(self) -> Any:
        return getattr, (self.optimizer(), "step")  # a copy has the step of its class
