"""The backend of a function that is being recorded: that of a library, with each function of its namespace recorded.

Its arrays are Traced. They are never written to, so a copy is the array itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from xgrad.backends.base import Backend
from xgrad.backends.derived import Derived
from xgrad.compile.errors import CompileError, refused, user_line
from xgrad.compile.program import NOTHING, OPERATORS, Spec, function_of
from xgrad.compile.traced import OF_VALUES, Number, Traced, is_scalar

EXTENSIONS = ("linalg", "fft", "special")
DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)


class TracingRaw:
    """The namespace of a backend, with each function recorded."""

    def __init__(self, backend: TracingBackend, xp: Any, prefix: str = "") -> None:
        self._backend, self._xp, self._prefix = backend, xp, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._xp, name)
        value: Any = found
        if name in EXTENSIONS and not self._prefix:  # fft.fft is a function
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

    def divide_into(self, x1: Any, x2: Any) -> Any:
        """As a division: the library's own may write over x2, which is a constant or has another use in a program."""
        return self.divide(x1, x2)

    def _can_look(self, x: Any) -> bool:
        """Whether a rule may look at values, to choose the faster of two ways."""
        return x.number is None and bool(self._xp._can_look(x.value))

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
        if x.dtype == dtype:
            return x
        return self._backend.recorder.call(self._backend, "astype", self._xp.astype, (x, dtype), {})


def _is_two(exponent: Any) -> bool:
    """Whether a power is a square, which is the same in each library's `pow` and by its operator."""
    return type(exponent) is not Number and exponent == 2


class TracingBackend(Derived):
    """The tracing version of the backend `base`."""

    def __init__(self, base: Backend, recorder: Any) -> None:
        super().__init__(base)
        self.recorder = recorder
        self.xp: Any = TracingRaw(self, base.xp)
        self._names: dict[Any, str | None] = {}

    def __repr__(self) -> str:
        return f"{self.base!r} inside compile"

    def __reduce__(self) -> Any:
        raise TypeError(
            "a tensor of a function that is being compiled cannot be pickled; return it from the function first"
        )

    # --- dtypes ---

    def dtype_name(self, value: Any) -> str | None:
        """The name of a dtype of the library; None for anything else."""
        try:
            return self._names[value]
        except (KeyError, TypeError):
            pass
        found = next((name for name in DTYPES if _is_dtype(getattr(self.base.xp, name, None), value)), None)
        with suppress(TypeError):  # what is not hashable is no dtype
            self._names[value] = found
        return found

    def spec(self, value: Any) -> Spec:
        """The shape and the dtype of an array of the library."""
        if value is None:
            return Spec((), NOTHING)
        return Spec(tuple(value.shape), self.dtype_name(value.dtype) or str(value.dtype))

    # --- other backends ---

    def join(self, other: Backend) -> Backend | None:
        return self if other is self or other is self.base else None

    def take_in(self, tensor: Any) -> Any:
        """Inside of the function, tensors from outside are on this backend already. So the function has ended."""
        self.recorder.check_open()
        raise refused(f"a tensor of {tensor.backend} met one of {self}", "Make it outside of the compiled function")

    def adopt(self, array: Any) -> Any:
        """A raw array that the function closes over is a constant."""
        if self.owns(array):
            return array
        self.recorder.closed_over.append(
            (user_line(), f"an array of shape {tuple(array.shape)} and dtype {array.dtype}")
        )
        return Traced(self.base.adopt(array), None, self)

    def adopt_any(self, value: Any, dtype: Any = None) -> Any:
        return value if self.owns(value) else Traced(self.base.adopt_any(value, dtype), None, self)

    def backend_of_array(self, array: Any) -> Backend:
        return self

    def bare(self, array: Any) -> tuple[Backend, Any]:
        return self, array

    def on_device(self, device: Any) -> Backend:
        there: Backend = self.recorder.backend(self.base.on_device(device))
        return there

    # --- arrays ---

    def owns(self, value: Any) -> bool:
        return type(value) is Traced and value.backend is self

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        return self.xp.asarray(obj, dtype=dtype)

    def number(self, value: Any) -> Any:
        return value if type(value) is Number else self.base.number(value)

    def operator(self, name: str, args: Any) -> Any:
        """An operator on arrays and numbers."""
        owns = self.base.owns
        kinds = (Traced, Number, int, float, bool, complex)
        if not all(type(arg) in kinds or owns(arg) or is_scalar(arg) for arg in args):
            return NotImplemented
        args = tuple([arg if type(arg) in kinds or owns(arg) else self._scalar(arg) for arg in args])
        if name == "pow" and type(args[1]) in (int, float, Number) and not _is_two(args[1]):
            name = "_power"
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
