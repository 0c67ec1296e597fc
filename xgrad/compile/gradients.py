"""A compiled function on the tape: one recorded operation, whose derivative is a program too.

A function is traced together with its reverse pass. What lies before the pass is the forward program, what lies after it the
backward program; the values of the first that the second needs are saved for backward. A derivative of the derivative, and the
forward mode, replay the forward program on xgrad's own namespace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from xgrad.compile.program import Program, replay, used_by
from xgrad.engine import tape
from xgrad.engine.several import Output, Parts
from xgrad.engine.tape import BACKEND, FREED, PARENTS, SAVED, Leaf, Node, is_node, make_node, parents_of
from xgrad.engine.tensor import Tensor, wrap
from xgrad.transforms.grad import jvp, vjp


class Source:
    """An input of the program that may require a gradient: an argument, by its place, or a tensor from outside."""

    def __init__(self, number: int, leaf: Leaf, place: int | None, tensor: Tensor | None) -> None:
        self.number, self.leaf, self.place, self.tensor = number, leaf, place, tensor

    def node(self, leaves: Sequence[Any]) -> Any:
        found: Tensor = leaves[self.place] if self.tensor is None else self.tensor  # type: ignore[index]
        return found.node


class Recorded:
    """The reverse pass of a trace, as it was recorded."""

    def __init__(
        self, sources: list[Source], results: list[int], cotangents: list[Any], gradients: list[Any], boundary: int
    ) -> None:
        self.sources = sources
        self.results = results  # which of the function's results require a gradient
        self.cotangents, self.gradients = cotangents, gradients
        self.boundary = boundary  # the number of instructions before the pass


def record_reverse_pass(trace: Any) -> Recorded | None:
    """Record the reverse pass from the results of a trace to its inputs. None if no result requires a gradient."""
    recorder = trace.recorder
    sources = [
        Source(each.traced.number, each.leaf, each.place, None) for each in trace.arguments if each.leaf is not None
    ]
    sources += [
        Source(each.traced.number, each.node, None, each.tensor)
        for each in trace.capture.touched.values()
        if each.node is not None and each.traced.number is not None
    ]
    known = {id(source.leaf) for source in sources}
    results = [
        i
        for i, result in enumerate(trace.results)
        if result.kind == "tensor" and result.node is not None and _is_usable(result.node, known)
    ]
    if not results:
        return None
    boundary = len(recorder.instructions)
    waiting: dict[int, Any] = {}
    starts: dict[int, Node] = {}
    cotangents = []
    for i in results:
        y, node = trace.results[i].value, trace.results[i].node
        base = y.backend.base
        g = recorder.input(base.xp.ones(y.value.shape, dtype=y.value.dtype), base)
        cotangents.append(g)
        waiting[id(node)] = waiting[id(node)] + g if id(node) in waiting else g
        if is_node(node):
            starts[id(node)] = node
    if starts:
        tape.walk_back(list(starts.values()), waiting, retain=True, lift=None)
    return Recorded(sources, results, cotangents, [waiting.get(id(source.leaf)) for source in sources], boundary)


def _is_usable(node: Any, known: set[int]) -> bool:
    """Whether the graph of a node has all its saved values, and leads to one of the known leaves."""
    seen: set[int] = set()
    ahead = [node]
    leads = False
    while ahead:
        node = ahead.pop()
        leads = leads or id(node) in known
        if not is_node(node) or id(node) in seen:
            continue
        seen.add(id(node))
        if node[SAVED] is FREED:
            return False
        ahead.extend(parents_of(node))
    return leads


class Gradients:
    """The forward and the backward program of a trace.

    Attributes:
        function: the function's program alone.
        forward: the function's program. Its outputs are those of the function, then the values that are saved for backward.
        backward: its inputs are the saved values, then the inputs of the forward program that it needs, then the cotangents.
    """

    def __init__(
        self, recorded: Recorded, program: Program, name: str, backend: Any, result_outputs: list[int]
    ) -> None:
        self.backend = backend
        self.result_outputs = result_outputs  # the place of each differentiable result among the outputs
        self.sources, self.results = recorded.sources, recorded.results
        before, after = program.instructions[: recorded.boundary], program.instructions[recorded.boundary :]
        cotangents = [g.number for g in recorded.cotangents]
        gradients = [None if g is None else g.number for g in recorded.gradients]
        self.given = [i for i, g in enumerate(gradients) if g is not None]
        outputs = [g for g in gradients if g is not None]
        inputs = [number for number in program.inputs if number not in set(cotangents)]
        made = {number for instruction in before for number in instruction.results}
        needed = list(dict.fromkeys([n for each in after for n in used_by(each)] + outputs))
        self.saved = [n for n in needed if n in made]
        self.needed_inputs = [i for i, n in enumerate(inputs) if n in set(needed)]
        self.function = replace(program, inputs=tuple(inputs), instructions=before)
        self.forward = replace(self.function, outputs=(*program.outputs, *self.saved))
        self.backward = Program(
            program.specs,
            (*self.saved, *[inputs[i] for i in self.needed_inputs], *cotangents),
            program.constants,
            after,
            tuple(outputs),
        )
        self.positions = [inputs.index(source.number) for source in self.sources]
        self.op = CompiledOp(name, self)
        self.outputs = [Output(name, k) for k in range(len(self.results))]
        self.runner: Any = None  # of the backward program

    def nodes(self, leaves: Sequence[Any], values: list[Any], outputs: list[Any], count: int) -> dict[int, Any]:
        """The nodes of the results that require a gradient, by the number of the result. Outputs from `count` on are saved."""
        ys = [outputs[place] for place in self.result_outputs]
        parents = tuple([source.node(leaves) for source in self.sources])
        geometry = tuple([(y.shape, y.dtype) for y in ys])
        saved = tuple(values), tuple(outputs[count:]), tuple(ys), geometry
        whole = make_node(self.op, parents, saved, None, self.backend)
        if len(self.results) == 1:
            return {self.results[0]: whole}
        return {i: output.node(whole) for i, output in zip(self.results, self.outputs, strict=True)}


class CompiledOp:
    """The operation of a compiled function.

    `saved` is (the inputs, the values saved for backward, the differentiable results, their shapes and dtypes).
    """

    fresh = False
    lends = True

    def __init__(self, name: str, gradients: Gradients) -> None:
        self.name, self.gradients = name, gradients

    def __repr__(self) -> str:
        return f"<compiled {self.name}>"

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: Any, static: Any) -> list[Any]:
        of, (values, kept, ys, _) = self.gradients, saved
        parts = g.of if isinstance(g, Parts) else {0: g}
        if not all(map(of.backend.owns, parts.values())) or any(isinstance(value, Tensor) for value in values):
            return self._pull_by_replay(parts, parents, values, ys)
        cotangents = [parts[k] if k in parts else xp.zeros(y.shape, dtype=y.dtype) for k, y in enumerate(ys)]
        gradients: list[Any] = [None] * len(of.sources)
        found = of.runner.run([*kept, *[values[i] for i in of.needed_inputs], *cotangents])
        for i, h in zip(of.given, found, strict=True):
            gradients[i] = h if parents[i] is not None else None
        return gradients

    def _pull_by_replay(self, parts: dict[int, Any], parents: Sequence[Any], values: Any, ys: Any) -> list[Any]:
        """On tensors, where the pass is recorded or runs inside of vmap."""
        function, primals = self._replayed(values)
        given = {k: self._as_tensor(g) for k, g in parts.items()}
        zeros = primals[0].backend.view.zeros
        cotangents = tuple([given[k] if k in given else zeros(y.shape, dtype=y.dtype) for k, y in enumerate(ys)])
        found = vjp(function, *primals)[1](cotangents)
        if not any(isinstance(g, Tensor) for g in parts.values()):
            found = [h._data for h in found]
        return [None if parent is None else h for parent, h in zip(parents, found, strict=True)]

    def push(self, xp: Any, tangents: Sequence[Any], saved: Any, static: Any) -> Any:
        values, _, ys, _ = saved
        function, primals = self._replayed(values)
        zeros = primals[0].backend.view.zeros
        given = [
            zeros(p.shape, dtype=p.dtype) if t is None else self._as_tensor(t)
            for t, p in zip(tangents, primals, strict=True)
        ]
        found = list(jvp(function, tuple(primals), tuple(given))[1])
        if not any(isinstance(t, Tensor) for t in tangents):
            found = [t._data for t in found]
        return found[0] if len(ys) == 1 else found

    def _as_tensor(self, g: Any) -> Tensor:
        return g if isinstance(g, Tensor) else wrap(g, self.gradients.backend.backend_of_array(g))

    def _replayed(self, values: Sequence[Any]) -> tuple[Any, list[Tensor]]:
        """The function of the differentiable inputs, on tensors, and these inputs as tensors."""
        of = self.gradients
        backend = of.backend
        tensors = [wrap(value, backend) if backend.owns(value) else value for value in values]
        primals = [tensors[i] for i in of.positions]

        def function(*given: Any) -> Any:
            inputs = list(tensors)
            for i, x in zip(of.positions, given, strict=True):
                inputs[i] = x
            outputs = replay(of.function, given[0].backend.here().view, inputs, lambda array: wrap(array, backend))
            return tuple(outputs[of.result_outputs[k]] for k in range(len(of.results)))

        return function, primals

    def lift(self, node: Node) -> Any:
        """For a pass that is recorded: the inputs as tensors with their nodes."""
        values, kept, ys, geometry = node[SAVED]
        backend = node[BACKEND]
        lifted = list(values)
        for i, parent in zip(self.gradients.positions, node[PARENTS], strict=True):
            lifted[i] = wrap(values[i], backend, parent)
        return backend.view, (tuple(lifted), kept, ys, geometry)
