"""A program as a function that JAX traces: the calls of the program on JAX's namespace, with the dtypes that the program says.

Three things differ from a replay on JAX's arrays. Checks of values (singular matrices) become results of the function, because a
value is not known while JAX traces. Dtypes are promoted as in the library that the program was recorded with. Python floats that
are inputs come as elements of a vector of the dtype that they take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from xgrad.backends.jax import JAX, JAXRaw, UncheckedLinearAlgebra, jax
from xgrad.compile.engines.xla_packing import Vector, dtype_of_numbers
from xgrad.compile.errors import CompileError
from xgrad.compile.program import NUMBER, DType, Instruction, Program, Ref, call, mapped, refs

# The functions whose array arguments are promoted to one dtype before anything is computed, except a condition.
PROMOTING = frozenset(
    [
        *("add", "subtract", "multiply", "divide", "floor_divide", "remainder", "pow", "atan2", "copysign", "hypot"),
        *("logaddexp", "maximum", "minimum", "nextafter", "equal", "not_equal", "less", "less_equal", "greater"),
        *(
            "greater_equal",
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
            "where",
            "clip",
            "matmul",
            "linear",
            "tensordot",
        ),
        *("vecdot", "concat", "stack"),
    ]
)
# The checked functions of linalg, and what is wrong with a matrix for which the result is not finite.
CHECKED = {"linalg.inv": "singular", "linalg.solve": "singular", "linalg.cholesky": "not positive definite"}
CONTRACTIONS = {"matmul", "linear", "weight_gradient"}


# The functions of which an argument says places or counts, and the argument's position. JAX must know the values of masks there.
KEYED = {"getitem": 1, "setitem": 2, "scatter": 1, "repeat": 1}


class TracedRaw(JAXRaw):
    """The raw namespace of JAX without checks of values."""

    _waits_for_inverses = False

    @cached_property
    def linalg(self) -> Any:
        return UncheckedLinearAlgebra(self.library.linalg)


class TracedJAX(JAX):
    """JAX's backend with that namespace."""

    raw_class = TracedRaw


def keys(program: Program) -> set[int]:
    """The values that say places or counts."""
    keyed = [each for each in program.instructions if each.name in KEYED]
    return {number for each in keyed for number in refs(each.args[KEYED[each.name] : KEYED[each.name] + 1])}


def is_uniform(array: Any) -> bool:
    """Whether all elements of a NumPy array are the same bits."""
    if not array.size:
        return False
    if all(not stride or n == 1 for stride, n in zip(array.strides, array.shape, strict=True)):
        return True
    bits = np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(-1, array.itemsize)
    return bool((bits == bits[0]).all())


def traceable(
    program: Program,
    vectors: Sequence[Vector],
    arguments: Sequence[int],
    constants: dict[int, Any],
    results: Sequence[int],
) -> tuple[Callable[..., list[Any]], list[str]]:
    """The function to trace, and the messages for its checks, which are known once it was traced.

    The function takes the vectors, and then arrays that are the values `arguments`. `constants` become part of it. It returns the
    values `results`, and for each check whether it holds.
    """
    messages: list[str] = []

    def xgrad_program(*given: Any) -> list[Any]:
        jnp = jax.numpy
        tracing = _Tracing(program, TracedJAX("jax", None).xp, constants)
        arrays = given[len(vectors) :]
        for vector, array in zip(vectors, given[: len(vectors)], strict=True):
            tracing.unpack(vector, array)
        tracing.values.update(zip(arguments, arrays, strict=True))
        for number, array in constants.items():
            # As one number that is repeated, a large constant takes no memory.
            repeated = array.size > 1 and is_uniform(array)
            tracing.values[number] = (
                jnp.full(array.shape, array.flat[0], array.dtype) if repeated else jnp.asarray(array)
            )
        for instruction in program.instructions:
            if program.specs[instruction.results[0]].dtype != NUMBER:
                tracing.run(instruction)
        found: list[Any] = []
        for number in results:
            y = tracing.values[number]
            # JAX would return an argument, or another result, as the same array.
            found.append(jnp.array(y, copy=True) if any(y is other for other in (*given, *found)) else y)
        messages[:] = tracing.messages
        return found + tracing.checks

    return xgrad_program, messages


class _Tracing:
    """The values of a program while JAX traces it."""

    def __init__(self, program: Program, xp: Any, constants: dict[int, Any]) -> None:
        self.program = program
        self.xp = xp
        self.constants = constants
        self.values: dict[int, Any] = {}
        self.numbers: dict[tuple[int, str], Any] = {}
        self.turned: dict[int, int] = {}  # the transposed matrices, and what they are the transpose of
        self.checks: list[Any] = []
        self.messages: list[str] = []

    def unpack(self, vector: Vector, array: Any) -> None:
        """Take the values out of the array that they are packed in."""

        def part(start: int, shape: tuple[int, ...]) -> Any:
            return jax.lax.slice(array, (start,), (start + prod(shape),)).reshape(shape)

        for number, start in vector.arrays:
            self.values[number] = part(start, self.program.specs[number].shape)
        for k, number in enumerate(vector.numbers):
            self.numbers[number, vector.dtype] = part(vector.first + k, ())

    def run(self, instruction: Instruction) -> None:
        """Trace one instruction. Raises CompileError for one that JAX cannot trace."""
        name, args, options, results, several = instruction
        of_numbers = dtype_of_numbers(self.program, instruction)
        try:
            typed = self._typed(instruction)
            given = mapped(typed, lambda operand: self._value(operand, of_numbers))
            if name in KEYED and KEYED[name] < len(typed):
                place = KEYED[name]
                key = mapped(typed[place], lambda operand: self._key(operand, of_numbers))
                given = (*given[:place], key, *given[place + 1 :])
            options = {
                key: mapped(option, lambda operand: self._value(operand, of_numbers)) for key, option in options.items()
            }
            found = self._contraction(instruction, given) if name in CONTRACTIONS else None
            if found is None:
                found = call(self.xp, name, given, options)
        except Exception as error:
            text = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise CompileError(
                f'compile: the engine \'xla\' cannot compute {name} ({text}). Use engine="numpy", or engine="replay"'
            ) from error
        for number, y in zip(results, found if several else (found,), strict=True):
            self.values[number] = None if y is None else self._as_specified(number, y)
        if name == "matrix_transpose" and type(args[0]) is Ref and len(self.program.specs[args[0].number].shape) == 2:
            self.turned[results[0]] = args[0].number
        if name in CHECKED:
            self._check(name, given, self.values[results[0]])

    def _value(self, operand: Ref | DType, of_numbers: str) -> Any:
        if type(operand) is DType:
            return getattr(self.xp, operand.name)
        number = operand.number  # type: ignore[union-attr]
        return self.values[number] if number in self.values else self.numbers[number, of_numbers]

    def _key(self, operand: Ref | DType, of_numbers: str) -> Any:
        """The operand as a part of a key: a constant is an array of NumPy, whose values JAX knows."""
        number = getattr(operand, "number", None)
        return self.constants[number] if number in self.constants else self._value(operand, of_numbers)

    def _typed(self, instruction: Instruction) -> tuple[Any, ...]:
        """The arguments, with arrays of several dtypes and lonely numbers in the dtype that the recording library computed in."""
        name, args = instruction.name, instruction.args
        if name not in PROMOTING:
            return args
        specs = self.program.specs
        dtypes = [specs[n].dtype for n in refs(args[name == "where" :]) if specs[n].dtype != NUMBER]
        wanted = (
            np.result_type(*map(_numpy_dtype, dtypes)) if dtypes else _numpy_dtype(specs[instruction.results[0]].dtype)
        )
        if (name in ("where", "clip") and not dtypes) or len(set(dtypes)) > 1:
            return (*args[: name == "where"], *self._promoted(args[name == "where" :], wanted))
        return args

    def _promoted(self, operand: Any, wanted: Any) -> Any:
        if type(operand) is Ref and operand.number in self.values:
            return self.values[operand.number].astype(wanted)
        if isinstance(operand, tuple | list):
            return type(operand)([self._promoted(part, wanted) for part in operand])
        return self.xp.asarray(operand, dtype=wanted) if type(operand) in (int, float, complex) else operand

    def _as_specified(self, number: int, y: Any) -> Any:
        """The result, in the program's dtype. (JAX calls a number that nothing typed yet `weak`: it would change its dtype.)"""
        dtype = _numpy_dtype(self.program.specs[number].dtype)
        if y.dtype == dtype and not getattr(y, "weak_type", False):
            return y
        return jax.lax.convert_element_type(y, dtype)

    def _contraction(self, instruction: Instruction, given: Sequence[Any]) -> Any:
        """A product of two matrices as one contraction, also of transposed ones: XLA then transposes and copies nothing.

        None for other products.
        """
        name, args = instruction.name, instruction.args
        if instruction.options or any(type(arg) is not Ref for arg in args[:2]) or given[0].dtype != given[1].dtype:
            return None
        if given[0].ndim != 2 or given[1].ndim != 2:
            return None
        (a, of_a), (b, of_b) = (self._unturned(arg.number, x) for arg, x in zip(args[:2], given[:2], strict=True))
        # The axis that is summed: the last of a and the first of b for a @ b.
        over_a, over_b = {"matmul": (1, 0), "linear": (1, 1), "weight_gradient": (0, 0)}[name]
        axes = (over_a ^ of_a,), (over_b ^ of_b,)
        y = jax.lax.dot_general(a, b, (axes, ((), ())))
        return y + given[2] if name == "linear" and len(given) > 2 and given[2] is not None else y

    def _unturned(self, number: int, x: Any) -> tuple[Any, int]:
        source = self.turned.get(number)
        return (x, 0) if source is None or self.values[number] is not x else (self.values[source], 1)

    def _check(self, name: str, args: Sequence[Any], y: Any) -> None:
        finite = jax.numpy.isfinite
        arguments = jax.numpy.array([finite(x).all() for x in args if hasattr(x, "dtype")]).all()
        self.checks.append(finite(y).all() | ~arguments)
        self.messages.append(f"the matrix is {CHECKED[name]}")


def _numpy_dtype(name: str) -> Any:
    return jax.numpy.dtype(name)
