"""From a program to steps: each instruction as ufuncs that write into planned memory, where numpy_kernels.py knows how.

Everything else is a call of the namespace's own function, which makes its results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xgrad.backends.numpy import _block
from xgrad.compile.engines.numpy_layouts import Layout, eager_function
from xgrad.compile.engines.numpy_steps import (
    CELL,
    CONSTANT,
    INPUT,
    MADE,
    NUMBER,
    OBJECT,
    VIEW,
    Step,
    Value,
    is_array_dtype,
    strides_of,
)
from xgrad.compile.program import NUMBER as NUMBER_DTYPE
from xgrad.compile.program import OPERATORS, DType, Instruction, Program, Ref, function_of

# The ufuncs of operators on arrays.
UFUNCS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "negative": np.negative,
    "positive": np.positive,
    "abs": np.abs,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_invert": np.bitwise_invert,
    "bitwise_left_shift": np.bitwise_left_shift,
    "bitwise_right_shift": np.bitwise_right_shift,
}
_LONGEST_ROW = 1 << 16  # of a bound as an array, for maximum and minimum

Rule = Callable[["Lowering", Instruction], bool]


class Lowering:
    """The steps of a program, and the value of each of its outputs.

    Args:
        program: the program.
        layouts: how its values lie in memory (numpy_layouts.py).
        xp: NumPyRaw.
        rules: from the name of an instruction to a function that adds its steps, or returns False.
    """

    def __init__(self, program: Program, layouts: dict[int, Layout], xp: Any, rules: dict[str, Rule]) -> None:
        self.program, self.layouts, self.xp = program, layouts, xp
        self.steps: list[Step] = []
        self.values: dict[int, Value] = {}
        self.note = ""
        self._scalars: dict[Any, Value] = {}
        self._rows: dict[Any, Value] = {}
        self._bits: dict[Value, Value] = {}
        self.inputs = [self._input(i, number) for i, number in enumerate(program.inputs)]
        for number, array in program.constants.items():
            self.values[number] = self.constant(array)
        for instruction in program.instructions:
            self.note = instruction.name
            rule = rules.get(instruction.name)
            if self._of_numbers(instruction) or (rule is not None and rule(self, instruction)):
                continue
            if not self._elementwise(instruction):
                self._plain(instruction)
        self.note = ""
        self.outputs = [self.values[number] for number in program.outputs]

    # --- values ---

    def _input(self, i: int, number: int) -> Value:
        if self.program.specs[number].dtype == NUMBER_DTYPE:
            value = Value(NUMBER, data=i)
        else:
            shape, dtype, strides, _ = self.layouts[number]
            value = Value(INPUT, shape, dtype, strides, data=i)
        self.values[number] = value
        return value

    def constant(self, array: Any) -> Value:
        """An array that is the same in each run. One that repeats a single element without memory is stored as that element."""
        return Value(CONSTANT, array.shape, array.dtype, array.strides, data=array)

    def made(self, shape: Sequence[int], dtype: Any, strides: tuple[int, ...] | None = None) -> Value:
        """A new array in planned memory."""
        shape = tuple(shape)
        dtype = np.dtype(dtype)
        return Value(MADE, shape, dtype, strides_of(shape, dtype.itemsize) if strides is None else strides)

    def result(self, instruction: Instruction) -> Value | None:
        """The new array of an instruction with one result, to be written by steps. None for a dtype that has no planned memory."""
        number = instruction.results[0]
        shape, dtype, strides, _ = self.layouts[number]
        if instruction.several or not is_array_dtype(dtype):
            return None
        value = Value(MADE, shape, dtype, strides)
        return self.made(shape, dtype) if value.order is None else value

    def of(self, operand: Any) -> Value | None:
        """The array that an operand is; None for other operands, and for what cannot be in a planned step."""
        if type(operand) is not Ref:
            return None
        value = self.values[operand.number]
        return value if value.kind != NUMBER and is_array_dtype(value.dtype) else None

    def scalar(self, operand: Any, dtype: np.dtype[Any]) -> Value | None:
        """A Python number as a 0-d array of the dtype, if it takes this dtype beside arrays of it."""
        if type(operand) is Ref:
            number = self.values[operand.number]
            if number.kind != NUMBER or dtype.kind not in "fc":
                return None
            key = (number, dtype)
            if key not in self._scalars:
                cell = self._scalars[key] = Value(CELL, (), dtype, (), of=number)
                self.steps.append(Step("cell", (number,), cell, note="number"))
            return self._scalars[key]
        kind = type(operand)
        fits = (kind in (int, float) and dtype.kind in "fc") or (kind is complex and dtype.kind == "c")
        if kind is int and dtype.kind in "iu":
            info = np.iinfo(dtype)
            fits = info.min <= operand <= info.max
        if not fits:
            return None
        key = (kind, repr(operand), dtype)
        if key not in self._scalars:
            try:
                with np.errstate(all="ignore"):
                    array = np.array(operand, dtype=dtype)
            except OverflowError:
                return None
            self._scalars[key] = self.constant(array)
        return self._scalars[key]

    def array_operand(self, value: Value) -> Value:
        """The value, or a 0-d array if it repeats one element."""
        if value.kind == CONSTANT and value.size > 1 and not any(value.strides):
            return self.constant(value.data[(0,) * len(value.shape)].reshape(()))
        return value

    def bound(self, value: Value, shape: tuple[int, ...]) -> Value:
        """A 0-d constant as a full array, which maximum and minimum are several times as fast with."""
        size = math.prod(shape)
        if value.kind != CONSTANT or value.shape != () or not 1 < size <= _LONGEST_ROW:
            return value
        key = (value, shape)
        if key not in self._rows:
            self._rows[key] = self.constant(_block(value.data.item(), value.dtype)[:size].reshape(shape))
        return self._rows[key]

    # --- steps ---

    def step(self, function: Any, *args: Any, out: Value | None = None, **options: Any) -> None:
        self.steps.append(Step(function, args, out, note=self.note, **options))

    def ufunc(self, function: Any, *args: Value, out: Value) -> None:
        """An elementwise step. Operands are arrays of the shape of `out`, or of one that broadcasts to it."""
        if function is np.maximum or function is np.minimum:
            args = tuple([self.bound(a, out.shape) if out.is_c else a for a in args])
        place = "keyword" if function in (np.maximum, np.minimum) else "last"
        # NumPy multiplies complex numbers with other roundings where the result lies over an operand.
        in_place = all(a.dtype.kind != "c" for a in (*args, out))
        self.steps.append(Step(function, args, out, place=place, is_elementwise=in_place, note=self.note))

    def view(self, of: Value, function: Any, *args: Any, like: Any) -> Value:
        """A view of a value: `function(of, *args)`, or the attribute with the name `function`. `like` has shape, dtype and strides."""
        view = Value(VIEW, like.shape, like.dtype, like.strides, of=of)
        self.steps.append(Step(function, (of, *args), binds=(view,), is_view=True, note=self.note))
        return view

    def transposed(self, of: Value) -> Value:
        """The transpose of a matrix."""
        like = Layout(of.shape[::-1], of.dtype, of.strides[::-1])
        return self.view(of, ".T", like=like)

    def as_bits(self, of: Value, integer: Any) -> Value:
        """The bit patterns as integers of the same size."""
        view = self._bits.get(of)
        if view is None:
            view = self._bits[of] = Value(VIEW, of.shape, np.dtype(integer), of.strides, of=of, data="bits")
        return view

    def set(self, instruction: Instruction, value: Value) -> bool:
        self.values[instruction.results[0]] = value
        return True

    # --- instructions ---

    def _of_numbers(self, instruction: Instruction) -> bool:
        """Arithmetic on Python floats."""
        name, args, options, results, several = instruction
        if several or options or self.program.specs[results[0]].dtype != NUMBER_DTYPE:
            return False
        number = Value(NUMBER)
        given = [self.values[arg.number] if type(arg) is Ref else arg for arg in args]
        self.steps.append(Step(OPERATORS.get(name, abs), given, binds=(number,), may_raise=True, note=name))
        return self.set(instruction, number)

    def _elementwise(self, instruction: Instruction) -> bool:
        """One ufunc."""
        if instruction.options or instruction.several:
            return False
        function = UFUNCS.get(instruction.name)
        if function is None:
            function = function_of(self.xp, instruction.name)
        if not isinstance(function, np.ufunc) or function.nout != 1 or function.nin != len(instruction.args):
            return False
        return self.apply(function, instruction)

    def apply(self, function: Any, instruction: Instruction) -> bool:
        """The instruction as one call of a ufunc with its operands."""
        out = self.result(instruction)
        arrays = [self.of(arg) for arg in instruction.args]
        dtypes = {a.dtype for a in arrays if a is not None}
        if out is None or not dtypes:
            return False
        args: list[Value] = []
        for arg, array in zip(instruction.args, arrays, strict=True):
            value = self.scalar(arg, next(iter(dtypes))) if array is None and len(dtypes) == 1 else array
            if value is None:
                return False
            args.append(value)
        short = [self.array_operand(a) for a in args]
        if np.broadcast_shapes(*[a.shape for a in short]) == out.shape:
            args = short
        if function is np.multiply and (same := _times_one(args, out)):
            return self.set(instruction, same)
        self.ufunc(function, *args, out=out)
        return self.set(instruction, out)

    def _plain(self, instruction: Instruction) -> None:
        """A call of the namespace's function."""
        name, args, options, results, several = instruction
        function = eager_function(self.xp, name)
        made = []
        for number in results:
            shape, dtype, strides, shares = self.layouts[number]
            of = None if shares is None else self.values[shares]
            made.append(Value(OBJECT, shape, dtype, strides, of=of))
        given = tuple(self._given(arg) for arg in args)
        options = {key: self._given(option) for key, option in options.items()}
        self.steps.append(
            Step(function, given, options=options, binds=made, several=several, may_raise=True, note=name)
        )
        self.values.update(zip(results, made, strict=True))

    def _given(self, operand: Any) -> Any:
        """An operand of a plain call, with Values for Refs."""
        kind = type(operand)
        if kind is Ref:
            return self.values[operand.number]
        if kind is DType:
            return getattr(self.xp, operand.name)
        if kind in (tuple, list):
            return kind([self._given(part) for part in operand])
        if kind is slice:
            return slice(self._given(operand.start), self._given(operand.stop), self._given(operand.step))
        return operand


def _times_one(args: list[Value], out: Value) -> Value | None:
    """The other operand of a product with 1, if the product is the same in all bits and has the same layout."""
    for one, other in (args, args[::-1]):
        if (
            one.kind == CONSTANT
            and one.shape == ()
            and one.data == 1
            and other.kind in (MADE, INPUT)
            and other.dtype == out.dtype
            and other.is_like(out)
        ):
            return other
    return None
