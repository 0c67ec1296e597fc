"""Adaptive pooling as layers: the windows follow from the size of the output."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import each_axis
from xgrad.nn.functional.adaptive_pooling import Sizes
from xgrad.nn.pooling import Pooling


class AdaptivePooling(Pooling):
    """The base class of layers that take the size of the output."""

    shown = ("output_size",)

    def _keep(self, output_size: Any) -> None:
        given = output_size if isinstance(output_size, tuple | list) else (output_size,)
        name = type(self).__name__
        if len(given) not in (1, self.n):
            raise ValueError(f"{name}: output_size must be an integer, or one for each axis, got {output_size!r}")
        each_axis(name, "output_size", tuple(1 if m is None else m for m in given), self.n)
        self.output_size = output_size


class AdaptiveAvgPool1d(AdaptivePooling):
    """The means of windows of the last axis, as many as the output has elements.

    Call it with an array of shape (N, C, L), or (C, L) without a batch, of a floating-point dtype. The output has the same
    channels. Its element i of m is made of the elements from floor(i * n / m) to ceil((i + 1) * n / m) of n.

    Args:
        output_size: the length of the last axis of the output, an integer; None means that of the input.

    Raises:
        ValueError: for an output_size that is no integer or below 1; when called, for an input of another number of axes, or
            without elements.

    >>> import xgrad as xg
    >>> xg.nn.AdaptiveAvgPool1d(2)(xg.asarray([[1.0, 2.0, 3.0]])).tolist()
    [[1.5, 2.5]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html
    """

    n = 1

    def __init__(self, output_size: Sizes) -> None:
        self._keep(output_size)

    def forward(self, input: Any) -> Tensor:
        return F.adaptive_avg_pool1d(self._checked(input), self.output_size)


class AdaptiveAvgPool2d(AdaptivePooling):
    """The means of windows of the last two axes, as many as the output has elements.

    Call it with an array of shape (N, C, H, W), or (C, H, W) without a batch, of a floating-point dtype. The output has the same
    channels. Its element i of m is made of the elements from floor(i * n / m) to ceil((i + 1) * n / m) of n.

    Args:
        output_size: the last two axes of the output: an integer, or two; None means that of the input.

    Raises:
        ValueError: for an output_size that is no integer or below 1; when called, for an input of another number of axes, or
            without elements.

    >>> import xgrad as xg
    >>> xg.nn.AdaptiveAvgPool2d((1, 2))(xg.reshape(xg.arange(12.0), (1, 3, 4))).tolist()
    [[[4.5, 6.5]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
    """

    n = 2

    def __init__(self, output_size: Sizes) -> None:
        self._keep(output_size)

    def forward(self, input: Any) -> Tensor:
        return F.adaptive_avg_pool2d(self._checked(input), self.output_size)


class AdaptiveMaxPool1d(AdaptivePooling):
    """The largest elements of windows of the last axis, as many as the output has elements.

    Call it with an array of shape (N, C, L), or (C, L) without a batch, of a real dtype. The output has the same channels; with
    `return_indices` it is a tuple of that and the places of the elements in the last axis. Its element i of m is the largest of
    those from floor(i * n / m) to ceil((i + 1) * n / m) of n.

    Args:
        output_size: the length of the last axis of the output, an integer; None means that of the input.
        return_indices: whether the places of the elements are returned too.

    Raises:
        ValueError: for an output_size that is no integer or below 1; when called, for an input of another number of axes, or
            without elements.

    >>> import xgrad as xg
    >>> xg.nn.AdaptiveMaxPool1d(2)(xg.asarray([[1.0, 2.0, 3.0]])).tolist()
    [[2.0, 3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html
    """

    n = 1

    def __init__(self, output_size: Sizes, return_indices: bool = False) -> None:
        self._keep(output_size)
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        return F.adaptive_max_pool1d(self._checked(input), self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptivePooling):
    """The largest elements of windows of the last two axes, as many as the output has elements.

    Call it with an array of shape (N, C, H, W), or (C, H, W) without a batch, of a real dtype. The output has the same
    channels; with `return_indices` it is a tuple of that and the places of the elements in the last two axes, flattened. Its
    element i of m is the largest of those from floor(i * n / m) to ceil((i + 1) * n / m) of n.

    Args:
        output_size: the last two axes of the output: an integer, or two; None means that of the input.
        return_indices: whether the places of the elements are returned too.

    Raises:
        ValueError: for an output_size that is no integer or below 1; when called, for an input of another number of axes, or
            without elements.

    >>> import xgrad as xg
    >>> xg.nn.AdaptiveMaxPool2d((1, 2))(xg.reshape(xg.arange(12.0), (1, 3, 4))).tolist()
    [[[9.0, 11.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
    """

    n = 2

    def __init__(self, output_size: Sizes, return_indices: bool = False) -> None:
        self._keep(output_size)
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        return F.adaptive_max_pool2d(self._checked(input), self.output_size, self.return_indices)
