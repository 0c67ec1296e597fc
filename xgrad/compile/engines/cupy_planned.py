"""A program on CuPy's arrays as kernels of groups and calls of the library, which run one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends.base import Backend
from xgrad.compile.engines.cupy_expressions import COMPARISONS, OF_FLOATS
from xgrad.compile.engines.cupy_groups import REDUCTIONS, Group, grouped
from xgrad.compile.engines.cupy_kernels import Kernels, parameters, source_of
from xgrad.compile.engines.replayed import Replayed
from xgrad.compile.program import Instruction, Program, call, mapped, used_by

PRODUCTS = frozenset(
    [
        *("matmul", "linear", "weight_gradient", "tensordot", "vecdot", "convolution", "attention", "recurrent"),
        *("linalg.matmul", "linalg.tensordot", "linalg.vecdot"),
    ]
)


# Calls of the library whose results are arrays of their own. Any other may return a view of an operand.
FRESH = (
    PRODUCTS
    | set(REDUCTIONS)
    | (set(OF_FLOATS) - {"positive"})
    | set(COMPARISONS)
    | {"mask", "where", "softmax_cross_entropy"}
)


class Planned(Replayed):
    """A program as kernels of groups and calls of the library.

    State that the caller gives up is overwritten by the kernel that computes the new values, where nothing reads the old ones
    later.
    """

    def __init__(self, program: Program, backend: Backend, kernels: Kernels) -> None:
        super().__init__(program, backend)
        self.steps = grouped(program)
        self.sources = {i: source_of(program, s, i) for i, s in enumerate(self.steps) if isinstance(s, Group)}
        self._kernels = {
            i: kernels.elementwise(source) if source.reduce is None else kernels.reduction(source)
            for i, source in self.sources.items()
        }
        used = [list(s.inputs) if isinstance(s, Group) else list(used_by(s)) for s in self.steps]
        last = {number: i for i, numbers in enumerate(used) for number in numbers}
        self._ends: dict[int, list[int]] = {}
        for number, i in last.items():
            if number not in program.outputs:
                self._ends.setdefault(i, []).append(number)
        self._in_place = self._state_in_place(last)

    def _state_in_place(self, last: dict[int, int]) -> dict[int, int]:
        """For the outputs of kernels that can take the place of state: the positions of the inputs that they replace."""
        program, found = self.program, {}
        made = {
            n: i for i, s in enumerate(self.steps) if isinstance(s, Group) and s.reduction is None for n in s.outputs
        }
        for i, j in program.state:
            old, new = program.inputs[i], program.outputs[j]
            alike = program.specs[old] == program.specs[new] and program.outputs.count(new) == 1
            if (
                not alike
                or new not in made
                or new in found
                or {old, *(views := self._views_of(old))} & set(program.outputs)
            ):
                continue
            # Each element is read before it is written, so the kernel that reads the old values may write the new ones. In a
            # view of them the elements have other places.
            if last.get(old, -1) <= made[new] and all(last.get(view, -1) < made[new] for view in views):
                found[new] = i
        return found

    def _views_of(self, number: int) -> set[int]:
        """The values that may share memory with this one."""
        views: set[int] = set()
        for step in self.steps:
            if not isinstance(step, Group) and step.name not in FRESH and ({number} | views) & set(used_by(step)):
                views.update(step.results)
        return views

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs; see choice.Runner. A step that fails may have overwritten state that the caller gave up."""
        with self.backend.entered():
            into = {new: inputs[i] for new, i in self._in_place.items() if owned is not None and owned[i]}
            found = self.computed(inputs, into)
            kept = [x for x in inputs if not any(x is y for y in into.values())]
            return self._fresh(found, kept)

    def computed(self, inputs: Sequence[Any], into: dict[int, Any] | None = None) -> list[Any]:
        """The outputs, which may share memory. `into` has arrays that are written to, by the values that they get."""
        program, backend = self.program, self.backend
        values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True))
        values.update((number, backend.adopt(array)) for number, array in program.constants.items())
        into = into or {}
        for i, step in enumerate(self.steps):
            if isinstance(step, Group):
                self._launch(i, step, values, into)
            else:
                self._call(step, values)
            for number in self._ends.get(i, ()):
                values.pop(number, None)
        return [values[number] for number in program.outputs]

    def _launch(self, i: int, group: Group, values: dict[int, Any], into: dict[int, Any]) -> None:
        given = [values[number] for number in group.inputs]
        if group.reduction is not None:
            options = {"axis": None, "keepdims": False, **group.reduction.options}
            values[group.outputs[0]] = self._kernels[i](*given, **options)
            return
        xp, specs = self.backend.xp, self.program.specs
        for number in group.outputs:
            y = into.get(number)
            values[number] = xp.empty(group.shape, dtype=getattr(xp, specs[number].dtype)) if y is None else y
        self._kernels[i](*given, *(values[number] for number in group.outputs))

    def _call(self, instruction: Instruction, values: dict[int, Any]) -> None:
        xp = self.backend.xp

        def value_of(operand: Any) -> Any:
            return values[operand.number] if hasattr(operand, "number") else getattr(xp, operand.name)

        function, args, options, results, several = instruction
        options = {key: mapped(option, value_of) for key, option in options.items()}
        found = call(xp, function, mapped(args, value_of), options)
        values.update(zip(results, found if several else (found,), strict=True))

    def source(self) -> str:
        """The kernels' sources, in order."""
        return "\n\n".join(
            f"// {s.name}({parameters(s.inputs)}) -> {parameters(s.outputs)}\n{s.body}" for s in self.sources.values()
        )
