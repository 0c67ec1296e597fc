"""The vector space of a value: its zeros, its ones, a basis, and sums and products in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any, ClassVar

import numpy as np

from xgrad.compat.autograd.values import getval
from xgrad.engine.tensor import Tensor


class VSpace:
    """The vector space of values of one kind, shape and dtype."""

    mappings: ClassVar[dict[type, Callable[[Any], Any]]] = {}
    iscomplex = False
    size: int

    def __init__(self, value: Any) -> None:
        pass

    def zeros(self) -> Any:
        raise NotImplementedError(f"{self!r} has no zeros")

    def ones(self) -> Any:
        raise NotImplementedError(f"{self!r} has no ones")

    def standard_basis(self) -> Iterator[Any]:
        raise NotImplementedError(f"{self!r} has no basis")

    def randn(self) -> Any:
        raise NotImplementedError(f"{self!r} has no random values")

    def add(self, x: Any, y: Any) -> Any:
        return x + y

    def mut_add(self, x: Any, y: Any) -> Any:
        """x + y, where x may be None for zero."""
        return y if x is None else self.add(x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        return x * a

    def inner_prod(self, x: Any, y: Any) -> Any:
        raise NotImplementedError(f"{self!r} has no inner product")

    def covector(self, x: Any) -> Any:
        return x

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}_{self.__dict__}"

    @classmethod
    def register(cls, value_type: type, vspace_maker: Callable[[Any], Any] | None = None) -> None:
        """Say that this is the space of the values of a type, or that `vspace_maker` makes it."""
        VSpace.mappings[value_type] = vspace_maker or cls


class ArrayVSpace(VSpace):
    """The space of arrays of one shape and a real dtype, and of real numbers."""

    def __init__(self, value: Any) -> None:
        value = np.asarray(getval(value))
        self.shape, self.dtype = value.shape, value.dtype

    @property
    def size(self) -> int:  # type: ignore[override]
        return int(prod(self.shape)) * (2 if self.iscomplex else 1)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def zeros(self) -> Any:
        return np.zeros(self.shape, dtype=self.dtype)

    def ones(self) -> Any:
        return np.full(self.shape, 1.0 + 1.0j if self.iscomplex else 1.0, dtype=self.dtype)

    def standard_basis(self) -> Iterator[Any]:
        for place in np.ndindex(*self.shape):
            for value in (1.0, 1.0j) if self.iscomplex else (1.0,):
                unit = self.zeros()
                unit[place] = value
                yield unit

    def randn(self) -> Any:
        real = np.array(np.random.randn(*self.shape)).astype(self.dtype)
        return real + 1.0j * np.array(np.random.randn(*self.shape)).astype(self.dtype) if self.iscomplex else real

    def inner_prod(self, x: Any, y: Any) -> Any:
        return np.real(np.dot(np.conj(np.ravel(x)), np.ravel(y)))

    def covector(self, x: Any) -> Any:
        return np.conj(x) if self.iscomplex else x


class ComplexArrayVSpace(ArrayVSpace):
    """The space of arrays of one shape and a complex dtype. It is one over the real numbers."""

    iscomplex = True


class ContainerVSpace(VSpace):
    """The space of tuples, lists and dicts: one of its parts for each."""

    def __init__(self, value: Any) -> None:
        self.shape = _each(vspace, value)

    @property
    def size(self) -> int:  # type: ignore[override]
        return sum(part.size for part in _parts(self.shape))

    def zeros(self) -> Any:
        return _each(lambda part: part.zeros(), self.shape)

    def ones(self) -> Any:
        return _each(lambda part: part.ones(), self.shape)

    def randn(self) -> Any:
        return _each(lambda part: part.randn(), self.shape)

    def standard_basis(self) -> Iterator[Any]:
        for key in self.shape if isinstance(self.shape, dict) else range(len(self.shape)):
            for unit in self.shape[key].standard_basis():
                yield _with(self.zeros(), key, unit)

    def add(self, x: Any, y: Any) -> Any:
        return _each(lambda part, a, b: part.add(a, b), self.shape, x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        return _each(lambda part, b: part.scalar_mul(b, a), self.shape, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        return sum(_parts(_each(lambda part, a, b: part.inner_prod(a, b), self.shape, x, y)))

    def covector(self, x: Any) -> Any:
        return _each(lambda part, a: part.covector(a), self.shape, x)


def _parts(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def _each(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """A container like the first one, of the function's results for the parts of all."""
    if isinstance(first, dict):
        return {key: function(value, *(other[key] for other in others)) for key, value in first.items()}
    parts = [function(*each) for each in zip(first, *others, strict=True)]
    return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)


def _with(container: Any, key: Any, value: Any) -> Any:
    if isinstance(container, dict):
        return {**container, key: value}
    parts = [*container[:key], value, *container[key + 1 :]]
    return type(container)(*parts) if hasattr(container, "_fields") else type(container)(parts)


def _of_array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return (ComplexArrayVSpace if value.dtype in value.backend.complex_dtypes else ArrayVSpace)(value)
    return (ComplexArrayVSpace if np.iscomplexobj(value) else ArrayVSpace)(value)


_REAL: tuple[type, ...] = (float, np.longdouble, np.float64, np.float32, np.float16)
_COMPLEX: tuple[type, ...] = (complex, np.clongdouble, np.complex64, np.complex128)
_CONTAINERS: tuple[type, ...] = (tuple, list, dict)
for _type in (np.ndarray, *_REAL, *_COMPLEX):
    VSpace.register(_type, _of_array)
for _type in _CONTAINERS:
    VSpace.register(_type, ContainerVSpace)


def vspace(value: Any) -> Any:
    """The vector space of a value.

    Raises:
        TypeError: for a value of a type that has none, such as a truth value.
    """
    make = VSpace.mappings.get(type(value))
    if isinstance(value, Tensor):
        make = _of_array
    elif make is None and isinstance(value, tuple) and hasattr(value, "_fields"):  # such as NumPy's EighResult
        make = ContainerVSpace
    if make is None:
        known = ", ".join(sorted(kind.__name__ for kind in VSpace.mappings))
        raise TypeError(f"Can't find vector space for value {value!r} of type {type(value)}; there is one for {known}")
    return make(value)
