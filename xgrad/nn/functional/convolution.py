"""Convolutions as functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer, integers
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import arrays, each_axis, wrong_shape
from xgrad.rules.windows import settled

Number = int | Sequence[int]
AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


def shapes(n: int, channels: Any) -> str:
    """The shapes that a function of n spatial axes takes, for an error message."""
    return f"(N, {channels}, {AXES[n]}) or ({channels}, {AXES[n]})"


def numbers(name: str, what: str, value: Any, n: int, least: int = 0) -> tuple[int, ...]:
    """An integer for each axis. TypeError for what holds other things, ValueError for integers that do not fit."""
    integers(name, value, what)
    return each_axis(name, what, value, n, least)


def same_padding(kernel: Sequence[int], dilation: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The padding that gives a convolution of stride 1 an output of the size of its input. An odd zero comes last."""
    wide = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple((w // 2, w - w // 2) for w in wide)


def _convolved(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Tensor:
    x, weight, bias = arrays(name, input, weight, bias)
    shape = tuple(weight.shape)
    static = settled(_checked, name, n, x.shape, shape, stride, padding, dilation, groups)
    if x.ndim == n + 2:
        y: Tensor = xg.convolution(x, weight, bias, **static)
        return y
    return xg.squeeze(xg.convolution(xg.expand_dims(x, axis=0), weight, bias, **static), axis=0)


@lru_cache(maxsize=1000)
def _checked(
    name: str, n: int, x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> dict[str, Any]:
    """The arguments as xgrad's function takes them, checked once for the same shapes and arguments."""
    if len(weight) != n + 2:
        raise ValueError(f"{name} takes a weight of shape (out, in / groups, {AXES[n]}), got {weight}")
    groups = integer(name, groups, "groups")
    if len(x) not in (n + 1, n + 2) or x[len(x) - n - 1] != weight[1] * groups:
        raise wrong_shape(name, shapes(n, weight[1] * groups), x)
    stride, dilation = numbers(name, "stride", stride, n, 1), numbers(name, "dilation", dilation, n, 1)
    if isinstance(padding, str):
        padding = _named_padding(name, padding, weight[2:], stride, dilation)
    else:
        padding = tuple((p, p) for p in numbers(name, "padding", padding, n))
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def _named_padding(name: str, padding: str, kernel: Any, stride: Any, dilation: Any) -> Any:
    if padding == "valid":
        return ((0, 0),) * len(stride)
    if padding != "same":
        raise ValueError(f'{name}: padding must be integers, "valid" or "same", got {padding!r}')
    if set(stride) != {1}:
        raise ValueError(f'{name}: padding="same" needs a stride of 1, got {stride}')
    return same_padding(kernel, dilation)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Number = 1,
    padding: str | Number = 0,
    dilation: Number = 1,
    groups: int = 1,
) -> Tensor:
    """The convolution of sequences: a weighted sum over the channels and over each window of the last axis.

    Args:
        input: an array of shape (N, C, L), or (C, L) without a batch, and of any numeric dtype.
        weight: an array of shape (out, C / groups, k).
        bias: an array of shape (out,), or None for none.
        stride: how far apart the windows are, an integer.
        padding: how many zeros are added at both ends of the axis, an integer; "valid" for none;
            "same" for an output of the size of the input, which needs a stride of 1.
        dilation: how far apart the elements of a window are, an integer.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.

    Returns:
        A tensor of shape (N, out, ...) or (out, ...), of the dtype that the arguments promote to.

    Raises:
        ValueError: for shapes that do not fit, and for numbers that are too small.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x, weight = xg.asarray([[[1.0, 2.0, 4.0, 8.0]]]), xg.asarray([[[1.0, -1.0]]])
    >>> xg.nn.functional.conv1d(x, weight, stride=2).tolist()
    [[[-1.0, -4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Number = 1,
    padding: str | Number = 0,
    dilation: Number = 1,
    groups: int = 1,
) -> Tensor:
    """The convolution of images: a weighted sum over the channels and over each window of the last two axes.

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of any numeric dtype.
        weight: an array of shape (out, C / groups, kh, kw).
        bias: an array of shape (out,), or None for none.
        stride: how far apart the windows are, an integer or one for each axis.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis; "valid" for none;
            "same" for an output of the size of the input, which needs a stride of 1.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.

    Returns:
        A tensor of shape (N, out, ...) or (out, ...), of the dtype that the arguments promote to.

    Raises:
        ValueError: for shapes that do not fit, and for numbers that are too small.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x, weight = xg.ones((1, 3, 4, 4)), xg.ones((2, 3, 3, 3))
    >>> xg.nn.functional.conv2d(x, weight, xg.asarray([0.0, 1.0])).tolist()
    [[[[27.0, 27.0], [27.0, 27.0]], [[28.0, 28.0], [28.0, 28.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
    """
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Number = 1,
    padding: str | Number = 0,
    dilation: Number = 1,
    groups: int = 1,
) -> Tensor:
    """The convolution of volumes: a weighted sum over the channels and over each window of the last three axes.

    Args:
        input: an array of shape (N, C, D, H, W), or (C, D, H, W) without a batch, and of any numeric dtype.
        weight: an array of shape (out, C / groups, kd, kh, kw).
        bias: an array of shape (out,), or None for none.
        stride: how far apart the windows are, an integer or one for each axis.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis; "valid" for none;
            "same" for an output of the size of the input, which needs a stride of 1.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.

    Returns:
        A tensor of shape (N, out, ...) or (out, ...), of the dtype that the arguments promote to.

    Raises:
        ValueError: for shapes that do not fit, and for numbers that are too small.
        TypeError: for numbers that are no integers, or an input that is no array.

    >>> import xgrad as xg
    >>> x, weight = xg.ones((1, 1, 2, 2, 3)), xg.ones((1, 1, 2, 2, 2))
    >>> xg.nn.functional.conv3d(x, weight).tolist()
    [[[[[8.0, 8.0]]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html
    """
    return _convolved("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)
