"""`np.pad`, in all of its modes."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.averages import quantile
from xgrad.rules.numpy_functions.face import floating, index, one_axis, tensor, xp
from xgrad.rules.numpy_functions.shaping import flip
from xgrad.rules.numpy_functions.table import numpy_function

_STATISTICS = ("maximum", "mean", "median", "minimum")


@numpy_function("pad")
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    """All of NumPy's modes but functions: "empty" pads with zeros."""
    array = tensor("pad", array)
    if callable(mode):
        raise TypeError(
            "numpy.pad of a tensor takes the name of a mode, not a function: pad with zeros, and write the edges"
        )
    widths = _pairs(pad_width, array.ndim, "pad_width")
    known = {"constant_values", "end_values", "stat_length", "reflect_type"}
    if set(options) - known:
        raise ValueError(f"numpy.pad has no option {min(set(options) - known)!r}")
    for axis, (before, after) in enumerate(widths):
        if before < 0 or after < 0:
            raise ValueError(f"numpy.pad: pad_width must not be negative, got {(before, after)} for axis {axis}")
        if before or after:
            array = _pad_axis(array, axis, before, after, mode, options)
    return array


def _pad_axis(x: Any, axis: int, before: int, after: int, mode: str, options: dict[str, Any]) -> Any:
    n = x.shape[axis]
    first, last = x[index(axis, slice(0, 1))], x[index(axis, slice(n - 1, n))]
    if mode in ("constant", "empty"):
        low, high = _pairs(options.get("constant_values", 0), x.ndim, "constant_values")[axis]
        pieces = [_filled(x, axis, before, low), x, _filled(x, axis, after, high)]
    elif n == 0:
        raise ValueError(f"numpy.pad: axis {axis} has no elements, so mode {mode!r} has nothing to pad with")
    elif mode == "edge":
        pieces = [_times(first, axis, before), x, _times(last, axis, after)]
    elif mode == "linear_ramp":
        low, high = _pairs(options.get("end_values", 0), x.ndim, "end_values")[axis]
        pieces = [_ramp(first, axis, before, low), x, flip(_ramp(last, axis, after, high), axis)]
    elif mode in _STATISTICS:
        lengths = options.get("stat_length")
        low, high = (None, None) if lengths is None else _pairs(lengths, x.ndim, "stat_length")[axis]
        head = x if low is None else x[index(axis, slice(0, low))]
        tail = x if high is None else x[index(axis, slice(max(n - high, 0), n))]
        pieces = [
            _times(_statistic(mode, head, axis), axis, before),
            x,
            _times(_statistic(mode, tail, axis), axis, after),
        ]
    elif mode in ("reflect", "symmetric", "wrap"):
        return _mirrored(x, axis, before, after, mode, options.get("reflect_type", "even"))
    else:
        raise ValueError(f"numpy.pad has no mode {mode!r}")
    return xp.concat([xp.astype(piece, x.dtype) for piece in pieces if piece.shape[axis]], axis=axis)


def _filled(x: Any, axis: int, width: int, value: Any) -> Any:
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    if isinstance(value, Tensor):
        return xp.broadcast_to(xp.astype(value, x.dtype), shape)
    empty = xp.broadcast_to(xp.zeros_like(x[(slice(0, 1),) * x.ndim]), shape) if 0 not in x.shape else None
    return xp.zeros(shape, dtype=x.dtype) + value if empty is None else empty + value


def _times(edge: Any, axis: int, width: int) -> Any:
    return xp.broadcast_to(edge, (*edge.shape[:axis], width, *edge.shape[axis + 1 :]))


def _ramp(edge: Any, axis: int, width: int, end: Any) -> Any:
    """From `end` to the edge, without the edge."""
    shape = (*(1 for _ in edge.shape[:axis]), width, *(1 for _ in edge.shape[axis + 1 :]))
    if not width:
        return _times(edge, axis, 0)
    wide = floating(edge)
    steps = xp.reshape(xp.asarray([i / width for i in range(width)], dtype=wide.dtype), shape)
    y = end + (wide - end) * steps
    return y if wide is edge else xp.floor(y)


def _statistic(mode: str, x: Any, axis: int) -> Any:
    if mode in ("maximum", "minimum"):
        return {"maximum": xp.max, "minimum": xp.min}[mode](x, axis=axis, keepdims=True)
    wide = floating(x)
    y = quantile(wide, 0.5, axis, keepdims=True) if mode == "median" else xp.mean(wide, axis=axis, keepdims=True)
    return y if wide is x else xp.round(y)


def _mirrored(x: Any, axis: int, before: int, after: int, mode: str, kind: str) -> Any:
    """Reflected, or repeated from the other end, as often as it takes."""
    n = x.shape[axis]
    if mode == "reflect" and n == 1:
        return xp.concat(
            [_times(x, axis, before), x, _times(x, axis, after)][(not before) : 3 - (not after)], axis=axis
        )
    places = range(-before, n + after)
    if mode == "wrap":
        return xp.take(x, xp.asarray([i % n for i in places]), axis=axis)
    period = 2 * (n - 1) if mode == "reflect" else 2 * n
    inside, turns = [], []
    for i in places:
        k, rest = divmod(i, period)
        back = rest >= n
        inside.append((period - rest if mode == "reflect" else period - 1 - rest) if back else rest)
        turns.append(2 * k + back)
    y = xp.take(x, xp.asarray(inside), axis=axis)
    if kind == "even":
        return y
    if kind != "odd":
        raise ValueError(f"numpy.pad: reflect_type is 'even' or 'odd', not {kind!r}")
    # Odd: a reflection about an edge is 2 * edge - x. The k-th turn adds k times the span of the array.
    first, last = x[index(axis, slice(0, 1))], x[index(axis, slice(n - 1, n))]
    shape = (*(1 for _ in x.shape[:axis]), len(turns), *(1 for _ in x.shape[axis + 1 :]))

    def row(numbers: list[float]) -> Any:
        return xp.reshape(xp.asarray(numbers, dtype=x.dtype), shape)

    signs = row([-1.0 if turn % 2 else 1.0 for turn in turns])
    of_first = row([float(-turn if not turn % 2 else 1 - turn) for turn in turns])
    of_last = row([float(turn if not turn % 2 else 1 + turn) for turn in turns])
    return y * signs + first * of_first + last * of_last


def _pairs(value: Any, ndim: int, what: str) -> list[tuple[Any, Any]]:
    """NumPy's forms of an option: a number, a pair for all axes, a pair for each axis, or a dict by axis."""
    if isinstance(value, dict):
        pairs = [(0, 0)] * ndim
        for axis, pair in value.items():
            pairs[one_axis("pad", axis, ndim)] = tuple(pair) if hasattr(pair, "__len__") else (pair, pair)
        return pairs
    if not hasattr(value, "__len__") or (isinstance(value, Tensor) and value.ndim == 0):
        return [(value, value)] * ndim
    rows = list(value)
    if all(not hasattr(row, "__len__") for row in rows):
        if len(rows) == 1:
            return [(rows[0], rows[0])] * ndim
        if len(rows) == 2:
            return [(rows[0], rows[1])] * ndim
    else:
        rows = [tuple(row) if len(row) == 2 else (row[0], row[0]) for row in rows]
        if len(rows) == 1:
            return rows * ndim
        if len(rows) == ndim:
            return rows
    raise ValueError(f"numpy.pad: {what} {value!r} does not fit an array of {ndim} axes")
