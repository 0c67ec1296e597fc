"""The recorder: a backend whose namespace computes with the library, and writes down each call as an instruction of a program.

There is one recorder of a call, for every function: it calls the library's function with the arrays' values, and notes the name and
the operands. No rules for shapes are needed, and what depends on constants only is computed here once. So rules, transforms and
optimizers are recorded as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from xgrad.backends.base import Backend, Layout
from xgrad.compile.errors import CompileError, described, refused, user_line, user_place
from xgrad.compile.program import NOTHING, NUMBER, OPERATORS, DType, Instruction, Program, Ref, Spec, function_of
from xgrad.compile.traced import OF_VALUES, Number, Traced

EXTENSIONS = ("linalg", "fft", "special")
# Functions whose result has another shape for other values.
OF_DATA = frozenset(["nonzero", "argwhere", "unique_all", "unique_counts", "unique_inverse", "unique_values"])
LEAKED = "Return it from the function, or write it into a tensor that exists outside (x[...] = value)"
DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)


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
        self.take_draw: Callable[[TracingBackend, Any, Any], Traced | None] = lambda backend, array, dtype: None
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

    def check_open(self, *operands: Any) -> None:
        """Raise for tensors that are used after the function has ended."""
        if self.is_open:
            return
        made = next((self.lines[x.number] for x in operands if type(x) is Traced and x.number in self.lines), None)
        where = described(made)
        raise refused(f"a tensor that was made inside of a compiled function{where and ', in ' + where} is used outside of it", LEAKED)

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
        made = [
            None if y is None else Traced(y, number, backend) for y, number in zip(results, numbers, strict=True)
        ]
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
            return {key: self._operands(backend, part) for key, part in operand.items() if part is not None or key != "dtype"}
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
        raise refused(f"an argument of type {type(operand).__name__} cannot be part of a program", "Pass arrays and numbers")

    def _results(self, backend: TracingBackend, found: Any) -> tuple[list[Any] | None, bool]:
        """The arrays in what a function returned, and whether it returned several. None if it returned something else."""
        base = backend.base
        if base.owns(found):
            return [found], False
        if isinstance(found, tuple | list):
            if all(y is None or base.owns(y) or _is_scalar(y) for y in found) and any(y is not None for y in found):
                return [y if y is None or base.owns(y) else base.as_array(y) for y in found], True
            if _holds_arrays(base, found):
                raise refused(f"a result of type {type(found).__name__} cannot be part of a program", "Use another function")
            return None, False
        return ([base.as_array(found)], False) if _is_scalar(found) else (None, False)

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


def _is_scalar(y: Any) -> bool:
    """Whether this is a scalar that a library returns in the place of a 0-d array."""
    return hasattr(y, "dtype") and getattr(y, "shape", None) == ()


def _has_mask(operand: Any) -> bool:
    if isinstance(operand, tuple):
        return any(map(_has_mask, operand))
    return type(operand) is Traced and operand.number is not None and str(operand.dtype).endswith("bool")


def _holds_arrays(base: Backend, found: Any) -> bool:
    return any(_holds_arrays(base, y) for y in found) if isinstance(found, tuple | list) else base.owns(found)


def _is_moving(operands: Any) -> bool:
    return any(type(part) is Traced and part.number is not None for part in operands)


class TracingRaw:
    """The namespace of a backend, with each function recorded."""

    def __init__(self, backend: TracingBackend, xp: Any, prefix: str = "") -> None:
        self._backend, self._xp, self._prefix = backend, xp, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._xp, name)
        value: Any = found
        if name in EXTENSIONS:
            value = TracingRaw(self._backend, found, f"{name}.")
        elif callable(found) and not isinstance(found, type) and self._backend.dtype_name(found) is None:
            value = self._recorded(f"{self._prefix}{name}", found)
        self.__dict__[name] = value
        return value

    def _recorded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        backend, call = self._backend, self._backend.recorder.call

        def recorded(*args: Any, **options: Any) -> Any:
            return call(backend, name, function, args, options)

        return recorded

    def asarray(self, obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        """Arrays are never written to while a function is recorded, so a copy is the array itself."""
        if type(obj) is Traced:
            return obj if dtype is None or dtype == obj.dtype else self.astype(obj, dtype)
        if type(obj) is Number:
            options = {} if dtype is None else {"dtype": dtype}
            return self._backend.recorder.call(self._backend, "asarray", self._backend.base.asarray, (obj,), options)
        drawn = self._backend.recorder.take_draw(self._backend, obj, dtype)
        return drawn if drawn is not None else Traced(self._backend.base.asarray(obj, dtype=dtype), None, self._backend)

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
        if x.dtype == dtype:
            return x
        return self._backend.recorder.call(self._backend, "astype", self._xp.astype, (x, dtype), {})


class TracingBackend(Backend):
    """The tracing version of the backend `base`."""

    is_temporary = True

    def __init__(self, base: Backend, recorder: Recorder) -> None:
        self.base = base
        self.recorder = recorder
        self.name = base.name
        self.device = base.device
        self.library = base.library
        self.complex_dtypes = base.complex_dtypes
        self.narrow_dtypes = base.narrow_dtypes
        self.checks_indices = base.checks_indices  # type: ignore[misc]
        self.cannot = base.cannot  # type: ignore[misc]
        self.xp: Any = TracingRaw(self, base.xp)
        self._ranks = base._ranks
        self._layouts: dict[Any, Layout] = {}
        self._ones: dict[Any, Any] = {}
        self._names: dict[Any, str | None] = {}

    def __repr__(self) -> str:
        return f"{self.base!r} inside compile"

    def __reduce__(self) -> Any:
        raise TypeError("a tensor of a function that is being compiled cannot be pickled; return it from the function first")

    # --- dtypes ---

    def dtype_name(self, value: Any) -> str | None:
        """The name of a dtype of the library; None for anything else."""
        try:
            return self._names[value]
        except (KeyError, TypeError):
            pass
        found = next((name for name in DTYPES if _is_dtype(getattr(self.base.xp, name, None), value)), None)
        try:
            self._names[value] = found
        except TypeError:
            pass
        return found

    def spec(self, value: Any) -> Spec:
        """The shape and the dtype of an array of the library."""
        if value is None:
            return Spec((), NOTHING)
        return Spec(tuple(value.shape), self.dtype_name(value.dtype) or str(value.dtype))

    @property
    def default_dtype(self) -> Any:
        return self.base.default_dtype

    @property
    def changes_default(self) -> bool:  # type: ignore[override]
        return self.base.changes_default

    # --- other backends ---

    def join(self, other: Backend) -> Backend | None:
        return self if other is self or other is self.base else None

    def take_in(self, tensor: Any) -> Any:
        """Inside of the function, tensors from outside are on this backend already. So the function has ended."""
        self.recorder.check_open()
        raise refused(f"a tensor of {tensor.backend} met one of {self}", "Make it outside of the compiled function")

    def accepts(self, value: Any) -> bool:
        return self.owns(value) or self.base.accepts(value)

    def adopt(self, array: Any) -> Any:
        """A raw array that the function closes over is a constant."""
        if self.owns(array):
            return array
        self.recorder.closed_over.append((user_line(), f"an array of shape {tuple(array.shape)} and dtype {array.dtype}"))
        return Traced(self.base.adopt(array), None, self)

    def adopt_any(self, value: Any, dtype: Any = None) -> Any:
        return value if self.owns(value) else Traced(self.base.adopt_any(value, dtype), None, self)

    def backend_of_array(self, array: Any) -> Backend:
        return self

    def bare(self, array: Any) -> tuple[Backend, Any]:
        return self, array

    def on_device(self, device: Any) -> Backend:
        return self.recorder.backend(self.base.on_device(device))

    # --- arrays ---

    def owns(self, value: Any) -> bool:
        return type(value) is Traced and value.backend is self

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        return self.xp.asarray(obj, dtype=dtype)

    def number(self, value: Any) -> Any:
        return value if type(value) is Number else self.base.number(value)

    def operator(self, name: str, args: Any) -> Any:
        """An operator on arrays and numbers."""
        if not all(type(arg) in (Traced, Number, int, float, bool, complex) or _is_scalar(arg) for arg in args):
            return NotImplemented
        args = tuple([arg if type(arg) in (Traced, Number) else self._scalar(arg) for arg in args])
        return self.recorder.call(self, name, OPERATORS.get(name) or function_of(self.base.xp, name), args, {})

    def _scalar(self, value: Any) -> Any:
        return value.item() if hasattr(value, "item") else value

    def write(self, array: Any, value: Any, key: Any) -> Any:
        return self.xp.setitem(array, value, key)

    def copy(self, array: Any) -> Any:
        return array

    def owned(self, array: Any, fresh: bool) -> Any:
        return array

    @property
    def on_host(self) -> bool:
        return False

    def to_numpy(self, array: Any) -> Any:
        self.recorder.check_open(array)
        return self.base.to_numpy(array.known("if, float(), item() or numpy()"))

    def not_on_host(self) -> Exception:
        return refused("a NumPy array is made of a value that is computed anew in each call", OF_VALUES)

    def format(self, array: Any) -> str:
        self.recorder.check_open(array)
        if array.number is not None:
            raise refused("a value that is computed anew in each call is printed", "Return it, and print it outside")
        return self.base.format(array.value)

    def in_words(self, error: Exception) -> str:
        return self.base.in_words(error)

    def kind_of(self, error: Exception) -> type[Exception]:
        return CompileError if isinstance(error, CompileError) else self.base.kind_of(error)


def _is_dtype(dtype: Any, value: Any) -> bool:
    try:
        return dtype is not None and bool(dtype == value)
    except Exception:
        return False


# The library's own backend answers for these.
for _name in (
    *("devices", "find_device", "device_of", "device_name", "entered", "make_current", "walking", "guard"),
    *("memory", "synchronize"),
):
    setattr(TracingBackend, _name, property(attrgetter(f"base.{_name}")))


def record(f: Callable[..., Any], *arrays: Any, base: Backend) -> Program:
    """The program of a function of raw arrays: `f(xp, *arrays)` returns an array or a tuple of arrays. For tests of passes and engines."""
    recorder = Recorder()
    given = [recorder.number(a) if type(a) is float else recorder.input(a, base) for a in arrays]
    found = f(recorder.backend(base).xp, *given)
    results = found if isinstance(found, tuple) else (found,)
    return recorder.program([recorder.number_of(y) for y in results])
