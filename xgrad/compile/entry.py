"""A compiled trace: its program, and what the program's inputs and outputs are outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from xgrad.backends import get_backend
from xgrad.compile.engines.choice import engine_for, prepare
from xgrad.compile.gradients import Gradients
from xgrad.compile.guards import guards_of, numbers_of
from xgrad.compile.inputs import Gathered, Inputs
from xgrad.compile.outputs import Outputs
from xgrad.compile.passes import optimized
from xgrad.compile.passes.dead_code import without_dead_code
from xgrad.compile.program import used_by
from xgrad.compile.signature import Signature
from xgrad.compile.traced import Number


class Entry:
    """A compiled trace.

    Attributes:
        program: the program, as it was recorded.
        reason: why the function was traced.
        line: the user's line that called it.
        engine: what runs the program, in words.
        signature: of the calls that it is for.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        trace: Any,
        signature: Signature,
        static: list[Any],
        keep_grads: bool,
        reason: str,
        line: str,
    ) -> None:
        recorder = trace.recorder
        self.reason, self.line, self.engine, self.signature = reason, line, "", signature
        self.closed_over = list(dict.fromkeys([*recorder.closed_over, *numbers_of(f)]))  # what is constant
        self.backend = recorder.base or get_backend()  # a program may have no inputs
        touched = [each.tensor for each in trace.capture.touched.values() if each.traced.number is not None]
        guards, names = guards_of(f, static, touched)
        places = {number: i for i, number in enumerate(recorder.inputs)}
        of_pass = trace.reverse_pass
        for cotangent in of_pass.cotangents if of_pass is not None else ():  # the last inputs, and of another program
            del places[cotangent.number]
        self.inputs = Inputs(trace, self.backend, places, guards, names)
        self.outputs = Outputs(trace, self.inputs, places, keep_grads)
        numbers = [recorder.number_of(value) for value in self.outputs.traced]
        self.program = replace(recorder.program(numbers, self.outputs.state), names=self._names(trace))
        if of_pass is None:
            self.program = without_dead_code(self.program)
        self.gradients: Gradients | None = None
        self._run = self.program
        if of_pass is not None:
            name = getattr(f, "__name__", "function")
            places_of_results = [self.outputs.results[i][1] for i in of_pass.results]
            self.gradients = Gradients(of_pass, self.program, name, self.backend, places_of_results)
            self.program, self._run = without_dead_code(self.gradients.function), self.gradients.forward
        used = set(self._run.outputs).union(*map(used_by, self._run.instructions))
        self.inputs.drop_numbers({i for i, number in enumerate(self._run.inputs) if number in used})
        self._values = recorder.values  # of the trace, until `start`
        recorder.forget()
        trace.drawing.forget()
        trace.moments.forget()
        self.runner: Any = None

    def _names(self, trace: Any) -> dict[int, str]:
        """Names for the inputs of the program, each once: of arguments, tensors, moments and numbers."""
        of_tensors = {id(each.tensor): each.name for each in self.inputs.tensors}
        named: list[tuple[Any, str]] = [
            (each.traced, trace.names[each.place]) for each in trace.arguments if each.place < len(trace.names)
        ]
        touched = [each for each in trace.capture.touched.values() if each.traced.number is not None]
        named += [(each.traced, of_tensors[id(each.tensor)]) for each in touched]
        for state in trace.moments.in_use():
            named += [(array, f"{of_tensors.get(id(state.p), '')}.{name}") for name, array in state.arrays.items()]
        for group in trace.moments.groups.values():
            numbers = {**group.numbers, **{k: v for each in group.sets.values() for k, v in each.numbers.items()}}
            named += [(number, name) for name, number in numbers.items() if type(number) is Number]
        names: dict[int, str] = {}
        used: set[str] = set()
        for value, name in named:
            # A value without a name is printed as "v12".
            if (
                " " not in name
                and not (name[:1] == "v" and name[1:].isdigit())
                and name not in used
                and len(name) <= 200
            ):
                names[value.number] = name
                used.add(name)
        return names

    def prepare(self, engine: str) -> None:
        """Make the engine's runner of the program."""
        self.engine = engine_for(engine, self.backend)
        xp = self.backend.xp
        self.runner = prepare(engine, optimized(self._run, xp), self.backend)
        self.inputs.exclusive = getattr(self.runner, "exclusive", self.backend.exclusive)
        self._rerun = getattr(self.runner, "rerun", self.runner.run)
        self.inputs.start()
        if self.gradients is not None:
            self.gradients.runner = prepare(engine, optimized(self.gradients.backward, xp), self.backend)

    def start(self, leaves: Sequence[Any]) -> Any:
        """The result of the trace itself. Its values may share memory, so they are copied."""
        known, self._values = self._values, {}
        backend = self.backend
        outputs = [known[number] for number in self._run.outputs]
        count = self.outputs.count
        copies = [backend.copy(y) if backend.owns(y) else y for y in outputs[:count]]
        states = [each.optimizer.state.get(each.p) for each in self.inputs.states]
        gathered = Gathered([known[number] for number in self._run.inputs], [], states)
        return self._put([*copies, *outputs[count:]], leaves, gathered)

    def gather(self, leaves: Sequence[Any]) -> Gathered | None:
        """The inputs for a call; None if the trace does not fit it."""
        return self.inputs.gather(leaves)

    def run(self, leaves: Sequence[Any], gathered: Gathered) -> Any:
        """A call that this trace fits."""
        run = self._rerun if gathered.again else self.runner.run
        return self._put(run(gathered.values, gathered.owned), leaves, gathered)

    def change(self) -> str:
        """Why the trace does not fit a call."""
        return self.inputs.change()

    def _put(self, outputs: list[Any], leaves: Sequence[Any], gathered: Gathered) -> Any:
        nodes = {}
        if self.gradients is not None:
            nodes = self.gradients.nodes(leaves, gathered.values, outputs, self.outputs.count)
        return self.outputs.put(outputs, gathered, nodes)
