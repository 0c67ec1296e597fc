"""Averages with weights, medians and quantiles, covariances and correlations."""

from __future__ import annotations

import math
from typing import Any

from xgrad.rules.numpy_functions.face import (
    axes_of,
    floating,
    is_complex,
    is_float,
    linalg,
    not_given,
    tensor,
    tensors,
    xp,
)
from xgrad.rules.numpy_functions.reducing import NO, keeps, mean, sum_
from xgrad.rules.numpy_functions.table import numpy_function


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
                raise ValueError(
                    f"numpy.average: weights of shape {w.shape} do not fit an array of shape {a.shape} over {axis}"
                )
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
def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: None = None,
) -> Any:
    not_given("percentile", out=out, weights=weights)
    return quantile(
        a, tensors("percentile", tensor("percentile", a), q)[1] / 100.0, axis, None, False, method, keepdims
    )


METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@numpy_function("quantile")
def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: None = None,
) -> Any:
    """Between two sorted elements, by q as by the array. A nan in a line makes its quantile nan."""
    not_given("quantile", out=out, weights=weights)
    if method not in METHODS:
        raise ValueError(f"numpy.quantile of a tensor has the methods {', '.join(METHODS)}, not {method!r}")
    a = floating(tensor("quantile", a))
    q = shares("quantile", a, q)
    lines, axes = lines_along(a, axis)
    return arranged(quantiles_of(lines, xp.reshape(q, (-1,)), method), a, q, axes, keepdims)


def shares(name: str, a: Any, q: Any) -> Any:
    """The quantiles that are asked for, as a tensor beside a. Raises ValueError for those that do not lie between 0 and 1."""
    q = tensors(name, a, q)[1]
    q = q if is_float(q) else xp.astype(q, a.dtype)
    if math.prod(q.shape) and not bool(xp.all((q.detach() >= 0) & (q.detach() <= 1))):
        raise ValueError(f"numpy.{name}: quantiles lie between 0 and 1, and percentiles between 0 and 100")
    return q


def arranged(y: Any, a: Any, q: Any, axes: tuple[int, ...], keepdims: Any) -> Any:
    """Quantiles along the first axis, in the shape that NumPy gives them: that of q, and then that of a without the axes."""
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    rest = tuple(n for i, n in enumerate(a.shape) if i not in axes)
    return xp.reshape(y, (*q.shape, *(kept if keeps(keepdims) else rest)))


def lines_along(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The array with the axes that are reduced as its first one."""
    axes = axes_of("quantile", axis, a.ndim)
    rest = tuple(i for i in range(a.ndim) if i not in axes)
    count = math.prod(a.shape[i] for i in axes)
    return xp.reshape(xp.permute_dims(a, (*axes, *rest)), (count, *(a.shape[i] for i in rest))), axes


def quantiles_of(lines: Any, q: Any, method: str, count: Any = None) -> Any:
    """The quantiles of each line along the first axis, as a new first axis. `count` of its elements are used, if not all."""
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
    y = low + xp.gap(high, low) * share if method in ("linear", "midpoint") else low
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
    scale = xp.sqrt(xp.real(linalg.diagonal(c)) if is_complex(c) else linalg.diagonal(c))
    return c / xp.reshape(scale, (-1, 1)) / scale
