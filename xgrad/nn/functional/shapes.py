"""Functions that change the shape only."""

from __future__ import annotations

from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import size, wrong_shape


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the axes from `start_dim` to `end_dim`, both included, into one.

    Args:
        input: an array of any shape and dtype. One without axes becomes one of shape (1,).
        start_dim: the first axis to join, negative from the end.
        end_dim: the last axis to join, negative from the end.

    Returns:
        A tensor of the same elements in row-major order, and of the dtype of the input.

    Raises:
        TypeError: for an input that is neither an array nor a number, or an axis that is not an integer.
        IndexError: for axes that the input does not have, or a `start_dim` after `end_dim`.

    >>> import xgrad as xg
    >>> xg.nn.functional.flatten(xg.zeros((5, 2, 3)), start_dim=1).shape
    (5, 6)

    https://docs.pytorch.org/docs/stable/generated/torch.flatten.html
    """
    shape = tuple(operand("flatten", input).shape) or (1,)
    n, start_dim, end_dim = (
        len(shape),
        integer("flatten", start_dim, "start_dim"),
        integer("flatten", end_dim, "end_dim"),
    )
    if not (-n <= start_dim < n and -n <= end_dim < n) or start_dim % n > end_dim % n:
        raise IndexError(f"flatten: an array of shape {shape} has no axes from {start_dim} to {end_dim}")
    start, stop = start_dim % n, end_dim % n + 1
    return xg.reshape(input, (*shape[:start], prod(shape[start:stop]), *shape[stop:]))


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Make an image r times as high and wide of every r * r channels, for r = `upscale_factor`.

    The channel c * r * r + i * r + j gives the pixels in row i and column j of each block of r by r pixels of channel c.

    Args:
        input: an array of shape (..., C * r * r, H, W), of any dtype.
        upscale_factor: the integer r, 1 or more.

    Returns:
        A tensor of shape (..., C, H * r, W * r), of the dtype of the input.

    Raises:
        ValueError: for an input of another shape, or a factor that is not an integer, 1 or more.
        TypeError: for an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.pixel_shuffle(xg.asarray([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html
    """
    x, r = operand("pixel_shuffle", input), size("pixel_shuffle", "upscale_factor", upscale_factor, 1)
    if x.ndim < 3 or x.shape[-3] % (r * r):
        raise wrong_shape("pixel_shuffle", f"(..., C * {r * r}, H, W)", x)
    *before, channels, h, w = x.shape
    c, n = channels // (r * r), len(before)
    parts = xg.reshape(x, (*before, c, r, r, h, w))
    parts = xg.permute_dims(parts, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return xg.reshape(parts, (*before, c, h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: the pixels of each block of r by r become r * r channels, for r = `downscale_factor`.

    Args:
        input: an array of shape (..., C, H * r, W * r), of any dtype.
        downscale_factor: the integer r, 1 or more.

    Returns:
        A tensor of shape (..., C * r * r, H, W), of the dtype of the input.

    Raises:
        ValueError: for an input of another shape, or a factor that is not an integer, 1 or more.
        TypeError: for an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.pixel_unshuffle(xg.asarray([[[1.0, 2.0], [3.0, 4.0]]]), 2).tolist()
    [[[1.0]], [[2.0]], [[3.0]], [[4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html
    """
    x, r = operand("pixel_unshuffle", input), size("pixel_unshuffle", "downscale_factor", downscale_factor, 1)
    if x.ndim < 3 or x.shape[-1] % r or x.shape[-2] % r:
        raise wrong_shape("pixel_unshuffle", f"(..., C, H * {r}, W * {r})", x)
    *before, c, height, width = x.shape
    h, w, n = height // r, width // r, len(before)
    parts = xg.reshape(x, (*before, c, h, r, w, r))
    parts = xg.permute_dims(parts, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return xg.reshape(parts, (*before, c * r * r, h, w))


def channel_shuffle(input: Any, groups: int) -> Tensor:
    """Divide the channels into groups, and take one of each group in turn.

    Args:
        input: an array of shape (N, C, ...) with one more axis at least, of any dtype. `groups` divides C.
        groups: how many groups, an integer, 1 or more.

    Returns:
        A tensor of the shape and dtype of the input.

    Raises:
        ValueError: for an input of another shape, or `groups` that are not an integer, 1 or more.
        TypeError: for an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.channel_shuffle(xg.reshape(xg.arange(4.0), (1, 4, 1)), 2).tolist()
    [[[0.0], [2.0], [1.0], [3.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
    """
    x, groups = operand("channel_shuffle", input), size("channel_shuffle", "groups", groups, 1)
    if x.ndim < 3 or x.shape[1] % groups:
        raise wrong_shape("channel_shuffle", f"(N, C * {groups}, ...)", x)
    n, channels, *rest = x.shape
    parts = xg.reshape(x, (n, groups, channels // groups, *rest))
    return xg.reshape(xg.permute_dims(parts, (0, 2, 1, *range(3, x.ndim + 1))), x.shape)
