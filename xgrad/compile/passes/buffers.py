"""Which memory each value needs: values whose lives do not overlap share a buffer, and views have none of their own.

A value lives from the instruction that makes it to the last one that uses it or a view of it. The plan changes no instruction: an
engine reads it. Inputs, constants and outputs are not in it, because they are arrays of the caller's, or become so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from xgrad.compile.passes.kinds import is_array, is_elementwise, nbytes, viewed
from xgrad.compile.program import Instruction, Program, used_by


@dataclass
class Plan:
    """The memory of a program's values.

    Attributes:
        buffer_of: the number of the buffer, for each value that has one.
        sizes: the dtype and the number of bytes of each buffer.
        views: for a value that may share memory with an operand, the value that owns that memory: an input, a constant, an
            output, or a value in `buffer_of`.
        over: for a value that is written over an operand, in place, that operand.
        lives: the first and the last instruction that touch the memory of each value that owns some.
    """

    buffer_of: dict[int, int] = field(default_factory=dict)
    sizes: list[tuple[str, int]] = field(default_factory=list)
    views: dict[int, int] = field(default_factory=dict)
    over: dict[int, int] = field(default_factory=dict)
    lives: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """The memory of all buffers."""
        return sum(size for _, size in self.sizes)


def plan(program: Program, can_write: Callable[[Instruction], bool] = lambda instruction: True) -> Plan:
    """The plan of a program. Each value that has a buffer may be written to it when its instruction runs, and not before.

    Args:
        program: the program.
        can_write: whether the engine can write the results of this instruction into memory that is given. Other results have no
            buffer.
    """
    made = Plan()
    owners = _Owners(program, made)
    made.lives = _lives(program, owners)
    kept = {owner for number in program.outputs for owner in owners.of(number)}
    ends: dict[int, list[int]] = {}
    for number, (_, last) in made.lives.items():
        ends.setdefault(last, []).append(number)
    free: dict[str, list[int]] = {}
    taken: set[int] = set()  # the values whose buffer another one was written to
    for i, instruction in enumerate(program.instructions):
        writes = can_write(instruction)
        for number in instruction.results:
            spec = program.specs[number]
            if not writes or number in kept or number in made.views or not is_array(spec) or not nbytes(spec):
                continue
            operand = _operand_to_write_over(program, made, owners, i, number)
            if operand is not None:
                made.over[number] = operand
                taken.add(operand)
                made.buffer_of[number] = made.buffer_of[operand]
            else:
                made.buffer_of[number] = _take(made, free, spec.dtype, nbytes(spec))
        for number in ends.get(i, ()):
            if number in made.buffer_of and number not in taken:
                buffer = made.buffer_of[number]
                free.setdefault(made.sizes[buffer][0], []).append(buffer)
    return made


class _Owners:
    """The values whose memory a value may lie in: itself, or what it is a view of."""

    def __init__(self, program: Program, made: Plan) -> None:
        self._found: dict[int, frozenset[int]] = {}
        for instruction in program.instructions:
            operands = viewed(program, instruction)
            owners = frozenset[int]().union(*map(self.of, operands))
            for number in instruction.results:
                if owners and is_array(program.specs[number]):
                    self._found[number] = owners
                    made.views[number] = min(owners)

    def of(self, number: int) -> frozenset[int]:
        return self._found.get(number) or frozenset([number])


def _lives(program: Program, owners: _Owners) -> dict[int, tuple[int, int]]:
    lives: dict[int, tuple[int, int]] = {}
    for i, instruction in enumerate(program.instructions):
        for number in (*instruction.results, *used_by(instruction)):
            for owner in owners.of(number):
                first, _ = lives.get(owner, (i, i))
                lives[owner] = first, i
    end = len(program.instructions)
    for number in program.outputs:
        for owner in owners.of(number):
            first, _ = lives.get(owner, (end, end))
            lives[owner] = first, end
    return lives


def _operand_to_write_over(program: Program, made: Plan, owners: _Owners, i: int, number: int) -> int | None:
    """An operand with the shape and dtype of the result that nothing needs after this instruction.

    The instruction must read each element before it writes there. So it is elementwise, has one result, and no other operand is a
    view of that operand, in which the elements may lie in another order.
    """
    instruction = program.instructions[i]
    if not is_elementwise(instruction.name) or len(instruction.results) != 1 or instruction.several:
        return None
    used = set(used_by(instruction))
    for operand in used:
        if operand not in made.buffer_of or program.specs[operand] != program.specs[number]:
            continue
        if made.lives[operand][1] != i or any(operand in owners.of(other) for other in used - {operand}):
            continue
        return operand
    return None


def _take(made: Plan, free: dict[str, list[int]], dtype: str, size: int) -> int:
    """A free buffer of the dtype: the smallest that is large enough, and not twice as large. Otherwise a new one."""
    fitting = [buffer for buffer in free.get(dtype, ()) if size <= made.sizes[buffer][1] < 2 * size]
    if fitting:
        found = min(fitting, key=lambda buffer: made.sizes[buffer][1])
        free[dtype].remove(found)
        return found
    made.sizes.append((dtype, size))
    return len(made.sizes) - 1
