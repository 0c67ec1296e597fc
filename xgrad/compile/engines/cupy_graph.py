"""A program on CuPy's arrays as a CUDA graph: it is recorded once, and each run launches all its kernels by one call.

A graph has the addresses of its arrays in it. So the inputs are copied into arrays of its own, and the results are copied out.
What is computed on the way lies in a pool of memory of the graph, which nothing else uses. Nothing here has run on a device yet.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from xgrad.compile.engines.cupy_expressions import COMPARISONS, LOGIC, OF_FLOATS, OF_ONE_FLOAT
from xgrad.compile.engines.cupy_groups import Group
from xgrad.compile.engines.cupy_planned import Planned
from xgrad.compile.program import NUMBER, call, mapped, used_by

# Calls that neither wait for the device, nor call cuBLAS or cuSOLVER, nor read values on the host.
RECORDABLE = frozenset(
    [
        *(*OF_FLOATS, *COMPARISONS, *OF_ONE_FLOAT, *LOGIC),
        *("astype", "cast", "where", "mask", "zeros_like", "ones_like", "zeros", "ones", "full"),
        *("reshape", "matrix_transpose", "permute_dims", "expand_dims", "squeeze", "broadcast_to", "flip", "moveaxis"),
        *("sum", "mean", "max", "min", "prod", "concat", "stack", "take", "take_along_axis", "softmax", "log_softmax"),
    ]
)


def is_recordable(planned: Planned) -> bool:
    """Whether CUDA can record each step of a program. Python floats must enter as operands of our own kernels."""
    program = planned.program
    for step in planned.steps:
        if isinstance(step, Group) or program.specs[step.results[0]].dtype == NUMBER:
            continue
        if step.name not in RECORDABLE or any(program.specs[number].dtype == NUMBER for number in used_by(step)):
            return False
    return bool(planned.sources) and not any(program.specs[number].dtype == NUMBER for number in program.outputs)


class Graphed:
    """A recorded program. Runs of several threads wait for each other, because they share the graph's arrays."""

    def __init__(self, planned: Planned) -> None:
        self.planned = planned
        self.program, self.backend = planned.program, planned.backend
        specs = self.program.specs
        self._of_numbers = [s for s in planned.steps if isinstance(s, tuple) and specs[s.results[0]].dtype == NUMBER]
        self._scalars = [(i, n) for i, n in enumerate(self.program.inputs) if specs[n].dtype == NUMBER]
        self._numbers = [n for _, n in self._scalars] + [s.results[0] for s in self._of_numbers]
        self._lock = threading.Lock()
        self._graph: Any = None
        self._done: Any = None  # the event at the end of the last run

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs; see choice.Runner. State is copied out like other results."""
        cupy = import_module("cupy")
        with self._lock, self.backend.entered():
            numbers = self._values(inputs)
            if self._graph is None:
                self._record(cupy, inputs)
            stream = cupy.cuda.get_current_stream()
            stream.wait_event(self._done)  # the run before may have been on another stream
            for own, x in zip(self._inputs, inputs, strict=True):
                if own is not None:
                    own[...] = x
            if numbers:
                self._vector.set(import_module("numpy").array(numbers))
            self._graph.launch(stream=stream)
            found = [y.copy() for y in self._outputs]
            self._done = stream.record()
        return found

    def _values(self, inputs: Sequence[Any]) -> list[float]:
        """The Python floats of a run, in the order of the vector."""
        numbers = {n: inputs[i] for i, n in self._scalars}
        for name, args, options, results, _ in self._of_numbers:
            numbers[results[0]] = call(None, name, mapped(args, lambda ref: numbers[ref.number]), options)
        return [numbers[n] for n in self._numbers]

    def _record(self, cupy: Any, inputs: Sequence[Any]) -> None:
        """Run the program twice in memory of its own: to compile the kernels and fill the pool, and to record it."""
        self._inputs = [None if isinstance(x, float) else x.copy(order="C") for x in inputs]
        # Python floats are elements of a vector, which each run writes anew: a graph would keep arguments as they were.
        self._vector = cupy.zeros(max(len(self._numbers), 1), dtype=cupy.float64)
        places = {n: self._vector[k : k + 1].reshape(()) for k, n in enumerate(self._numbers)}
        steps = Recorded(self.planned, places)
        given = [places[n] if own is None else own for n, own in zip(self.program.inputs, self._inputs, strict=True)]
        self._pool = cupy.cuda.MemoryPool()
        stream = cupy.cuda.Stream(non_blocking=True)
        stream.wait_event(cupy.cuda.get_current_stream().record())
        with cupy.cuda.using_allocator(self._pool.malloc), stream:
            steps.computed(given)
            stream.synchronize()
            stream.begin_capture()
            try:
                self._outputs = steps.computed(given)
            finally:
                self._graph = stream.end_capture()
        self._done = stream.record()


class Recorded:
    """The steps of a program with 0-d arrays in the places of its Python floats."""

    def __init__(self, planned: Planned, places: dict[int, Any]) -> None:
        self.planned, self.places = planned, places

    def computed(self, inputs: Sequence[Any]) -> list[Any]:
        planned, program = self.planned, self.planned.program
        values = {**dict(zip(program.inputs, inputs, strict=True)), **self.places}
        values.update((number, planned.backend.adopt(array)) for number, array in program.constants.items())
        for i, step in enumerate(planned.steps):
            if isinstance(step, Group):
                planned._launch(i, step, values, {})
            elif program.specs[step.results[0]].dtype != NUMBER:
                planned._call(step, values)
            for number in planned._ends.get(i, ()):
                values.pop(number, None)
        return [values[number] for number in program.outputs]
