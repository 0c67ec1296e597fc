"""Convolution and pooling on NumPy's arrays.

A convolution is a matrix product: the windows are copied into the columns of a matrix, and each row of the weight is multiplied
with each column. The columns are made and used in blocks that stay in the cache. The copy then costs a quarter of the product,
and memory for one block is enough.

The result has the channels first in memory, so that it is the product itself, without another copy. The batch comes next, or
last: then what is copied is in long pieces also for small images. Elementwise functions keep this order, and the next convolution
or pooling reads it as fast as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from operator import mul
from typing import Any

import numpy as np

from xgrad.backends.numpy_halves import widened
from xgrad.backends.windows import (
    Numbers,
    Pairs,
    Windows,
    counts,
    padding_of_transpose,
    places,
    reversed_padding,
)

_BLOCK = 1 << 17  # how many elements of columns there are at a time: half a megabyte of float32
_SHORT = 16  # images with shorter rows are copied with the batch last


# --- the order of the axes in memory ---


def _comes_last(n: int, rows: int, count: Numbers) -> bool:
    """Whether the batch comes last, behind the axes of the images: if these are small, and a row of all is no large block."""
    return count[-1] < _SHORT and count[-1] <= n and rows * prod(count[1:]) * n <= 8 * _BLOCK


def _channels_first(x: Any, last: bool) -> Any:
    """(N, C, *size) as a view of shape (C, N, *size), or (C, *size, N)."""
    return x.transpose(*range(1, x.ndim), 0) if last else x.swapaxes(0, 1)


def _batch_first(x: Any, last: bool) -> Any:
    """The inverse of `_channels_first`."""
    return x.transpose(x.ndim - 1, *range(x.ndim - 1)) if last else x.swapaxes(0, 1)


def _order_of(x: Any, n: int) -> bool | None:
    """How a batch of images lies in memory: whether the batch comes last behind the channels; None if it comes first."""
    if x.ndim != n + 2 or x.shape[0] == 1 or x.strides[0] >= x.strides[1]:
        return None
    return bool(x.strides[0] < x.strides[-1])


# --- columns ---


def _strided(x: Any, shape: Numbers, strides: Numbers) -> Any:
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def _is_pointwise(kernel: Numbers, stride: Numbers, padding: Pairs) -> bool:
    """Whether each window is one element, and all elements are windows."""
    return set(kernel) == set(stride) == {1} and not any(map(any, padding))


def _is_whole(size: Any, kernel: Numbers, padding: Pairs) -> bool:
    """Whether the array is one window."""
    return tuple(size) == tuple(kernel) and not any(map(any, padding))


def _columns(
    x: Any, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, count: Numbers, last: bool
) -> Iterator[tuple[int, int, Any]]:
    """The windows of (N, C, *size) as columns of a matrix (C * prod(kernel), N * prod(count)), in blocks.

    A block is (start, stop, columns). Its memory is used again for the next one. If the batch comes `last`, the columns are in
    the order (*count, N), otherwise (N, *count).
    """
    make = _with_the_batch_last if last else _with_the_batch_first
    return make(_channels_first(x, last), kernel, stride, padding, dilation, count)


def _with_the_batch_last(
    x: Any, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, count: Numbers
) -> Iterator[tuple[int, int, Any]]:
    channels, n, rows = x.shape[0], x.shape[-1], x.shape[0] * prod(kernel)
    if _is_pointwise(kernel, stride, padding):
        yield 0, n * prod(count), x.reshape(channels, n * prod(count))
        return
    if any(map(any, padding)):
        padded = np.zeros((channels, *_whole(x.shape[1:-1], padding), n), dtype=x.dtype)
        padded[(slice(None), *_inner(x.shape[1:-1], padding))] = x
        x = padded
    else:
        x = np.ascontiguousarray(x)
    height, many = count[0], prod(count[1:]) * n
    if rows * height * many > 2 * _BLOCK:
        height = max(_BLOCK // (rows * many), 1)
    steps = x.strides[1:-1]
    strides = (x.strides[0], *map(mul, steps, dilation), *map(mul, steps, stride), x.itemsize)
    columns: Any = None
    for top in range(0, count[0], height):
        high = min(height, count[0] - top)
        shape = (channels, *kernel, high, *count[1:], n)
        if columns is None or high != height:
            columns = np.empty(shape, dtype=x.dtype)
        np.copyto(columns, np.ndarray(shape, x.dtype, x, top * stride[0] * steps[0], strides))
        yield top * many, (top + high) * many, columns.reshape(rows, high * many)


def _with_the_batch_first(
    x: Any, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, count: Numbers
) -> Iterator[tuple[int, int, Any]]:
    channels, n, each, rows = x.shape[0], x.shape[1], prod(count), x.shape[0] * prod(kernel)
    many = min(max(_BLOCK // max(rows * each, 1), 1), n)  # how many examples are in a block
    if _is_pointwise(kernel, stride, padding):
        if x.flags.c_contiguous:
            many = n
        for first in range(0, n, many or 1):
            stop = min(first + many, n)
            yield first * each, stop * each, x[:, first:stop].reshape(channels, (stop - first) * each)
        return
    padded: Any = None
    inner: Any = None
    if any(map(any, padding)):
        padded = np.zeros((channels, many, *_whole(x.shape[2:], padding)), dtype=x.dtype)
        inner = padded[(..., *_inner(x.shape[2:], padding))]
    # How many rows of the first axis are in a block: all of them, unless a single example is very large.
    height, row = count[0], prod(count[1:])
    if rows * each > 8 * _BLOCK:
        height = max(8 * _BLOCK // (rows * row), 1)
    columns: Any = None
    for first in range(0, n, many or 1):
        examples = min(many, n - first)
        part = x[:, first : first + examples]
        if inner is not None:
            inner[:, :examples] = part
            part = padded[:, :examples]
        steps = part.strides[2:]
        strides = (part.strides[0], *map(mul, steps, dilation), part.strides[1], *map(mul, steps, stride))
        for top in range(0, count[0], height):
            high = min(height, count[0] - top)
            shape = (channels, *kernel, examples, high, *count[1:])
            if columns is None or columns.shape != shape:
                columns = np.empty(shape, dtype=x.dtype)
            np.copyto(columns, _strided(part[:, :, top * stride[0] :], shape, strides))
            start = first * each + top * row
            yield start, start + examples * high * row, columns.reshape(rows, examples * high * row)


def _whole(size: Any, padding: Pairs) -> Numbers:
    return tuple(m + sum(pad) for m, pad in zip(size, padding, strict=True))


def _inner(size: Any, padding: Pairs) -> tuple[slice, ...]:
    return tuple(slice(before, before + m) for m, (before, _) in zip(size, padding, strict=True))


def _part(x: Any, start: int, stop: int, last: bool) -> Any:
    """Columns from start to stop of (C, N, *count), or (C, *count, N), as a matrix: a view where it can be one."""
    if last:
        return x.reshape(x.shape[0], prod(x.shape[1:]))[:, start:stop]
    each = prod(x.shape[2:])
    first, end = start // each, -(-stop // each)
    return x[:, first:end].reshape(x.shape[0], (end - first) * each)[:, start - first * each : stop - first * each]


def _in_groups(x: Any, groups: int) -> Any:
    """A matrix as a stack of matrices, which are its groups of rows. For one group it is the matrix itself."""
    return x if groups == 1 else x.reshape(groups, x.shape[0] // groups, x.shape[1])


class NumPyWindows(Windows):
    """The part of NumPyRaw that is about windows."""

    def _added(self, y: Any, value: Any, key: Any) -> Any:
        y[key] += value
        return y

    def windows(self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Any:
        count = counts(x.shape[x.ndim - len(kernel) :], kernel, stride, padding, dilation)
        x = self._padded(x, padding)
        before, steps = x.ndim - len(kernel), x.strides[x.ndim - len(kernel) :]
        strides = (*x.strides[:before], *map(mul, steps, dilation), *map(mul, steps, stride))
        return np.array(_strided(x, (*x.shape[:before], *kernel, *count), strides))

    @widened
    def convolution(
        self,
        x: Any,
        weight: Any,
        bias: Any = None,
        *,
        stride: Numbers,
        padding: Pairs,
        dilation: Numbers,
        groups: int,
    ) -> Any:
        dtype = np.result_type(x, weight)
        n, out, kernel = x.shape[0], weight.shape[0], weight.shape[2:]
        rows = weight.reshape(out, prod(weight.shape[1:]))
        if groups == 1 and _is_whole(x.shape[2:], kernel, padding):
            y = x.reshape(n, rows.shape[1]).dot(rows.T)
            if bias is not None:
                y = y + bias if bias.dtype != dtype else np.add(y, bias, out=y)
            return y.reshape(n, out, *(1,) * len(kernel))
        x, padding = self._cropped(x, padding)
        count = counts(x.shape[2:], kernel, stride, padding, dilation)
        last = _comes_last(n, x.shape[1] * prod(kernel), count)
        y = np.empty((out, n * prod(count)), dtype=dtype)
        rows = _in_groups(rows, groups)
        for start, stop, columns in _columns(x, kernel, stride, padding, dilation, count, last):
            part = y[:, start:stop]
            into = part if groups == 1 else y.reshape(groups, out // groups, y.shape[1])[:, :, start:stop]
            np.matmul(rows, _in_groups(columns, groups), out=into)
            if bias is not None and bias.dtype == dtype:
                part += bias[:, None]
        if bias is not None and bias.dtype != dtype:
            y = y + bias[:, None]
        return _batch_first(y.reshape((out, *count, n) if last else (out, n, *count)), last)

    @widened
    def convolution_transpose(
        self, x: Any, weight: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        dtype = np.result_type(x, weight)
        static: dict[str, Any] = {"padding": padding, "dilation": dilation, "groups": groups}
        n, out, channels, kernel, count = x.shape[0], weight.shape[0], weight.shape[1], weight.shape[2:], x.shape[2:]
        rows = weight.reshape(out, channels * prod(kernel))
        if groups == 1 and _is_whole(size, kernel, padding):
            return x.reshape(n, out).dot(rows).reshape(n, channels, *size)
        if max(stride, default=1) == 1 and out <= 2 * channels * groups:  # with stride 1 it is a convolution
            flipped = weight.reshape(groups, out // groups, channels, *kernel)[
                (..., *(slice(None, None, -1),) * len(kernel))
            ]
            flipped = flipped.swapaxes(1, 2).reshape(groups * channels, out // groups, *kernel)
            static["padding"] = padding_of_transpose(tuple(size), count, kernel, padding, dilation)
            return self.convolution(x, flipped, stride=stride, **static)
        rows = _in_groups(rows, groups).swapaxes(-1, -2)
        last = _comes_last(n, groups * channels * prod(kernel), count)
        many = n if last else max(_BLOCK // max(groups * channels * prod(kernel) * prod(count), 1), 1)
        whole = _whole(size, padding)
        y = np.zeros((groups * channels, *whole, n) if last else (groups * channels, n, *whole), dtype=dtype)
        x = _channels_first(x, last)
        around = (slice(None),) * last
        for first in range(0, n, many or 1):
            part, into = (x, y) if last else (x[:, first : first + many], y[:, first : first + many])
            columns = np.matmul(rows, _in_groups(part.reshape(out, prod(part.shape[1:])), groups))
            columns = columns.reshape(groups * channels, *kernel, *part.shape[1:])
            for place, key in places(kernel, count, stride, dilation):
                into[(*key, *around)] += columns[(slice(None), *place)]
        return self._padded(_batch_first(y, last), reversed_padding(padding))

    @widened
    def convolution_weight(
        self, x: Any, g: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        dtype = np.result_type(x, g)
        out, channels = g.shape[1], x.shape[1] // groups
        if groups == 1 and _is_whole(x.shape[2:], kernel, padding):
            n = x.shape[0]
            return g.reshape(n, out).T.dot(x.reshape(n, channels * prod(kernel))).reshape(out, channels, *kernel)
        x, padding = self._cropped(x, padding)
        count = g.shape[2:]
        last = _comes_last(g.shape[0], x.shape[1] * prod(kernel), count)
        g = _channels_first(g, last)
        if last:
            g = np.ascontiguousarray(g)
        total: Any = None
        for start, stop, columns in _columns(x, kernel, stride, padding, dilation, count, last):
            rows = _in_groups(_part(g, start, stop, last), groups)
            product = np.matmul(rows, _in_groups(columns, groups).swapaxes(-1, -2))
            total = product if total is None else np.add(total, product, out=total)
        if total is None:
            total = np.zeros((out, channels * prod(kernel)), dtype=dtype)
        return total.reshape(out, channels, *kernel)

    # --- pooling ---

    def max_pool(
        self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
    ) -> tuple[Any, Any]:
        """As in Windows, in place and with small integers. What those have to care for is computed there."""
        static: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        n = len(kernel)
        size = x.shape[x.ndim - n :]
        if x.dtype.char not in "fd" or not x.size or prod(kernel) > 127:
            return super().max_pool(x, **static)
        padded = self._padded(x, padding, -np.inf)
        order = _order_of(padded, n)
        if order is not None:
            padded = _channels_first(padded, order)
        starts, steps, keys = _in_flat(size, kernel, stride, padding, dilation, bool(order))
        y = np.array(padded[keys[0]])
        best = np.zeros(y.shape, dtype=np.int8)
        for number, key in enumerate(keys[1:], 1):
            part = padded[key]
            better = np.greater(part, y).view(np.int8)
            better *= number
            np.maximum(best, better, out=best)
            np.maximum(y, part, out=y)
        # np.maximum keeps a nan, and what is infinite may be padding.
        peak = y.max()
        if peak != peak or (any(map(any, padding)) and y.min() == -np.inf):
            return super().max_pool(x, **static)
        indices = steps.take(best)
        indices += starts
        return (y, indices) if order is None else (_batch_first(y, order), _batch_first(indices, order))

    def scatter_pooled(self, x: Any, indices: Any, *, size: Numbers) -> Any:
        """As in Windows, with one array of indices in place of one for each axis. The result has their order in memory."""
        n, many = len(size), prod(size)
        if not x.size or indices.min() < 0 or indices.max() >= many:
            return super().scatter_pooled(x, indices, size=size)
        order = _order_of(indices, n)
        if order is not None:
            x, indices = _channels_first(x, order), _channels_first(indices, order)
        inner = x.shape[-1] if order else 1
        before = x.shape[:1] if order else x.shape[: x.ndim - n]
        lines = prod(before)
        flat = indices.reshape(lines, x.size // (lines * inner), inner)
        flat = (flat * inner if order else flat) + _starts(lines, many, inner)
        y = np.zeros(lines * many * inner, dtype=x.dtype)
        np.add.at(y, flat.reshape(-1), x.reshape(-1))
        if order is None:
            return y.reshape(*before, *size)
        return _batch_first(y.reshape(*before, *size, inner) if order else y.reshape(*before, *size), order)


@lru_cache(maxsize=100)
def _starts(lines: int, many: int, inner: int) -> Any:
    """Where each line starts in (lines, many, inner), flattened."""
    return (np.arange(lines) * (many * inner))[:, None, None] + np.arange(inner)


@lru_cache(maxsize=100)
def _in_flat(
    size: Numbers, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, last: bool
) -> tuple[Any, Any, list[Any]]:
    """The index of each window's start in the flattened axes; how far each of its elements is from that; and their keys.

    If the batch comes `last`, there is one more axis behind.
    """
    count = counts(size, kernel, stride, padding, dilation)
    lengths = [prod(size[a + 1 :]) for a in range(len(size))]
    starts = np.zeros(count, dtype=np.int64)
    steps = np.zeros(kernel, dtype=np.int64)
    for a, length in enumerate(lengths):
        along = (-1, *(1,) * (len(size) - 1 - a))
        starts += ((np.arange(count[a]) * stride[a] - padding[a][0]) * length).reshape(along)
        steps += (np.arange(kernel[a]) * dilation[a] * length).reshape(along)
    around = (slice(None),) * last
    keys = [(*key, *around) for _, key in places(kernel, count, stride, dilation)]
    return starts[..., None] if last else starts, steps.reshape(-1), keys
