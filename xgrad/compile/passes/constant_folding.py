"""Constant folding: what depends on constants only is computed once, and its result is a constant."""

from __future__ import annotations

from typing import Any

from xgrad.compile.passes.kinds import is_array, nbytes
from xgrad.compile.passes.rewriting import with_instructions
from xgrad.compile.program import DType, Instruction, Program, call, mapped, used_by

_SMALL = 4096  # bytes: a constant of this size costs nothing
# The result has the shape of the operand, and does not depend on its values.
OF_SHAPE = frozenset(["zeros_like", "ones_like", "full_like"])


def folded(program: Program, xp: Any) -> Program:
    """The program with constants in the place of instructions that use constants only, as the namespace `xp` computes them.

    An instruction stays if its result takes much more memory than its operands, such as the broadcast of a number to a large shape,
    or if it raises: then it raises when the program runs.
    """
    constants = dict(program.constants)
    kept = []
    for instruction in program.instructions:
        found = _folded(program, instruction, constants, xp)
        if found is None:
            kept.append(instruction)
        else:
            constants.update(found)
    return with_instructions(program, kept, constants)


def _folded(program: Program, instruction: Instruction, constants: dict[int, Any], xp: Any) -> dict[int, Any] | None:
    """The results as constants; None if the instruction stays."""
    specs = [program.specs[number] for number in instruction.results]
    operands = set(used_by(instruction))
    if not all(map(is_array, specs)):
        return None
    values = constants
    if instruction.name in OF_SHAPE and operands and operands.isdisjoint(constants):
        of = program.specs[min(operands)]
        # An array with more axes may lie in memory in another order, which the result takes over.
        if len(operands) > 1 or not is_array(of) or len(of.shape) > 1:
            return None
        values = {min(operands): xp.zeros(of.shape, dtype=getattr(xp, of.dtype))}
    elif not operands <= constants.keys():
        return None
    size = sum(map(nbytes, specs))
    if size > _SMALL and size > 2 * sum(nbytes(program.specs[number]) for number in operands):
        return None

    def value_of(operand: Any) -> Any:
        return getattr(xp, operand.name) if type(operand) is DType else values[operand.number]

    args = mapped(instruction.args, value_of)
    options = {key: mapped(option, value_of) for key, option in instruction.options.items()}
    try:
        found = call(xp, instruction.name, args, options)
    except Exception:
        return None
    results = found if instruction.several else (found,)
    # A library may return a scalar of its own in the place of a 0-d array.
    return {
        number: xp.asarray(y) if y.shape == () else y for number, y in zip(instruction.results, results, strict=True)
    }
