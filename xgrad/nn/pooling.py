"""Pooling as layers."""

from __future__ import annotations

from typing import Any, ClassVar

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import each_axis, wrong_shape
from xgrad.nn.functional.convolution import Number, shapes
from xgrad.nn.module import Module


class Pooling(Module):
    """The base class of pooling layers over n axes."""

    n: ClassVar[int]

    def _where(self, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1) -> None:
        """Keep the arguments that say where the windows are, as PyTorch keeps them: an integer stays one."""
        name = type(self).__name__
        kernel = each_axis(name, "kernel_size", kernel_size, self.n)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        each_axis(name, "stride", self.stride, self.n)
        widths = zip(each_axis(name, "dilation", dilation, self.n), kernel, strict=True)
        for p, (d, k) in zip(each_axis(name, "padding", padding, self.n, 0), widths, strict=True):
            if 2 * p > d * (k - 1) + 1:
                raise ValueError(f"{name}: padding must be at most half the size of a window, got {padding!r}")

    def _checked(self, input: Any) -> Any:
        ndim = getattr(input, "ndim", 0)
        if ndim not in (self.n + 1, self.n + 2):
            raise wrong_shape(self, shapes(self.n, "C"), input)
        return input

    def extra_repr(self) -> str:
        parts = (f"{name}={getattr(self, name)!r}" for name in self.shown)
        return ", ".join(parts)

    shown: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding")


class MaxPooling(Pooling):
    """The base class of MaxPool1d, MaxPool2d and MaxPool3d."""

    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Number,
        stride: Number | None = None,
        padding: Number = 0,
        dilation: Number = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self._where(kernel_size, stride, padding, dilation)
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        function: Any = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[self.n - 1]
        static = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        return function(self._checked(input), *static)


class MaxPool1d(MaxPooling):
    """The largest element of each window of the last axis.

    Call it with an array of shape (N, C, L), or (C, L) without a batch, of a real dtype. The output has the same channels, and
    an element for each window; with `return_indices` it is a tuple of that and the places of the elements in the last axis.

    Args:
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows are, an integer; None means `kernel_size`.
        padding: how many places are added at both ends of the axis, an integer. They are never the largest.
        dilation: how far apart the elements of a window are, an integer.
        return_indices: whether the places of the elements are returned too.
        ceil_mode: whether a last window may reach beyond the end.

    Raises:
        ValueError: for numbers that are no integers or too small, and for a padding of more than half a window; when called, for
            an input of another number of axes, or that is smaller than a window.
        TypeError: when called, for an input of a complex dtype.

    >>> import xgrad as xg
    >>> xg.nn.MaxPool1d(2)(xg.asarray([[1.0, 4.0, 3.0, 2.0]])).tolist()
    [[4.0, 3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
    """

    n = 1


class MaxPool2d(MaxPooling):
    """The largest element of each window of the last two axes.

    Call it with an array of shape (N, C, H, W), or (C, H, W) without a batch, of a real dtype. The output has the same
    channels, and an element for each window; with `return_indices` it is a tuple of that and the places of the elements in the
    last two axes, flattened.

    Args:
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many places are added at both ends of each axis, an integer or one for each axis. They are never the largest.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        return_indices: whether the places of the elements are returned too.
        ceil_mode: whether a last window may reach beyond the end.

    Raises:
        ValueError: for numbers that are no integers or too small, and for a padding of more than half a window; when called, for
            an input of another number of axes, or that is smaller than a window.
        TypeError: when called, for an input of a complex dtype.

    >>> import xgrad as xg
    >>> xg.nn.MaxPool2d(2)(xg.reshape(xg.arange(8.0), (1, 2, 4))).tolist()
    [[[5.0, 7.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
    """

    n = 2


class MaxPool3d(MaxPooling):
    """The largest element of each window of the last three axes.

    Call it with an array of shape (N, C, D, H, W), or (C, D, H, W) without a batch, of a real dtype. The output has the same
    channels, and an element for each window; with `return_indices` it is a tuple of that and the places of the elements in the
    last three axes, flattened.

    Args:
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many places are added at both ends of each axis, an integer or one for each axis. They are never the largest.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        return_indices: whether the places of the elements are returned too.
        ceil_mode: whether a last window may reach beyond the end.

    Raises:
        ValueError: for numbers that are no integers or too small, and for a padding of more than half a window; when called, for
            an input of another number of axes, or that is smaller than a window.
        TypeError: when called, for an input of a complex dtype.

    >>> import xgrad as xg
    >>> xg.nn.MaxPool3d(2)(xg.reshape(xg.arange(8.0), (1, 2, 2, 2))).tolist()
    [[[[7.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html
    """

    n = 3


class AvgPool1d(Pooling):
    """The mean of each window of the last axis.

    Call it with an array of shape (N, C, L), or (C, L) without a batch, of a floating-point dtype. The output has the same
    channels, and an element for each window.

    Args:
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows are, an integer; None means `kernel_size`.
        padding: how many zeros are added at both ends of the axis, an integer.
        ceil_mode: whether a last window may reach beyond the end.
        count_include_pad: whether the zeros count as elements.

    Raises:
        ValueError: for numbers that are no integers or too small, and for a padding of more than half a window; when called, for
            an input of another number of axes, or that is smaller than a window.

    >>> import xgrad as xg
    >>> xg.nn.AvgPool1d(2)(xg.asarray([[1.0, 4.0, 3.0, 2.0]])).tolist()
    [[2.5, 2.5]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
    """

    n = 1

    def __init__(
        self,
        kernel_size: Number,
        stride: Number | None = None,
        padding: Number = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self._where(kernel_size, stride, padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Any) -> Tensor:
        static = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return F.avg_pool1d(self._checked(input), *static)


class AvgPool2d(Pooling):
    """The mean of each window of the last two axes.

    Call it with an array of shape (N, C, H, W), or (C, H, W) without a batch, of a floating-point dtype. The output has the same
    channels, and an element for each window.

    Args:
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis.
        ceil_mode: whether a last window may reach beyond the end.
        count_include_pad: whether the zeros count as elements.
        divisor_override: what the sum is divided by, an integer; None means the number of elements.

    Raises:
        ValueError: for numbers that are no integers or too small, for a padding of more than half a window, and for a
            divisor_override of 0; when called, for an input of another number of axes, or that is smaller than a window.

    >>> import xgrad as xg
    >>> xg.nn.AvgPool2d(2)(xg.ones((1, 2, 4))).tolist()
    [[[1.0, 1.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
    """

    n = 2

    def __init__(
        self,
        kernel_size: Number,
        stride: Number | None = None,
        padding: Number = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self._where(kernel_size, stride, padding)
        if divisor_override is not None:
            wrong = isinstance(divisor_override, bool) or not isinstance(divisor_override, int) or not divisor_override
            if wrong:
                name = type(self).__name__
                raise ValueError(f"{name}: divisor_override must be an integer other than 0, got {divisor_override!r}")
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Tensor:
        function: Any = F.avg_pool2d if self.n == 2 else F.avg_pool3d
        static = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        y: Tensor = function(self._checked(input), *static, self.divisor_override)
        return y


class AvgPool3d(AvgPool2d):
    """The mean of each window of the last three axes.

    Call it with an array of shape (N, C, D, H, W), or (C, D, H, W) without a batch, of a floating-point dtype. The output has
    the same channels, and an element for each window.

    Args:
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        padding: how many zeros are added at both ends of each axis, an integer or one for each axis.
        ceil_mode: whether a last window may reach beyond the end.
        count_include_pad: whether the zeros count as elements.
        divisor_override: what the sum is divided by, an integer; None means the number of elements.

    Raises:
        ValueError: for numbers that are no integers or too small, for a padding of more than half a window, and for a
            divisor_override of 0; when called, for an input of another number of axes, or that is smaller than a window.

    >>> import xgrad as xg
    >>> xg.nn.AvgPool3d(2)(xg.ones((1, 2, 2, 4))).tolist()
    [[[[1.0, 1.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html
    """

    n = 3


class LPPool1d(Pooling):
    """The power mean of each window of the last axis, times a power of its size: sum(x**p) ** (1/p).

    Call it with an array of shape (N, C, L), or (C, L) without a batch, of a floating-point dtype. The output has the same
    channels, and an element for each window.

    Args:
        norm_type: the power p, a number other than 0.
        kernel_size: the size of a window, an integer.
        stride: how far apart the windows are, an integer; None means `kernel_size`.
        ceil_mode: whether a last window may reach beyond the end.

    Raises:
        ValueError: for numbers that are no integers or too small, and for a norm_type of 0; when called, for an input of another
            number of axes, or that is smaller than a window.

    >>> import xgrad as xg
    >>> xg.nn.LPPool1d(2, 2)(xg.asarray([[3.0, 4.0, 0.0, 2.0]])).tolist()
    [[5.0, 2.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html
    """

    n = 1
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Number, stride: Number | None = None, ceil_mode: bool = False
    ) -> None:
        if not isinstance(norm_type, int | float) or isinstance(norm_type, bool) or norm_type == 0:
            raise ValueError(f"LPPool1d: norm_type must be a number other than 0, got {norm_type!r}")
        self.norm_type, self.ceil_mode = norm_type, ceil_mode
        self._where(kernel_size, stride, 0)

    def forward(self, input: Any) -> Tensor:
        return F.lp_pool1d(self._checked(input), self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(Pooling):
    """The power mean of each window of the last two axes, times a power of its size: sum(x**p) ** (1/p).

    Call it with an array of shape (N, C, H, W), or (C, H, W) without a batch, of a floating-point dtype. The output has the same
    channels, and an element for each window.

    Args:
        norm_type: the power p, a number other than 0.
        kernel_size: the size of a window, an integer or one for each axis.
        stride: how far apart the windows are, an integer or one for each axis; None means `kernel_size`.
        ceil_mode: whether a last window may reach beyond the end.

    Raises:
        ValueError: for numbers that are no integers or too small, and for a norm_type of 0; when called, for an input of another
            number of axes, or that is smaller than a window.

    >>> import xgrad as xg
    >>> xg.nn.LPPool2d(2, 2)(xg.ones((1, 2, 4))).tolist()
    [[[2.0, 2.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html
    """

    n = 2
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Number, stride: Number | None = None, ceil_mode: bool = False
    ) -> None:
        if not isinstance(norm_type, int | float) or isinstance(norm_type, bool) or norm_type == 0:
            raise ValueError(f"LPPool2d: norm_type must be a number other than 0, got {norm_type!r}")
        self.norm_type, self.ceil_mode = norm_type, ceil_mode
        self._where(kernel_size, stride, 0)

    def forward(self, input: Any) -> Tensor:
        return F.lp_pool2d(self._checked(input), self.norm_type, self.kernel_size, self.stride, self.ceil_mode)
