"""Common subexpressions: what is computed twice from the same operands is computed once.

A random draw is an input, so two draws are never one. Constants with the same bits are one constant.
"""

from __future__ import annotations

import struct
from typing import Any

from xgrad.compile.passes.rewriting import renamed, with_instructions
from xgrad.compile.program import Instruction, Program

_LARGE = 4096  # elements of a constant, above which its values are not compared


def without_common_subexpressions(program: Program) -> Program:
    """The program without instructions that repeat an earlier one.

    Two outputs that were computed alike become one value. An engine copies an output that occurs twice.
    """
    same: dict[int, int] = {}
    constants: dict[int, Any] = {}
    known: dict[Any, Any] = {}
    for number, array in program.constants.items():
        key = _constant_key(array)
        first = number if key is None else known.setdefault(key, number)
        if first == number:
            constants[number] = array
        else:
            same[number] = first
    kept = []
    for instruction in program.instructions:
        moved = renamed(instruction, same)
        results = known.setdefault(_key(moved), moved.results)
        if results is moved.results:
            kept.append(moved)
        else:
            same.update(zip(moved.results, results, strict=True))
    outputs = [same.get(number, number) for number in program.outputs]
    return with_instructions(program, kept, constants, outputs)


def _key(instruction: Instruction) -> Any:
    options = tuple(sorted((name, exact(option)) for name, option in instruction.options.items()))
    return instruction.name, exact(instruction.args), options, instruction.several, len(instruction.results)


def exact(operand: Any) -> Any:
    """A key that tells apart what `==` does not: 1, 1.0 and True; 0.0 and -0.0; a tuple and a list. And nan equals itself."""
    kind = type(operand)
    if kind is tuple or kind is list:
        return kind.__name__, tuple([exact(part) for part in operand])
    if kind is slice:
        return "slice", exact((operand.start, operand.stop, operand.step))
    if kind is float or kind is complex:
        return kind.__name__, struct.pack("2d", operand.real, operand.imag)
    return kind.__name__, operand


def _constant_key(array: Any) -> Any:
    """The bits of a NumPy array, with its shape, dtype and strides. None for a large array, or one of another library."""
    if type(array).__module__ != "numpy" or array.size > _LARGE:
        return None
    return "constant", array.shape, array.dtype.str, array.strides, array.tobytes()
