"""Listening to a program: the modules and losses that it calls, its backward passes, and the steps of its optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, NamedTuple

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.network import tensors_in
from xgrad.diagnose.operations import Operations
from xgrad.engine import tape
from xgrad.engine.tensor import Tensor

LOSSES = (
    "cross_entropy",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
)  # and what ends in _loss
Stepped = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class Call(NamedTuple):
    """A call of a module or of a loss function."""

    called: Any
    args: tuple[Any, ...]
    named: dict[str, Any]
    output: Any
    depth: int  # in how many modules it was made


class Listener:
    """Notes the calls of a program while `listening`: the last one of each module and of each loss.

    Calls in which nothing is recorded, such as those of a validation, are not noted. Nor are those of a watcher.
    """

    def __init__(self, stepped: Stepped) -> None:
        self.stepped = stepped  # called in the place of an optimizer's step, with the step itself and its arguments
        self.calls: dict[int, Call] = {}  # by the id of what was called; the last one is at the end
        self.losses: list[Tensor] = []  # on which backward was called since they were taken
        self.depth = 0
        self.all_modules = True  # whether calls of modules are still noted
        self.wanted: Any = None  # the loss function whose last call is noted after that
        self.last: Call | None = None  # this call

    # --- what is heard ---

    def note(self, called: Any, args: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        """Note a call, after it was made."""
        if Operations.busy or not tape.is_recording():
            return
        call = Call(called, args, named, output, self.depth)
        if self.all_modules:
            self.calls.pop(id(called), None)
            self.calls[id(called)] = call
        elif called is self.wanted:
            self.last = call

    def enough(self, loss: Any = None) -> None:
        """Note no more calls, but those of one loss function."""
        self.calls.clear()
        self.all_modules, self.wanted = False, loss

    def taken(self) -> list[Tensor]:
        """The losses since the last time, which are forgotten here."""
        taken, self.losses = self.losses, []
        return taken

    # --- the classes and functions that are listened to ---

    @contextmanager
    def listening(self) -> Iterator[None]:
        """In this block the program is heard. Its own classes of optimizers are too."""
        places: list[tuple[Any, str, Any]] = []

        def replace(where: Any, name: str, new: Any) -> None:
            places.append((where, name, vars(where)[name]))
            setattr(where, name, new)

        def hear(kind: type) -> None:
            """Hear the step of a class and of those that it inherits from."""
            for each in kind.__mro__:
                own = vars(each).get("step")
                if issubclass(each, optim.Optimizer) and own is not None and not hasattr(own, "heard"):
                    replace(each, "step", self._step(own))

        made = optim.Optimizer.__init__

        @wraps(made)
        def init(optimizer: Any, *args: Any, **named: Any) -> None:
            hear(type(optimizer))
            made(optimizer, *args, **named)

        replace(optim.Optimizer, "__init__", init)
        replace(nn.Module, "__call__", self._module(nn.Module.__call__))
        replace(Tensor, "backward", self._backward(Tensor.backward))
        for name, function in list(vars(nn.functional).items()):
            if callable(function) and (name in LOSSES or name.endswith("_loss")):
                replace(nn.functional, name, self._loss(function))
        try:
            yield
        finally:
            for where, name, before in reversed(places):
                setattr(where, name, before)

    def _step(self, step: Any) -> Any:
        @wraps(step)
        def heard(optimizer: Any, *args: Any, **named: Any) -> Any:
            if Operations.busy:
                return step(optimizer, *args, **named)
            return self.stepped(step, optimizer, args, named)

        heard.heard = True  # type: ignore[attr-defined]
        return heard

    def _module(self, call: Any) -> Any:
        @wraps(call)
        def heard(module: Any, *args: Any, **named: Any) -> Any:
            if not self.all_modules and module is not self.wanted:
                return call(module, *args, **named)
            self.depth += 1
            try:
                output = call(module, *args, **named)
            finally:
                self.depth -= 1
            self.note(module, args, named, output)
            return output

        return heard

    def _backward(self, backward: Any) -> Any:
        @wraps(backward)
        def heard(tensor: Any, *args: Any, **named: Any) -> None:
            if not Operations.busy and tensor.size == 1:
                self.losses.append(tensor.detach())
            backward(tensor, *args, **named)

        return heard

    def _loss(self, function: Any) -> Any:
        @wraps(function)
        def heard(*args: Any, **named: Any) -> Any:
            output = function(*args, **named)
            self.note(function, args, named, output)
            return output

        return heard


class Found(NamedTuple):
    """What an optimizer trains, and how, as far as the calls tell."""

    model: nn.Module
    call: Call | None  # of the model, or None where several modules share the parameters
    loss: Any  # a function of the output and the target
    called: Any  # the function or module that it calls
    target: Any


def find(calls: Mapping[int, Call], optimizer: optim.Optimizer) -> Found | None:
    """The model that owns the parameters of an optimizer, and its loss. None: no module that was called has any of them.

    The model is the outermost module with all parameters whose output a loss was called with, or else the outermost one with
    all parameters, or else all modules that have some of them.
    """
    trained = {id(p) for group in optimizer.param_groups for p in group.params}

    def shares(call: Call) -> int:
        return len(trained & {id(p) for p in call.called.parameters()})

    made = list(calls.values())
    of_modules = [call for call in made if isinstance(call.called, nn.Module)]
    owners = sorted((call for call in of_modules if shares(call)), key=lambda call: call.depth)
    whole = [call for call in owners if shares(call) == len(trained)]
    for loss in reversed(made):
        for owner in whole:
            function = _as_loss(loss, owner)
            if function is not None:
                return Found(owner.called, owner, function, loss.called, loss.args[1])
    if whole:
        return Found(whole[0].called, whole[0], None, None, None)
    if not owners:
        return None
    outermost = [call.called for call in owners if call.depth == owners[0].depth]
    return Found(nn.ModuleList(outermost), None, None, None, None)


def _as_loss(loss: Call, owner: Call) -> Any:
    """A call as a function of output and target; None if it is no call of a loss with the output of this module.

    A further argument that has as many rows as the output belongs to the batch, and not to the loss.
    """
    if loss.called is owner.called or len(loss.args) < 2 or loss.args[0] is not owner.output:
        return None
    if isinstance(loss.called, nn.Module) and next(loss.called.parameters(), None) is not None:
        return None
    more = tensors_in((loss.args[2:], loss.named))
    rows = {t.shape[:1] for t in tensors_in(owner.output)}
    if any(t.shape[:1] in rows for t in more):
        return None
    if not loss.args[2:] and not loss.named:
        return loss.called
    return partial(_called, loss.called, loss.args[2:], loss.named)


def _called(function: Any, more: tuple[Any, ...], named: dict[str, Any], output: Any, target: Any) -> xg.Tensor:
    value: xg.Tensor = function(output, target, *more, **named)
    return value
