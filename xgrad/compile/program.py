"""A program: a straight line of named Array API calls, with the shapes and dtypes of all values. It is plain data.

    program(v0: float64[3], v1: float64[3]):
        v2: float64[3] = multiply(v0, v1)
        v3: float64[] = sum(v2, axis=None)
        return v3

The values of a program are numbered. Its inputs come first; each instruction gives new values. An operand is a `Ref` (a value),
or a Python value. A name is that of a function in an Array API namespace or of an extension function (backends/raw.py), such as
"matmul", "linalg.solve" and "sigmoid". So a program runs by replay on every backend, and on xgrad's own namespace, where it is
recorded.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple

from xgrad.backends import attention, recurrent

NOTHING = "none"  # the dtype of a result that is None, as the gradient of an argument that needs none
NUMBER = "number"  # the dtype of a Python float: it takes the dtype of the arrays that it meets


@dataclass(frozen=True, slots=True)
class Ref:
    """An operand that is a value of the program."""

    number: int


@dataclass(frozen=True, slots=True)
class DType:
    """A dtype as an option of a call, such as `dtype=` of `sum`."""

    name: str


class Spec(NamedTuple):
    """The shape of a value, and the name of its dtype."""

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return self.dtype if self.dtype == NUMBER else f"{self.dtype}[{', '.join(map(str, self.shape))}]"


class Instruction(NamedTuple):
    """One call. `args` and `options` hold Ref, DType, numbers, strings, None, slices, and tuples and lists of these."""

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    results: tuple[int, ...]
    several: bool = False  # whether the function returns a tuple, even of one result


@dataclass(frozen=True, slots=True)
class Program:
    """A straight line of calls.

    Attributes:
        specs: the shape and dtype of each value that is in use, by its number.
        inputs: the numbers of the inputs, in order.
        constants: the arrays that were the same in each run, by the number of their value.
        instructions: the calls, in order.
        outputs: the numbers of the results, in order. A number may occur twice, and may be an input or a constant.
        state: pairs (i, j): outputs[j] replaces inputs[i] in the next run. An engine may write it into the input's memory.
        names: names of inputs, for printing.
    """

    specs: dict[int, Spec]
    inputs: tuple[int, ...]
    constants: dict[int, Any]
    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]
    state: tuple[tuple[int, int], ...] = ()
    names: dict[int, str] = field(default_factory=dict)

    run: ClassVar[Callable[[Program, Sequence[Any]], Any]]  # of calling.py
    write: ClassVar[Callable[[Program, Any], None]]  # of saving.py

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def __len__(self) -> int:
        return len(self.instructions)

    def __call__(self, *args: Any) -> Any:
        """Run the program on tensors, arrays and floats, one for each input, and on the backend of these.

        The calls are those of xgrad's namespace. So the result can be differentiated, and the program is as good as a function
        under `xgrad.grad`, `xgrad.vmap` and `xgrad.compile`. It is not what a compiled function does: its state is not written
        back, but returned.

        Returns:
            A tensor for one output, and a tuple of tensors for several.

        Raises:
            ValueError: for another number of arguments, and for an argument of another shape or dtype than the input's.
        """
        return Program.run(self, args)

    def save(self, path: Any) -> None:
        """Write the program to a file, which `xgrad.load_program` reads: JSON, with each array bit for bit.

        Raises:
            ValueError: for a program that has something that cannot be saved. No file is written.
            OSError: as from writing any file.
        """
        Program.write(self, path)


# --- operands -----------------------------------------------------------------------------------------------


def refs(operand: Any) -> Iterator[int]:
    """The numbers of the values in an operand."""
    if type(operand) is Ref:
        yield operand.number
    elif isinstance(operand, tuple | list):
        for part in operand:
            yield from refs(part)
    elif isinstance(operand, dict):
        for part in operand.values():
            yield from refs(part)
    elif type(operand) is slice:
        yield from refs((operand.start, operand.stop, operand.step))


def used_by(instruction: Instruction) -> Iterator[int]:
    """The numbers of the values that an instruction uses, with repetitions."""
    yield from refs(instruction.args)
    if instruction.options:
        yield from refs(instruction.options)


def mapped(operand: Any, f: Callable[[Any], Any]) -> Any:
    """The operand with f applied to each Ref and DType in it."""
    if type(operand) in (Ref, DType):
        return f(operand)
    if isinstance(operand, tuple | list):
        return type(operand)([mapped(part, f) for part in operand])
    if type(operand) is slice:
        return slice(mapped(operand.start, f), mapped(operand.stop, f), mapped(operand.step, f))
    return operand


# --- running ------------------------------------------------------------------------------------------------

# These are called as operators, which take numbers beside arrays in every version of the standard.
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "pow": operator.pow,
    "negative": operator.neg,
    "positive": operator.pos,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "bitwise_invert": operator.invert,
    "bitwise_left_shift": operator.lshift,
    "bitwise_right_shift": operator.rshift,
}


# Names that are in no namespace, or in few. The first is Python's operator: a namespace's `pow` may round otherwise. The others
# are what rules call where a library has a function of its own, with the formulas that take their place elsewhere.
FORMULAS: dict[str, Callable[..., Any]] = {
    "_power": lambda xp, x1, x2, /: x1**x2,
    "_attention_gradients": attention.gradients,
    "_recurrent_gradients": recurrent.gradients,
}


def function_of(xp: Any, name: str) -> Callable[..., Any]:
    """The function of a namespace with this name, which may be dotted."""
    if name in FORMULAS:
        return getattr(xp, name, None) or partial(FORMULAS[name], xp)
    for part in name.split("."):
        xp = getattr(xp, part)
    found: Callable[..., Any] = xp
    return found


def replay(program: Program, xp: Any, inputs: Sequence[Any], asarray: Callable[[Any], Any] | None = None) -> list[Any]:
    """Run the program call by call on a namespace: a backend's raw one, or xgrad's own.

    Args:
        program: the program.
        xp: the namespace of the arrays.
        inputs: an array of that namespace for each input, and a float for an input that is a number.
        asarray: makes an array of the namespace from one of the program's constants; `xp.asarray` by default.

    Returns:
        The outputs. Those that are inputs or views of inputs share their memory.
    """
    make = asarray or xp.asarray
    values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True))
    values.update((number, make(array)) for number, array in program.constants.items())

    def value_of(operand: Any) -> Any:
        return values[operand.number] if type(operand) is Ref else getattr(xp, operand.name)

    last = last_uses(program)
    for i, (name, args, options, results, several) in enumerate(program.instructions):
        given = mapped(args, value_of)
        options = {key: mapped(option, value_of) for key, option in options.items()}
        found = call(xp, name, given, options)
        arrays = [as_array(xp, y) for y in (found if several else (found,))]
        values.update(zip(results, arrays, strict=True))
        for number in last.get(i, ()):
            del values[number]
    return [values[number] for number in program.outputs]


def call(xp: Any, name: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """One call of a function of the namespace."""
    function = None if options or (name == "pow" and _has_array(args)) else OPERATORS.get(name)
    return (function or function_of(xp, name))(*args, **options)


def as_array(xp: Any, y: Any) -> Any:
    """A result as an array. NumPy returns its scalars in the place of 0-d arrays, and rounds some of their products otherwise."""
    return xp.asarray(y) if getattr(y, "shape", None) == () and not hasattr(y, "__setitem__") else y


def _has_array(args: Sequence[Any]) -> bool:
    return any(hasattr(arg, "dtype") for arg in args)


def last_uses(program: Program) -> dict[int, list[int]]:
    """For the position of an instruction, the values that no later one uses and that are no outputs."""
    found: dict[int, int] = {}
    for i, instruction in enumerate(program.instructions):
        for number in (*instruction.results, *used_by(instruction)):
            found[number] = i
    for number in program.outputs:
        found.pop(number, None)
    ends: dict[int, list[int]] = {}
    for number, i in found.items():
        ends.setdefault(i, []).append(number)
    return ends


# --- printing -----------------------------------------------------------------------------------------------


def _lines(program: Program) -> Iterator[str]:
    def name(number: int) -> str:
        return program.names.get(number) or f"v{number}"

    def text(operand: Any) -> str:
        if type(operand) is Ref:
            return name(operand.number)
        if type(operand) is DType:
            return operand.name
        if type(operand) is tuple:
            return f"({_joined(map(text, operand))}{',' if len(operand) == 1 else ''})"
        if type(operand) is list:
            return f"[{_joined(map(text, operand))}]"
        if type(operand) is slice:
            parts = [operand.start, operand.stop] + ([operand.step] if operand.step is not None else [])
            return ":".join("" if part is None else text(part) for part in parts)
        return "..." if operand is ... else repr(operand)

    def typed(number: int) -> str:
        return f"{name(number)}: {program.specs[number]}"

    yield f"program({_joined(map(typed, program.inputs))}):"
    for number, array in program.constants.items():
        shown = repr(array.item()) if array.shape == () and hasattr(array, "item") else "..."
        yield f"    {typed(number)} = constant({shown})"
    for function, args, options, results, _ in program.instructions:
        given = _joined([*map(text, args), *(f"{key}={text(option)}" for key, option in options.items())])
        yield f"    {_joined(map(typed, results))} = {function}({given})"
    yield f"    return {_joined(map(name, program.outputs))}"
    if program.state:
        pairs = (f"{name(program.inputs[i])} <- {name(program.outputs[j])}" for i, j in program.state)
        yield f"    next run: {_joined(pairs)}"


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)
