"""Convolutions as layers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from xgrad import random
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn import init
from xgrad.nn.checks import each_axis, input_of, size, wrong_shape
from xgrad.nn.functional.convolution import Number, same_padding, shapes
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.random import Generator

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Convolving(Module):
    """The base class of convolutions and their transposes over n axes."""

    n: ClassVar[int]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Number,
        stride: Number,
        padding: str | Number,
        output_padding: Number,
        dilation: Number,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: Any,
        device: Any,
        rng: Generator | None,
    ) -> None:
        name = type(self).__name__
        self.groups = size(name, "groups", groups, 1)
        self.in_channels = size(name, "in_channels", in_channels)
        self.out_channels = size(name, "out_channels", out_channels)
        for what in ("in_channels", "out_channels"):
            if getattr(self, what) % self.groups:
                raise ValueError(f"{name}: {what} must be a multiple of groups={groups}, got {getattr(self, what)}")
        self.kernel_size = each_axis(name, "kernel_size", kernel_size, self.n)
        self.stride = each_axis(name, "stride", stride, self.n)
        self.dilation = each_axis(name, "dilation", dilation, self.n)
        self.padding: str | tuple[int, ...] = (
            padding if isinstance(padding, str) else each_axis(name, "padding", padding, self.n, 0)
        )
        self.output_padding = each_axis(name, "output_padding", output_padding, self.n, 0)
        modes = ("zeros",) if self.transposed else PADDING_MODES
        if padding_mode not in modes:
            raise ValueError(f"{name}: padding_mode must be {' or '.join(map(repr, modes))}, got {padding_mode!r}")
        self.padding_mode = padding_mode
        self._draw(random.default_generator() if rng is None else rng, bias, dtype, device)

    def _draw(self, rng: Generator, bias: bool, dtype: Any, device: Any) -> None:
        """Draw the weight, and then the bias."""
        outer, inner = (
            (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        )
        shape = (outer, inner // self.groups, *self.kernel_size)
        bound = _bound(shape)
        self.weight = Parameter(rng.uniform(shape, low=-bound, high=bound, dtype=dtype, device=device))
        self.bias = (
            Parameter(rng.uniform((self.out_channels,), low=-bound, high=bound, dtype=dtype, device=device))
            if bias
            else None
        )

    def reset_parameters(self) -> None:
        """Draw new starting values, from the generator that `xgrad.random.seed` sets."""
        bound = _bound(self.weight.shape)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def _explained(self, input: Any, error: Exception) -> Exception:
        """The error for an input of a wrong shape; or the error itself, if the shape is right."""
        shape = tuple(getattr(input, "shape", ()))
        fits = len(shape) in (self.n + 1, self.n + 2) and shape[len(shape) - self.n - 1] == self.in_channels
        return error if fits else wrong_shape(self, shapes(self.n, self.in_channels), input)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, default in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (default,) * self.n:
                parts.append(f"{name}={value!r}")
        parts += [f"groups={self.groups}"] * (self.groups != 1) + ["bias=False"] * (self.bias is None)
        parts += [f"padding_mode={self.padding_mode!r}"] * (self.padding_mode != "zeros")
        return ", ".join(parts)


def _bound(shape: tuple[int, ...]) -> float:
    """The bound of the starting values: 1 / sqrt of the elements of the input that an element of the output is made of."""
    fan_in = math.prod(shape[1:])
    return 1 / math.sqrt(fan_in) if fan_in else 0.0


class Convolution(Convolving):
    """The base class of Conv1d, Conv2d and Conv3d."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Number,
        stride: Number = 1,
        padding: str | Number = 0,
        dilation: Number = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        name = type(self).__name__
        if isinstance(padding, str) and padding not in ("valid", "same"):
            raise ValueError(f'{name}: padding must be integers, "valid" or "same", got {padding!r}')
        static = kernel_size, stride, padding, 0, dilation, groups, bias, padding_mode
        super().__init__(in_channels, out_channels, *static, dtype, device, rng)
        if padding == "same" and set(self.stride) != {1}:
            raise ValueError(f'{name}: padding="same" needs a stride of 1, got {stride!r}')
        self._sides = self._numbers_for_pad()

    def _numbers_for_pad(self) -> tuple[int, ...]:
        """The padding as `pad` takes it: two numbers for each axis, the last axis first."""
        if self.padding == "same":
            pairs = same_padding(self.kernel_size, self.dilation)
        else:
            pairs = tuple((p, p) for p in ((0,) * self.n if isinstance(self.padding, str) else self.padding))
        return tuple(number for pair in reversed(pairs) for number in pair)

    def forward(self, input: Any) -> Tensor:
        padding: Any = self.padding
        try:
            if self.padding_mode != "zeros":
                input, padding = F.pad(input_of(self, input), self._sides, self.padding_mode), 0
            y: Tensor = _FUNCTIONS[self.n](
                input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
            )
        except Exception as error:
            explained = self._explained(input, error)
            if explained is error:
                raise
            raise explained from error
        return y


_FUNCTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class Conv1d(Convolution):
    """A weighted sum over the channels and over each window of the last axis.

    Call it with an array of shape (N, in_channels, L), or (in_channels, L) without a batch. The output has `out_channels`
    channels, and an element for each window.

    `weight` has the shape (out_channels, in_channels / groups, *kernel_size), `bias` (out_channels,). Both are uniform within
    1 / sqrt(in_channels / groups * prod(kernel_size)) of zero. The weight is drawn first.

    Args:
        in_channels: the number of channels of the input.
        out_channels: the number of channels of the output.
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows are, an integer.
        padding: how many elements are added at both ends of the axis, an integer; "valid" for none;
            "same" for an output of the size of the input, which needs a stride of 1.
        dilation: how far apart the elements of a window are, an integer.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        bias: whether there is a bias; without one, `bias` is None.
        padding_mode: what is added: "zeros", "reflect", "replicate" or "circular"; see `xgrad.nn.functional.pad`.
        dtype: that of the parameters, floating-point or complex; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for numbers that are no integers or too small; for channels that are no multiple of the groups; for an unknown
            padding or padding_mode; when called, for an input of a shape that does not fit.
        TypeError: for an integer dtype.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.Conv1d(3, 8, 3, padding=1, rng=xg.random.Generator(0))
    >>> layer(xg.ones((5, 3, 10))).shape
    (5, 8, 10)
    >>> {name: p.shape for name, p in layer.named_parameters()}
    {'weight': (8, 3, 3), 'bias': (8,)}

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
    """

    n = 1


class Conv2d(Convolution):
    """A weighted sum over the channels and over each window of the last two axes.

    Call it with an array of shape (N, in_channels, H, W), or (in_channels, H, W) without a batch. The output has `out_channels`
    channels, and an element for each window.

    `weight` has the shape (out_channels, in_channels / groups, *kernel_size), `bias` (out_channels,). Both are uniform within
    1 / sqrt(in_channels / groups * prod(kernel_size)) of zero. The weight is drawn first.

    Args:
        in_channels: the number of channels of the input.
        out_channels: the number of channels of the output.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis.
        padding: how many elements are added at both ends of each axis, an integer or one for each axis; "valid" for none;
            "same" for an output of the size of the input, which needs a stride of 1.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        bias: whether there is a bias; without one, `bias` is None.
        padding_mode: what is added: "zeros", "reflect", "replicate" or "circular"; see `xgrad.nn.functional.pad`.
        dtype: that of the parameters, floating-point or complex; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for numbers that are no integers or too small; for channels that are no multiple of the groups; for an unknown
            padding or padding_mode; when called, for an input of a shape that does not fit.
        TypeError: for an integer dtype.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.Conv2d(3, 8, 3, padding=1, rng=xg.random.Generator(0))
    >>> layer(xg.ones((5, 3, 10, 12))).shape
    (5, 8, 10, 12)
    >>> {name: p.shape for name, p in layer.named_parameters()}
    {'weight': (8, 3, 3, 3), 'bias': (8,)}

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    n = 2


class Conv3d(Convolution):
    """A weighted sum over the channels and over each window of the last three axes.

    Call it with an array of shape (N, in_channels, D, H, W), or (in_channels, D, H, W) without a batch. The output has
    `out_channels` channels, and an element for each window.

    `weight` has the shape (out_channels, in_channels / groups, *kernel_size), `bias` (out_channels,). Both are uniform within
    1 / sqrt(in_channels / groups * prod(kernel_size)) of zero. The weight is drawn first.

    Args:
        in_channels: the number of channels of the input.
        out_channels: the number of channels of the output.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis.
        padding: how many elements are added at both ends of each axis, an integer or one for each axis; "valid" for none;
            "same" for an output of the size of the input, which needs a stride of 1.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        bias: whether there is a bias; without one, `bias` is None.
        padding_mode: what is added: "zeros", "reflect", "replicate" or "circular"; see `xgrad.nn.functional.pad`.
        dtype: that of the parameters, floating-point or complex; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for numbers that are no integers or too small; for channels that are no multiple of the groups; for an unknown
            padding or padding_mode; when called, for an input of a shape that does not fit.
        TypeError: for an integer dtype.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.Conv3d(3, 8, 3, padding=1, rng=xg.random.Generator(0))
    >>> layer(xg.ones((2, 3, 4, 5, 6))).shape
    (2, 8, 4, 5, 6)
    >>> {name: p.shape for name, p in layer.named_parameters()}
    {'weight': (8, 3, 3, 3, 3), 'bias': (8,)}

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
    """

    n = 3
