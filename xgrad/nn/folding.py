"""The windows of images as columns of matrices, and back, as layers."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import each_axis
from xgrad.nn.functional.convolution import Number
from xgrad.nn.module import Module


class Unfold(Module):
    """The windows of images, each as a column.

    Call it with an array of shape (N, C, H, W), or (C, H, W) without a batch, of any numeric dtype. The output has the shape
    (N, C * prod(kernel_size), number of windows), or without N.

    Args:
        kernel_size: the size of a window, an integer or one for each axis.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis.

    Raises:
        ValueError: for numbers that are no integers or too small; when called, for an input of another number of axes, or that is
            smaller than a window.

    >>> import xgrad as xg
    >>> xg.nn.Unfold((2, 2))(xg.reshape(xg.arange(6.0), (1, 1, 2, 3))).tolist()
    [[[0.0, 1.0], [1.0, 2.0], [3.0, 4.0], [4.0, 5.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html
    """

    def __init__(self, kernel_size: Number, dilation: Number = 1, padding: Number = 0, stride: Number = 1) -> None:
        _check("Unfold", kernel_size, dilation, padding, stride)
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Any) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Images put together from windows, which are added up where they overlap: the transpose of Unfold.

    Call it with an array of shape (N, C * prod(kernel_size), number of windows), or without N, of any numeric dtype. The output
    has the shape (N, C, *output_size), or without N.

    Args:
        output_size: the height and the width of the output, an integer or two.
        kernel_size: the size of a window, an integer or one for each axis.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        padding: how many zeros Unfold has added at both ends of each axis, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis.

    Raises:
        ValueError: for numbers that are no integers or too small; when called, for an input that has not the windows of an image
            of that size.

    >>> import xgrad as xg
    >>> xg.nn.Fold(output_size=(2, 3), kernel_size=2)(xg.ones((1, 4, 2))).tolist()
    [[[[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html
    """

    def __init__(
        self,
        output_size: Number,
        kernel_size: Number,
        dilation: Number = 1,
        padding: Number = 0,
        stride: Number = 1,
    ) -> None:
        each_axis("Fold", "output_size", output_size, 2)
        _check("Fold", kernel_size, dilation, padding, stride)
        self.output_size = output_size
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Any) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


def _check(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> None:
    for what, value in (("kernel_size", kernel_size), ("dilation", dilation), ("stride", stride)):
        each_axis(name, what, value, 2)
    each_axis(name, "padding", padding, 2, 0)
