"""Optimizers in a compiled step: their moments are state of the program, and their numbers are inputs.

A learning rate, a decay or a correction is computed anew before each call, from the options and the number of steps of the
moment. So a schedule never needs another trace.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from xgrad.compile.errors import refused
from xgrad.compile.recorder import Recorder
from xgrad.compile.traced import Number, Traced
from xgrad.compile.tracing_backend import TracingBackend
from xgrad.engine.tensor import Tensor


class NumberSet:
    """The numbers of one step, by name (a Number, or a flag), and what they depend on."""

    def __init__(self, numbers: dict[str, Any], at: Any, state: TracedState, prepared: Any) -> None:
        self.numbers, self.prepared = numbers, prepared
        self.state: TracedState | None = state  # of a parameter that takes this step
        self.start = prepared.next_step(state.start)
        self.carries = type(self.start) is tuple
        self.later = 0  # how many steps the function has taken before this one
        self.fixed = None if prepared.counts_steps else at
        if self.carries and any(one is not other for one, other in zip(at, self.start, strict=True)):
            raise refused("an optimizer takes two steps that carry a number on", "Compile one step")
        if prepared.counts_steps and not self.carries:
            self.later = at - self.start

    def values_at(self, o: Any, state: Any) -> dict[str, Any]:
        """The numbers for these options and this state, as they are now."""
        numbers: Callable[..., dict[str, Any]] = self.prepared.rule.optimizer.numbers
        if self.fixed is not None:
            return numbers(o, self.fixed)
        at = self.prepared.next_step(state)
        return numbers(o, *at) if self.carries else numbers(o, at + self.later)


class Group:
    """A parameter group whose optimizer takes a step."""

    def __init__(self, optimizer: Any, index: int, recorder: Recorder, is_formula: bool) -> None:
        self.optimizer, self.index = optimizer, index
        self.named = optimizer.param_groups[index].named
        self.options = {name: value for name, value in vars(self.named).items() if name != "_prepared"}
        self.is_formula = is_formula
        self.inside = copy.copy(self.named)
        vars(self.inside).pop("_prepared", None)
        self.numbers = {name: recorder.number(value) for name, value in self.options.items() if type(value) is float}
        if not is_formula:  # an update of its own reads the options as it likes
            vars(self.inside).update(self.numbers)
        self.sets: dict[Any, NumberSet] = {}
        self.prepared: Any = None


class TracedState:
    """The state of a parameter in the trace."""

    def __init__(self, group: Group, p: Tensor, state: Any, is_new: bool) -> None:
        self.group, self.optimizer = group, group.optimizer
        self.p, self.state, self.is_new = p, state, is_new
        self.start: dict[str, Any] = {}  # its content before the trace
        self.arrays: dict[str, Traced] = {}
        self.scalars: dict[str, Any] = {}

    def is_empty(self) -> bool:
        """Whether the optimizer keeps nothing of this parameter, as plain SGD does."""
        return not self.start and not self.state

    def written(self) -> dict[str, Traced]:
        """The arrays that are others at the end, by name."""
        return {
            name: value
            for name, value in self.state.items()
            if type(value) is Traced and self.arrays.get(name) is not value
        }


class Moments:
    """The optimizers that take a step in one trace."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.groups: dict[int, Group] = {}  # by the id of the options
        self.states: dict[tuple[int, int], TracedState] = {}
        self._now: TracedState | None = None

    def state_of(self, optimizer: Any, p: Tensor, o: Any, make: Any) -> tuple[Any, Any]:
        """The state and the options with which the optimizer updates p."""
        group = self.groups.get(id(o))
        if group is None:
            index = next(i for i, each in enumerate(optimizer.param_groups) if each.named is o)
            is_formula = hasattr(type(optimizer), "update_rule") and "update" not in _own(type(optimizer))
            group = self.groups[id(o)] = Group(optimizer, index, self.recorder, is_formula)
        found = self.states.get((id(optimizer), id(p)))
        if found is None:
            found = self.states[id(optimizer), id(p)] = self._state(group, p, make)
        self._now = found
        return found.state, group.inside

    def _state(self, group: Group, p: Tensor, make: Any) -> TracedState:
        real = group.optimizer.state.get(p)
        state = make(p)
        traced = TracedState(group, p, state, real is None)
        backend: TracingBackend = p.backend  # type: ignore[assignment]
        if real is not None:
            if real.backend is not backend.base:
                raise refused(
                    "an optimizer's state is on another backend than its parameter", "Take a step without compile first"
                )
            traced.start = dict(real)
            for name, value in real.items():
                if backend.base.owns(value):
                    value = traced.arrays[name] = self.recorder.input(value, backend.base)
                else:
                    traced.scalars[name] = value
                state[name] = value
        return traced

    def prepare(self, prepared: Any) -> None:
        """Make inputs of the numbers of a rule."""
        group = next(each for each in self.groups.values() if each.inside is prepared.o)
        group.prepared = prepared
        prepared.options = {name: group.numbers.get(name, value) for name, value in prepared.options.items()}
        prepared.as_inputs = lambda values, at: self._numbers(group, values, at)

    def _numbers(self, group: Group, values: dict[str, Any], at: Any) -> dict[str, Any]:
        found = group.sets.get(at)
        if found is None:
            numbers = {
                name: self.recorder.number(value) if type(value) is float else value for name, value in values.items()
            }
            assert self._now is not None
            found = group.sets[at] = NumberSet(numbers, at, self._now, group.prepared)
        return found.numbers

    def check(self) -> None:
        """Raise for a state with Python numbers that the optimizer's rule does not compute. They would stay as they are."""
        for traced in self.states.values():
            prepared = traced.group.prepared
            known = {"step", *(name for name, _ in prepared.carried)} if prepared is not None else set()
            for name, value in traced.state.items():
                if type(value) not in (Traced, Number) and name not in known and traced.scalars.get(name) is not value:
                    raise refused(
                        f"{type(traced.optimizer).__name__} keeps a Python number in its state ({name!r})",
                        "Call its step outside of the compiled function",
                    )

    def in_use(self) -> list[TracedState]:
        """The states that hold something."""
        return [each for each in self.states.values() if not each.is_empty()]

    def forget(self) -> None:
        """Drop the arrays of the trace, when it is known what they are outside."""
        for group in self.groups.values():
            if group.prepared is not None:
                group.prepared.as_inputs = None
            for numbers in group.sets.values():
                numbers.state = None
        self.states = {}

    def abandon(self) -> None:
        """After an error: the optimizers forget what an unfinished step has left."""
        for optimizer in {id(each.optimizer): each.optimizer for each in self.groups.values()}.values():
            optimizer._forget_moved()


def _own(cls: type) -> set[str]:
    """The names that a class and its bases define, without the base class of all optimizers."""
    return {name for each in cls.__mro__[:-2] for name in vars(each)}
