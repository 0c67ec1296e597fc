"""Small inputs of a program in one array: XLA takes an argument in about 2 us, and a small copy is made in a tenth of that."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from xgrad.compile.program import NUMBER, Instruction, Program, refs

SMALL = 1 << 12  # the largest array that is packed, in bytes
ALIGNED = 64  # the bytes of a line of the cache, at which each array starts


class Vector(NamedTuple):
    """Arrays of one dtype, one after another, and then the Python floats that arrays of that dtype meet."""

    dtype: str
    arrays: tuple[tuple[int, int], ...]  # the number of the value, and where it starts
    numbers: tuple[int, ...]
    first: int  # where the numbers start

    @property
    def size(self) -> int:
        return self.first + len(self.numbers)


def pack(program: Program, arrays: Iterable[int], dtype_of: Any) -> list[Vector]:
    """The vectors of a program with these inputs packed, and all numbers. `dtype_of` gives NumPy's dtype for a name."""
    packed: dict[str, list[tuple[int, int]]] = {}
    ends: dict[str, int] = {}
    for number in arrays:
        shape, dtype = program.specs[number]
        packed.setdefault(dtype, []).append((number, ends.get(dtype, 0)))
        line = ALIGNED // dtype_of(dtype).itemsize
        ends[dtype] = ends.get(dtype, 0) + -(-prod(shape) // line) * line
    numbers = numbers_met(program)
    return [
        Vector(dtype, tuple(packed.get(dtype, ())), tuple(numbers.get(dtype, ())), ends.get(dtype, 0))
        for dtype in dict.fromkeys((*packed, *numbers))
    ]


def is_small(program: Program, number: int, dtype_of: Any) -> bool:
    shape, dtype = program.specs[number]
    return bool(0 < prod(shape) * dtype_of(dtype).itemsize <= SMALL)


def numbers_met(program: Program) -> dict[str, list[int]]:
    """The Python floats that arrays meet, by the dtype that they take there."""
    found: dict[str, dict[int, None]] = {}
    for instruction in program.instructions:
        if program.specs[instruction.results[0]].dtype != NUMBER:
            for number in refs((instruction.args, instruction.options)):
                if program.specs[number].dtype == NUMBER:
                    found.setdefault(dtype_of_numbers(program, instruction), {})[number] = None
    return {dtype: list(numbers) for dtype, numbers in found.items()}


def dtype_of_numbers(program: Program, instruction: Instruction) -> str:
    """The dtype that Python floats take in an instruction: that of the arrays that they meet, or else that of the result."""
    specs = program.specs
    dtypes = [specs[number].dtype for number in refs(instruction.args) if specs[number].dtype != NUMBER]
    if all(dtype == "bool" for dtype in dtypes):
        found = specs[instruction.results[0]].dtype
        return found if "float" in found else "float64"
    known = [dtype for dtype in dtypes if dtype == "bfloat16"] or [str(np.result_type(*map(np.dtype, dtypes), 1.0))]
    return {"complex64": "float32", "complex128": "float64"}.get(known[0], known[0])
