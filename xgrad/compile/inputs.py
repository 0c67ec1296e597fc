"""What a program takes from outside, looked up anew before each call: arguments, tensors, gradients, moments, numbers and draws.

`Inputs.gather` checks in one pass whether everything is as it was in the trace, and collects the inputs. `Inputs.change` says in
words what differs; it is called only after `gather` has found that something does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.remembered import drawn
from xgrad.compile.capture import GRAD, is_dropped
from xgrad.compile.guards import MISSING, Guard, Length, Mode, Place
from xgrad.compile.moments import Group, NumberSet, TracedState
from xgrad.compile.traced import Number, Traced
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
        return (*where, self.shape, self.dtype, self.requires_grad, self.is_computed, self.is_written)

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
        self.structure = self._structure(group.options)

    @staticmethod
    def _structure(options: dict[str, Any]) -> dict[str, Any]:
        """Options that are floats may change, but not between zero and another number: that may switch something off."""
        return {name: (value != 0 if type(value) is float else value) for name, value in options.items()}

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


class Gathered:
    """The inputs of one call: their values, which of them the program may overwrite, and the optimizers' states."""

    __slots__ = ("owned", "states", "values")

    def __init__(self, values: list[Any], owned: list[bool], states: list[Any]) -> None:
        self.values, self.owned, self.states = values, owned, states


class Inputs:
    """What the inputs of a program are outside. `places` has the position of each input by its number in the trace."""

    def __init__(
        self, trace: Any, backend: Any, places: dict[int, int], guards: list[Guard], names: dict[int, str]
    ) -> None:
        self.backend = backend
        self.exclusive: Callable[[Any], bool] = backend.exclusive  # the engine may have one of its own
        self.count = len(places)
        self._blank: list[Any] = [None] * self.count  # what `gather` begins with
        self.guards = guards
        # The guards by kind, as plain tuples: this is most of the work of a call.
        self._entries = [(g.holder, g.key, g.value) for g in guards if isinstance(g, Place) and type(g.holder) is dict]
        self._modes = [(g.module, g.training) for g in guards if isinstance(g, Mode)]
        self._lists = [(g.holder, g.length) for g in guards if isinstance(g, Length) and type(g.holder) is not dict]
        self._items = [(g.holder, g.key, g.value) for g in guards if isinstance(g, Place) and type(g.holder) is list]
        fast = {*map(id, (g for g in guards if isinstance(g, Mode)))}
        fast |= {id(g) for g in guards if isinstance(g, Place) and type(g.holder) in (dict, list)}
        fast |= {id(g) for g in guards if isinstance(g, Length) and type(g.holder) is not dict}
        self._others = [g for g in guards if id(g) not in fast]
        arguments = [each for each in trace.arguments if each.traced.number in places]
        placed = [(places[a.traced.number], a.place, type(a.traced)) for a in arguments]
        self._arrays = [(place, i) for place, i, kind in placed if kind is Traced]
        self._floats = [(place, i) for place, i, kind in placed if kind is Number]
        stores = {id(each.before): each.held for each in trace.capture.grads.values() if each.before is not None}
        names = {**names, **dict.fromkeys(stores, "the .grad of a parameter")}
        self.tensors = [
            OfTensor(
                each.tensor,
                places[each.traced.number],  # type: ignore[index]
                names.get(id(each.tensor), f"a tensor ({each.line})"),
                stores.get(id(each.tensor)),
            )
            for each in trace.capture.touched.values()
            if each.traced.number is not None
        ]
        self._rows: list[tuple[Any, ...]] | None = None  # of the tensors, once it is known which are written to
        self.unnamed = [each.name for each in self.tensors if id(each.tensor) not in names]
        self.grads = [
            OfGrad(each.held, each.was_read, each.before)
            for each in trace.capture.grads.values()
            if each.was_read or each.was_written
        ]
        states = trace.moments.in_use()
        self.states = [OfState(each) for each in states]
        self._moments = [
            (places[array.number], i, name) for i, each in enumerate(states) for name, array in each.arrays.items()
        ]
        self.groups, self.numbers, self._options = [], [], []
        for group in trace.moments.groups.values():
            of_group = OfGroup(group)
            self.groups.append(of_group)
            self._options += [(places[number.number], of_group, name) for name, number in group.numbers.items()]
            self.numbers += [OfNumbers(of_group, numbers, places, states) for numbers in group.sets.values()]
        self.draws = trace.drawing.draws
        self._drawn = [(places[traced.number], recipe, dtype) for recipe, traced, dtype in trace.draws]

    def drop_numbers(self, used: set[int]) -> None:
        """Leave out the options and numbers of optimizers that the program does not use: `used` has the places that it does."""
        places = [place for place, _, _ in self._options] + [place for each in self.numbers for place, _ in each.inputs]
        for place in places:
            self._blank[place] = 0.0
        self._options = [each for each in self._options if each[0] in used]
        for numbers in self.numbers:
            numbers.inputs = [each for each in numbers.inputs if each[0] in used]

    def gather(self, leaves: Sequence[Any]) -> Gathered | None:
        """The inputs for a call with these arguments; None if something is not as it was in the trace."""
        for holder, key, value in self._entries:
            if holder.get(key, MISSING) is not value:
                return None
        for module, training in self._modes:
            if module.training is not training:
                return None
        for entries, length in self._lists:
            if len(entries) != length:
                return None
        for entries, key, value in self._items:
            if key >= len(entries) or entries[key] is not value:
                return None
        for guard in self._others:
            if not guard.is_kept():
                return None
        for grad in self.grads:
            if grad.was_read and grad.is_there() is not grad.was_there:
                return None
        values = self._blank.copy()
        owned = [False] * self.count
        backend = self.backend
        exclusive = self.exclusive
        if self._rows is None:
            self._rows = [each.row() for each in self.tensors]
        for t, held, place, home, shape, dtype, requires_grad, is_computed, is_written in self._rows:
            if held is not None:
                t = GRAD.__get__(held)
            node = t.node
            if t.backend is not home or (node is None) is requires_grad or (type(node) is list) is not is_computed:
                return None
            if is_written and not getattr(t, "shared", None):
                owned[place] = exclusive(t._data)
            raw = values[place] = t._data
            if raw.shape != shape or (raw.dtype is not dtype and raw.dtype != dtype):
                return None
        states: list[Any] = []
        for of_state in self.states:
            state = of_state.now()
            if state is False:
                return None
            states.append(state)
        for group in self.groups:
            if not group.is_kept():
                return None
        for numbers in self.numbers:
            if not numbers.compute(states):
                return None
            for place, name in numbers.inputs:
                values[place] = numbers.values[name]
        for place, group, name in self._options:
            values[place] = getattr(group.named, name)
        for place, i, name in self._moments:
            state = states[i]
            if name not in state:
                return None
            owned[place] = exclusive(state[name])  # the user may hold a moment
            values[place] = state[name]
        for place, i in self._arrays:
            leaf = leaves[i]
            values[place] = leaf._data if isinstance(leaf, Tensor) else backend.adopt(leaf)
        for place, i in self._floats:
            values[place] = float(leaves[i])
        if self.draws:  # last, so that a call that does not fit draws nothing
            new = {draw: draw.anew() for draw in self.draws}
            for place, recipe, dtype in self._drawn:
                values[place] = backend.asarray(drawn(recipe, new.__getitem__), dtype=dtype)
        return Gathered(values, owned, states)

    def change(self) -> str:
        """What is not as it was in the trace."""
        for guard in self.guards:
            if not guard.is_kept():
                return guard.change()
        for grad in self.grads:
            if grad.was_read and grad.is_there() is not grad.was_there:
                there = {True: "there", False: "None", None: "used up by a compiled step"}[grad.is_there()]
                return f"the .grad of a parameter is {there} now"
        for known in self.tensors:
            t = known.now()
            raw, node = t._data, t.node
            as_before = t.backend is known.backend and raw.shape == known.shape and raw.dtype == known.dtype
            if not as_before or (node is not None) is not known.requires_grad or is_node(node) is not known.is_computed:
                return known.change()
        for of_state in self.states:
            if of_state.now() is False:
                return of_state.change()
        for group in self.groups:
            if not group.is_kept():
                return group.change()
        return "the numbers of steps or the flags of an optimizer differ from those of the trace"
