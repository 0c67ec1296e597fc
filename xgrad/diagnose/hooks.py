"""The hooks that call a watcher. Copies and pickles of a watched model or optimizer are not watched."""

from __future__ import annotations

import inspect
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
    removing = [w.run.model.register_forward_hook(Called(me), with_kwargs=True).remove]
    if isinstance(w.run.loss, nn.Module):
        removing.append(w.run.loss.register_forward_hook(Called(me), with_kwargs=True).remove)
    if w.run.optimizer is not None:
        removing.append(Step(w.run.optimizer, me).remove)
    return removing


def _nobody() -> None:
    return None


class Called:
    """A forward hook that notes the arguments of the model or the loss."""

    def __init__(self, me: Reference) -> None:
        self.me = me

    def __call__(self, module: Any, args: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        w = self.me()
        if w is None or w.operations.private or not tape.is_recording():
            return
        if module is w.run.model:
            w.run.batch, w.run.named = args, named
        elif module is w.run.loss:
            w.run.target = args[1] if len(args) > 1 else named.get("target")

    def __reduce__(self) -> Any:
        return Called, (_nobody,)


class Step:
    """Replaces the `step` of an optimizer. Several watchers of one optimizer stand in a row."""

    def __init__(self, optimizer: optim.Optimizer, me: Reference) -> None:
        self.me = me
        self.optimizer = weakref.ref(optimizer)
        self.plain = type(optimizer).step
        self.next: Any = vars(optimizer).get("step")  # of a watcher that was there before
        optimizer.step = self  # type: ignore[assignment, method-assign]

    def __call__(self, closure: Callable[[], Any] | None = None) -> Any:
        w, optimizer = self.me(), self.optimizer()
        assert optimizer is not None
        step = MethodType(self.plain, optimizer) if self.next is None else self.next
        if w is None or w.operations.private:
            return step(closure)
        loss = None
        if closure is not None and needs_closure(optimizer):
            loss = step(First(closure, w.before_update))
        else:
            if closure is not None:  # it computes the gradients that the watcher reads
                with tape.set_recording(True):
                    loss = closure()
            w.before_update()
            step()
        w.after_update()
        return loss

    def remove(self) -> None:
        optimizer = self.optimizer()
        first = None if optimizer is None else vars(optimizer).get("step")
        if optimizer is not None and first is self:
            if self.next is None:
                del optimizer.step
            else:
                optimizer.step = self.next  # type: ignore[method-assign]
        while isinstance(first, Step):
            if first.next is self:
                first.next = self.next
            first = first.next

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        optimizer = self.optimizer()
        return MethodType(self.plain, memo[id(optimizer)])

    def __reduce__(self) -> Any:
        return getattr, (self.optimizer(), "step")  # a copy has the step of its class


class First:
    """A closure that calls the watcher after its first call: there the gradients are those at the weights before the step."""

    def __init__(self, closure: Callable[[], Any], then: Callable[[], None]) -> None:
        self.closure, self.then = closure, then
        self.called = False

    def __call__(self) -> Any:
        loss = self.closure()
        if not self.called:
            self.called = True
            self.then()
        return loss


def needs_closure(optimizer: Any) -> bool:
    """Whether the optimizer's step evaluates the loss itself, several times."""
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty
