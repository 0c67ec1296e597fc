"""The transposes of convolutions as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from xgrad.engine.integers import integers
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.convolution import Convolving
from xgrad.nn.functional.convolution import Number
from xgrad.random import Generator


class ConvolutionTranspose(Convolving):
    """The base class of ConvTranspose1d, ConvTranspose2d and ConvTranspose3d."""

    transposed: ClassVar[bool] = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Number,
        stride: Number = 1,
        padding: Number = 0,
        output_padding: Number = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Number = 1,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        name = type(self).__name__
        if isinstance(padding, str):
            raise ValueError(f"{name}: padding must be an integer, or one for each axis, got {padding!r}")
        static = kernel_size, stride, padding, output_padding, dilation, groups, bias, padding_mode
        super().__init__(in_channels, out_channels, *static, dtype, device, rng)
        if any(o >= max(s, d) for o, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True)):
            raise ValueError(
                f"{name}: output_padding must be less than the stride or the dilation, got {output_padding!r} "
                f"with stride={self.stride} and dilation={self.dilation}"
            )

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Tensor:
        """The output for an input.

        Args:
            input: an array of shape (N, in_channels, ...), or (in_channels, ...) without a batch.
            output_size: the size of the output, in place of `output_padding`: an integer for each axis, or the whole shape.
        """
        try:
            added = self.output_padding if output_size is None else self._padding_for(input, output_size)
            static = self.stride, self.padding, added, self.groups, self.dilation
            y: Tensor = _FUNCTIONS[self.n](input, self.weight, self.bias, *static)
        except Exception as error:
            explained = self._explained(input, error)
            if explained is error:
                raise
            raise explained from error
        return y

    def _padding_for(self, input: Any, output_size: Sequence[int]) -> tuple[int, ...]:
        """The output_padding that gives an output of this size."""
        name, shape = type(self).__name__, tuple(input.shape)
        wanted = integers(name, output_size, "output_size")
        if len(wanted) == len(shape):
            wanted = wanted[len(shape) - self.n :]
        padding = self.padding if isinstance(self.padding, tuple) else ()
        axes = zip(shape[len(shape) - self.n :], self.stride, padding, self.dilation, self.kernel_size, strict=True)
        least = tuple((m - 1) * s - 2 * p + d * (k - 1) + 1 for m, s, p, d, k in axes)
        most = tuple(m + s - 1 for m, s in zip(least, self.stride, strict=True))
        if len(wanted) != self.n or any(not a <= w <= b for a, w, b in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"{self}: output_size must be from {least} to {most} for an input of shape {shape}, got {output_size!r}"
            )
        return tuple(w - m for w, m in zip(wanted, least, strict=True))


_FUNCTIONS: dict[int, Any] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


class ConvTranspose1d(ConvolutionTranspose):
    """The transpose of Conv1d in its input: each element of the input adds a multiple of the weight to the output.

    Call it with an array of shape (N, in_channels, L), or (in_channels, L) without a batch, and optionally the `output_size`.
    Along an axis the output has (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1 elements.

    `weight` has the shape (in_channels, out_channels / groups, *kernel_size), `bias` (out_channels,). Both are uniform within
    1 / sqrt(out_channels / groups * prod(kernel_size)) of zero. The weight is drawn first.

    Args:
        in_channels: the number of channels of the input.
        out_channels: the number of channels of the output.
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows of the output are, an integer.
        padding: how many elements of the output are dropped at both ends of the axis, an integer.
        output_padding: how many elements are added at the end of the axis, an integer: less than the
            stride or the dilation.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        bias: whether there is a bias; without one, `bias` is None.
        dilation: how far apart the elements of a window are, an integer.
        padding_mode: "zeros", the only one.
        dtype: that of the parameters, floating-point or complex; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for numbers that are no integers, too small or too large; for channels that are no multiple of the groups; for
            another padding_mode; when called, for an input or an output_size that does not fit.
        TypeError: for an integer dtype.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.ConvTranspose1d(8, 3, 2, stride=2, rng=xg.random.Generator(0))
    >>> layer(xg.ones((5, 8, 10))).shape
    (5, 3, 20)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
    """

    n = 1


class ConvTranspose2d(ConvolutionTranspose):
    """The transpose of Conv2d in its input: each element of the input adds a multiple of the weight to the output.

    Call it with an array of shape (N, in_channels, H, W), or (in_channels, H, W) without a batch, and optionally the
    `output_size`. Along an axis the output has (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) +
    output_padding + 1 elements.

    `weight` has the shape (in_channels, out_channels / groups, *kernel_size), `bias` (out_channels,). Both are uniform within
    1 / sqrt(out_channels / groups * prod(kernel_size)) of zero. The weight is drawn first.

    Args:
        in_channels: the number of channels of the input.
        out_channels: the number of channels of the output.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows of the output are, an integer or one for each axis.
        padding: how many elements of the output are dropped at both ends of each axis, an integer or one for each axis.
        output_padding: how many elements are added at the end of each axis, an integer or one for each axis: less than the
            stride or the dilation.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        bias: whether there is a bias; without one, `bias` is None.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        padding_mode: "zeros", the only one.
        dtype: that of the parameters, floating-point or complex; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for numbers that are no integers, too small or too large; for channels that are no multiple of the groups; for
            another padding_mode; when called, for an input or an output_size that does not fit.
        TypeError: for an integer dtype.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.ConvTranspose2d(8, 3, 2, stride=2, rng=xg.random.Generator(0))
    >>> layer(xg.ones((5, 8, 10, 12))).shape
    (5, 3, 20, 24)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """

    n = 2


class ConvTranspose3d(ConvolutionTranspose):
    """The transpose of Conv3d in its input: each element of the input adds a multiple of the weight to the output.

    Call it with an array of shape (N, in_channels, D, H, W), or (in_channels, D, H, W) without a batch, and optionally the
    `output_size`. Along an axis the output has (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) +
    output_padding + 1 elements.

    `weight` has the shape (in_channels, out_channels / groups, *kernel_size), `bias` (out_channels,). Both are uniform within
    1 / sqrt(out_channels / groups * prod(kernel_size)) of zero. The weight is drawn first.

    Args:
        in_channels: the number of channels of the input.
        out_channels: the number of channels of the output.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows of the output are, an integer or one for each axis.
        padding: how many elements of the output are dropped at both ends of each axis, an integer or one for each axis.
        output_padding: how many elements are added at the end of each axis, an integer or one for each axis: less than the
            stride or the dilation.
        groups: into how many groups the channels are split; each has its own part of the weight and of the output.
        bias: whether there is a bias; without one, `bias` is None.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        padding_mode: "zeros", the only one.
        dtype: that of the parameters, floating-point or complex; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for numbers that are no integers, too small or too large; for channels that are no multiple of the groups; for
            another padding_mode; when called, for an input or an output_size that does not fit.
        TypeError: for an integer dtype.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.ConvTranspose3d(8, 3, 2, stride=2, rng=xg.random.Generator(0))
    >>> layer(xg.ones((2, 8, 4, 5, 6))).shape
    (2, 3, 8, 10, 12)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
    """

    n = 3
