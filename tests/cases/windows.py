"""Cases for convolution, pooling, and the windows of an array. The references are loops over windows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.cases.case import case, cplx, real


def _each_window(size, kernel, stride, padding, dilation):
    """For each window: its number along each axis, and the pairs (place in it, place in the array) that are in the array."""
    counts = [
        (m + sum(p) - d * (k - 1) - 1) // s + 1
        for m, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    ]
    for at in itertools.product(*map(range, counts)):
        inside = []
        for place in itertools.product(*map(range, kernel)):
            there = [o * s - p[0] + i * d for o, s, p, i, d in zip(at, stride, padding, place, dilation, strict=True)]
            if all(0 <= t < m for t, m in zip(there, size, strict=True)):
                inside.append((place, tuple(there)))
        yield at, inside, counts


def _windows(xp, x, *, kernel, stride, padding, dilation):
    before = x.shape[: x.ndim - len(kernel)]
    y = None
    for at, inside, counts in _each_window(x.shape[len(before) :], kernel, stride, padding, dilation):
        y = np.zeros((*before, *kernel, *counts), x.dtype) if y is None else y
        for place, there in inside:
            y[(..., *place, *at)] = x[(..., *there)]
    return y


def _add_windows(xp, x, *, size, stride, padding, dilation):
    n = len(size)
    y = np.zeros((*x.shape[: x.ndim - 2 * n], *size), x.dtype)
    for at, inside, _ in _each_window(size, x.shape[x.ndim - 2 * n : x.ndim - n], stride, padding, dilation):
        for place, there in inside:
            y[(..., *there)] += x[(..., *place, *at)]
    return y


def _loops(x, weight, g, result, size, kernel, stride, padding, dilation, groups):
    """Add weight times x to g, or the transposes of that: `result` is the array that is added to."""
    out, channels = g.shape[1], weight.shape[1]
    for at, inside, _ in _each_window(size, kernel, stride, padding, dilation):
        for place, there in inside:
            for o, c in itertools.product(range(out), range(channels)):
                from_ = o // (out // groups) * channels + c
                xs, w, gs = (..., from_, *there), (o, c, *place), (..., o, *at)
                if result is g:
                    g[gs] += x[xs] * weight[w]
                elif result is x:
                    x[xs] += g[gs] * weight[w]
                else:
                    weight[w] += np.sum(x[xs] * g[gs])


def _convolution(xp, x, weight, bias=None, *, stride, padding, dilation, groups):
    size, kernel = x.shape[2:], weight.shape[2:]
    *_, (_, _, counts) = _each_window(size, kernel, stride, padding, dilation)
    y = np.zeros((x.shape[0], weight.shape[0], *counts), np.result_type(x, weight))
    _loops(x, weight, y, y, size, kernel, stride, padding, dilation, groups)
    return y if bias is None else y + bias.reshape(-1, *(1,) * len(kernel))


def _convolution_transpose(xp, y, weight, *, size, stride, padding, dilation, groups):
    x = np.zeros((y.shape[0], weight.shape[1] * groups, *size), np.result_type(y, weight))
    _loops(x, weight, y, x, size, weight.shape[2:], stride, padding, dilation, groups)
    return x


def _convolution_weight(xp, x, g, *, kernel, stride, padding, dilation, groups):
    w = np.zeros((g.shape[1], x.shape[1] // groups, *kernel), np.result_type(x, g))
    _loops(x, w, g, w, x.shape[2:], kernel, stride, padding, dilation, groups)
    return w


# --- convolution: the size, the kernel, and where the windows are. The axes: 1, 2 and 3.

GEOMETRIES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "plain": ((4,), (2,), {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)}),
    "2d": ((4, 3), (3, 2), {"stride": (1, 1), "padding": ((1, 1), (0, 0)), "dilation": (1, 1)}),
    "2d with everything": ((5, 4), (2, 2), {"stride": (2, 1), "padding": ((1, 0), (0, 2)), "dilation": (2, 1)}),
    "strides that leave a rest": ((6, 5), (2, 1), {"stride": (3, 2), "padding": ((0, 0), (1, 1)), "dilation": (1, 1)}),
    "whole": ((2, 3), (2, 3), {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}),
    "one by one": ((2, 3), (1, 1), {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}),
    "negative padding": ((5,), (2,), {"stride": (1,), "padding": ((-1, 1),), "dilation": (1,)}),
    "negative padding, stride": ((6,), (2,), {"stride": (2,), "padding": ((1, -1),), "dilation": (1,)}),
    "3d": ((2, 3, 2), (1, 2, 2), {"stride": (1, 2, 1), "padding": ((0, 0), (1, 0), (0, 1)), "dilation": (1, 1, 1)}),
}


def count_of(size, kernel, geometry):
    *_, (_, _, counts) = _each_window(size, **{**geometry, "kernel": kernel})
    return tuple(counts)


for _note, (_size, _kernel, _geometry) in GEOMETRIES.items():
    _count = count_of(_size, _kernel, _geometry)
    for _groups, _channels, _out in ((1, 2, 3), (2, 4, 2)):
        if _groups == 2 and _note not in ("plain", "2d with everything", "whole"):
            continue
        _x, _w = real(2, _channels, *_size), real(_out, _channels // _groups, *_kernel)
        _g = real(2, _out, *_count)
        _static = {**_geometry, "groups": _groups}
        case("convolution", _x, _w, real(_out), reference=_convolution, note=_note, **_static)
        case(
            "convolution_transpose",
            _g,
            _w,
            reference=_convolution_transpose,
            note=_note,
            size=_size,
            **_static,
        )
        case("convolution_weight", _x, _g, reference=_convolution_weight, note=_note, kernel=_kernel, **_static)
    case("windows", real(2, *_size), reference=_windows, note=_note, kernel=_kernel, **_geometry)
    case("add_windows", real(2, *_kernel, *_count), reference=_add_windows, note=_note, size=_size, **_geometry)

_size, _kernel, _geometry = GEOMETRIES["2d"]
_static = {**_geometry, "groups": 1}
case("convolution", real(1, 2, *_size), real(2, 2, *_kernel), reference=_convolution, **_static)
case("convolution", np.ones((1, 2, *_size)), real(2, 2, *_kernel), real(2), reference=_convolution, **_static)
case("convolution", real(1, 2, *_size), np.ones((2, 2, *_kernel)), reference=_convolution, **_static)
case("convolution", np.ones((1, 1, *_size)), np.ones((2, 1, *_kernel)), real(2), reference=_convolution, **_static)
case("convolution", cplx(1, 2, *_size), cplx(2, 2, *_kernel), cplx(2), reference=_convolution, **_static)
case("convolution", real(0, 2, *_size), real(2, 2, *_kernel), real(2), reference=_convolution, **_static)
case(
    "convolution_transpose",
    cplx(1, 2, *count_of(_size, _kernel, _geometry)),
    cplx(2, 1, *_kernel),
    reference=_convolution_transpose,
    size=_size,
    **_static,
)

# --- pooling ---


def _sum_pool(xp, x, *, kernel, stride, padding):
    n = len(kernel)
    return _windows(xp, x, kernel=kernel, stride=stride, padding=padding, dilation=(1,) * n).sum(
        axis=tuple(range(x.ndim - n, x.ndim))
    )


def _spread_pool(xp, x, *, size, kernel, stride, padding):
    n = len(size)
    before, count = x.shape[: x.ndim - n], x.shape[x.ndim - n :]
    wide = np.broadcast_to(x.reshape(*before, *(1,) * n, *count), (*before, *kernel, *count))
    return _add_windows(xp, wide, size=size, stride=stride, padding=padding, dilation=(1,) * n)


def _max_pool(xp, x, *, kernel, stride, padding, dilation):
    n = len(kernel)
    y = None
    for at, inside, counts in _each_window(x.shape[x.ndim - n :], kernel, stride, padding, dilation):
        y = np.zeros((*x.shape[: x.ndim - n], *counts)) if y is None else y
        y[(..., *at)] = np.max([x[(..., *there)] for _, there in inside], axis=0)
    return y


POOLS: tuple[tuple[Any, dict[str, Any]], ...] = (
    ((5,), {"kernel": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,)}),
    ((4, 4), {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}),
    ((5, 4), {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 1), (1, 0)), "dilation": (1, 2)}),
    ((4, 6), {"kernel": (2, 3), "stride": (1, 2), "padding": ((0, -1), (1, 1)), "dilation": (1, 1)}),
    ((3, 2, 2), {"kernel": (2, 1, 2), "stride": (1, 1, 1), "padding": ((0, 1), (0, 0), (1, 0)), "dilation": (1, 1, 1)}),
)
for _size, _static in POOLS:
    _x, _kernel = real(2, *_size), _static["kernel"]
    case(
        "max_pool",
        _x,
        call=lambda xp, x, s=_static: xp.max_pool(x, **s)[0],
        reference=lambda xp, x, s=_static: _max_pool(xp, x, **s),
    )
    _of_sums = {key: value for key, value in _static.items() if key != "dilation"}
    _count = count_of(_size, _kernel, {**_of_sums, "dilation": (1,) * len(_size)})
    case("sum_pool", _x, reference=_sum_pool, **_of_sums)
    case("spread_pool", real(2, *_count), reference=_spread_pool, size=_size, **_of_sums)
case("sum_pool", cplx(4), reference=_sum_pool, kernel=(2,), stride=(1,), padding=((0, 0),))


def _take_pooled(xp, x, indices, *, axes):
    before = x.shape[: x.ndim - axes]
    lines = np.take_along_axis(x.reshape(*before, -1), indices.reshape(*before, -1), axis=-1)
    return lines.reshape(indices.shape)


def _scatter_pooled(xp, x, indices, *, size):
    y = np.zeros((*x.shape[: x.ndim - len(size)], *size), x.dtype)
    rows, flat = y.reshape(-1, np.prod(size)), indices.reshape(-1, np.prod(x.shape[x.ndim - len(size) :], dtype=int))
    for row, places, values in zip(rows, flat, x.reshape(flat.shape), strict=True):
        np.add.at(row, places, values)
    return y


_indices = np.array([[[0, 3], [5, 3]], [[1, 1], [2, 0]]])
for _sample in (real, cplx):
    case("take_pooled", _sample(2, 2, 3), _indices, reference=_take_pooled, axes=2)
    case("scatter_pooled", _sample(2, 2, 2), _indices, reference=_scatter_pooled, size=(2, 3))
case("take_pooled", real(2, 2, 7), _indices, reference=_take_pooled, axes=1)
