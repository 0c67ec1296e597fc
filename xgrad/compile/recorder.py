"""The recorder: a backend whose namespace computes with the library, and writes down each call as an instruction of a program.

There is one recorder of a call, for every function: it calls the library's function with the arrays' values, and notes the name
and the operands. No rules for shapes are needed, and what depends on constants only is computed here once. So rules, transforms
and optimizers are recorded as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.base import Backend
from xgrad.compile.errors import described, refused, user_place
from xgrad.compile.program import NUMBER, OPERATORS, DType, Instruction, Program, Ref, Spec
from xgrad.compile.traced import OF_VALUES, Number, Traced, is_scalar
from xgrad.compile.tracing_backend import TracingBackend

# Functions whose result has another shape for other values.
OF_DATA = frozenset(["nonzero", "argwhere", "unique_all", "unique_counts", "unique_inverse", "unique_values"])
LEAKED = "Return it from the function, or write it into a tensor that exists outside (x[...] = value)"


class Recorder:
    """What is recorded: the values, the inputs, the constants and the instructions, in order."""

    def __init__(self) -> None:
        self.specs: dict[int, Spec] = {}
        self.values: dict[int, Any] = {}  # the array or float that each value was in this run
        self.inputs: list[int] = []
        self.constants: dict[int, Any] = {}
        self.instructions: list[Instruction] = []
        self.backends: dict[Backend, TracingBackend] = {}
        self.base: Backend | None = None  # the backend of the program
        self.lines: dict[int, Any] = {}  # the user's file and line that made each value
        self.closed_over: list[tuple[str, str]] = []  # the user's line, and the constant array that was used there
        self.is_open = True
        # Makes an input of an array that is a random draw; None for any other array. A trace sets it.
        self.take_draw: Callable[[TracingBackend, Any, Any], Traced | None] = _no_draw
        self._constants: dict[int, int] = {}

    # --- values ---

    def _value(self, spec: Spec, value: Any) -> int:
        number = len(self.specs)
        self.specs[number], self.values[number], self.lines[number] = spec, value, user_place()
        return number

    def place_of(self, number: int | None) -> Any:
        """The user's file and line that made a value."""
        return None if number is None else self.lines.get(number)

    def close(self) -> None:
        """The function has ended: its tensors cannot be used any more, and keep nothing alive."""
        self.is_open = False

    def forget(self) -> None:
        """Drop all but the lines, for messages about tensors that have leaked.

        A leaked tensor keeps the recorder alive, and so does the engine's fast path, which remembers the last call's backend.
        """
        self.values, self.constants, self.instructions, self._constants = {}, {}, [], {}
        self.take_draw = _no_draw

    def check_open(self, *operands: Any) -> None:
        """Raise for tensors that are used after the function has ended."""
        if self.is_open:
            return
        made = next((self.lines[x.number] for x in operands if type(x) is Traced and x.number in self.lines), None)
        where = described(made)
        raise refused(
            f"a tensor that was made inside of a compiled function{where and ', in ' + where} is used outside of it",
            LEAKED,
        )

    def backend(self, base: Backend) -> TracingBackend:
        """The tracing version of a backend."""
        found = self.backends.get(base)
        if found is None:
            found = self.backends[base] = TracingBackend(base, self)
        return found

    def _only(self, base: Backend) -> None:
        """A program has one backend."""
        if self.base is None:
            self.base = base
        elif self.base is not base:
            raise refused(
                f"the function computes on two backends, {self.base} and {base}",
                "Compile the two parts as functions of their own",
            )

    def input(self, value: Any, base: Backend) -> Traced:
        """A new input of the program, with this array as its value in the run that is recorded."""
        self._only(base)
        backend = self.backend(base)
        number = self._value(backend.spec(value), value)
        self.inputs.append(number)
        return Traced(value, number, backend)

    def number(self, value: float) -> Number:
        """A new input that is a Python float."""
        number = self._value(Spec((), NUMBER), value)
        self.inputs.append(number)
        return Number(value, number, self)

    def number_of(self, x: Traced | Number) -> int:
        """The number of a value. A constant gets one when it is used."""
        if x.number is not None:
            return x.number
        number = self._constants.get(id(x.value))
        if number is None:
            number = self._constants[id(x.value)] = self._value(x.backend.spec(x.value), x.value)  # type: ignore[union-attr]
            self.constants[number] = x.value
        return number

    # --- calls ---

    def call(self, backend: TracingBackend, name: str, function: Callable[..., Any], args: Any, options: Any) -> Any:
        """Call the library's function with the values, and record the call if an operand is not a constant."""
        if not self.is_open:
            self.check_open(*args)
        moving: list[Any] = []
        if options.get("device", backend.base.device) == backend.base.device:
            options.pop("device", None)
        found = function(*self._plain(args, moving), **self._plain(options, moving))
        results, several = self._results(backend, found)
        if results is None:
            return found
        if not moving:
            made = [None if y is None else Traced(y, None, backend) for y in results]
            return type(found)(made) if several and type(found) in (tuple, list) else made if several else made[0]
        others = (*args[1:], *options.values())
        if name in OF_DATA or (name == "getitem" and _has_mask(others)) or (name == "repeat" and _is_moving(others)):
            raise refused(f"the shape of the result of {name} depends on values", OF_VALUES)
        self._only(backend.base)
        numbers = tuple([self._value(backend.spec(y), y) for y in results])
        operands, statics = self._operands(backend, args), self._operands(backend, options)
        self.instructions.append(Instruction(name, operands, statics, numbers, several))
        made = [None if y is None else Traced(y, number, backend) for y, number in zip(results, numbers, strict=True)]
        return tuple(made) if several else made[0]

    def of_numbers(self, name: str, args: Sequence[Any]) -> Number:
        """An operation on Python floats."""
        function = OPERATORS.get(name, abs)
        value = function(*[arg.value if isinstance(arg, Number) else arg for arg in args])
        if not isinstance(value, float):
            raise refused(f"{name} of floats gave {value!r}", "Compute it outside, and pass it as an argument")
        number = self._value(Spec((), NUMBER), value)
        operands = tuple([Ref(arg.number) if isinstance(arg, Number) else arg for arg in args])
        self.instructions.append(Instruction(name, operands, {}, (number,)))
        return Number(value, number, self)

    def _plain(self, operand: Any, moving: list[Any]) -> Any:
        """The operand with values in the places of Traced and Number. Those that are not constant are added to `moving`."""
        kind = type(operand)
        if kind is Traced or kind is Number:
            if operand.number is not None:
                moving.append(operand)
            return operand.value
        if kind is tuple or kind is list:
            return kind([self._plain(part, moving) for part in operand])
        if kind is dict:
            return {key: self._plain(part, moving) for key, part in operand.items()}
        if kind is slice:
            return slice(*[self._plain(part, moving) for part in (operand.start, operand.stop, operand.step)])
        return operand

    def _operands(self, backend: TracingBackend, operand: Any) -> Any:
        """The operand as it stands in an instruction."""
        kind = type(operand)
        if operand is None or operand is ... or kind in (int, float, bool, complex, str):
            return operand
        if kind is Traced or kind is Number:
            return Ref(self.number_of(operand))
        if kind is tuple or kind is list:
            return kind([self._operands(backend, part) for part in operand])
        if kind is dict:
            return {
                key: self._operands(backend, part)
                for key, part in operand.items()
                if part is not None or key != "dtype"
            }
        if kind is slice:
            return slice(*[self._operands(backend, part) for part in (operand.start, operand.stop, operand.step)])
        if backend.base.owns(operand):
            return Ref(self.number_of(Traced(operand, None, backend)))
        if isinstance(operand, tuple | list):  # torch.Size and the like
            return tuple([self._operands(backend, part) for part in operand])
        name = backend.dtype_name(operand)
        if name is not None:
            return DType(name)
        if hasattr(operand, "item"):
            return operand.item()
        if hasattr(operand, "__index__"):
            return int(operand)
        raise refused(
            f"an argument of type {type(operand).__name__} cannot be part of a program", "Pass arrays and numbers"
        )

    def _results(self, backend: TracingBackend, found: Any) -> tuple[list[Any] | None, bool]:
        """The arrays in what a function returned, and whether it returned several. None if it returned something else."""
        base = backend.base
        if base.owns(found):
            return [found], False
        if isinstance(found, tuple | list):
            if all(y is None or base.owns(y) or is_scalar(y) for y in found) and any(y is not None for y in found):
                return [y if y is None or base.owns(y) else base.as_array(y) for y in found], True
            if _holds_arrays(base, found):
                raise refused(
                    f"a result of type {type(found).__name__} cannot be part of a program", "Use another function"
                )
            return None, False
        return ([base.as_array(found)], False) if is_scalar(found) else (None, False)

    # --- the program ---

    def program(self, outputs: Sequence[int], state: Sequence[tuple[int, int]] = ()) -> Program:
        """The program that computes these values."""
        return Program(
            specs=dict(self.specs),
            inputs=tuple(self.inputs),
            constants=dict(self.constants),
            instructions=tuple(self.instructions),
            outputs=tuple(outputs),
            state=tuple(state),
        )


def _no_draw(backend: TracingBackend, array: Any, dtype: Any) -> None:
    """No array is a random draw."""


def _has_mask(operand: Any) -> bool:
    if isinstance(operand, tuple):
        return any(map(_has_mask, operand))
    return type(operand) is Traced and operand.number is not None and str(operand.dtype).endswith("bool")


def _holds_arrays(base: Backend, found: Any) -> bool:
    return any(_holds_arrays(base, y) for y in found) if isinstance(found, tuple | list) else base.owns(found)


def _is_moving(operands: Any) -> bool:
    return any(type(part) is Traced and part.number is not None for part in operands)


def record(f: Callable[..., Any], *arrays: Any, base: Backend) -> Program:
    """The program of a function of raw arrays: `f(xp, *arrays)` returns an array or a tuple of arrays. For tests of passes and
    engines.
    """
    recorder = Recorder()
    given = [recorder.number(a) if type(a) is float else recorder.input(a, base) for a in arrays]
    found = f(recorder.backend(base).xp, *given)
    results = found if isinstance(found, tuple) else (found,)
    return recorder.program([recorder.number_of(y) for y in results])
