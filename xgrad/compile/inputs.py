"""What a program takes from outside, looked up anew before each call: arguments, tensors, gradients, moments, numbers and draws.

`Inputs.gather` checks in one pass whether everything is as it was in the trace, and collects the inputs. `Inputs.change` says in
words what differs; it is called only after `gather` has found that something does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.remembered import drawn
from xgrad.compile.capture import GRAD
from xgrad.compile.guards import Guard, Guards
from xgrad.compile.in_place import InPlace
from xgrad.compile.outside import OfGrad, OfGroup, OfNumbers, OfState, OfTensor
from xgrad.compile.traced import Number, Traced
from xgrad.engine.tape import is_node
from xgrad.engine.tensor import Tensor


class Gathered:
    """The inputs of one call.

    Attributes:
        values: an array or a float for each input.
        owned: for each input, whether the program may overwrite it.
        states: the optimizers' states.
        again: all state is where the last call wrote it in place, and may be written again.
    """

    __slots__ = ("again", "owned", "states", "values")

    def __init__(self, values: list[Any], owned: list[bool], states: list[Any], again: bool = False) -> None:
        self.values, self.owned, self.states, self.again = values, owned, states, again


class Inputs:
    """What the inputs of a program are outside. `places` has the position of each input by its number in the trace."""

    def __init__(
        self, trace: Any, backend: Any, places: dict[int, int], guards: list[Guard], names: dict[int, str]
    ) -> None:
        self.backend = backend
        self.exclusive: Callable[[Any], bool] = backend.exclusive  # the engine may have one of its own
        self.count = len(places)
        self._blank: list[Any] = [None] * self.count  # what `gather` begins with
        self._nothing = [False] * self.count  # is owned
        self.guards = Guards(guards)
        self.in_place: InPlace | None = None  # what the last call has written in place
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
        self._read: list[
            tuple[Any, ...]
        ] = []  # rows of the tensors that are only read, and of those that are written to
        self._written: list[tuple[Any, ...]] = []
        self.unnamed = [each.name for each in self.tensors if id(each.tensor) not in names]
        self.grads = [
            OfGrad(each.held, each.was_read, each.before)
            for each in trace.capture.grads.values()
            if each.was_read or each.was_written
        ]
        self._read_grads = [each for each in self.grads if each.was_read]
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

    def start(self) -> None:
        """Before the first call: it is known now which tensors are written to."""
        self._read = [each.row() for each in self.tensors if not each.is_written]
        self._written = [each.row() for each in self.tensors if each.is_written]

    def gather(self, leaves: Sequence[Any]) -> Gathered | None:
        """The inputs for a call with these arguments; None if something is not as it was in the trace."""
        if not self.guards.hold():
            return None
        for grad in self._read_grads:
            if grad.is_there() is not grad.was_there:
                return None
        values = self._blank.copy()
        states: list[Any] = []
        for of_state in self.states:
            state = of_state.now()
            if state is False:
                return None
            states.append(state)
        if not self._take(self._read, values):
            return None
        in_place = self.in_place
        again = in_place is not None and in_place.take(values, states)
        if in_place is not None and again:
            owned = in_place.owned
        else:
            self.in_place = None
            owned = self._nothing.copy()
            if not self._take(self._written, values) or not self._take_state(values, owned, states):
                return None
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
        backend = self.backend
        for place, i in self._arrays:
            leaf = leaves[i]
            values[place] = leaf._data if isinstance(leaf, Tensor) else backend.adopt(leaf)
        for place, i in self._floats:
            values[place] = float(leaves[i])
        if self.draws:  # last, so that a call that does not fit draws nothing
            new = {draw: draw.anew() for draw in self.draws}
            for place, recipe, dtype in self._drawn:
                values[place] = backend.asarray(drawn(recipe, new.__getitem__), dtype=dtype)
        return Gathered(values, owned, states, again)

    @staticmethod
    def _take(rows: Sequence[tuple[Any, ...]], values: list[Any]) -> bool:
        """Put the arrays of tensors among the inputs. Returns False if one is not as it was in the trace."""
        for t, held, place, home, shape, dtype, requires_grad, is_computed in rows:
            if held is not None:
                t = GRAD.__get__(held)
            node = t.node
            if t.backend is not home or (node is None) is requires_grad or (type(node) is list) is not is_computed:
                return False
            raw = values[place] = t._data
            if raw.shape != shape or (raw.dtype is not dtype and raw.dtype != dtype):
                return False
        return True

    def _take_state(self, values: list[Any], owned: list[bool], states: Sequence[Any]) -> bool:
        """Put the moments among the inputs, and find what the program may overwrite. Returns False if a moment is missing."""
        exclusive = self.exclusive
        for place, i, name in self._moments:
            state = states[i]
            if name not in state:
                return False
            values[place] = None  # which may be a reference too
            owned[place] = exclusive(state[name])  # the user may hold a moment
            values[place] = state[name]
        for t, held, place, *_ in self._written:
            if held is not None:
                t = GRAD.__get__(held)
            if not getattr(t, "shared", None):
                values[place] = None
                owned[place] = exclusive(t._data)
                values[place] = t._data
        return True

    def change(self) -> str:
        """What is not as it was in the trace."""
        change = self.guards.change()
        if change:
            return change
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
