"""What the passes know of functions by their names: which work element by element, and which results may share an operand's memory."""

from __future__ import annotations

from typing import Any

from xgrad.compile.program import NOTHING, NUMBER, Instruction, Program, Spec, refs
from xgrad.engine.registry import ELEMENTWISE

ITEMSIZES = {
    **{"bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8},
    **{"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16},
}
# These work element by element too, and have no row of their own among the elementwise rules.
OTHER_ELEMENTWISE = frozenset(
    "where mask masked_fill clip astype cast conj real imag sign gap over_squares leaky_relu gelu gelu_slope gelu_gradient "
    "silu_gradient special.rel_entr special.kl_div special.xlogy special.xlog1py special.psi".split()
)
# The result may share memory with an operand on NumPy and CuPy. `getitem` does so without index arrays.
VIEWS = frozenset(
    "reshape matrix_transpose linalg.matrix_transpose permute_dims moveaxis expand_dims squeeze broadcast_to broadcast_arrays "
    "real imag conj flip unstack linalg.diagonal asarray astype cast meshgrid chunk getitem windows".split()
)


def is_elementwise(name: str) -> bool:
    """Whether each element of the result depends on one element of each operand, after broadcasting."""
    return name in ELEMENTWISE or name in OTHER_ELEMENTWISE


def is_array(spec: Spec) -> bool:
    """Whether a value is an array: no Python float, and not None."""
    return spec.dtype not in (NUMBER, NOTHING)


def nbytes(spec: Spec) -> int:
    """The memory that an array takes."""
    size = ITEMSIZES[spec.dtype]
    for n in spec.shape:
        size *= n
    return size


def viewed(program: Program, instruction: Instruction) -> list[int]:
    """The operands whose memory the results may share."""
    if instruction.name not in VIEWS:
        return []
    operands = list(refs(instruction.args))
    if instruction.name == "getitem":
        if has_index_arrays(program, instruction.args[1:]):
            return []
        return operands[:1]
    if instruction.name in ("astype", "cast", "asarray", "conj"):  # another dtype is a copy
        return [n for n in operands[:1] if program.specs[n].dtype == program.specs[instruction.results[0]].dtype]
    return operands if instruction.name in ("broadcast_arrays", "meshgrid") else operands[:1]


def has_index_arrays(program: Program, key: Any) -> bool:
    """Whether a key has an array with axes, so that the elements are copied. (0-d arrays are like integers.)"""
    return any(program.specs[number].shape != () for number in refs(key))
