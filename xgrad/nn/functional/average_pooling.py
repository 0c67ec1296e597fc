"""Average pooling as functions: the mean, or a power mean, of each window of the last axes."""

from __future__ import annotations

from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.functional.convolution import Number, numbers
from xgrad.nn.functional.pooling import Where, where


def _avg_pool(
    name: str,
    n: int,
    input: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None = None,
) -> Tensor:
    x = operand(name, input)
    at = where(name, n, x.shape, kernel, stride, padding, 1, ceil_mode)
    if divisor is not None and (isinstance(divisor, bool) or not isinstance(divisor, int) or divisor == 0):
        raise ValueError(f"{name}: divisor_override must be an integer other than 0, or None, got {divisor!r}")
    y: Tensor = xg.sum_pool(x, kernel=at.kernel, stride=at.stride, padding=at.pairs)
    if divisor is not None:
        return y / divisor
    elements = [at.elements(a, count_include_pad) for a in range(n)]
    if all(len(set(each)) == 1 for each in elements):
        return y / prod(each[0] for each in elements)
    for a in range(n):
        y = y / _elements(at, a, count_include_pad, y)
    return y


def _elements(at: Where, a: int, with_padding: bool, y: Tensor) -> Tensor:
    """As `at.elements`, as a tensor beside y."""
    xp = y.__array_namespace__()
    m, p, k, n = at.size[a], at.padding[a], at.kernel[a], len(at.size)
    starts = xp.arange(at.count[a]) * at.stride[a] - p
    ends = xp.clip(starts + k, None, m + p if with_padding else m)
    count = ends - (starts if with_padding else xp.clip(starts, 0, None))
    beside: Tensor = xp.reshape(xp.astype(count, y.dtype), (-1, *(1,) * (n - 1 - a)))
    return beside


def avg_pool1d(
    input: Any,
    kernel_size: Number,
    stride: Number | None = None,
    padding: Number = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of the last axis.

    Args:
        input: an array of shape (N, C, L), or (C, L) without a batch, and of a floating-point dtype.
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows are, an integer; None means `kernel_size`.
        padding: how many zeros are added at both ends of it, an integer.
        ceil_mode: whether a last window may reach beyond the end.
        count_include_pad: whether the zeros count as elements. What lies beyond them does not.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes; for numbers that are too small; for a window that does not fit; for a
            padding of more than half a window.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.avg_pool1d(xg.asarray([[1.0, 4.0, 3.0, 2.0]]), 2).tolist()
    [[2.5, 2.5]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html
    """
    static = kernel_size, stride, padding, ceil_mode, count_include_pad
    return _avg_pool("avg_pool1d", 1, input, *static)


def avg_pool2d(
    input: Any,
    kernel_size: Number,
    stride: Number | None = None,
    padding: Number = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of the last two axes.

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of a floating-point dtype.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis.
        ceil_mode: whether a last window may reach beyond the end.
        count_include_pad: whether the zeros count as elements. What lies beyond them does not.
        divisor_override: what the sum is divided by, an integer; None means the number of elements.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes; for numbers that are too small; for a window that does not fit; for a
            padding of more than half a window; for a divisor of 0.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x = xg.reshape(xg.arange(8.0), (1, 2, 4))
    >>> xg.nn.functional.avg_pool2d(x, 2).tolist()
    [[[2.5, 4.5]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
    """
    static = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _avg_pool("avg_pool2d", 2, input, *static)


def avg_pool3d(
    input: Any,
    kernel_size: Number,
    stride: Number | None = None,
    padding: Number = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of the last three axes.

    Args:
        input: an array of shape (N, C, D, H, W), or (C, D, H, W) without a batch, and of a floating-point dtype.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis.
        ceil_mode: whether a last window may reach beyond the end.
        count_include_pad: whether the zeros count as elements. What lies beyond them does not.
        divisor_override: what the sum is divided by, an integer; None means the number of elements.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes; for numbers that are too small; for a window that does not fit; for a
            padding of more than half a window; for a divisor of 0.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x = xg.reshape(xg.arange(8.0), (1, 2, 2, 2))
    >>> xg.nn.functional.avg_pool3d(x, 2).tolist()
    [[[[3.5]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html
    """
    static = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _avg_pool("avg_pool3d", 3, input, *static)


# --- a power mean ---


def _lp_pool(name: str, n: int, input: Any, norm_type: Any, kernel: Any, stride: Any, ceil_mode: bool) -> Tensor:
    if not isinstance(norm_type, int | float) or isinstance(norm_type, bool) or norm_type == 0:
        raise ValueError(f"{name}: norm_type must be a number other than 0, got {norm_type!r}")
    power = operand(name, input) ** norm_type
    mean = _avg_pool(name, n, power, kernel, stride, 0, ceil_mode, True)
    elements = prod(numbers(name, "kernel_size", kernel, n, 1))
    y: Tensor = (xg.sign(mean) * xg.relu(xg.abs(mean)) * elements) ** (1.0 / norm_type)
    return y


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Number, stride: Number | None = None, ceil_mode: bool = False
) -> Tensor:
    """The power mean of each window of the last axis, times a power of its size: sum(x**p) ** (1/p).

    Args:
        input: an array of shape (N, C, L), or (C, L) without a batch, and of a floating-point dtype.
        norm_type: the power p, a number other than 0.
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows are, an integer; None means `kernel_size`.
        ceil_mode: whether a last window may reach beyond the end. Its sum is scaled up to the size of a whole window.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes; for a norm_type of 0; for numbers that are too small; for a window
            that does not fit.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.lp_pool1d(xg.asarray([[3.0, 4.0, 0.0, 2.0]]), 2, 2).tolist()
    [[5.0, 2.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Number, stride: Number | None = None, ceil_mode: bool = False
) -> Tensor:
    """The power mean of each window of the last two axes, times a power of its size: sum(x**p) ** (1/p).

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of a floating-point dtype.
        norm_type: the power p, a number other than 0.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        ceil_mode: whether a last window may reach beyond the end. Its sum is scaled up to the size of a whole window.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes; for a norm_type of 0; for numbers that are too small; for a window
            that does not fit.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.lp_pool2d(xg.ones((1, 2, 4)), 2, 2).tolist()
    [[[2.0, 2.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)
