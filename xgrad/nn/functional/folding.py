"""The windows of images as columns of matrices, and back, as functions."""

from __future__ import annotations

from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import wrong_shape
from xgrad.nn.functional.convolution import Number, numbers, shapes


def unfold(input: Any, kernel_size: Number, dilation: Number = 1, padding: Number = 0, stride: Number = 1) -> Tensor:
    """The windows of images, each as a column.

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of any numeric dtype.
        kernel_size: the size of a window, an integer or one for each axis.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis.

    Returns:
        A tensor of shape (N, C * prod(kernel_size), number of windows), or without N, of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes; for numbers that are too small; for a window that does not fit.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x = xg.reshape(xg.arange(6.0), (1, 1, 2, 3))
    >>> xg.nn.functional.unfold(x, (2, 2)).tolist()
    [[[0.0, 1.0], [1.0, 2.0], [3.0, 4.0], [4.0, 5.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
    """
    x = operand("unfold", input)
    if x.ndim not in (3, 4):
        raise wrong_shape("unfold", shapes(2, "C"), x)
    kernel = numbers("unfold", "kernel_size", kernel_size, 2, 1)
    w = xg.windows(
        x,
        kernel=kernel,
        stride=numbers("unfold", "stride", stride, 2, 1),
        padding=tuple((p, p) for p in numbers("unfold", "padding", padding, 2)),
        dilation=numbers("unfold", "dilation", dilation, 2, 1),
    )
    return xg.reshape(w, (*x.shape[:-3], x.shape[-3] * prod(kernel), prod(w.shape[-2:])))


def fold(
    input: Any,
    output_size: Number,
    kernel_size: Number,
    dilation: Number = 1,
    padding: Number = 0,
    stride: Number = 1,
) -> Tensor:
    """Images put together from windows, which are added up where they overlap: the transpose of `unfold`.

    Args:
        input: an array of shape (N, C * prod(kernel_size), number of windows), or without N, and of any numeric dtype.
        output_size: the height and the width of the output, an integer or two.
        kernel_size: the size of a window, an integer or one for each axis.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        padding: how many zeros `unfold` has added at both ends of each axis, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis.

    Returns:
        A tensor of shape (N, C, *output_size), or without N, of the dtype of the input.

    Raises:
        ValueError: for an input that has not the windows of an image of that size; for numbers that are too small.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> windows = xg.ones((1, 4, 2))
    >>> xg.nn.functional.fold(windows, output_size=(2, 3), kernel_size=2).tolist()
    [[[[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
    """
    x = operand("fold", input)
    size, kernel = numbers("fold", "output_size", output_size, 2, 1), numbers("fold", "kernel_size", kernel_size, 2, 1)
    static = {name: numbers("fold", name, value, 2, 1) for name, value in (("dilation", dilation), ("stride", stride))}
    around = numbers("fold", "padding", padding, 2)
    count = tuple(
        (m + 2 * p - d * (k - 1) - 1) // s + 1
        for m, k, p, d, s in zip(size, kernel, around, static["dilation"], static["stride"], strict=True)
    )
    rows, columns = prod(kernel), prod(count)
    if x.ndim not in (2, 3) or min(count) < 1 or x.shape[-2] % rows or x.shape[-1] != columns:
        wanted = f"(N, C * {rows}, {columns}) or (C * {rows}, {columns})"
        raise wrong_shape(f"fold, for windows of size {kernel} of an output of size {size},", wanted, x)
    w = xg.reshape(x, (*x.shape[:-2], x.shape[-2] // rows, *kernel, *count))
    y: Tensor = xg.add_windows(w, size=size, padding=tuple((p, p) for p in around), **static)
    return y
