"""Contraction: a product with a transposed matrix as one call that names the axes, so that no library transposes and copies.

    matmul(a, matrix_transpose(b))  ->  linear(a, b)
    matmul(matrix_transpose(a), b)  ->  weight_gradient(a, b)
    linear(a, matrix_transpose(b))  ->  matmul(a, b)

On NumPy these are the same calls of BLAS, with the same bits. JAX gets one `dot_general` for each.
"""

from __future__ import annotations

from typing import Any

from xgrad.compile.passes.dead_code import without_dead_code
from xgrad.compile.passes.rewriting import with_instructions
from xgrad.compile.program import Instruction, Program, Ref


def contracted(program: Program) -> Program:
    """The program without transposes that only products of two matrices use."""
    sources: dict[int, int] = {}  # for a transposed matrix, the matrix
    instructions = []
    for instruction in program.instructions:
        if _is_transpose(program, instruction):
            sources[instruction.results[0]] = instruction.args[0].number
        instructions.append(_contracted(program, instruction, sources))
    return without_dead_code(with_instructions(program, instructions, program.constants))


def _is_transpose(program: Program, instruction: Instruction) -> bool:
    name, args, options, _, _ = instruction
    if not args or not _is_matrix(program, args[0]):
        return False
    if name == "permute_dims":
        axes = [*args[1:], *options.values()]
        return len(axes) == 1 and [a % 2 for a in axes[0]] == [1, 0]
    return name in ("matrix_transpose", "linalg.matrix_transpose") and len(args) == 1 and not options


def _contracted(program: Program, instruction: Instruction, sources: dict[int, int]) -> Instruction:
    name, args, options, _, _ = instruction
    if name not in ("matmul", "linalg.matmul", "linear") or options or len(args) != 2:
        return instruction
    if not all(_is_matrix(program, arg) for arg in args):
        return instruction
    a, b = (arg.number for arg in args)
    if program.specs[a].dtype != program.specs[b].dtype:
        return instruction
    if b in sources:
        # Where both are transposed, one transpose stays.
        other = "matmul" if name == "linear" else "linear"
        return instruction._replace(name=other, args=(args[0], Ref(sources[b])))
    if a in sources and name != "linear":
        return instruction._replace(name="weight_gradient", args=(Ref(sources[a]), args[1]))
    return instruction


def _is_matrix(program: Program, operand: Any) -> bool:
    return type(operand) is Ref and len(program.specs[operand.number].shape) == 2
