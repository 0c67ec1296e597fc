"""Groups of elementwise instructions, and of reductions with what they reduce: each is one kernel on CuPy's arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from xgrad.compile.engines.cupy_expressions import CTYPES, FLOATS, expression
from xgrad.compile.program import NUMBER, Instruction, Program, Ref, used_by

MOST = 24  # operands of a kernel: CUDA takes 4,096 bytes of arguments, and an array has up to 150

REDUCTIONS = {
    "sum": ("a + b", "0"),
    "mean": ("a + b", "0"),
    "prod": ("a * b", "1"),
}


@dataclass
class Group:
    """Elementwise instructions on arrays that broadcast to one shape, in order; `reduction` is what is done with the last one.

    `inputs` are the values from outside, numbers included, and `outputs` those that are needed outside.
    """

    shape: tuple[int, ...]
    instructions: list[Instruction] = field(default_factory=list)
    reduction: Instruction | None = None
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def body(self, program: Program) -> list[str]:
        """The statements that compute the values."""
        lines = []
        for each in self.instructions:
            text = expression(program, each, name)
            ctype = CTYPES[program.specs[each.results[0]].dtype]
            lines.append(f"const {ctype} {name(each.results[0])} = {text};")
        return lines


def name(number: int) -> str:
    """The variable of a value."""
    return f"v{number}"


def grouped(program: Program) -> list[Instruction | Group]:
    """The program as a list of groups and of other instructions, in an order in which each finds its operands.

    An instruction joins the first group of its shape that comes after its operands. A group of one instruction stays what it was,
    because the library has a kernel for that, unless it takes a Python float. Instructions on Python floats come first.
    """
    steps: list[Instruction | Group] = []
    made_in: dict[int, int] = {}  # the step that makes a value
    reduced = _reduced(program)
    inside = {id(each) for chain in reduced.values() for each in chain}
    for i, instruction in enumerate(program.instructions):
        if id(instruction) in inside or program.specs[instruction.results[0]].dtype == NUMBER:
            continue
        if i in reduced:
            group = Group(program.specs[_operand(instruction)].shape, [*reduced[i]], instruction)
            steps.append(group)
        else:
            after = max((made_in.get(n, -1) for n in used_by(instruction)), default=-1)
            place = _place(program, steps, instruction, after)
            if place is not None:
                steps[place].instructions.append(instruction)  # type: ignore[union-attr]
                made_in.update(dict.fromkeys(instruction.results, place))
                continue
            is_elementwise = _is_elementwise(program, instruction)
            shape = program.specs[instruction.results[0]].shape
            steps.append(Group(shape, [instruction]) if is_elementwise else instruction)
        made_in.update(dict.fromkeys(instruction.results, len(steps) - 1))
    return _finished(program, steps)


def _is_elementwise(program: Program, instruction: Instruction) -> bool:
    return bool(instruction.results) and expression(program, instruction, name) is not None


def _place(program: Program, steps: list[Instruction | Group], instruction: Instruction, after: int) -> int | None:
    if not _is_elementwise(program, instruction):
        return None
    shape = program.specs[instruction.results[0]].shape
    for place in range(max(after, 0), len(steps)):
        step = steps[place]
        if isinstance(step, Group) and step.reduction is None and step.shape == shape:
            names = {n for each in (*step.instructions, instruction) for n in (*used_by(each), *each.results)}
            if len(names) - len(step.instructions) <= MOST:
                return place
    return None


def _operand(reduction: Instruction) -> int:
    operand = reduction.args[0]
    assert type(operand) is Ref
    return operand.number


def _reduced(program: Program) -> dict[int, list[Instruction]]:
    """For the position of each reduction of floats: the elementwise instructions that only it needs, in order."""
    uses: dict[int, int] = {}
    for instruction in program.instructions:
        for number in used_by(instruction):
            uses[number] = uses.get(number, 0) + 1
    for number in program.outputs:
        uses[number] = uses.get(number, 0) + 1
    maker = {n: (i, each) for i, each in enumerate(program.instructions) for n in each.results}
    found = {}
    for i, instruction in enumerate(program.instructions):
        if not _is_reduction(program, instruction):
            continue
        shape = program.specs[_operand(instruction)].shape
        chain: dict[int, Instruction] = {}
        waiting = [_operand(instruction)]
        while waiting:
            number = waiting.pop()
            place, each = maker.get(number, (-1, None))
            # One use, and that is in the chain: nothing is computed twice.
            if each is None or uses[number] != 1 or program.specs[number].shape != shape:
                continue
            if _is_elementwise(program, each) and len(chain) < MOST // 2:
                chain[place] = each
                waiting += used_by(each)
        if chain:
            found[i] = [chain[place] for place in sorted(chain)]
    return found


def _is_reduction(program: Program, instruction: Instruction) -> bool:
    name_, args, options, results, several = instruction
    if (
        name_ not in REDUCTIONS
        or several
        or len(args) != 1
        or type(args[0]) is not Ref
        or not set(options) <= {"axis", "keepdims"}
    ):
        return False
    given, made = program.specs[args[0].number], program.specs[results[0]]
    return given.dtype in FLOATS and given.dtype == made.dtype and prod(given.shape) > 0


def _finished(program: Program, steps: list[Instruction | Group]) -> list[Instruction | Group]:
    """The steps with the inputs and outputs of each group. Groups of one elementwise instruction become that instruction."""
    of_numbers = [s for s in program.instructions if program.specs[s.results[0]].dtype == NUMBER]
    plain: list[Instruction | Group] = [
        step.instructions[0] if isinstance(step, Group) and _is_alone(program, step) else step for step in steps
    ]
    steps = [*of_numbers, *plain]
    needed: dict[int, set[int]] = {number: {-1} for number in program.outputs}
    for i, step in enumerate(steps):
        for number in _used(step):
            needed.setdefault(number, set()).add(i)
    for i, step in enumerate(steps):
        if isinstance(step, Group):
            made = [n for each in step.instructions for n in each.results]
            step.inputs = list(dict.fromkeys(n for n in _used(step) if n not in made))
            outside = [n for n in made if needed.get(n, set()) - {i}]
            step.outputs = list(step.reduction.results) if step.reduction is not None else outside
    return steps


def _is_alone(program: Program, group: Group) -> bool:
    if group.reduction is not None or len(group.instructions) > 1:
        return False
    return all(program.specs[number].dtype != NUMBER for number in used_by(group.instructions[0]))


def _used(step: Instruction | Group) -> Iterable[int]:
    if isinstance(step, Group):
        return [n for each in step.instructions for n in used_by(each)]
    return used_by(step)
