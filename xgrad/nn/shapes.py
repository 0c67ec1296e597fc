"""Layers that change the shape only."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer, integers
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import input_of, size, wrong_shape
from xgrad.nn.module import Module


class Unflatten(Module):
    """Splits an axis into several: the inverse of Flatten.

    Call it with an array of any dtype whose axis `dim` has as many elements as the new axes together.

    Args:
        dim: the axis, an integer, negative from the end.
        unflattened_size: the lengths of the new axes. One of them may be -1: it follows from the others.

    Raises:
        TypeError: for a `dim` that is not an integer, or sizes that are not.
        ValueError: for more than one -1, or another size below 0; when called, for an input whose axis has another length.

    >>> import xgrad as xg
    >>> xg.nn.Unflatten(1, (2, 3))(xg.zeros((5, 6))).shape
    (5, 2, 3)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim = integer("Unflatten", dim, "dim")
        self.unflattened_size = sizes = integers("Unflatten", unflattened_size, "unflattened_size")
        if sizes.count(-1) > 1 or min(sizes, default=-2) < -1:
            raise ValueError(f"Unflatten: sizes must be 0 or more, and -1 at most once, got {unflattened_size!r}")

    def forward(self, input: Any) -> Tensor:
        x, sizes = input_of(self, input), self.unflattened_size
        shape, dim = tuple(x.shape), self.dim
        known = prod(n for n in sizes if n != -1)
        if not -len(shape) <= dim < len(shape):
            raise wrong_shape(self, f"with an axis {dim}", x)
        length = shape[dim]
        if -1 in sizes and known and length % known == 0:
            sizes = tuple(length // known if n == -1 else n for n in sizes)
        if -1 in sizes or prod(sizes) != length:
            raise wrong_shape(
                self, f"with {'a multiple of ' if -1 in sizes else ''}{known} elements along axis {dim}", x
            )
        dim %= len(shape)
        return xg.reshape(x, (*shape[:dim], *sizes, *shape[dim + 1 :]))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class PixelShuffle(Module):
    """Makes an image r times as high and wide of every r * r channels, for r = `upscale_factor`.

    Call it with an array of shape (..., C * r * r, H, W) and of any dtype; the output has the shape (..., C, H * r, W * r).

    Args:
        upscale_factor: the integer r, 1 or more.

    Raises:
        ValueError: for a factor that is not an integer, 1 or more; when called, for an input of another shape.

    >>> import xgrad as xg
    >>> xg.nn.PixelShuffle(2)(xg.asarray([[[1.0]], [[2.0]], [[3.0]], [[4.0]]])).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
    """

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = size("PixelShuffle", "upscale_factor", upscale_factor, 1)

    def forward(self, input: Any) -> Tensor:
        x, n = input_of(self, input), self.upscale_factor**2
        if x.ndim < 3 or x.shape[-3] % n:
            raise wrong_shape(self, f"(..., C * {n}, H, W)", x)
        return F.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """The inverse of PixelShuffle: the pixels of each block of r by r become r * r channels, for r = `downscale_factor`.

    Call it with an array of shape (..., C, H * r, W * r) and of any dtype; the output has the shape (..., C * r * r, H, W).

    Args:
        downscale_factor: the integer r, 1 or more.

    Raises:
        ValueError: for a factor that is not an integer, 1 or more; when called, for an input of another shape.

    >>> import xgrad as xg
    >>> xg.nn.PixelUnshuffle(2)(xg.asarray([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[[1.0]], [[2.0]], [[3.0]], [[4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html
    """

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = size("PixelUnshuffle", "downscale_factor", downscale_factor, 1)

    def forward(self, input: Any) -> Tensor:
        x, r = input_of(self, input), self.downscale_factor
        if x.ndim < 3 or x.shape[-1] % r or x.shape[-2] % r:
            raise wrong_shape(self, f"(..., C, H * {r}, W * {r})", x)
        return F.pixel_unshuffle(x, r)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Divides the channels into groups, and takes one of each group in turn.

    Call it with an array of shape (N, C, ...) with one more axis at least, of any dtype; the output has the same shape.

    Args:
        groups: how many groups, an integer, 1 or more, which divides C.

    Raises:
        ValueError: for `groups` that are not an integer, 1 or more; when called, for an input of another shape.

    >>> import xgrad as xg
    >>> xg.nn.ChannelShuffle(2)(xg.reshape(xg.arange(4.0), (1, 4, 1))).tolist()
    [[[0.0], [2.0], [1.0], [3.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
    """

    def __init__(self, groups: int) -> None:
        self.groups = size("ChannelShuffle", "groups", groups, 1)

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        if x.ndim < 3 or x.shape[1] % self.groups:
            raise wrong_shape(self, f"(N, C * {self.groups}, ...)", x)
        return F.channel_shuffle(x, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
