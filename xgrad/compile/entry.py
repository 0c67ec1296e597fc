"""A compiled trace: it takes what its program needs from outside, runs the program, and puts the results where they belong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.remembered import drawn
from xgrad.compile.capture import GRAD, drop, is_dropped
from xgrad.compile.engines.choice import prepare
from xgrad.compile.errors import CompileError, refused
from xgrad.compile.gradients import Gradients
from xgrad.compile.guards import guards_of
from xgrad.compile.moments import Group, NumberSet, TracedState
from xgrad.compile.program import Program
from xgrad.compile.trace import Result, Trace
from xgrad.compile.traced import Number, Traced
from xgrad.engine.tape import Leaf
from xgrad.engine.tensor import Tensor, wrap

Fetch = Callable[[], Any]


class OfTensor:
    """A tensor from outside: an input, and perhaps an output."""

    def __init__(self, tensor: Tensor, number: int | None, name: str) -> None:
        self.tensor, self.name = tensor, name
        self.number = number
        raw = tensor._data
        self.shape, self.dtype, self.backend = raw.shape, raw.dtype, tensor.backend
        self.requires_grad = tensor.node is not None
        self.is_leaf = tensor.is_leaf

    def change(self) -> str:
        """How the tensor differs from what it was in the trace; "" if it does not."""
        t = self.tensor
        raw = t._data
        if t.backend is not self.backend:
            return f"{self.name} has moved from {self.backend} to {t.backend}"
        if raw.shape != self.shape:
            return f"{self.name} has the shape {tuple(raw.shape)}, and had {tuple(self.shape)}"
        if raw.dtype != self.dtype:
            return f"{self.name} has the dtype {raw.dtype}, and had {self.dtype}"
        if (t.node is not None) is not self.requires_grad:
            return f"{self.name} {'requires' if t.node is not None else 'does not require'} a gradient now"
        if t.is_leaf is not self.is_leaf:
            return f"{self.name} is {'a leaf' if t.is_leaf else 'computed'} now"
        return ""


class OfGrad:
    """The `.grad` of a tensor from outside."""

    def __init__(self, tensor: Tensor, held: Any, was_read: bool, before: Any) -> None:
        self.tensor, self.held, self.was_read = tensor, held, was_read
        self.was_there = before is not None
        self.ends_none = False

    def change(self) -> str:
        if not self.was_read:
            return ""
        held = self.held
        is_there = is_dropped(held) or GRAD.__get__(held) is not None
        return "" if is_there is self.was_there else f".grad of a tensor is {'there' if is_there else 'None'} now"


class OfState:
    """The state of a parameter in an optimizer."""

    def __init__(self, traced: TracedState) -> None:
        self.optimizer, self.p, self.make = traced.optimizer, traced.p, type(traced.state)
        self.is_new = traced.is_new
        self.names = frozenset(traced.start)
        self.scalars = {name: value for name, value in traced.state.items() if type(value) is not Traced}
        self.steps = 0
        if "step" in self.scalars:
            self.steps = self.scalars["step"] - traced.start.get("step", 0)

    def change(self) -> str:
        state = self.optimizer.state.get(self.p)
        if (state is None) is not self.is_new:
            return f"the state of {type(self.optimizer).__name__} has been {'dropped' if state is None else 'made'}"
        if state is not None and frozenset(state) != self.names:
            return f"the state of {type(self.optimizer).__name__} has other entries"
        if state is not None and state.backend is not self.p.backend:
            return f"the state of {type(self.optimizer).__name__} has moved"
        return ""


class OfGroup:
    """The options of a parameter group."""

    def __init__(self, group: Group) -> None:
        self.optimizer, self.index = group.optimizer, group.index
        self.named = group.named
        self.structure = self._structure(group.options)
        self.values: dict[str, float] = {}

    @staticmethod
    def _structure(options: dict[str, Any]) -> dict[str, Any]:
        """Options that are floats may change, but not between zero and another number: that may switch something off."""
        return {name: (value != 0 if type(value) is float else value) for name, value in options.items()}

    def change(self) -> str:
        groups = self.optimizer.param_groups
        if self.index >= len(groups):
            return "an optimizer has lost a parameter group"
        named = groups[self.index].named
        if named is not self.named:
            options = {name: value for name, value in vars(named).items() if name != "_prepared"}
            new = self._structure(options)
            if new != self.structure:
                others = [name for name in new if new[name] != self.structure.get(name)]
                return f"{type(self.optimizer).__name__} has another value of {', '.join(others) or 'an option'}"
            self.named = named
        return ""


class Sink:
    """Where outputs of the program go."""

    def __init__(self) -> None:
        self.traced: list[Any] = []

    def add(self, value: Any) -> int:
        self.traced.append(value)
        return len(self.traced) - 1


class Entry:
    """A compiled trace.

    Attributes:
        program: the program, as it was recorded.
        reason: why it was traced.
        line: the user's line that called it.
    """

    def __init__(self, f: Callable[..., Any], trace: Trace, static: list[Any], keep_grads: bool, reason: str, line: str) -> None:
        recorder = trace.recorder
        self.reason, self.line = reason, line
        self.closed_over = list(dict.fromkeys(recorder.closed_over))
        self.backend = recorder.base
        touched = [each for each in trace.capture.touched.values() if each.traced.number is not None]
        self.guards, names = guards_of(f, static, [each.tensor for each in touched])
        self.places = {number: i for i, number in enumerate(recorder.inputs)}
        sink = Sink()

        # what comes in
        self.arrays = [
            (self.places[each.traced.number], each.place) for each in trace.arguments if type(each.traced) is Traced
        ]
        self.floats = [
            (self.places[each.traced.number], each.place) for each in trace.arguments if type(each.traced) is Number
        ]
        self.tensors = [
            OfTensor(each.tensor, each.traced.number, names.get(id(each.tensor), f"a tensor used in {each.line}"))
            for each in touched
        ]
        self.unowned = [each.name for each in self.tensors if id(each.tensor) not in names]
        self.draws = trace.drawing.draws
        self.draw_inputs = [(self.places[traced.number], recipe, dtype) for recipe, traced, dtype in trace.draws]  # type: ignore[index]
        self.states = [OfState(each) for each in trace.moments.states.values()]
        self.state_inputs = [
            (self.places[array.number], i, name)  # type: ignore[index]
            for i, each in enumerate(trace.moments.states.values())
            for name, array in each.arrays.items()
        ]
        self.groups = [OfGroup(group) for group in trace.moments.groups.values()]
        self.option_inputs = [
            (self.places[number.number], i, name)
            for i, group in enumerate(trace.moments.groups.values())
            for name, number in group.numbers.items()
        ]
        self.number_sets = [
            NumbersNow(i, numbers, self, list(trace.moments.states.values()))
            for i, group in enumerate(trace.moments.groups.values())
            for numbers in group.sets.values()
        ]

        # what goes out
        self.results = [(r.kind, sink.add(r.value) if r.kind != "static" else r.value) for r in trace.results]
        self.rebuild = trace.rebuild
        state: list[tuple[int, int]] = []
        self.writes: list[tuple[OfTensor, int]] = []
        for each, known in zip(touched, self.tensors, strict=True):
            new = each.new_value
            if new is not None:
                out = sink.add(new)
                self.writes.append((known, out))
                if (tuple(new.shape), new.dtype) == (tuple(known.shape), known.dtype):
                    state.append((self.places[known.number], out))  # type: ignore[index]
        self.state_writes: list[tuple[int, str, int]] = []
        for i, of_state in enumerate(trace.moments.states.values()):
            for name, new in of_state.written().items():
                out = sink.add(new)
                self.state_writes.append((i, name, out))
                if name in of_state.arrays:
                    state.append((self.places[of_state.arrays[name].number], out))  # type: ignore[index]
        self.grads: list[OfGrad] = []
        self.grad_inputs: list[tuple[int, OfGrad]] = []
        self.grad_writes: list[tuple[OfGrad, int | None]] = []
        self._take_grads(trace, sink, keep_grads)
        program = recorder.program([recorder.number_of(value) for value in sink.traced], state)
        self.gradients: Gradients | None = None
        if trace.reverse_pass is not None:
            self.gradients = Gradients(trace.reverse_pass, program, getattr(f, "__name__", "function"))
            self.gradients.backend = self.backend
            self.gradients.result_outputs = [self.results[i][1] for i in self.gradients.results]
            program = self.gradients.forward
            self.places = {number: i for i, number in enumerate(program.inputs)}
        self.count = len(sink.traced)
        self.recorded = program
        self._values = recorder.values  # of the trace, until `start`
        self.runner: Any = None

    def _take_grads(self, trace: Trace, sink: Sink, keep_grads: bool) -> None:
        owners = {id(getattr(each.shadow, "_held", None)): each.tensor for each in trace.capture.touched.values()}
        for entry in trace.capture.grads.values():
            if not (entry.was_read or entry.was_written):
                continue
            tensor = owners.get(id(entry.held))
            found = OfGrad(tensor, entry.held, entry.was_read, entry.before)  # type: ignore[arg-type]
            self.grads.append(found)
            if not entry.was_written or entry.value is entry.before:
                continue
            if entry.value is None:
                self.grad_writes.append((found, None))
            elif keep_grads:
                if entry.value.node is not None:
                    raise refused("a .grad that is itself on the tape is kept", "Call backward without create_graph=True")
                self.grad_writes.append((found, sink.add(entry.value._data)))
            else:
                self.grad_writes.append((found, -1))

    # --- the first call

    def prepare(self, engine: str) -> None:
        """Make the engine's runner of the program."""
        self.engine, self.runner = prepare(engine, self.recorded, self.backend)
        if self.gradients is not None:
            _, self.gradients.runner = prepare(engine, self.gradients.backward, self.backend)

    def start(self, leaves: Sequence[Any]) -> Any:
        """The result of the trace itself. Its values may share memory, so they are copied."""
        known, self._values = self._values, {}
        backend = self.backend
        outputs = [known[number] for number in self.recorded.outputs]
        copies = [backend.copy(y) if backend.owns(y) else y for y in outputs[: self.count]]
        return self.put([*copies, *outputs[self.count :]], leaves, [known[number] for number in self.recorded.inputs])

    # --- a call

    def change(self) -> str:
        """Why this trace does not fit a call; "" if it does."""
        for guard in self.guards:
            if not guard.is_kept():
                return f"{guard.name} is another one" if hasattr(guard, "value") else f"{guard.name} has another length"
        for part in (self.tensors, self.grads, self.states, self.groups):
            for each in part:
                said = each.change()  # type: ignore[attr-defined]
                if said:
                    return said
        for numbers in self.number_sets:
            if not numbers.prepare(self):
                return "an optimizer's flags or numbers of steps differ from those of the trace"
        return ""

    def run(self, leaves: Sequence[Any]) -> Any:
        """A call that this trace fits."""
        values, owned = self.fetch(leaves)
        return self.put(self.runner.run(values, owned), leaves, values)

    def fetch(self, leaves: Sequence[Any]) -> tuple[list[Any], list[bool]]:
        """The inputs of the program, and which of them it may overwrite."""
        values: list[Any] = [None] * len(self.places)
        owned = [False] * len(values)
        backend = self.backend
        for i, place in self.arrays:
            leaf = leaves[place]
            values[i] = leaf._data if isinstance(leaf, Tensor) else backend.adopt(leaf)
        for i, place in self.floats:
            values[i] = float(leaves[place])
        for known, _ in self.writes:
            t = known.tensor
            owned[self.places[known.number]] = not getattr(t, "shared", None) and backend.exclusive(t._data)
        for known in self.tensors:
            values[self.places[known.number]] = known.tensor._data
        states = [each.optimizer.state.get(each.p) for each in self.states]
        for i, at, name in self.state_inputs:
            owned[i] = backend.exclusive(states[at][name])
            values[i] = states[at][name]
        for i, group, name in self.option_inputs:
            values[i] = getattr(self.groups[group].named, name)
        for numbers in self.number_sets:
            for i, name in numbers.inputs:
                values[i] = numbers.values[name]
        if self.draws:
            new = {draw: draw.anew() for draw in self.draws}
            for i, recipe, dtype in self.draw_inputs:
                values[i] = backend.asarray(drawn(recipe, new.__getitem__), dtype=dtype)
        return values, owned

    def put(self, outputs: list[Any], leaves: Sequence[Any], values: list[Any]) -> Any:
        """Write what has changed back, and return the function's result."""
        nodes = self._nodes(outputs, leaves, values)
        for known, out in self.writes:
            t = known.tensor
            if getattr(t, "shared", None):
                t.data = outputs[out]
            else:
                t._data, t.layout = outputs[out], None
        states = [each.optimizer.state.get(each.p) for each in self.states]
        for i, of_state in enumerate(self.states):
            if states[i] is None:
                states[i] = of_state.optimizer.state[of_state.p] = of_state.make(of_state.p)
            if of_state.steps:
                states[i]["step"] = states[i].get("step", 0) + of_state.steps
        for i, name, out in self.state_writes:
            states[i][name] = outputs[out]
        for numbers in self.number_sets:
            numbers.carry(states)
        for of_grad, place in self.grad_writes:
            held = of_grad.held
            if place is None:
                held.grad = None
            elif place < 0:
                drop(held)
            else:
                held.grad = wrap(outputs[place], self.backend)
        return self.rebuild([self._result(i, kind, value, outputs, nodes) for i, (kind, value) in enumerate(self.results)])

    def _nodes(self, outputs: list[Any], leaves: Sequence[Any], values: list[Any]) -> dict[int, Any]:
        """The nodes of the results that require a gradient, by the number of the result."""
        of = self.gradients
        if of is None:
            return {}
        ys = [outputs[place] for place in of.result_outputs]
        return dict(zip(of.results, of.nodes(leaves, values, outputs[self.count :], ys, self.backend), strict=True))

    def _result(self, i: int, kind: str, value: Any, outputs: list[Any], nodes: dict[int, Any]) -> Any:
        if kind == "static":
            return value
        found = outputs[value]
        return wrap(found, self.backend, nodes.get(i)) if kind == "tensor" else found


class NumbersNow:
    """A set of an optimizer's numbers, computed for a call."""

    def __init__(self, group: int, numbers: NumberSet, entry: Entry, states: list[TracedState]) -> None:
        self.group, self.set = group, numbers
        self.inputs = [
            (entry.places[number.number], name)
            for name, number in numbers.numbers.items()
            if type(number) is Number
        ]
        self.flags = {name: value for name, value in numbers.numbers.items() if type(value) is not Number}
        self.state = numbers.state
        prepared = numbers.prepared
        # All parameters whose numbers these are: they have taken as many steps.
        self.others = [
            i
            for i, each in enumerate(states)
            if each.optimizer is self.state.optimizer and prepared.next_step(each.start) == numbers.start
        ]
        self.values = {
            name: number.value if type(number) is Number else number for name, number in numbers.numbers.items()
        }

    def prepare(self, entry: Entry) -> bool:
        """Compute the numbers. Returns False if they do not fit the trace."""
        set_ = self.set
        optimizer, p = self.state.optimizer, self.state.p
        state = optimizer.state.get(p) or {}
        named = entry.groups[self.group].named
        if set_.fixed is None:
            at = set_.prepared.next_step(state)
            for i in self.others:
                other = entry.states[i]
                if other.p is not p and set_.prepared.next_step(optimizer.state.get(other.p) or {}) != at:
                    return False
        self.values = set_.values_at(named, state)
        return all(self.values.get(name) == value for name, value in self.flags.items())

    def carry(self, states: list[Any]) -> None:
        """Keep the numbers that the state carries on."""
        if self.set.carries:
            for i in self.others:
                states[i].update((name, self.values[name]) for name, _ in self.set.prepared.carried)
