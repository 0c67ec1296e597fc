"""Elementwise functions of NumPy's that the standard does not have."""

from __future__ import annotations

import math
from typing import Any

from xgrad.rules.numpy_functions.face import (
    floating,
    index,
    is_complex,
    is_float,
    not_given,
    one_axis,
    special,
    tensor,
    tensors,
    xp,
)
from xgrad.rules.numpy_functions.indices import index_dtype
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("clip")
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: None = None, *, min: Any = None, max: Any = None) -> Any:
    not_given("clip", out=out)
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is None and high is None:
        return tensor("clip", a)
    return xp.clip(tensor("clip", a), low, high)


@numpy_function("round", "around")
def round_(a: Any, decimals: int = 0, out: None = None) -> Any:
    """The derivative is zero."""
    not_given("round", out=out)
    return tensor("round", a).round(decimals)


@numpy_function("fix")
def fix(x: Any, out: None = None) -> Any:
    not_given("fix", out=out)
    return xp.trunc(tensor("fix", x))


@numpy_function("nan_to_num")
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """An element that is replaced passes no gradient on."""
    if not copy:
        raise TypeError(
            "numpy.nan_to_num of a tensor takes no copy=False: it would write into the tensor. Use the result"
        )
    x = tensor("nan_to_num", x)
    if not is_float(x):
        return x
    if is_complex(x):
        return _complex(
            nan_to_num(xp.real(x), copy, nan, posinf, neginf), nan_to_num(xp.imag(x), copy, nan, posinf, neginf)
        )
    limits = xp.finfo(x.dtype)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    bad = xp.logical_not(xp.isfinite(x))
    y = xp.where(bad, 0.0, x)
    y = xp.where(xp.isnan(x), nan, y)
    y = xp.where(x == math.inf, high, y)
    return xp.where(x == -math.inf, low, y)


def _complex(real: Any, imag: Any) -> Any:
    return xp.from_parts(real, imag)


@numpy_function("angle")
def angle(z: Any, deg: bool = False) -> Any:
    z = tensor("angle", z)
    y = (
        xp.atan2(xp.imag(z), xp.real(z))
        if is_complex(z)
        else xp.where(floating(z) < 0, math.pi, xp.zeros_like(floating(z)))
    )
    return y * (180 / math.pi) if deg else y


@numpy_function("real")
def real(val: Any) -> Any:
    val = tensor("real", val)
    return xp.real(val) if is_complex(val) else val


@numpy_function("imag")
def imag(val: Any) -> Any:
    val = tensor("imag", val)
    return xp.imag(val) if is_complex(val) else xp.zeros_like(val)


@numpy_function("real_if_close")
def real_if_close(a: Any, tol: float = 100) -> Any:
    a = tensor("real_if_close", a)
    if not is_complex(a):
        return a
    most = tol * xp.finfo(a.dtype).eps if tol > 1 else tol
    return xp.real(a) if bool(xp.all(xp.abs(xp.imag(a)) < most)) else a


@numpy_function("sinc")
def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x). At 0 it is 1, with its derivatives: the series is used there."""
    x = tensor("sinc", x)
    y = math.pi * floating(x)
    small = xp.abs(y.detach()) < 1e-2
    t = y * y
    series = 1 - t / 6 * (1 - t / 20 * (1 - t / 42 * (1 - t / 72)))
    away = xp.where(small, 1.0, y)
    return xp.where(small, series, xp.sin(away) / away)


@numpy_function("i0")
def i0(x: Any) -> Any:
    return special.i0(floating(tensor("i0", x)))


@numpy_function("unwrap")
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """The multiples of the period that are added are constants."""
    p = floating(tensor("unwrap", p))
    axis = one_axis("unwrap", axis, p.ndim)
    values = p.detach()
    steps = xp.diff(values, axis=axis)
    half = period / 2
    wrapped = (steps + half) % period - half
    wrapped = xp.where((wrapped == -half) & (steps > 0), half, wrapped)
    correction = wrapped - steps
    correction = xp.where(xp.abs(steps) < (half if discont is None else discont), 0.0, correction)
    first = xp.zeros_like(values[index(axis, slice(0, 1))])
    return p + xp.cumulative_sum(xp.concat([first, correction], axis=axis), axis=axis)


@numpy_function("interp")
def interp(
    x: Any, xp_: Any = None, fp: Any = None, left: Any = None, right: Any = None, period: Any = None, **given: Any
) -> Any:
    """Linear interpolation, with derivatives by x, by the points xp and by the values fp."""
    points = given.pop("xp", xp_)
    if given:
        raise TypeError(f"numpy.interp has no argument {next(iter(given))!r}")
    x, points, fp = tensors("interp", x, points, fp)
    x, points = floating(x), floating(points)
    if points.ndim != 1 or points.shape != fp.shape:
        raise ValueError(
            f"numpy.interp: xp and fp are vectors of one length, not of shapes {points.shape} and {fp.shape}"
        )
    n = points.shape[0]
    if period is not None:
        period = abs(period)
        x, points = x % period, points % period
        order = xp.argsort(points.detach())
        points, fp = xp.take(points, order, axis=0), xp.take(fp, order, axis=0)
        points = xp.concat([points[-1:] - period, points, points[:1] + period])
        fp = xp.concat([fp[-1:], fp, fp[:1]])
        left = right = None
        n += 2
    flat = xp.reshape(x, (-1,))
    if n == 1:
        y = xp.broadcast_to(fp, flat.shape)
    else:
        at = xp.clip(_pieces(points.detach(), flat.detach()), 1, n - 1)
        x0, x1 = xp.take(points, at - 1, axis=0), xp.take(points, at, axis=0)
        y0, y1 = xp.take(fp, at - 1, axis=0), xp.take(fp, at, axis=0)
        same = x0 == x1  # points that coincide
        y = xp.where(same, y1, y0 + (y1 - y0) * ((flat - x0) / xp.where(same, 1.0, x1 - x0)))
    y = xp.where(flat < points[0], fp[0] if left is None else left, y)
    y = xp.where(flat > points[n - 1], fp[n - 1] if right is None else right, y)
    return xp.reshape(y, x.shape)


def _pieces(points: Any, x: Any) -> Any:
    """How many points are not above each x."""
    try:
        return xp.searchsorted(points, x, side="right")
    except NotImplementedError:  # under vmap, where each example has points of its own
        return xp.sum(xp.astype(xp.reshape(points, (1, -1)) <= xp.reshape(x, (-1, 1)), index_dtype()), axis=1)


@numpy_function("isclose", exact=True)
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    a, b = (x.detach() for x in tensors("isclose", a, b))
    near = xp.abs(a - b) <= atol + rtol * xp.abs(b)
    found = xp.where(xp.isfinite(b) & xp.isfinite(a), near, a == b)
    return found | (xp.isnan(a) & xp.isnan(b)) if equal_nan else found


@numpy_function("allclose", exact=True)
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> bool:
    return bool(xp.all(isclose(a, b, rtol, atol, equal_nan)))


@numpy_function("isneginf", exact=True)
def isneginf(x: Any, out: None = None) -> Any:
    not_given("isneginf", out=out)
    return tensor("isneginf", x) == -math.inf


@numpy_function("isposinf", exact=True)
def isposinf(x: Any, out: None = None) -> Any:
    not_given("isposinf", out=out)
    return tensor("isposinf", x) == math.inf


@numpy_function("iscomplex", exact=True)
def iscomplex(x: Any) -> Any:
    return imag(x) != 0


@numpy_function("isreal", exact=True)
def isreal(x: Any) -> Any:
    return imag(x) == 0


@numpy_function("iscomplexobj", exact=True)
def iscomplexobj(x: Any) -> bool:
    return is_complex(tensor("iscomplexobj", x))


@numpy_function("isrealobj", exact=True)
def isrealobj(x: Any) -> bool:
    return not is_complex(tensor("isrealobj", x))


@numpy_function("astype")
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return xp.astype(tensor("astype", x), dtype, copy=copy)


@numpy_function("copy")
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return xp.asarray(tensor("copy", a), copy=True)
