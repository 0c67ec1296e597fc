"""Reductions and cumulative functions, with NumPy's options dtype, keepdims, initial and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from xgrad.rules.numpy_functions.face import (
    axes_of,
    floating,
    is_complex,
    is_float,
    not_given,
    one_axis,
    tensor,
    xp,
)
from xgrad.rules.numpy_functions.table import numpy_function


class NoValue:
    """The default of an option that may be None."""

    def __repr__(self) -> str:
        return "<no value>"


NO = NoValue()


def given(value: Any) -> bool:
    """Whether an option was given. NumPy's functions pass a value of their own on where it was not."""
    return type(value) is not NoValue and type(value).__name__ != "_NoValueType"


def keeps(keepdims: Any) -> bool:
    return bool(keepdims) if given(keepdims) else False


def _masked(x: Any, where: Any, neutral: Any) -> Any:
    return xp.where(where, x, neutral) if given(where) and where is not True else x


@numpy_function("sum")
def sum_(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = NO,
    initial: Any = NO,
    where: Any = NO,
) -> Any:
    not_given("sum", out=out)
    y = xp.sum(_masked(tensor("sum", a), where, 0), axis=axis, dtype=dtype, keepdims=keeps(keepdims))
    return y + initial if given(initial) else y


@numpy_function("prod")
def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = NO,
    initial: Any = NO,
    where: Any = NO,
) -> Any:
    not_given("prod", out=out)
    y = xp.prod(_masked(tensor("prod", a), where, 1), axis=axis, dtype=dtype, keepdims=keeps(keepdims))
    return y * initial if given(initial) else y


def extremum_of(name: str, reduce: Any, pair: Any, sign: float) -> Callable[..., Any]:
    def extremum(
        a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO
    ) -> Any:
        not_given(name, out=out)
        a = tensor(name, a)
        if given(where) and where is not True:
            if not given(initial):
                raise ValueError(f"numpy.{name} with where= needs initial=, the value where nothing is left")
            a = xp.where(where, a, xp.astype(xp.asarray(sign * math.inf), a.dtype) if is_float(a) else initial)
        y = reduce(a, axis=axis, keepdims=keeps(keepdims))
        return pair(y, initial) if given(initial) else y

    return extremum


maximum_of = numpy_function("max", "amax")(
    extremum_of("max", lambda *a, **k: xp.max(*a, **k), lambda *a: xp.maximum(*a), -1.0)
)
minimum_of = numpy_function("min", "amin")(
    extremum_of("min", lambda *a, **k: xp.min(*a, **k), lambda *a: xp.minimum(*a), 1.0)
)


@numpy_function("mean")
def mean(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO) -> Any:
    not_given("mean", out=out)
    a = tensor("mean", a)
    a = floating(a) if dtype is None else xp.astype(a, dtype)
    if not given(where) or where is True:
        return xp.mean(a, axis=axis, keepdims=keeps(keepdims))
    return sum_(a, axis, keepdims=keepdims, where=where) / _count(a, where, axis, keeps(keepdims))


def _count(a: Any, where: Any, axis: Any, keepdims: bool) -> Any:
    """How many elements a mask selects."""
    mask = xp.broadcast_to(tensor("where", where), a.shape)
    return xp.sum(xp.astype(mask, a.real.dtype if is_complex(a) else a.dtype), axis=axis, keepdims=keepdims)


@numpy_function("var")
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: Any = NO,
    *,
    where: Any = NO,
    mean: Any = NO,
    correction: Any = NO,
) -> Any:
    not_given("var", out=out)
    a = tensor("var", a)
    a = floating(a) if dtype is None else xp.astype(a, dtype)
    ddof = correction if given(correction) else ddof
    if not given(where) and not given(mean) and not is_complex(a):
        return xp.var(a, axis=axis, correction=ddof, keepdims=keeps(keepdims))
    center = mean if given(mean) else _mean(a, axis, where)
    squares = _squares(a - center)
    total = sum_(squares, axis, keepdims=keepdims, where=where)
    if given(where) and where is not True:
        return total / (_count(squares, where, axis, keeps(keepdims)) - ddof)
    count = math.prod(a.shape[i] for i in axes_of("var", axis, a.ndim))
    return total / (count - ddof)


def _mean(a: Any, axis: Any, where: Any) -> Any:
    return mean(a, axis, keepdims=True, where=where)


def _squares(x: Any) -> Any:
    return xp.real(x) ** 2 + xp.imag(x) ** 2 if is_complex(x) else x * x


@numpy_function("std")
def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: Any = NO,
    *,
    where: Any = NO,
    mean: Any = NO,
    correction: Any = NO,
) -> Any:
    not_given("std", out=out)
    a = tensor("std", a)
    if not given(where) and not given(mean) and not is_complex(a):
        a = floating(a) if dtype is None else xp.astype(a, dtype)
        return xp.std(a, axis=axis, correction=correction if given(correction) else ddof, keepdims=keeps(keepdims))
    square = var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    is_zero = square == 0  # the derivative is 0 there, as in std
    return xp.where(is_zero, square, xp.sqrt(xp.where(is_zero, square + 1, square)))


@numpy_function("ptp")
def ptp(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO) -> Any:
    not_given("ptp", out=out)
    a = tensor("ptp", a)
    return xp.max(a, axis=axis, keepdims=keeps(keepdims)) - xp.min(a, axis=axis, keepdims=keeps(keepdims))


@numpy_function("all", exact=True)
def all_(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO) -> Any:
    not_given("all", out=out)
    return xp.all(_masked(tensor("all", a) != 0, where, True), axis=axis, keepdims=keeps(keepdims))


@numpy_function("any", exact=True)
def any_(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO) -> Any:
    not_given("any", out=out)
    return xp.any(_masked(tensor("any", a) != 0, where, False), axis=axis, keepdims=keeps(keepdims))


@numpy_function("count_nonzero", exact=True)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return xp.count_nonzero(tensor("count_nonzero", a), axis=axis, keepdims=keepdims)


# --- cumulative -----------------------------------------------------------------------------------------------


def _cumulative(name: str) -> Callable[..., Any]:
    def cumulative(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
        not_given(name, out=out)
        a = tensor(name, a)
        a, axis = (xp.reshape(a, (-1,)), 0) if axis is None else (a, axis)
        return getattr(xp, name)(a, axis=axis, dtype=dtype)

    return cumulative


cumsum = numpy_function("cumsum")(_cumulative("cumulative_sum"))
cumprod = numpy_function("cumprod")(_cumulative("cumulative_prod"))


def _cumulative_of_the_standard(name: str) -> Callable[..., Any]:
    def cumulative(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
    ) -> Any:
        not_given(name, out=out)
        return getattr(xp, name)(tensor(name, x), axis=axis, dtype=dtype, include_initial=include_initial)

    return cumulative


numpy_function("cumulative_sum")(_cumulative_of_the_standard("cumulative_sum"))
numpy_function("cumulative_prod")(_cumulative_of_the_standard("cumulative_prod"))


# --- functions of the user's along axes -----------------------------------------------------------------------


@numpy_function("apply_along_axis")
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of a vector, called for each line along an axis. Its results are stacked."""
    arr = tensor("apply_along_axis", arr)
    axis = one_axis("apply_along_axis", axis, arr.ndim)
    moved = xp.moveaxis(arr, axis, -1)
    lines = xp.reshape(moved, (-1, arr.shape[axis]))
    found = [tensor("apply_along_axis", func1d(lines[i], *args, **kwargs)) for i in range(lines.shape[0])]
    if not found:
        raise ValueError("numpy.apply_along_axis of no lines has no result")
    y = xp.stack(found)
    y = xp.reshape(y, (*moved.shape[:-1], *found[0].shape))
    for i in range(found[0].ndim):  # the axes of a result come where the line was
        y = xp.moveaxis(y, arr.ndim - 1 + i, axis + i)
    return y


@numpy_function("apply_over_axes")
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    a = tensor("apply_over_axes", a)
    ndim = a.ndim
    for axis in axes_of("apply_over_axes", tuple(axes) if isinstance(axes, Sequence) else axes, ndim):
        y = func(a, axis)
        a = y if y.ndim == ndim else xp.expand_dims(y, axis=axis)
    return a
