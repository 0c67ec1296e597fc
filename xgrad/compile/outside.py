"""What a program takes from outside, as it was in the trace: tensors, gradients, states and options of optimizers, numbers.

Each can say whether it is as it was, and in words how it differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.compile.capture import GRAD, is_dropped
from xgrad.compile.guards import MISSING
from xgrad.compile.moments import Group, NumberSet, TracedState
from xgrad.compile.traced import Number
from xgrad.engine.tape import is_node
from xgrad.engine.tensor import Tensor


class OfTensor:
    """A tensor from outside, and what it was in the trace."""

    def __init__(self, tensor: Tensor, place: int, name: str, held: Any = None) -> None:
        self.tensor, self.place, self.name = tensor, place, name
        self.held = held  # of which it is the `.grad`: that is another tensor in each call
        raw = tensor._data
        self.shape, self.dtype, self.backend = raw.shape, raw.dtype, tensor.backend
        self.requires_grad, self.is_computed = tensor.node is not None, is_node(tensor.node)
        self.is_written = False

    def row(self) -> tuple[Any, ...]:
        """All of it as a tuple, which a loop takes apart faster."""
        where = self.tensor, self.held, self.place, self.backend
        return (*where, self.shape, self.dtype, self.requires_grad, self.is_computed)

    def now(self) -> Any:
        return self.tensor if self.held is None else GRAD.__get__(self.held)

    def change(self) -> str:
        """How the tensor differs from what it was; "" if it does not."""
        t = self.now()
        raw = t._data
        if t.backend is not self.backend:
            return f"{self.name} has moved from {self.backend} to {t.backend}"
        if raw.shape != self.shape:
            return f"{self.name} has the shape {tuple(raw.shape)}, and had {tuple(self.shape)}"
        if raw.dtype != self.dtype:
            return f"{self.name} has the dtype {raw.dtype}, and had {self.dtype}"
        if (t.node is not None) is not self.requires_grad:
            return f"{self.name} {'requires' if t.node is not None else 'does not require'} a gradient now"
        return f"{self.name} is {'a leaf' if self.is_computed else 'computed'} now"


class OfGrad:
    """The `.grad` of a tensor from outside."""

    def __init__(self, held: Any, was_read: bool, before: Any) -> None:
        self.held, self.was_read, self.was_there = held, was_read, before is not None

    def is_there(self) -> bool | None:
        """Whether there is a gradient; None for one that a compiled step has used up."""
        return None if is_dropped(self.held) else GRAD.__get__(self.held) is not None


class OfState:
    """The state of a parameter in an optimizer."""

    def __init__(self, traced: TracedState) -> None:
        self.optimizer, self.p, self.make = traced.optimizer, traced.p, type(traced.state)
        self.is_new, self.count = traced.is_new, len(traced.start)
        step = traced.state.get("step")
        self.steps = step - traced.start.get("step", 0) if step is not None else 0

    def now(self) -> Any:
        """The state; None if there is none yet. `False` if it is not as it was in the trace."""
        state = self.optimizer.state.get(self.p)
        if state is None:
            return None if self.is_new else False
        if self.is_new or len(state) != self.count or state.backend is not self.p.backend:
            return False
        return state

    def change(self) -> str:
        state, name = self.optimizer.state.get(self.p), type(self.optimizer).__name__
        if (state is None) is not self.is_new:
            return f"the state of {name} {'is gone' if state is None else 'has been made'}"
        return f"the state of {name} has other entries, or has moved"


class OfGroup:
    """The options of a parameter group."""

    def __init__(self, group: Group) -> None:
        self.optimizer, self.index, self.named = group.optimizer, group.index, group.named
        self.is_formula = group.is_formula
        self.structure = self._structure(group.options)

    def _structure(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options that are floats may change, but not between zero and another number: that may switch something off.

        So may tuples of floats, such as betas, if the update is a formula: that gets them from the numbers of each step.
        """
        return {name: self._part(value) for name, value in options.items()}

    def _part(self, value: Any) -> Any:
        if type(value) is float:
            return value != 0
        if self.is_formula and type(value) is tuple:
            return tuple(each != 0 if type(each) is float else each for each in value)
        return value

    def is_kept(self) -> bool:
        """Whether the group fits the trace. It takes over the options of now."""
        groups = self.optimizer.param_groups
        if self.index >= len(groups) or self.optimizer._hooks:
            return False
        named = groups[self.index].named
        if named is self.named:
            return True
        if self._structure_of(named) != self.structure:
            return False
        self.named = named
        return True

    def _structure_of(self, named: Any) -> dict[str, Any]:
        return self._structure({name: value for name, value in vars(named).items() if name != "_prepared"})

    def change(self) -> str:
        name, groups = type(self.optimizer).__name__, self.optimizer.param_groups
        if self.index >= len(groups):
            return f"{name} has lost a parameter group"
        if self.optimizer._hooks:
            return f"{name} has hooks now"
        new = self._structure_of(groups[self.index].named)
        others = [key for key in new if new[key] != self.structure.get(key, MISSING)]
        return f"{name} has another {', '.join(others) or 'option'}"


class OfNumbers:
    """A set of an optimizer's numbers, computed for a call."""

    def __init__(
        self, group: OfGroup, numbers: NumberSet, places: dict[int, int], states: Sequence[TracedState]
    ) -> None:
        self.group, self.set = group, numbers
        known = numbers.numbers.items()
        self.inputs = [(places[number.number], name) for name, number in known if type(number) is Number]
        self.flags = [(name, value) for name, value in known if type(value) is not Number]
        self.values = {name: number.value if type(number) is Number else number for name, number in known}
        # The states from which the step is counted: all have taken as many steps.
        prepared, own = numbers.prepared, numbers.state
        assert own is not None
        self.first = next((i for i, each in enumerate(states) if each is own), None)  # None: it has no state
        self.others = [
            i
            for i, each in enumerate(states)
            if each.group is own.group and prepared.next_step(each.start) == numbers.start
        ]
        self.counts_alone = prepared.counts_steps and not numbers.carries

    def compute(self, states: list[Any]) -> bool:
        """Compute the numbers. Returns False if they do not fit the trace."""
        set_ = self.set
        first = {} if self.first is None else states[self.first] or {}
        if self.counts_alone:
            step = first.get("step", 0)
            for i in self.others:
                if (states[i] or {}).get("step", 0) != step:
                    return False
        elif set_.fixed is None:
            at = set_.prepared.next_step(first)
            if any(set_.prepared.next_step(states[i] or {}) != at for i in self.others):
                return False
        self.values = values = set_.values_at(self.group.named, first)
        for name, value in self.flags:  # noqa: SIM110 (a generator costs three times as much)
            if values[name] != value:
                return False
        return True
