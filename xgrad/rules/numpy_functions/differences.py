"""Differences of neighbours, slopes, and integrals by trapezoids."""

from __future__ import annotations

from typing import Any

from xgrad.rules.numpy_functions.face import axes_of, floating, index, is_float, one_axis, tensor, tensors, xp
from xgrad.rules.numpy_functions.reducing import NO, given
from xgrad.rules.numpy_functions.table import numpy_function


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
        parts.insert(0, xp.astype(xp.reshape(tensors("ediff1d", ary, to_begin)[1], (-1,)), ary.dtype))
    if to_end is not None:
        parts.append(xp.astype(xp.reshape(tensors("ediff1d", ary, to_end)[1], (-1,)), ary.dtype))
    return parts[0] if len(parts) == 1 else xp.concat(parts)


@numpy_function("gradient")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences inside, one-sided ones of the given order at the ends."""
    f = tensor("gradient", f)
    axes = axes_of("gradient", axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(
            f"numpy.gradient takes no spacing, one, or one for each of {len(axes)} axes, not {len(varargs)}"
        )
    spacings = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    found = [_slope(floating(f), h, i, edge_order) for i, h in zip(axes, spacings, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(
            f"numpy.gradient: axis {axis} has {n} elements, and needs {edge_order + 1} for edge_order={edge_order}"
        )

    def at(start: int | None, stop: int | None) -> Any:
        return f[index(axis, slice(start, stop))]

    def row(values: Any) -> Any:
        return xp.reshape(values, tuple(-1 if i == axis else 1 for i in range(f.ndim)))

    if hasattr(h, "__len__"):
        h = tensors("gradient", f, h)[1]
        h = xp.astype(h, f.dtype) if is_float(h) else h
    if not getattr(h, "ndim", 0):
        inner = (at(2, None) - at(None, -2)) / (2.0 * h)
        steps = [h, h, h, h]
    else:
        if h.shape != (n,):
            raise ValueError(
                f"numpy.gradient: the coordinates of axis {axis} are a vector of {n} numbers, not of shape {h.shape}"
            )
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
