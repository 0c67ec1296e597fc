"""Ufuncs of NumPy's that the standard does not have, and the methods of all ufuncs: reduce, accumulate, reduceat, outer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.rules.numpy_functions import placing, reducing
from xgrad.rules.numpy_functions.face import (
    axes_of,
    floating,
    index,
    is_float,
    not_given,
    on_their_backend,
    one_axis,
    special,
    tensor,
    tensors,
    xp,
)

MORE: dict[str, Callable[..., Any]] = {}


def ufunc(function: Callable[..., Any]) -> Callable[..., Any]:
    MORE[function.__name__] = function
    return function


@ufunc
def cbrt(x: Any) -> Any:
    """The real cube root, from a power and a step of Newton's method for its last digit. Its slope at 0 is infinite."""
    x = floating(tensor("cbrt", x))
    is_end = (x == 0) | xp.isinf(x)
    safe = xp.where(is_end, 1.0, x)
    y = xp.sign(safe) * xp.abs(safe) ** (1 / 3)
    at_end = xp.where(x == 0, xp.sqrt(xp.where(x == 0, x, 1.0)), x.detach())
    return xp.where(is_end, at_end, y - (y - safe / (y * y)) / 3)


@ufunc
def exp2(x: Any) -> Any:
    x = floating(tensor("exp2", x))
    return tensors("exp2", x, 2.0)[1] ** x


@ufunc
def deg2rad(x: Any) -> Any:
    return tensor("deg2rad", x) * (math.pi / 180)


@ufunc
def rad2deg(x: Any) -> Any:
    return tensor("rad2deg", x) * (180 / math.pi)


MORE["radians"], MORE["degrees"] = deg2rad, rad2deg


@ufunc
def fabs(x: Any) -> Any:
    return xp.abs(floating(tensor("fabs", x)))


@ufunc
def fmax(x1: Any, x2: Any) -> Any:
    return _without_nan(xp.maximum, *tensors("fmax", x1, x2))


@ufunc
def fmin(x1: Any, x2: Any) -> Any:
    return _without_nan(xp.minimum, *tensors("fmin", x1, x2))


def _without_nan(function: Callable[..., Any], x1: Any, x2: Any) -> Any:
    if not is_float(x1) or not is_float(x2):
        return function(x1, x2)
    return xp.where(xp.isnan(x1), x2, xp.where(xp.isnan(x2), x1, function(x1, x2)))


@ufunc
def fmod(x1: Any, x2: Any) -> Any:
    """The remainder with the sign of x1."""
    x1, x2 = tensors("fmod", x1, x2)
    return xp.sign(x1) * (xp.abs(x1) % xp.abs(x2))


@ufunc
def float_power(x1: Any, x2: Any) -> Any:
    x1, x2 = (floating(x) for x in tensors("float_power", x1, x2))
    return x1**x2


@ufunc
def heaviside(x1: Any, x2: Any) -> Any:
    x1, x2 = tensors("heaviside", x1, x2)
    y = xp.where(x1 == 0, x2, xp.astype(x1 > 0, floating(x2).dtype))
    return xp.where(xp.isnan(x1), math.nan, y) if is_float(x1) else y


@ufunc
def logaddexp2(x1: Any, x2: Any) -> Any:
    x1, x2 = tensors("logaddexp2", x1, x2)
    return xp.logaddexp(x1 * math.log(2), x2 * math.log(2)) / math.log(2)


@ufunc
def ldexp(x1: Any, x2: Any) -> Any:
    x1, x2 = tensors("ldexp", x1, x2)
    return x1 * exp2(xp.astype(x2, floating(x1).dtype))


@ufunc
def modf(x: Any) -> tuple[Any, Any]:
    x = floating(tensor("modf", x))
    whole = xp.trunc(x)
    return xp.gap(x, whole), whole  # the gap of an infinite number to itself is 0


@ufunc
def divmod(x1: Any, x2: Any) -> tuple[Any, Any]:
    x1, x2 = tensors("divmod", x1, x2)
    return x1 // x2, x1 % x2


@ufunc
def matvec(x1: Any, x2: Any) -> Any:
    x1, x2 = tensors("matvec", x1, x2)
    return xp.matmul(x1, x2[..., None])[..., 0]


@ufunc
def vecmat(x1: Any, x2: Any) -> Any:
    x1, x2 = tensors("vecmat", x1, x2)
    row = xp.conj(x1) if x1.dtype in x1.backend.complex_dtypes else x1
    return xp.matmul(row[..., None, :], x2)[..., 0, :]


# --- methods --------------------------------------------------------------------------------------------------

_REDUCED: dict[str, Callable[..., Any]] = {
    "add": reducing.sum_,
    "multiply": reducing.prod,
    "maximum": reducing.maximum_of,
    "minimum": reducing.minimum_of,
    "logical_and": reducing.all_,
    "logical_or": reducing.any_,
}
_ACCUMULATED: dict[str, Callable[..., Any]] = {"add": reducing.cumsum, "multiply": reducing.cumprod}


def reduce(
    name: str,
    function: Callable[..., Any],
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = reducing.NO,
    where: Any = True,
) -> Any:
    """`ufunc.reduce`: the function between all elements along an axis."""
    not_given(f"{name}.reduce", out=out)
    array = tensor(f"{name}.reduce", array)
    array = array if dtype is None else xp.astype(array, dtype)
    if array.ndim == 0:
        axis = None
    known = _REDUCED.get(name)
    if known is not None:
        logical = name in ("logical_and", "logical_or")
        y = known(array, axis, keepdims=keepdims, where=where, **({} if logical else {"initial": initial}))
        return function(y, initial) if logical and reducing.given(initial) else y
    not_given(f"{name}.reduce", where=None if where is True else where)
    if name == "logaddexp" and (axis is None or math.prod(array.shape[i] for i in axes_of(name, axis, array.ndim)) > 1):
        y = special.logsumexp(array, axis=axis, keepdims=keepdims)
        return function(y, initial) if reducing.given(initial) else y
    axes = axes_of(f"{name}.reduce", axis, array.ndim)
    if len(axes) != 1:
        raise ValueError(f"numpy.{name}.reduce goes along one axis, because the order of the elements counts")
    parts = list(xp.unstack(array, axis=axes[0]))
    if reducing.given(initial):
        parts.insert(0, tensors(name, array, initial)[1])
    y = parts[0]
    for part in parts[1:]:
        y = function(y, part)
    return xp.expand_dims(y, axis=axes[0]) if keepdims else y


def accumulate(
    name: str, function: Callable[..., Any], array: Any, axis: int = 0, dtype: Any = None, out: None = None
) -> Any:
    """`ufunc.accumulate`: the results of `reduce` for the first element, the first two, and so on."""
    not_given(f"{name}.accumulate", out=out)
    array = tensor(f"{name}.accumulate", array)
    array = array if dtype is None else xp.astype(array, dtype)
    axis = one_axis(f"{name}.accumulate", axis, array.ndim)
    known = _ACCUMULATED.get(name)
    if known is not None:
        return known(array, axis)
    parts = list(xp.unstack(array, axis=axis))
    found = parts[:1]
    for part in parts[1:]:
        found.append(function(found[-1], part))
    return xp.stack(found, axis=axis)


def reduceat(
    name: str,
    function: Callable[..., Any],
    array: Any,
    indices: Any,
    axis: int = 0,
    dtype: Any = None,
    out: None = None,
) -> Any:
    """`ufunc.reduceat`: `reduce` of the slices between the indices."""
    not_given(f"{name}.reduceat", out=out)
    array = tensor(f"{name}.reduceat", array)
    array = array if dtype is None else xp.astype(array, dtype)
    axis = one_axis(f"{name}.reduceat", axis, array.ndim)
    n = array.shape[axis]
    starts = [int(i) for i in indices]
    if not all(0 <= i < n for i in starts):
        raise IndexError(f"numpy.{name}.reduceat: an index is not between 0 and {n - 1}")
    found = []
    for start, end in zip(starts, [*starts[1:], n], strict=True):
        part = array[index(axis, slice(start, end if end > start else start + 1))]
        found.append(reduce(name, function, part, axis))
    return xp.stack(found, axis=axis)


def outer(name: str, function: Callable[..., Any], a: Any, b: Any) -> Any:
    """`ufunc.outer`: the function of each element of a with each of b."""
    a, b = tensors(f"{name}.outer", a, b)
    return function(xp.reshape(a, (*a.shape, *(1 for _ in b.shape))), b)


METHODS: dict[str, Callable[..., Any]] = {
    "reduce": reduce,
    "accumulate": accumulate,
    "reduceat": reduceat,
    "outer": outer,
}


def called(
    name: str, function: Callable[..., Any], method: str, inputs: Any, options: dict[str, Any], out: Any = None
) -> Any:
    """A ufunc, or one of its methods, with the options that NumPy has for it. `out` is a tuple of arrays for the results."""
    with on_their_backend([*inputs, *(out or ())]):
        if method == "at":
            placing.at(name, function, *inputs)
            return None
        if out is None:
            return _called(name, function, method, inputs, options)
        where = options.pop("where", True) if method == "__call__" else True
        found = _called(name, function, method, inputs, options)
        several = found if isinstance(found, tuple) else (found,)
        written = tuple(
            each if array is None else placing.into(name, array, each, where)
            for array, each in zip(out, several, strict=True)
        )
        return written if isinstance(found, tuple) else written[0]


def _called(name: str, function: Callable[..., Any], method: str, inputs: Any, options: dict[str, Any]) -> Any:
    if method != "__call__":
        if method not in METHODS:
            raise TypeError(f"numpy.{name}.{method} does not take tensors")
        return METHODS[method](name, function, *inputs, **options)
    where, dtype = options.pop("where", True), options.pop("dtype", None)
    unknown = set(options) - {"casting", "order", "subok"}
    if where is not True or unknown:
        raise TypeError(
            f"numpy.{name} of a tensor takes no {min(unknown, default='where')}=: without out= the other elements have no value. "
            "Write xgrad.where(mask, ufunc(x), other)"
        )
    y = function(*tensors(name, *inputs))
    return y if dtype is None else xp.astype(y, dtype)
