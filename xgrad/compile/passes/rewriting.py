"""What the passes share: a program with other instructions, and operands with other values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from xgrad.compile.program import Instruction, Program, Ref, mapped


def with_instructions(
    program: Program,
    instructions: Iterable[Instruction],
    constants: dict[int, Any],
    outputs: Iterable[int] | None = None,
) -> Program:
    """The program with these instructions and constants. The specs of values that it no longer has are left out."""
    made = tuple(instructions)
    numbers = {number for instruction in made for number in instruction.results}.union(program.inputs, constants)
    return replace(
        program,
        specs={number: spec for number, spec in program.specs.items() if number in numbers},
        constants=constants,
        instructions=made,
        outputs=program.outputs if outputs is None else tuple(outputs),
    )


def renamed(instruction: Instruction, same: dict[int, int]) -> Instruction:
    """The instruction with other values as operands: `same[number]` in the place of `number`."""

    def other(operand: Any) -> Any:
        return Ref(same.get(operand.number, operand.number)) if type(operand) is Ref else operand

    options = {key: mapped(option, other) for key, option in instruction.options.items()}
    return instruction._replace(args=mapped(instruction.args, other), options=options)
