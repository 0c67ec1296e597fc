"""Where the outputs of a program go: the function's result, tensors that were written to, gradients, moments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.compile.capture import Dropped, drop
from xgrad.compile.errors import refused
from xgrad.compile.in_place import InPlace
from xgrad.compile.inputs import Gathered, Inputs
from xgrad.engine.tensor import wrap


class Outputs:
    """What the outputs of a program are outside.

    Attributes:
        traced: the traced values of the outputs, in order.
        state: pairs (input, output) of the program: the output takes the place of the input.
        results: for each leaf of the function's result its kind ("tensor", "array", "float" or "static") and the number of the
            output, or the value itself if it is static.
    """

    def __init__(self, trace: Any, inputs: Inputs, places: dict[int, int], keep_grads: bool) -> None:
        self.inputs, self.backend = inputs, inputs.backend
        self.traced: list[Any] = []
        self.state: list[tuple[int, int]] = []
        self.rebuild: Callable[[list[Any]], Any] = trace.rebuild
        self.results = [(r.kind, self._add(r.value) if r.kind != "static" else r.value) for r in trace.results]
        touched = [each for each in trace.capture.touched.values() if each.traced.number is not None]
        self.writes: list[tuple[Any, int]] = []
        for each, known in zip(touched, inputs.tensors, strict=True):
            new = each.new_value
            if new is not None:
                output = self._add(new)
                self.writes.append((known.tensor, output))
                known.is_written = True
                if (new.shape, new.dtype) == (tuple(known.shape), known.dtype):
                    self.state.append((known.place, output))
        self.moments: list[tuple[int, str, int]] = []
        for i, traced in enumerate(trace.moments.in_use()):
            for name, new in traced.written().items():
                output = self._add(new)
                self.moments.append((i, name, output))
                if name in traced.arrays:
                    self.state.append((places[traced.arrays[name].number], output))
        self.grads: list[tuple[Any, int | None]] = []  # the output, None for none, or -1 for one that is not kept
        for grad in trace.capture.grads.values():
            if grad.was_written and grad.value is not grad.before:
                self.grads.append((grad.held, self._gradient(grad.value, keep_grads)))
        self.count = len(self.traced)
        self._places = {output: place for place, output in self.state}
        # Whether all that is written may be written in place: it has the shape and dtype that it had.
        moments = [output for _, _, output in self.moments]
        of_grads = {each.tensor for each in inputs.tensors if each.held is not None}  # each call finds another tensor
        written = [output for t, output in self.writes if not getattr(t, "shared", None) and t not in of_grads]
        self.in_place = 0 < len(self.state) == len(self.writes) + len(moments) == len({*written, *moments})

    def _add(self, value: Any) -> int:
        self.traced.append(value)
        return len(self.traced) - 1

    def _gradient(self, value: Any, keep_grads: bool) -> int | None:
        if value is None or not keep_grads:
            return None if value is None else -1
        if value.node is not None:
            raise refused("a .grad that is itself on the tape is kept", "Call backward without create_graph=True")
        return self._add(value._data)

    def _write_back(self, outputs: list[Any], gathered: Gathered) -> None:
        """Give tensors and moments their new arrays, and note whether the program has written all of them in place."""
        for t, output in self.writes:
            array = outputs[output]
            if getattr(t, "shared", None):
                t.data = array  # which updates the views too
            elif array is not t._data:  # otherwise the program has written into its memory
                t._data, t.layout = array, None
        states = gathered.states
        for i, of_state in enumerate(self.inputs.states):
            state = states[i]
            if state is None:
                state = states[i] = of_state.optimizer.state[of_state.p] = of_state.make(of_state.p)
            state.run = None  # the arrays are others: an eager step looks at them first
        for i, name, output in self.moments:
            states[i][name] = outputs[output]
        values = gathered.values
        if self.in_place and all(outputs[output] is values[place] for place, output in self.state):
            tensors = [(t, outputs[output], self._places[output]) for t, output in self.writes]
            moments = [(i, name, outputs[output], self._places[output]) for i, name, output in self.moments]
            self.inputs.in_place = InPlace(tensors, moments, gathered.owned, self.backend)

    def put(self, outputs: list[Any], gathered: Gathered, nodes: dict[int, Any]) -> Any:
        """Write what has changed back, and return the function's result. `nodes` has the nodes of results, by their number."""
        states = gathered.states
        if not (gathered.again and outputs[self.state[0][1]] is gathered.values[self.state[0][0]]):
            self._write_back(outputs, gathered)
        for i, of_state in enumerate(self.inputs.states):
            if of_state.steps:
                states[i]["step"] = states[i].get("step", 0) + of_state.steps
        for numbers in self.inputs.numbers:
            if numbers.set.carries:
                for i in numbers.others:
                    states[i].update((name, numbers.values[name]) for name, _ in numbers.set.prepared.carried)
        for held, place in self.grads:
            if place is None:
                held.grad = None
            elif place < 0:
                if type(held) is not Dropped:
                    drop(held)
            else:
                held.grad = wrap(outputs[place], self.backend)
        backend = self.backend
        leaves = [
            value
            if kind == "static"
            else wrap(outputs[value], backend, nodes.get(i) if nodes else None)
            if kind == "tensor"
            else outputs[value]
            for i, (kind, value) in enumerate(self.results)
        ]
        return self.rebuild(leaves)
