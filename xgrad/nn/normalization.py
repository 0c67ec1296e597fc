"""Layers that normalize each sample: over its last axes, its groups of channels, or its neighbouring channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integers
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import input_of, size, wrong_shape
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter


def filled(shape: tuple[int, ...], value: float, dtype: Any, device: Any) -> Parameter:
    """A parameter of equal numbers. TypeError for a dtype that is not floating-point or complex."""
    return Parameter(xg.full(shape, value, dtype=dtype or xg.asarray(0.5).dtype, device=device))


def refill(parameter: Parameter | None, value: float) -> None:
    """Set all elements of a parameter."""
    if parameter is not None:
        with xg.no_grad():
            parameter[...] = value


class _OverLastAxes(Module):
    """The base class of layers that normalize over the last axes."""

    weight: Parameter | None

    def _shape(self, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
        name = type(self).__name__
        lengths = integers(name, normalized_shape, "normalized_shape")
        if not lengths or min(lengths) < 0:
            raise ValueError(
                f"{name}: normalized_shape must be one or more integers, 0 or more, got {normalized_shape!r}"
            )
        return lengths

    def _checked(self, input: Any) -> Any:
        x, lengths = input_of(self, input), self.normalized_shape
        if tuple(x.shape[-len(lengths) :]) != lengths:
            raise wrong_shape(self, f"(..., {', '.join(map(str, lengths))})", x)
        return x

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LayerNorm(_OverLastAxes):
    """(x - mean) / sqrt(var + eps) over the last axes of each sample, times a weight, plus a bias.

    Call it with an array of shape (..., *normalized_shape) and of a real floating-point dtype; the output has the same shape.
    `weight` is ones and `bias` zeros at the start, both of shape `normalized_shape`.

    Args:
        normalized_shape: the lengths of the last axes, an integer for one axis.
        eps: the number that is added to the variance.
        elementwise_affine: whether there are a weight and a bias. Without, both are None.
        bias: whether there is a bias.
        dtype: that of the parameters; None means the default dtype.
        device: that of the parameters; None means the current one.

    Raises:
        ValueError: for lengths below 0; when called, for an input whose last axes have other lengths.
        TypeError: for lengths that are not integers, or an integer dtype.

    >>> import xgrad as xg
    >>> layer = xg.nn.LayerNorm(2, eps=0.0)
    >>> layer(xg.asarray([[1.0, 3.0], [2.0, 6.0]])).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
    """

    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self.normalized_shape = shape = self._shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = filled(shape, 1.0, dtype, device) if elementwise_affine else None
        self.bias = filled(shape, 0.0, dtype, device) if elementwise_affine and bias else None

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros."""
        refill(self.weight, 1.0)
        refill(self.bias, 0.0)

    def forward(self, input: Any) -> Tensor:
        return F.layer_norm(self._checked(input), self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(_OverLastAxes):
    """x / sqrt(mean(x**2) + eps) over the last axes of each sample, times a weight.

    Call it with an array of shape (..., *normalized_shape) and of a real floating-point dtype; the output has the same shape.
    `weight` is ones at the start, of shape `normalized_shape`.

    Args:
        normalized_shape: the lengths of the last axes, an integer for one axis.
        eps: the number that is added to the mean square; None means the resolution of the dtype of the input.
        elementwise_affine: whether there is a weight. Without, it is None.
        dtype: that of the parameters; None means the default dtype.
        device: that of the parameters; None means the current one.

    Raises:
        ValueError: for lengths below 0; when called, for an input whose last axes have other lengths.
        TypeError: for lengths that are not integers, or an integer dtype.

    >>> import xgrad as xg
    >>> xg.nn.RMSNorm(2, eps=0.0)(xg.asarray([[3.0, 3.0]])).tolist()
    [[1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self.normalized_shape = shape = self._shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = filled(shape, 1.0, dtype, device) if elementwise_affine else None

    def reset_parameters(self) -> None:
        """Set the weight to ones."""
        refill(self.weight, 1.0)

    def forward(self, input: Any) -> Tensor:
        return F.rms_norm(self._checked(input), self.normalized_shape, self.weight, self.eps)


class GroupNorm(Module):
    """(x - mean) / sqrt(var + eps) over each group of channels of each sample, times a weight, plus a bias.

    Call it with an array of shape (N, num_channels, ...) and of a real floating-point dtype; the output has the same shape.
    `weight` is ones and `bias` zeros at the start, both of shape (num_channels,).

    Args:
        num_groups: the number of groups, an integer, 1 or more.
        num_channels: the number of channels, a multiple of `num_groups`.
        eps: the number that is added to the variance.
        affine: whether there are a weight and a bias. Without, both are None.
        bias: whether there is a bias.
        dtype: that of the parameters; None means the default dtype.
        device: that of the parameters; None means the current one.

    Raises:
        ValueError: for numbers that are not integers, or groups that do not divide the channels; when called, for an input of
            another shape.
        TypeError: for an integer dtype.

    >>> import xgrad as xg
    >>> xg.nn.GroupNorm(2, 4, eps=0.0)(xg.asarray([[1.0, 3.0, 5.0, 9.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self.num_groups = size("GroupNorm", "num_groups", num_groups, 1)
        self.num_channels = channels = size("GroupNorm", "num_channels", num_channels)
        if channels % self.num_groups:
            raise ValueError(
                f"GroupNorm: num_channels must be a multiple of num_groups, got {channels} and {num_groups}"
            )
        self.eps, self.affine = eps, affine
        self.weight = filled((channels,), 1.0, dtype, device) if affine else None
        self.bias = filled((channels,), 0.0, dtype, device) if affine and bias else None

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros."""
        refill(self.weight, 1.0)
        refill(self.bias, 0.0)

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise wrong_shape(self, f"(N, {self.num_channels}, ...)", x)
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LocalResponseNorm(Module):
    """x / (k + alpha * m)**beta, where m is the mean square over neighbouring channels.

    Call it with an array of shape (N, C, ...) with three axes at least, of a real floating-point dtype; the output has the same
    shape.

    Args:
        size: how many neighbouring channels, an integer, 1 or more. Beyond the first and the last channel there are zeros, which
            count.
        alpha: the factor of the mean square.
        beta: the exponent.
        k: the number that is added.

    Raises:
        ValueError: for a `size` that is not an integer, 1 or more; when called, for an input of fewer axes.

    >>> import xgrad as xg
    >>> xg.nn.LocalResponseNorm(2, alpha=2.0, beta=1.0)(xg.ones((1, 2, 1))).tolist()
    [[[0.5], [0.3333333333333333]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html
    """

    def __init__(self, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0) -> None:
        self.size = _size("LocalResponseNorm", "size", size, 1)
        self.alpha, self.beta, self.k = alpha, beta, k

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        if x.ndim < 3:
            raise wrong_shape(self, "(N, C, ...) with three axes at least", x)
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


_size = size  # LocalResponseNorm has an argument of that name
