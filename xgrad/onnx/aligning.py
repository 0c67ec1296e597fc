"""Several recordings of one function as one program, in which numbers that differ between them are sizes.

The recordings are compared call by call. Where an integer of an argument or of a shape is not the same in all of them, it is a
`Size`. A constant array whose shape differs is given by its pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from xgrad.compile.program import Instruction, Spec, used_by
from xgrad.onnx.errors import ExportError
from xgrad.onnx.patterns import pattern
from xgrad.onnx.sizes import Dim, Named, size
from xgrad.onnx.tracing import Recording


@dataclass
class Aligned:
    """A program whose shapes and arguments may have sizes. Its constants are arrays and patterns of arrays."""

    recording: Recording  # of the first trace
    named: Named
    shapes: dict[int, tuple[Dim, ...]]
    instructions: list[Instruction]
    constants: dict[int, Any]


def align(recordings: Sequence[Recording], named: Named) -> Aligned:
    """Raises ExportError where the recordings differ in anything but sizes."""
    return _Aligning(recordings, named).run()


class _Aligning:
    def __init__(self, recordings: Sequence[Recording], named: Named) -> None:
        self.all, self.first, self.named = recordings, recordings[0], named

    def run(self) -> Aligned:
        programs = [each.program for each in self.all]
        for i, instruction in enumerate(programs[0].instructions):
            for k, other in enumerate(programs):
                found = other.instructions[i] if i < len(other.instructions) else None
                if found is None or (found.name, found.results) != (instruction.name, instruction.results):
                    self._differ(k, instruction, found)
        for k, other in enumerate(programs):
            if len(other.instructions) > len(programs[0].instructions):
                self._differ(k, None, other.instructions[len(programs[0].instructions)])
            if other.outputs != programs[0].outputs or len(other.inputs) != len(programs[0].inputs):
                self._differ(k, None, None)
        constants = {}
        for n in programs[0].constants:
            constants[n] = self._constant(n)
        shapes = {n: self._shape([program.specs.get(n) for program in programs], n) for n in programs[0].specs}
        instructions = [self._instruction([p.instructions[i] for p in programs]) for i in range(len(programs[0]))]
        return Aligned(self.first, self.named, shapes, instructions, constants)

    def _sizes(self, k: int) -> str:
        names, point = self.named
        return ", ".join(f"{name}={n}" for name, n in zip(names, point[k], strict=True))

    def _differ(self, k: int, one: Instruction | None, other: Instruction | None) -> NoReturn:
        """Raise: trace k computes something else."""
        which = one or other
        where = (self.first if one else self.all[k]).where(which.results[0]) if which else ""
        texts = [each.name if each else "nothing" for each in (one, other)]
        how = f"computes {texts[0]} for {self._sizes(0)}, and {texts[1]} for {self._sizes(k)}"
        if one is not None and other is not None and one.name == other.name:
            how = f"computes {one.name} with other arguments for {self._sizes(0)} than for {self._sizes(k)}"
        raise ExportError(
            f"onnx.export: the function {how}{where and f' ({where})'}. What it computes must not depend on a dynamic size: "
            'write it without loops or conditions on that size, or fix the size with dynamic_axes={"x": {...}}'
        )

    # --- parts

    def _shape(self, specs: list[Spec | None], number: int) -> tuple[Dim, ...]:
        shapes = [spec.shape if spec else None for spec in specs]
        if any(s is None or len(s) != len(shapes[0] or ()) for s in shapes) or len({s.dtype for s in specs if s}) > 1:
            where = self.first.where(number)
            raise ExportError(
                f"onnx.export: a value{where and f' ({where})'} has another rank or dtype for another size: "
                + ", ".join(f"{spec} for {self._sizes(k)}" for k, spec in enumerate(specs))
            )
        return tuple([size(at) for at in zip(*shapes, strict=True)])  # type: ignore[arg-type]

    def _instruction(self, all: list[Instruction]) -> Instruction:
        first = all[0]
        self._here = all
        args = tuple([self._operand(parts) for parts in zip(*[each.args for each in all], strict=False)])
        if any(len(each.args) != len(first.args) or each.options.keys() != first.options.keys() for each in all):
            self._other_arguments()
        options = {key: self._operand([each.options[key] for each in all]) for key in first.options}
        return Instruction(first.name, args, options, first.results, first.several)

    def _other_arguments(self) -> NoReturn:
        k = next((k for k, each in enumerate(self._here) if each != self._here[0]), 0)
        self._differ(k, self._here[0], self._here[k])

    def _operand(self, parts: Sequence[Any]) -> Any:
        first = parts[0]
        if any(type(part) is not type(first) for part in parts):
            self._other_arguments()
        if type(first) is int:
            return size(parts)
        if isinstance(first, tuple | list):
            if any(len(part) != len(first) for part in parts):
                self._other_arguments()
            return type(first)([self._operand(each) for each in zip(*parts, strict=True)])
        if type(first) is slice:
            return slice(*[self._operand([getattr(p, name) for p in parts]) for name in ("start", "stop", "step")])
        if type(first) is float:
            return self._float(parts)
        if any(part != first for part in parts):
            self._other_arguments()
        return first

    def _float(self, parts: Sequence[float]) -> Any:
        if all(part == parts[0] or (part != part and parts[0] != parts[0]) for part in parts):
            return parts[0]
        if all(part.is_integer() for part in parts):
            return size([int(part) for part in parts])
        where = self.first.where(self._here[0].results[0])
        shown = ", ".join(f"{part!r} for {self._sizes(k)}" for k, part in enumerate(parts[:2]))
        raise ExportError(
            f"onnx.export: a number depends on a dynamic size{where and f' ({where})'}: {shown}. Divide by the size itself "
            "(x / x.shape[0]), or fix the size with dynamic_axes"
        )

    def _constant(self, number: int) -> Any:
        arrays: list[Any] = [each.program.constants.get(number) for each in self.all]
        if any(array is None for array in arrays):
            self._differ(next(k for k, array in enumerate(arrays) if array is None), None, None)
        found: Any = arrays[0] if len(arrays) == 1 else pattern(arrays)
        if found is None:
            user = next(i for i in self.first.program.instructions if number in used_by(i))
            where = self.first.where(user.results[0])
            shapes = " and ".join(f"{tuple(array.shape)} for {self._sizes(k)}" for k, array in enumerate(arrays[:2]))
            raise ExportError(
                f"onnx.export: a constant array of {user.name}{where and f' ({where})'} depends on a dynamic size, in a way "
                f"that is not known (shapes {shapes}). Compute it from the input, or fix the size with dynamic_axes"
            )
        return found
