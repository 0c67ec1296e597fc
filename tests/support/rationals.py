"""A small array library that has no backend: rows of exact fractions, and a few functions of the standard (of 2021).

Its arrays cannot be written to and have no device. Converting them to floats, or to NumPy's arrays, is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, NoReturn

Shape = tuple[int, ...]


class Row:
    """A 0-d or 1-d array."""

    def __init__(self, values: list[Any], shape: Shape, dtype: str = "rational") -> None:
        self.values, self.shape, self.dtype = values, shape, dtype

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return rationals

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError("an exact fraction was converted to a float")

    __array__ = __float__ = __int__ = _refuse

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: len(self.values))

    def __repr__(self) -> str:
        return f"Row({', '.join(map(str, self.values))})"

    def __getitem__(self, key: Any) -> Row:
        key = key if isinstance(key, tuple) else (key,)
        (part,) = [part for part in key if part is not ...] or [slice(None)]
        found = self.values[part] if self.shape else self.values
        return Row(found, (len(found),)) if isinstance(found, list) else Row([found], ())

    def __neg__(self) -> Row:
        return each(lambda a: -a)(self)

    def __eq__(self, other: Any) -> Row:  # type: ignore[override]
        return each(lambda a, b: a == b, "bool")(self, other)

    __hash__ = None  # type: ignore[assignment]


def asarray(obj: Any, *, dtype: Any = None, copy: bool | None = None) -> Row:
    if isinstance(obj, Row):
        return Row(list(obj.values), obj.shape, obj.dtype)
    numbers = obj if isinstance(obj, list) else [obj]
    return Row([Fraction(number) for number in numbers], (len(numbers),) if isinstance(obj, list) else ())


def each(function: Callable[..., Any], dtype: str = "rational") -> Callable[..., Row]:
    """The function, applied element by element."""

    def applied(*args: Any) -> Row:
        rows = [asarray(arg) for arg in args]
        shape = max((row.shape for row in rows), key=len)
        columns = [row.values * (shape[0] if shape and not row.shape else 1) for row in rows]
        return Row([function(*numbers) for numbers in zip(*columns, strict=True)], shape, dtype)

    return applied


def broadcast_to(x: Row, shape: Shape) -> Row:
    return Row(x.values * (shape[0] if shape and x.size == 1 else 1), shape, x.dtype)


def filled(value: int) -> Callable[..., Row]:
    return lambda shape, *, dtype=None: broadcast_to(asarray(value), shape if isinstance(shape, tuple) else (shape,))


def total(x: Row, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Row:
    return Row([sum(x.values, Fraction(0))], (1,) if keepdims else ())


rationals: Any = SimpleNamespace(
    float64="rational",
    bool="bool",
    asarray=asarray,
    zeros=filled(0),
    ones=filled(1),
    add=each(lambda a, b: a + b),
    subtract=each(lambda a, b: a - b),
    multiply=each(lambda a, b: a * b),
    divide=each(lambda a, b: a / b),
    negative=each(lambda a: -a),
    reciprocal=each(lambda a: 1 / a),
    square=each(lambda a: a * a),
    pow=each(lambda a, b: a ** int(b)),
    equal=each(lambda a, b: a == b, "bool"),
    sum=total,
    reshape=lambda x, shape: Row(x.values, tuple(shape), x.dtype),
    broadcast_to=broadcast_to,
    astype=lambda x, dtype, **_: x,
)


def _operators() -> None:
    for name, function in (
        ("add", rationals.add),
        ("sub", rationals.subtract),
        ("mul", rationals.multiply),
        ("truediv", rationals.divide),
        ("pow", rationals.pow),
    ):
        setattr(Row, f"__{name}__", lambda a, b, f=function: f(a, b))
        setattr(Row, f"__r{name}__", lambda a, b, f=function: f(b, a))


_operators()
