"""Layers that normalize by statistics of a batch or of each image, and keep running averages of them."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import xgrad as xg
from xgrad.engine.reading import is_repetition
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import input_of, size, wrong_shape
from xgrad.nn.module import Module
from xgrad.nn.normalization import filled, refill
from xgrad.nn.parameter import Parameter


class _Norm(Module):
    """The base class: the parameters, and the buffers of the running statistics."""

    takes: ClassVar[dict[int, str]]  # the shapes that it takes, by their number of axes; C stands for `num_features`
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Any  # a tensor of one integer, or None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        dtype: Any,
        device: Any,
    ) -> None:
        self.num_features = n = size(type(self).__name__, "num_features", num_features)
        self.eps, self.momentum, self.affine, self.track_running_stats = eps, momentum, affine, track_running_stats
        self.weight = filled((n,), 1.0, dtype, device) if affine else None
        self.bias = filled((n,), 0.0, dtype, device) if affine and bias else None
        mean = var = count = None
        if track_running_stats:
            mean, var = (filled((n,), value, dtype, device).detach() for value in (0.0, 1.0))
            count = xg.zeros((), dtype=xg.int64, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Set the running mean to zeros, the running variance to ones, and the number of batches to 0."""
        for name, value in (("running_mean", 0.0), ("running_var", 1.0), ("num_batches_tracked", 0)):
            buffer = getattr(self, name)
            if buffer is not None:
                buffer[...] = value

    def reset_parameters(self) -> None:
        """Set the weight to ones, the bias to zeros, and the running statistics to their start."""
        self.reset_running_stats()
        refill(self.weight, 1.0)
        refill(self.bias, 0.0)

    def _checked(self, input: Any) -> Any:
        x = input_of(self, input)
        if x.ndim not in self.takes:
            raise self._wrong(x)
        return x

    def _wrong(self, x: Any) -> ValueError:
        return wrong_shape(self, " or ".join(self.takes.values()).replace("C", str(self.num_features)), x)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype, device)

    def forward(self, input: Any) -> Tensor:
        x = self._checked(input)
        if x.shape[1] != self.num_features:
            raise self._wrong(x)
        momentum: Any = self.momentum
        mean, var = self.running_mean, self.running_var
        tracks = self.training and self.track_running_stats and self.num_batches_tracked is not None
        if tracks and not is_repetition():
            self.num_batches_tracked[...] = self.num_batches_tracked + 1
        if momentum is None:  # the mean of all batches: the n-th one moves it by 1 / n of the way
            momentum = 1 / xg.astype(self.num_batches_tracked, mean.dtype) if tracks and mean is not None else 0.0
        uses_batch = self.training or mean is None
        if self.training and not self.track_running_stats:
            mean = var = None
        try:
            return F.batch_norm(x, mean, var, self.weight, self.bias, uses_batch, momentum, self.eps)
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from error


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) for each channel, times a weight, plus a bias.

    In training, mean and variance are those of the batch, and the buffers `running_mean` and `running_var` move towards them.
    After `eval()` the buffers are used. Call it with an array of shape (N, C) or (N, C, L), for C = `num_features`, and of a real
    floating-point dtype; the output has the same shape. `weight` is ones and `bias` zeros at the start.

    Args:
        num_features: the number of channels, an integer, 0 or more.
        eps: the number that is added to the variance.
        momentum: the fraction of the way by which the running statistics move at each batch. None makes them the mean of those
            of all batches.
        affine: whether there are a weight and a bias. Without, both are None.
        track_running_stats: whether there are running statistics. Without, those of the batch are used after `eval()` too.
        bias: whether there is a bias beside the weight.
        dtype: that of the parameters and buffers; None means the default dtype.
        device: that of the parameters and buffers; None means the current one.

    Raises:
        ValueError: for a `num_features` that is not an integer, 0 or more; when called, for an input of another shape, or with a
            single value for each channel in training.
        TypeError: for an integer dtype.

    >>> import xgrad as xg
    >>> layer = xg.nn.BatchNorm1d(1, eps=0.0)
    >>> layer(xg.asarray([[1.0], [3.0]])).tolist(), layer.running_mean.tolist()
    ([[-1.0], [1.0]], [0.2])
    >>> layer.eval()(xg.asarray([[0.2]])).tolist()
    [[0.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
    """

    takes: ClassVar = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) for each channel of images, times a weight, plus a bias.

    In training, mean and variance are those of the batch, and the buffers `running_mean` and `running_var` move towards them.
    After `eval()` the buffers are used. Call it with an array of shape (N, C, H, W), for C = `num_features`, and of a real
    floating-point dtype; the output has the same shape. `weight` is ones and `bias` zeros at the start.

    Args:
        num_features: the number of channels, an integer, 0 or more.
        eps: the number that is added to the variance.
        momentum: the fraction of the way by which the running statistics move at each batch. None makes them the mean of those
            of all batches.
        affine: whether there are a weight and a bias. Without, both are None.
        track_running_stats: whether there are running statistics. Without, those of the batch are used after `eval()` too.
        bias: whether there is a bias beside the weight.
        dtype: that of the parameters and buffers; None means the default dtype.
        device: that of the parameters and buffers; None means the current one.

    Raises:
        ValueError: for a `num_features` that is not an integer, 0 or more; when called, for an input of another shape, or with a
            single value for each channel in training.
        TypeError: for an integer dtype.

    >>> import xgrad as xg
    >>> layer = xg.nn.BatchNorm2d(1, eps=0.0, momentum=None)
    >>> layer(xg.asarray([[[[1.0, 3.0]]]])).tolist()
    [[[[-1.0, 1.0]]]]
    >>> layer.running_mean.tolist(), layer.running_var.tolist(), layer.num_batches_tracked.item()
    ([2.0], [2.0], 1)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
    """

    takes: ClassVar = {4: "(N, C, H, W)"}


class _InstanceNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype, device)

    def forward(self, input: Any) -> Tensor:
        x = self._checked(input)
        without_batch = x.ndim == min(self.takes)
        if without_batch:
            x = xg.expand_dims(x, axis=0)
        if x.shape[1] != self.num_features:
            if self.affine or self.track_running_stats:
                raise self._wrong(x)
            warnings.warn(
                f"{self} got {x.shape[1]} channels. num_features is not used, because there are neither parameters nor "
                "running statistics",
                UserWarning,
                stacklevel=3,
            )
        uses_input = self.training or not self.track_running_stats
        try:
            y = F.instance_norm(
                x,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                uses_input,
                self.momentum or 0.0,
                self.eps,
            )
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from error
        return xg.squeeze(y, axis=0) if without_batch else y


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps) for each channel of each sample, times a weight, plus a bias.

    Call it with an array of shape (N, C, L) or (C, L), for C = `num_features`, and of a real floating-point dtype; the output has
    the same shape.

    Args:
        num_features: the number of channels, an integer, 0 or more.
        eps: the number that is added to the variance.
        momentum: the fraction of the way by which running statistics move at each batch. None means 0.
        affine: whether there are a weight (ones at the start) and a bias (zeros). Without, both are None.
        track_running_stats: whether there are running statistics, which are used after `eval()`. Without, those of the input
            always are.
        bias: whether there is a bias beside the weight.
        dtype: that of the parameters and buffers; None means the default dtype.
        device: that of the parameters and buffers; None means the current one.

    Raises:
        ValueError: for a `num_features` that is not an integer, 0 or more; when called, for an input of another shape, or with a
            single value for each channel. (Without parameters and running statistics another number of channels is a warning.)
        TypeError: for an integer dtype.

    >>> import xgrad as xg
    >>> xg.nn.InstanceNorm1d(2, eps=0.0)(xg.asarray([[1.0, 3.0], [2.0, 6.0]])).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html
    """

    takes: ClassVar = {2: "(C, L)", 3: "(N, C, L)"}


class InstanceNorm2d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps) for each channel of each image, times a weight, plus a bias.

    Call it with an array of shape (N, C, H, W) or (C, H, W), for C = `num_features`, and of a real floating-point dtype; the
    output has the same shape.

    Args:
        num_features: the number of channels, an integer, 0 or more.
        eps: the number that is added to the variance.
        momentum: the fraction of the way by which running statistics move at each batch. None means 0.
        affine: whether there are a weight (ones at the start) and a bias (zeros). Without, both are None.
        track_running_stats: whether there are running statistics, which are used after `eval()`. Without, those of the input
            always are.
        bias: whether there is a bias beside the weight.
        dtype: that of the parameters and buffers; None means the default dtype.
        device: that of the parameters and buffers; None means the current one.

    Raises:
        ValueError: for a `num_features` that is not an integer, 0 or more; when called, for an input of another shape, or with a
            single value for each channel. (Without parameters and running statistics another number of channels is a warning.)
        TypeError: for an integer dtype.

    >>> import xgrad as xg
    >>> xg.nn.InstanceNorm2d(1, eps=0.0)(xg.asarray([[[1.0, 3.0]]])).tolist()
    [[[-1.0, 1.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
    """

    takes: ClassVar = {3: "(C, H, W)", 4: "(N, C, H, W)"}
