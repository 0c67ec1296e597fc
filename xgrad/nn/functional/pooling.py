"""Max pooling as functions, and where the windows of pooling functions are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import xgrad as xg
from xgrad.engine.operands import operand
from xgrad.nn.checks import wrong_shape
from xgrad.nn.functional.convolution import Number, numbers, shapes
from xgrad.rules.windows import settled


class Where:
    """Where the windows of a pooling function are: its arguments, checked, for an input of some shape."""

    def __init__(
        self, name: str, n: int, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
    ) -> None:
        if len(shape) not in (n + 1, n + 2):
            raise wrong_shape(name, shapes(n, "C"), shape)
        self.size: tuple[int, ...] = tuple(shape[-n:])
        self.kernel = numbers(name, "kernel_size", kernel, n, 1)
        is_default = stride is None or (isinstance(stride, Sequence) and not len(stride))
        self.stride = self.kernel if is_default else numbers(name, "stride", stride, n, 1)
        self.padding, self.dilation = numbers(name, "padding", padding, n), numbers(name, "dilation", dilation, n, 1)
        self.reach = tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))
        for p, reach, m in zip(self.padding, self.reach, self.size, strict=True):
            if 2 * p > reach:
                raise ValueError(
                    f"{name}: padding must be at most half the size of a window, got {padding!r} for {kernel!r}"
                )
            if reach > m + 2 * p:
                raise ValueError(
                    f"{name}: a window of size {self.kernel} does not fit into an input of shape {tuple(shape)}"
                )
        self.count = tuple(map(self._count, range(n), [ceil_mode] * n))
        axes = zip(self.count, self.stride, self.reach, self.size, self.padding, strict=True)
        # The padding before and after each axis, up to the end of the last window.
        self.pairs = tuple((p, (c - 1) * s + reach - m - p) for c, s, reach, m, p in axes)

    def _count(self, a: int, ceil_mode: bool) -> int:
        """How many windows there are along an axis. None starts in the padding at the end."""
        m, p, s = self.size[a], self.padding[a], self.stride[a]
        rest = m + 2 * p - self.reach[a]
        count = -(-rest // s) + 1 if ceil_mode else rest // s + 1
        return count - 1 if ceil_mode and (count - 1) * s >= m + p else count

    def elements(self, a: int, with_padding: bool) -> list[int]:
        """How many elements each window has along an axis."""
        m, p, k = self.size[a], self.padding[a], self.kernel[a]
        starts = [i * self.stride[a] - p for i in range(self.count[a])]
        if with_padding:
            return [min(start + k, m + p) - start for start in starts]
        return [min(start + k, m) - max(start, 0) for start in starts]


_where = lru_cache(maxsize=1000)(Where)


def where(*given: Any) -> Where:
    """As `Where`, made once for the same shape and arguments."""
    found: Where = settled(_where, *given)
    return found


def _max_pool(
    name: str, n: int, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, both: bool
) -> Any:
    x = operand(name, input)
    at = where(name, n, x.shape, kernel, stride, padding, dilation, ceil_mode)
    found = xg.max_pool(x, kernel=at.kernel, stride=at.stride, padding=at.pairs, dilation=at.dilation)
    return found if both else found[0]


def max_pool1d(
    input: Any,
    kernel_size: Number,
    stride: Number | None = None,
    padding: Number = 0,
    dilation: Number = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last axis.

    Of equal elements the first gets the gradient.

    Args:
        input: an array of shape (N, C, L), or (C, L) without a batch, and of a real dtype.
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows are, an integer; None means `kernel_size`.
        padding: how many places are added at both ends of it, an integer. They are never the largest.
        dilation: how far apart the elements of a window are, an integer.
        ceil_mode: whether a last window may reach beyond the end.
        return_indices: whether the places of the elements are returned too.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input; with `return_indices` a tuple of it and a tensor of
        integers: where each element is in the last axis.

    Raises:
        ValueError: for an input of another number of axes; for numbers that are too small; for a window that does not fit; for a
            padding of more than half a window.
        TypeError: for numbers that are no integers, or an input that is no array or complex.

    >>> import xgrad as xg
    >>> xg.nn.functional.max_pool1d(xg.asarray([[1.0, 4.0, 3.0, 2.0]]), 2).tolist()
    [[4.0, 3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html
    """
    static = kernel_size, stride, padding, dilation, ceil_mode, return_indices
    return _max_pool("max_pool1d", 1, input, *static)


def max_pool2d(
    input: Any,
    kernel_size: Number,
    stride: Number | None = None,
    padding: Number = 0,
    dilation: Number = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last two axes.

    Of equal elements the first gets the gradient.

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of a real dtype.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many places are added at both ends of each axis, an integer or one for each axis. They are never the largest.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        ceil_mode: whether a last window may reach beyond the end.
        return_indices: whether the places of the elements are returned too.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input; with `return_indices` a tuple of it and a tensor of
        integers: where each element is in the last two axes, flattened.

    Raises:
        ValueError: for an input of another number of axes; for numbers that are too small; for a window that does not fit; for a
            padding of more than half a window.
        TypeError: for numbers that are no integers, or an input that is no array or complex.

    >>> import xgrad as xg
    >>> x = xg.reshape(xg.arange(8.0), (1, 2, 4))
    >>> values, indices = xg.nn.functional.max_pool2d(x, 2, return_indices=True)
    >>> values.tolist(), indices.tolist()
    ([[[5.0, 7.0]]], [[[5, 7]]])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
    """
    static = kernel_size, stride, padding, dilation, ceil_mode, return_indices
    return _max_pool("max_pool2d", 2, input, *static)


def max_pool3d(
    input: Any,
    kernel_size: Number,
    stride: Number | None = None,
    padding: Number = 0,
    dilation: Number = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last three axes.

    Of equal elements the first gets the gradient.

    Args:
        input: an array of shape (N, C, D, H, W), or (C, D, H, W) without a batch, and of a real dtype.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many places are added at both ends of each axis, an integer or one for each axis. They are never the largest.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        ceil_mode: whether a last window may reach beyond the end.
        return_indices: whether the places of the elements are returned too.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input; with `return_indices` a tuple of it and a tensor of
        integers: where each element is in the last three axes, flattened.

    Raises:
        ValueError: for an input of another number of axes; for numbers that are too small; for a window that does not fit; for a
            padding of more than half a window.
        TypeError: for numbers that are no integers, or an input that is no array or complex.

    >>> import xgrad as xg
    >>> x = xg.reshape(xg.arange(8.0), (1, 2, 2, 2))
    >>> xg.nn.functional.max_pool3d(x, 2).tolist()
    [[[[7.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html
    """
    static = kernel_size, stride, padding, dilation, ceil_mode, return_indices
    return _max_pool("max_pool3d", 3, input, *static)
