"""Dead code: instructions whose results nothing uses are left out."""

from __future__ import annotations

from xgrad.compile.passes.rewriting import with_instructions
from xgrad.compile.program import Program, used_by


def without_dead_code(program: Program) -> Program:
    """The program with the instructions and constants that its outputs need. Inputs stay, also those that nothing uses."""
    needed = set(program.outputs)
    kept = []
    for instruction in reversed(program.instructions):
        if needed.isdisjoint(instruction.results):
            continue
        kept.append(instruction)
        needed.update(used_by(instruction))
    constants = {number: array for number, array in program.constants.items() if number in needed}
    return with_instructions(program, kept[::-1], constants)
