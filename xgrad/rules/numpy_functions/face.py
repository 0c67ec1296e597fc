"""What NumPy's functions on tensors are made of: the functions of the namespace, and what turns arguments into tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from xgrad.backends import get_backend, use_backend
from xgrad.engine.integers import integer
from xgrad.engine.operands import as_tensors
from xgrad.engine.registry import FUNCTIONS
from xgrad.engine.tensor import Tensor
from xgrad.rules.shapes import normalize_axes


class Functions:
    """The functions of the namespace as attributes, or those of one of its extensions."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found = FUNCTIONS.get(self._prefix + name)
        if found is None:
            raise AttributeError(f"the namespace has no function {self._prefix + name!r}")
        return found


xp, linalg, fft, special = Functions(), Functions("linalg."), Functions("fft."), Functions("special.")


def tensor(name: str, value: Any) -> Any:
    """A tensor for an array, a number, or a nested list of tensors, arrays and numbers."""
    return value if isinstance(value, Tensor) else tensors(name, value)[0]


def tensors(name: str, *values: Any) -> tuple[Any, ...]:
    """A tensor for each value, on the backend of those that are tensors. Numbers take the dtype of the others."""
    if not any(isinstance(value, Tensor) for value in leaves(values)):
        values = tuple(xp.asarray(value) if isinstance(value, list | tuple) else value for value in values)
        return as_tensors(name, values)
    return as_tensors(name, [stacked(name, value) if isinstance(value, list | tuple) else value for value in values])


def on_their_backend(values: Iterable[Any]) -> AbstractContextManager[Any]:
    """A block in which new tensors are on the backend and device of the first tensor among the values."""
    first = _first_tensor(values)
    return nullcontext() if first is None or first.backend is get_backend() else use_backend(first.backend)


def _first_tensor(values: Iterable[Any]) -> Tensor | None:
    for value in values:
        found = (
            value if isinstance(value, Tensor) else _first_tensor(value) if isinstance(value, list | tuple) else None
        )
        if found is not None:
            return found
    return None


def leaves(values: Any) -> Iterator[Any]:
    """What is in nested lists and tuples."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from leaves(value)
        else:
            yield value


def has_tensor(values: Iterable[Any]) -> bool:
    """Whether there is a tensor among the values, or in their lists and tuples."""
    return _first_tensor(values) is not None


def stacked(name: str, values: Sequence[Any]) -> Any:
    """A nested list, in which some values are tensors, as one tensor."""
    if not any(isinstance(value, Tensor) for value in leaves(values)):
        return xp.asarray(values)
    parts = [stacked(name, value) if isinstance(value, list | tuple) else value for value in values]
    return xp.stack(as_tensors(name, parts))


def arrays(name: str, values: Any) -> list[Any]:
    """The arrays of a sequence, such as the argument of `np.concatenate`. Rows of a tensor are its parts."""
    if isinstance(values, Tensor):
        return list(xp.unstack(values))
    if not isinstance(values, Iterable):
        raise TypeError(f"numpy.{name} takes a sequence of arrays, not {type(values).__name__}")
    return list(tensors(name, *values))


def axes_of(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes as numbers that are not negative; all of them for None."""
    return normalize_axes(name, axis, ndim)


def one_axis(name: str, axis: Any, ndim: int) -> int:
    """One axis as a number that is not negative."""
    return normalize_axes(name, integer(name, axis), ndim)[0]


def index(axis: int, key: Any) -> tuple[Any, ...]:
    """A key that reads `key` along one axis."""
    return (*(slice(None) for _ in range(axis)), key)


def not_given(name: str, **options: Any) -> None:
    """Raise TypeError for an option of NumPy's that tensors do not have."""
    for option, value in options.items():
        if value is not None:
            instead = "; use the result" if option == "out" else " for a tensor"
            raise TypeError(f"numpy.{name}: {option}= is not supported{instead}")


def is_float(x: Any) -> bool:
    """Whether the dtype is a real or complex floating-point one."""
    found: bool = x.backend.is_inexact(x.dtype)
    return found


def is_complex(x: Any) -> bool:
    return x.dtype in x.backend.complex_dtypes


def floating(x: Any) -> Any:
    """Integers and truth values in the default floating-point dtype, others as they are: what `x / 1` gives."""
    return x if is_float(x) else x / 1
