"""Reductions and cumulative functions, with NumPy's options dtype, keepdims, initial and where; statistics; and those for nan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from xgrad.rules.numpy_functions.face import (
    axes_of,
    floating,
    index,
    is_complex,
    is_float,
    not_given,
    one_axis,
    tensor,
    tensors,
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


def _shape(keepdims: Any) -> bool:
    return bool(keepdims) if given(keepdims) else False


def _masked(x: Any, where: Any, neutral: Any) -> Any:
    return xp.where(where, x, neutral) if given(where) and where is not True else x


@numpy_function("sum")
def sum_(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO) -> Any:
    not_given("sum", out=out)
    y = xp.sum(_masked(tensor("sum", a), where, 0), axis=axis, dtype=dtype, keepdims=_shape(keepdims))
    return y + initial if given(initial) else y


@numpy_function("prod")
def prod(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO) -> Any:
    not_given("prod", out=out)
    y = xp.prod(_masked(tensor("prod", a), where, 1), axis=axis, dtype=dtype, keepdims=_shape(keepdims))
    return y * initial if given(initial) else y


def _extremum(name: str, reduce: Any, pair: Any, sign: float) -> Callable[..., Any]:
    def extremum(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO) -> Any:
        not_given(name, out=out)
        a = tensor(name, a)
        if given(where) and where is not True:
            if not given(initial):
                raise ValueError(f"numpy.{name} with where= needs initial=, the value where nothing is left")
            a = xp.where(where, a, xp.astype(xp.asarray(sign * math.inf), a.dtype) if is_float(a) else initial)
        y = reduce(a, axis=axis, keepdims=_shape(keepdims))
        return pair(y, initial) if given(initial) else y

    return extremum


numpy_function("max", "amax")(_extremum("max", lambda *a, **k: xp.max(*a, **k), lambda *a: xp.maximum(*a), -1.0))
numpy_function("min", "amin")(_extremum("min", lambda *a, **k: xp.min(*a, **k), lambda *a: xp.minimum(*a), 1.0))


@numpy_function("mean")
def mean(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO) -> Any:
    not_given("mean", out=out)
    a = tensor("mean", a)
    a = floating(a) if dtype is None else xp.astype(a, dtype)
    if not given(where) or where is True:
        return xp.mean(a, axis=axis, keepdims=_shape(keepdims))
    return sum_(a, axis, keepdims=keepdims, where=where) / _count(a, where, axis, _shape(keepdims))


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
        return xp.var(a, axis=axis, correction=ddof, keepdims=_shape(keepdims))
    center = mean if given(mean) else _mean(a, axis, where)
    squares = _squares(a - center)
    total = sum_(squares, axis, keepdims=keepdims, where=where)
    if given(where) and where is not True:
        return total / (_count(squares, where, axis, _shape(keepdims)) - ddof)
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
        return xp.std(a, axis=axis, correction=correction if given(correction) else ddof, keepdims=_shape(keepdims))
    return xp.sqrt(var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction))


@numpy_function("ptp")
def ptp(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO) -> Any:
    not_given("ptp", out=out)
    a = tensor("ptp", a)
    return xp.max(a, axis=axis, keepdims=_shape(keepdims)) - xp.min(a, axis=axis, keepdims=_shape(keepdims))


@numpy_function("all", exact=True)
def all_(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO) -> Any:
    not_given("all", out=out)
    return xp.all(_masked(tensor("all", a) != 0, where, True), axis=axis, keepdims=_shape(keepdims))


@numpy_function("any", exact=True)
def any_(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO) -> Any:
    not_given("any", out=out)
    return xp.any(_masked(tensor("any", a) != 0, where, False), axis=axis, keepdims=_shape(keepdims))


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


@numpy_function("diff")
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = NO, append: Any = NO) -> Any:
    a = tensor("diff", a)
    ends = []
    for end in (prepend, append):
        value = tensors("diff", a, end)[1] if given(end) else None
        if value is not None and value.ndim == 0:
            place = one_axis("diff", axis, a.ndim)
            value = xp.broadcast_to(value, (*a.shape[:place], 1, *a.shape[place + 1 :]))
        ends.append(value)
    return xp.diff(a, axis=axis, n=n, prepend=ends[0], append=ends[1])


@numpy_function("ediff1d")
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ary = xp.reshape(tensor("ediff1d", ary), (-1,))
    parts = [xp.diff(ary)]
    if to_begin is not None:
        parts.insert(0, xp.reshape(tensors("ediff1d", ary, to_begin)[1], (-1,)))
    if to_end is not None:
        parts.append(xp.reshape(tensors("ediff1d", ary, to_end)[1], (-1,)))
    return parts[0] if len(parts) == 1 else xp.concat(parts)


@numpy_function("gradient")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences inside, one-sided ones of the given order at the ends."""
    f = tensor("gradient", f)
    axes = axes_of("gradient", axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(f"numpy.gradient takes no spacing, one, or one for each of {len(axes)} axes, not {len(varargs)}")
    spacings = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    found = [_slope(floating(f), h, i, edge_order) for i, h in zip(axes, spacings, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"numpy.gradient: axis {axis} has {n} elements, and needs {edge_order + 1} for edge_order={edge_order}")

    def at(start: int | None, stop: int | None) -> Any:
        return f[index(axis, slice(start, stop))]

    def row(values: Any) -> Any:
        return xp.reshape(values, tuple(-1 if i == axis else 1 for i in range(f.ndim)))

    h = h if not hasattr(h, "__len__") else tensors("gradient", f, h)[1]
    if not getattr(h, "ndim", 0):
        inner = (at(2, None) - at(None, -2)) / (2.0 * h)
        steps = [h, h, h, h]
    else:
        if h.shape != (n,):
            raise ValueError(f"numpy.gradient: the coordinates of axis {axis} are a vector of {n} numbers, not of shape {h.shape}")
        dx = xp.diff(h)
        before, after = row(dx[:-1]), row(dx[1:])
        inner = (
            -after / (before * (before + after)) * at(None, -2)
            + (after - before) / (before * after) * at(1, -1)
            + before / (after * (before + after)) * at(2, None)
        )
        steps = [dx[0], dx[min(1, n - 2)], dx[n - 2], dx[max(n - 3, 0)]]
    if edge_order == 1:
        first, last = (at(1, 2) - at(0, 1)) / steps[0], (at(n - 1, None) - at(n - 2, n - 1)) / steps[2]
    else:
        first = _end(at(0, 1), at(1, 2), at(2, 3), steps[0], steps[1])
        last = -_end(at(n - 1, None), at(n - 2, n - 1), at(n - 3, n - 2), steps[2], steps[3])
    return xp.concat([first, inner, last], axis=axis)


def _end(y0: Any, y1: Any, y2: Any, h1: Any, h2: Any) -> Any:
    """The slope at y0 of the parabola through three points, at distances h1 and h2."""
    a = -(2.0 * h1 + h2) / (h1 * (h1 + h2))
    b = (h1 + h2) / (h1 * h2)
    return a * y0 + b * y1 - h1 / (h2 * (h1 + h2)) * y2


@numpy_function("trapezoid")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = tensor("trapezoid", y)
    axis = one_axis("trapezoid", axis, y.ndim)
    width = dx
    if x is not None:
        x = tensors("trapezoid", y, x)[1]
        if x.ndim == 1:
            width = xp.reshape(xp.diff(x), tuple(-1 if i == axis else 1 for i in range(y.ndim)))
        else:
            width = xp.diff(x, axis=axis)
    pairs = y[index(axis, slice(1, None))] + y[index(axis, slice(None, -1))]
    return xp.sum(pairs * width, axis=axis) / 2.0


# --- averages -------------------------------------------------------------------------------------------------


@numpy_function("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = NO) -> Any:
    a = floating(tensor("average", a))
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        count = math.prod(a.shape[i] for i in axes_of("average", axis, a.ndim))
        total = xp.zeros_like(y) + float(count)
    else:
        w = tensors("average", a, weights)[1]
        if w.shape != a.shape:
            axes = axes_of("average", axis, a.ndim)
            if axis is None or w.shape != tuple(a.shape[i] for i in axes):
                raise ValueError(f"numpy.average: weights of shape {w.shape} do not fit an array of shape {a.shape} over {axis}")
            order = sorted(range(len(axes)), key=lambda i: axes[i])
            w = xp.permute_dims(w, tuple(order))
            w = xp.reshape(w, tuple(a.shape[i] if i in axes else 1 for i in range(a.ndim)))
        w = xp.broadcast_to(w, a.shape)
        total = sum_(w, axis, keepdims=keepdims)
        y = sum_(a * w, axis, keepdims=keepdims) / total
    return (y, xp.broadcast_to(total, y.shape)) if returned else y


@numpy_function("median")
def median(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    not_given("median", out=out)
    return quantile(a, 0.5, axis, keepdims=keepdims)


@numpy_function("percentile")
def percentile(a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False, *, weights: None = None) -> Any:
    not_given("percentile", out=out, weights=weights)
    return quantile(a, tensors("percentile", tensor("percentile", a), q)[1] / 100.0, axis, None, False, method, keepdims)


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@numpy_function("quantile")
def quantile(a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False, *, weights: None = None) -> Any:
    """Between two sorted elements, by q as by the array. A nan in a line makes its quantile nan."""
    not_given("quantile", out=out, weights=weights)
    if method not in _METHODS:
        raise ValueError(f"numpy.quantile of a tensor has the methods {', '.join(_METHODS)}, not {method!r}")
    a = floating(tensor("quantile", a))
    q = tensors("quantile", a, q)[1]
    q = q if is_float(q) else xp.astype(q, a.dtype)
    low, high = float(xp.min(q.detach())) if math.prod(q.shape) else 0.0, float(xp.max(q.detach())) if math.prod(q.shape) else 1.0
    if not (low >= 0 and high <= 1):
        raise ValueError("numpy.quantile: quantiles lie between 0 and 1, and percentiles between 0 and 100")
    lines, axes = _lines(a, axis)
    y = _quantiles(lines, xp.reshape(q, (-1,)), method)
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    rest = tuple(n for i, n in enumerate(a.shape) if i not in axes)
    return xp.reshape(y, (*q.shape, *(kept if _shape(keepdims) else rest)))


def _lines(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The array with the axes that are reduced as its first one."""
    axes = axes_of("quantile", axis, a.ndim)
    rest = tuple(i for i in range(a.ndim) if i not in axes)
    count = math.prod(a.shape[i] for i in axes)
    return xp.reshape(xp.permute_dims(a, (*axes, *rest)), (count, *(a.shape[i] for i in rest))), axes


def _quantiles(lines: Any, q: Any, method: str, count: Any = None) -> Any:
    """The quantiles of each line along the first axis, as a new first axis. `count` elements of each line are used, if not all."""
    n = lines.shape[0]
    if n == 0:
        raise ValueError("numpy.quantile of no elements has no value")
    ordered = xp.sort(lines, axis=0)
    shape = (-1, *(1 for _ in lines.shape[1:]))
    at = xp.reshape(q, shape) * ((n if count is None else count) - 1)
    at = xp.broadcast_to(at, (q.shape[0], *lines.shape[1:]))
    values = at.detach()
    if method == "nearest":
        below = above = xp.round(values)
    elif method == "lower":
        below = above = xp.floor(values)
    elif method == "higher":
        below = above = xp.ceil(values)
    else:
        below, above = xp.floor(values), xp.ceil(values)

    def places(x: Any) -> Any:
        return xp.astype(xp.clip(x, 0, n - 1), xp.argsort(ordered.detach(), axis=0).dtype)

    low, high = xp.take_along_axis(ordered, places(below), axis=0), xp.take_along_axis(ordered, places(above), axis=0)
    share = 0.5 * xp.astype(above > below, values.dtype) if method == "midpoint" else at - below
    y = low + (high - low) * share if method in ("linear", "midpoint") else low
    if count is None:  # a nan is sorted to the end, and makes the whole line nan
        spoiled = xp.any(xp.isnan(lines.detach()), axis=0)
        y = xp.where(spoiled, math.nan, y)
    return y


@numpy_function("cov")
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    m = tensor("cov", m)
    x = _rows(m if dtype is None else xp.astype(m, dtype), rowvar)
    if y is not None:
        x = xp.concat([x, _rows(tensors("cov", m, y)[1], rowvar)], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = None
    for weights in (fweights, aweights):
        if weights is not None:
            weights = xp.astype(tensors("cov", x, weights)[1], x.dtype)
            w = weights if w is None else w * weights
    if w is None:
        center, count = xp.mean(x, axis=1, keepdims=True), x.shape[1] - ddof
        x = x - center
        scaled = x
    else:
        total = xp.sum(w)
        center = xp.sum(x * w, axis=1, keepdims=True) / total
        if aweights is None or ddof == 0:
            count = total - ddof
        else:
            count = total - ddof * xp.sum(w * xp.astype(tensors("cov", x, aweights)[1], x.dtype)) / total
        x = x - center
        scaled = x * w
    found = xp.matmul(x, xp.matrix_transpose(xp.conj(scaled) if is_complex(x) else scaled)) / count
    return xp.squeeze(found, axis=(0, 1)) if found.shape == (1, 1) else found


def _rows(x: Any, rowvar: bool) -> Any:
    x = floating(x)
    if x.ndim > 2:
        raise ValueError(f"numpy.cov takes vectors and matrices, not an array of {x.ndim} axes")
    if x.ndim < 2:
        return xp.reshape(x, (1, -1))
    return x if rowvar else xp.matrix_transpose(x)


@numpy_function("corrcoef")
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, bias: Any = NO, ddof: Any = NO, *, dtype: Any = None) -> Any:
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    scale = xp.sqrt(xp.real(diagonal_of(c)) if is_complex(c) else diagonal_of(c))
    return c / xp.reshape(scale, (-1, 1)) / scale


def diagonal_of(c: Any) -> Any:
    from xgrad.rules.numpy_functions.face import linalg

    return linalg.diagonal(c)


# --- without nan ----------------------------------------------------------------------------------------------


def _replaced(name: str, a: Any, neutral: Any) -> tuple[Any, Any]:
    """The array with a neutral element in the place of each nan, and where an element is not nan."""
    a = tensor(name, a)
    if not is_float(a):
        return a, xp.ones_like(a, dtype=(a == a).dtype)
    valid = xp.logical_not(xp.isnan(a))
    return xp.where(valid, a, neutral), valid


@numpy_function("nansum")
def nansum(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO) -> Any:
    return sum_(_replaced("nansum", a, 0.0)[0], axis, dtype, out, keepdims, initial, where)


@numpy_function("nanprod")
def nanprod(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO) -> Any:
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
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO, *, where: Any = NO) -> Any:
    a, valid = _replaced("nanmean", a, 0.0)
    return mean(a, axis, dtype, out, keepdims, where=_valid(valid, where))


@numpy_function("nanvar")
def nanvar(a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: Any = NO, *, where: Any = NO, mean: Any = NO, correction: Any = NO) -> Any:
    a, valid = _replaced("nanvar", a, 0.0)
    return var(a, axis, dtype, out, ddof, keepdims, where=_valid(valid, where), mean=mean, correction=correction)


@numpy_function("nanstd")
def nanstd(a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: Any = NO, *, where: Any = NO, mean: Any = NO, correction: Any = NO) -> Any:
    return xp.sqrt(nanvar(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


def _nan_extremum(name: str, reduce: Any, sign: float) -> Callable[..., Any]:
    def extremum(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO, initial: Any = NO, where: Any = NO) -> Any:
        replaced, valid = _replaced(name, a, sign * math.inf)
        y = reduce(replaced, axis, out, keepdims, initial, where)
        if not is_float(y) or given(initial):
            return y
        return xp.where(xp.any(valid, axis=axis, keepdims=_shape(keepdims)), y, math.nan)  # all of a line may be nan

    return extremum


numpy_function("nanmax")(_nan_extremum("nanmax", _extremum("nanmax", lambda *a, **k: xp.max(*a, **k), lambda *a: xp.maximum(*a), -1.0), -1.0))
numpy_function("nanmin")(_nan_extremum("nanmin", _extremum("nanmin", lambda *a, **k: xp.min(*a, **k), lambda *a: xp.minimum(*a), 1.0), 1.0))


@numpy_function("nanmedian")
def nanmedian(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = NO) -> Any:
    return nanquantile(a, 0.5, axis, out, overwrite_input, "linear", keepdims)


@numpy_function("nanpercentile")
def nanpercentile(a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear", keepdims: Any = NO, *, weights: None = None) -> Any:
    not_given("nanpercentile", weights=weights)
    return nanquantile(a, tensors("nanpercentile", tensor("nanpercentile", a), q)[1] / 100.0, axis, out, overwrite_input, method, keepdims)


@numpy_function("nanquantile")
def nanquantile(a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear", keepdims: Any = NO, *, weights: None = None) -> Any:
    not_given("nanquantile", out=out, weights=weights)
    if method not in _METHODS:
        raise ValueError(f"numpy.nanquantile of a tensor has the methods {', '.join(_METHODS)}, not {method!r}")
    a = floating(tensor("nanquantile", a))
    q = tensors("nanquantile", a, q)[1]
    q = q if is_float(q) else xp.astype(q, a.dtype)
    replaced, valid = _replaced("nanquantile", a, math.inf)  # which is sorted to the end
    lines, axes = _lines(replaced, axis)
    count = xp.sum(xp.astype(_lines(valid, axis)[0], lines.dtype), axis=0)
    y = _quantiles(lines, xp.reshape(q, (-1,)), method, count)
    y = xp.where(count > 0, y, math.nan)
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    rest = tuple(n for i, n in enumerate(a.shape) if i not in axes)
    return xp.reshape(y, (*q.shape, *(kept if _shape(keepdims) else rest)))


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
