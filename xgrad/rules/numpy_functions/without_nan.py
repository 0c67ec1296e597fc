"""Reductions that leave nan out: `np.nanmean` and its like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.rules.numpy_functions.averages import METHODS, arranged, lines_along, quantiles_of, shares
from xgrad.rules.numpy_functions.face import (
    floating,
    is_float,
    not_given,
    tensor,
    tensors,
    xp,
)
from xgrad.rules.numpy_functions.reducing import NO, cumprod, cumsum, extremum_of, given, keeps, mean, prod, sum_, var
from xgrad.rules.numpy_functions.table import numpy_function


def _replaced(name: str, a: Any, neutral: Any) -> tuple[Any, Any]:
    """The array with a neutral element in the place of each nan, and where an element is not nan."""
    a = tensor(name, a)
    if not is_float(a):
        return a, xp.ones_like(a, dtype=(a == a).dtype)
    valid = xp.logical_not(xp.isnan(a))
    return xp.where(valid, a, neutral), valid


@numpy_function("nansum")
def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = NO,
    initial: Any = NO,
    where: Any = NO,
) -> Any:
    return sum_(_replaced("nansum", a, 0.0)[0], axis, dtype, out, keepdims, initial, where)


@numpy_function("nanprod")
def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = NO,
    initial: Any = NO,
    where: Any = NO,
) -> Any:
    return prod(_replaced("nanprod", a, 1.0)[0], axis, dtype, out, keepdims, initial, where)


@numpy_function("nancumsum")
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    return cumsum(_replaced("nancumsum", a, 0.0)[0], axis, dtype, out)


@numpy_function("nancumprod")
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    return cumprod(_replaced("nancumprod", a, 1.0)[0], axis, dtype, out)


def _valid(valid: Any, where: Any) -> Any:
    return valid & tensor("where", where) if given(where) and where is not True else valid


@numpy_function("nanmean")
def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO
) -> Any:
    a, valid = _replaced("nanmean", a, 0.0)
    return mean(a, axis, dtype, out, keepdims, where=_valid(valid, where))


@numpy_function("nanvar")
def nanvar(
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
    a, valid = _replaced("nanvar", a, 0.0)
    return var(a, axis, dtype, out, ddof, keepdims, where=_valid(valid, where), mean=mean, correction=correction)


@numpy_function("nanstd")
def nanstd(
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
    return xp.sqrt(nanvar(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


def _nan_extremum(name: str, reduce: Any, sign: float) -> Callable[..., Any]:
    def extremum(
        a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO
    ) -> Any:
        replaced, valid = _replaced(name, a, sign * math.inf)
        y = reduce(replaced, axis, out, keepdims, initial, where)
        if not is_float(y) or given(initial):
            return y
        return xp.where(xp.any(valid, axis=axis, keepdims=keeps(keepdims)), y, math.nan)  # all of a line may be nan

    return extremum


numpy_function("nanmax")(
    _nan_extremum(
        "nanmax", extremum_of("nanmax", lambda *a, **k: xp.max(*a, **k), lambda *a: xp.maximum(*a), -1.0), -1.0
    )
)
numpy_function("nanmin")(
    _nan_extremum("nanmin", extremum_of("nanmin", lambda *a, **k: xp.min(*a, **k), lambda *a: xp.minimum(*a), 1.0), 1.0)
)


@numpy_function("nanmedian")
def nanmedian(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = NO) -> Any:
    return nanquantile(a, 0.5, axis, out, overwrite_input, "linear", keepdims)


@numpy_function("nanpercentile")
def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = NO,
    *,
    weights: None = None,
) -> Any:
    not_given("nanpercentile", weights=weights)
    return nanquantile(
        a,
        tensors("nanpercentile", tensor("nanpercentile", a), q)[1] / 100.0,
        axis,
        out,
        overwrite_input,
        method,
        keepdims,
    )


@numpy_function("nanquantile")
def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = NO,
    *,
    weights: None = None,
) -> Any:
    not_given("nanquantile", out=out, weights=weights)
    if method not in METHODS:
        raise ValueError(f"numpy.nanquantile of a tensor has the methods {', '.join(METHODS)}, not {method!r}")
    a = floating(tensor("nanquantile", a))
    q = shares("nanquantile", a, q)
    replaced, valid = _replaced("nanquantile", a, math.inf)  # which is sorted to the end
    lines, axes = lines_along(replaced, axis)
    count = xp.sum(xp.astype(lines_along(valid, axis)[0], lines.dtype), axis=0)
    y = quantiles_of(lines, xp.reshape(q, (-1,)), method, count)
    return arranged(xp.where(count > 0, y, math.nan), a, q, axes, keepdims)
