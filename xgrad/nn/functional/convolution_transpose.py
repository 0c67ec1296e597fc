"""The transposes of convolutions as functions."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import arrays, wrong_shape
from xgrad.nn.functional.convolution import AXES, Number, numbers, shapes
from xgrad.nn.functional.precision import lowered


def _transposed(
    name: str,
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Tensor:
    x, weight, bias = arrays(name, input, weight, bias)
    shape = tuple(weight.shape)
    if len(shape) != n + 2:
        raise ValueError(f"{name} takes a weight of shape (in, out / groups, {AXES[n]}), got {shape}")
    if x.ndim not in (n + 1, n + 2) or x.shape[x.ndim - n - 1] != shape[0]:
        raise wrong_shape(name, shapes(n, shape[0]), x)
    if x.ndim == n + 1:
        static = stride, padding, output_padding, groups, dilation
        return xg.squeeze(_transposed(name, n, xg.expand_dims(x, axis=0), weight, bias, *static), axis=0)
    stride, dilation = numbers(name, "stride", stride, n, 1), numbers(name, "dilation", dilation, n, 1)
    padding, added = numbers(name, "padding", padding, n), numbers(name, "output_padding", output_padding, n)
    if any(a >= max(s, d) for a, s, d in zip(added, stride, dilation, strict=True)):
        raise ValueError(
            f"{name}: output_padding must be less than the stride or the dilation, "
            f"got output_padding={added} with stride={stride} and dilation={dilation}"
        )
    geometry = zip(x.shape[2:], shape[2:], stride, padding, added, dilation, strict=True)
    size = tuple((m - 1) * s - 2 * p + d * (k - 1) + a + 1 for m, k, s, p, a, d in geometry)
    if min(size) < 0:
        raise ValueError(f"{name}: an input of shape {tuple(x.shape)} would give an output of size {size}")
    pairs = tuple((p, p - a) for p, a in zip(padding, added, strict=True))
    y: Tensor = xg.convolution_transpose(
        x, weight, size=size, stride=stride, padding=pairs, dilation=dilation, groups=groups
    )
    if bias is None:
        return y
    if bias.shape != y.shape[1:2]:
        raise ValueError(f"{name} takes a bias of shape {y.shape[1:2]}, got {tuple(bias.shape)}")
    return y + xg.reshape(bias, (-1, *(1,) * n))


@lowered
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Number = 1,
    padding: Number = 0,
    output_padding: Number = 0,
    groups: int = 1,
    dilation: Number = 1,
) -> Tensor:
    """The transpose of `conv1d` in its input: each element of the input adds a multiple of the weight to the output.

    Args:
        input: an array of shape (N, C, L), or (C, L) without a batch, and of any numeric dtype.
        weight: an array of shape (C, out / groups, k).
        bias: an array of shape (out,), or None for none.
        stride: how far apart the windows of the output are, an integer.
        padding: how many elements of the output are dropped at both ends of the axis, an integer.
        output_padding: how many elements are added at the end of the axis, an integer: less than the
            stride or the dilation. (Several sizes give the same number of windows; this chooses one.)
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        dilation: how far apart the elements of a window are, an integer.

    Returns:
        A tensor of shape (N, out, ...) or (out, ...), of the dtype that the arguments promote to. Its size along an axis is
        (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.

    Raises:
        ValueError: for shapes that do not fit, and for numbers that are too small, or too large.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x, weight = xg.asarray([[[1.0, 10.0]]]), xg.asarray([[[1.0, 2.0]]])
    >>> xg.nn.functional.conv_transpose1d(x, weight, stride=2).tolist()
    [[[1.0, 2.0, 10.0, 20.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html
    """
    static = stride, padding, output_padding, groups, dilation
    return _transposed("conv_transpose1d", 1, input, weight, bias, *static)


@lowered
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Number = 1,
    padding: Number = 0,
    output_padding: Number = 0,
    groups: int = 1,
    dilation: Number = 1,
) -> Tensor:
    """The transpose of `conv2d` in its input: each element of the input adds a multiple of the weight to the output.

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of any numeric dtype.
        weight: an array of shape (C, out / groups, kh, kw).
        bias: an array of shape (out,), or None for none.
        stride: how far apart the windows of the output are, an integer or one for each axis.
        padding: how many elements of the output are dropped at both ends of each axis, an integer or one for each axis.
        output_padding: how many elements are added at the end of each axis, an integer or one for each axis: less than the
            stride or the dilation. (Several sizes give the same number of windows; this chooses one.)
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        dilation: how far apart the elements of a window are, an integer or one for each axis.

    Returns:
        A tensor of shape (N, out, ...) or (out, ...), of the dtype that the arguments promote to. Its size along an axis is
        (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.

    Raises:
        ValueError: for shapes that do not fit, and for numbers that are too small, or too large.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x, weight = xg.asarray([[[[1.0, 2.0]]]]), xg.ones((1, 1, 2, 2))
    >>> xg.nn.functional.conv_transpose2d(x, weight).tolist()
    [[[[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
    """
    static = stride, padding, output_padding, groups, dilation
    return _transposed("conv_transpose2d", 2, input, weight, bias, *static)


@lowered
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Number = 1,
    padding: Number = 0,
    output_padding: Number = 0,
    groups: int = 1,
    dilation: Number = 1,
) -> Tensor:
    """The transpose of `conv3d` in its input: each element of the input adds a multiple of the weight to the output.

    Args:
        input: an array of shape (N, C, D, H, W), or (C, D, H, W) without a batch, and of any numeric dtype.
        weight: an array of shape (C, out / groups, kd, kh, kw).
        bias: an array of shape (out,), or None for none.
        stride: how far apart the windows of the output are, an integer or one for each axis.
        padding: how many elements of the output are dropped at both ends of each axis, an integer or one for each axis.
        output_padding: how many elements are added at the end of each axis, an integer or one for each axis: less than the
            stride or the dilation. (Several sizes give the same number of windows; this chooses one.)
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        dilation: how far apart the elements of a window are, an integer or one for each axis.

    Returns:
        A tensor of shape (N, out, ...) or (out, ...), of the dtype that the arguments promote to. Its size along an axis is
        (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.

    Raises:
        ValueError: for shapes that do not fit, and for numbers that are too small, or too large.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x, weight = xg.asarray([[[[[1.0, 2.0]]]]]), xg.ones((1, 1, 1, 1, 2))
    >>> xg.nn.functional.conv_transpose3d(x, weight).tolist()
    [[[[[1.0, 3.0, 2.0]]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html
    """
    static = stride, padding, output_padding, groups, dilation
    return _transposed("conv_transpose3d", 3, input, weight, bias, *static)
