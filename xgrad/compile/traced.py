"""What a function that is being compiled computes with: arrays and numbers that have a value and a place in the program.

A `Traced` array holds an array of the library, so that the function runs as usual while it is recorded, and the number of the
value in the program that it stands for. A `Number` is the same for a Python float.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from xgrad.compile.errors import described, refused

OF_VALUES = (
    "Write xgrad.where(condition, a, b) in the place of if, return the value and look at it outside, or compile a part of the "
    "function"
)
OF_FLOATS = (
    "Name the argument in static_argnames if each of its values may have a trace of its own, or compute with xgrad's "
    "functions only"
)


class Traced:
    """An array of a tracing `backend`: `value` is an array of the library; `number` is None for a constant."""

    __slots__ = ("backend", "number", "value")

    __array_ufunc__: ClassVar[None] = None  # so that a NumPy scalar on the left leaves the operation to this class

    def __init__(self, value: Any, number: int | None, backend: Any) -> None:
        self.value = value
        self.number = number
        self.backend = backend

    @property
    def xgrad_backend(self) -> Any:
        return self.backend

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.value.shape:
            size *= n
        return size

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def device(self) -> Any:
        return self.backend.device

    @property
    def mT(self) -> Traced:  # noqa: N802 (the standard's name)
        found: Traced = self.backend.xp.matrix_transpose(self)
        return found

    @property
    def T(self) -> Traced:  # noqa: N802 (the standard's name)
        return self.mT

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Traced(v{self.number}, {self.value!r})" if self.number is not None else f"Traced({self.value!r})"

    def __getitem__(self, key: Any) -> Traced:
        found: Traced = self.backend.xp.getitem(self, key)
        return found

    def known(self, what: str) -> Any:
        """The array of the library, if it is the same in each run. Otherwise raise: `what` asked for it."""
        if self.number is None:
            return self.value
        made = described(self.backend.recorder.place_of(self.number))
        raise refused(f"{what} needs a value that is computed anew in each call{made and ', in ' + made}", OF_VALUES)

    def __bool__(self) -> bool:
        return bool(self.known("a condition (if, while, and, or, not)"))

    def __float__(self) -> float:
        return float(self.known("float()"))

    def __int__(self) -> int:
        return int(self.known("int()"))

    def __index__(self) -> int:
        return int(self.known("an index or a size"))

    def __complex__(self) -> complex:
        return complex(self.known("complex()"))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.backend.base.to_numpy(self.known("a NumPy array"))

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.known("DLPack").__dlpack__(**kwargs)


class Number:
    """A Python float that is an input of the program: an argument, a learning rate. It takes the dtype of the arrays it meets."""

    __slots__ = ("number", "recorder", "value")

    __array_ufunc__: ClassVar[None] = None

    def __init__(self, value: float, number: int, recorder: Any) -> None:
        self.value = value
        self.number = number
        self.recorder = recorder

    def __repr__(self) -> str:
        return f"Number(v{self.number}, {self.value!r})"

    def _refuse(self, *args: Any) -> NoReturn:
        raise refused("the value of a float that is an input of the program is looked at", OF_FLOATS)

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __format__ = _refuse
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other or self._refuse()

    def is_integer(self) -> bool:
        return self._refuse()


numbers.Number.register(Number)


def is_scalar(y: Any) -> bool:
    """Whether this is a scalar that a library returns in the place of a 0-d array."""
    return hasattr(y, "dtype") and getattr(y, "shape", None) == ()


# --- operators ----------------------------------------------------------------------------------------------

BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
}
OF_ARRAYS = {
    **BINARY,
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
    "matmul": "matmul",
}
COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
UNARY = {"neg": "negative", "pos": "positive", "abs": "abs"}


def _of_arrays(name: str, turned: bool = False) -> Callable[..., Any]:
    def method(self: Traced, *others: Any) -> Any:
        return self.backend.operator(name, (*others, self) if turned else (self, *others))

    return method


def _of_numbers(name: str, turned: bool = False) -> Callable[..., Any]:
    def method(self: Number, *others: Any) -> Any:
        if not all(isinstance(other, Number | int | float) for other in others):
            return NotImplemented
        return self.recorder.of_numbers(name, (*others, self) if turned else (self, *others))

    return method


for _python, _name in (OF_ARRAYS | COMPARISONS | UNARY | {"invert": "bitwise_invert"}).items():
    setattr(Traced, f"__{_python}__", _of_arrays(_name))
    if _python in OF_ARRAYS:
        setattr(Traced, f"__r{_python}__", _of_arrays(_name, turned=True))
for _python, _name in (BINARY | UNARY).items():
    setattr(Number, f"__{_python}__", _of_numbers(_name))
    if _python in BINARY:
        setattr(Number, f"__r{_python}__", _of_numbers(_name, turned=True))
