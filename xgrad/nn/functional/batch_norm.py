"""Normalization by statistics of a batch or of each image, with running averages of them."""

from __future__ import annotations

from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.reading import is_repetition
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import array, wrong_shape
from xgrad.nn.functional.normalization import affine, check_channels, of_channels
from xgrad.nn.functional.precision import in_float32


@in_float32
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) for each channel, times a weight, plus a bias.

    In training, mean and variance are those of the batch, and the running ones move towards them, in place: by the fraction
    `momentum` of the way, and to the unbiased variance. Otherwise the running ones are used.

    Args:
        input: an array of shape (N, C) or (N, C, ...), of a real floating-point dtype.
        running_mean: a tensor of shape (C,), or in training None.
        running_var: a tensor of shape (C,), or in training None.
        weight: an array of shape (C,), or None for none.
        bias: an array of shape (C,), or None for none.
        training: whether to use the statistics of the batch.
        momentum: a number, or a 0-d tensor.
        eps: the number that is added to the variance.

    Returns:
        A tensor of the shape of the input, of the dtype that the arrays promote to.

    Raises:
        ValueError: for an input of one axis, an array of another shape than (C,), a single value for each channel in training, or
            a missing running mean or variance elsewhere.
        TypeError: for an input of another dtype, or in training for running statistics that are not tensors.

    >>> import xgrad as xg
    >>> x, mean, var = xg.asarray([[1.0], [3.0]]), xg.zeros((1,)), xg.ones((1,))
    >>> xg.nn.functional.batch_norm(x, mean, var, training=True, eps=0.0).tolist()
    [[-1.0], [1.0]]
    >>> mean.tolist(), var.tolist()
    ([0.2], [1.1])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
    """
    x, weight, bias = _beside("batch_norm", running_mean, running_var, input, weight, bias)
    if x.ndim < 2:
        raise wrong_shape("batch_norm", "(N, C) or (N, C, ...)", x)
    check_channels(
        "batch_norm", x.shape[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    if not training:
        return _by_given("batch_norm", x, running_mean, running_var, weight, bias, eps)
    axes = (0, *range(2, x.ndim))
    n = prod(x.shape[a] for a in axes)
    if n == 1:
        raise ValueError(f"batch_norm: in training, a channel needs more than one value, got {tuple(x.shape)}")
    y, mean, var = xg.standardize(x, axis=axes, eps=eps)
    _move("batch_norm", running_mean, mean, momentum)
    _move("batch_norm", running_var, var, momentum, n)
    return affine(y, of_channels(weight, x.ndim), of_channels(bias, x.ndim))


@in_float32
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) for each channel of each sample, times a weight, plus a bias.

    Args:
        input: an array of shape (N, C, ...) with one more axis at least, of a real floating-point dtype.
        running_mean: a tensor of shape (C,), or None. It moves as that of `batch_norm`, towards the mean over the samples.
        running_var: a tensor of shape (C,), or None. It moves likewise.
        weight: an array of shape (C,), or None for none.
        bias: an array of shape (C,), or None for none.
        use_input_stats: whether mean and variance are those of the input. Otherwise the running ones are used.
        momentum: a number.
        eps: the number that is added to the variance.

    Returns:
        A tensor of the shape of the input, of the dtype that the arrays promote to.

    Raises:
        ValueError: for an input of fewer axes, an array of another shape than (C,), a single value for each channel of a sample,
            or a missing running mean or variance where they are to be used.
        TypeError: for an input of another dtype, or running statistics that are to move and are not tensors.

    >>> import xgrad as xg
    >>> xg.nn.functional.instance_norm(xg.asarray([[[1.0, 3.0], [2.0, 6.0]]]), eps=0.0).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html
    """
    x, weight, bias = _beside("instance_norm", running_mean, running_var, input, weight, bias)
    if x.ndim < 3:
        raise wrong_shape("instance_norm", "(N, C, ...) with three axes at least", x)
    check_channels(
        "instance_norm", x.shape[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    if not use_input_stats:
        return _by_given("instance_norm", x, running_mean, running_var, weight, bias, eps)
    n = prod(x.shape[2:])
    if n == 1:
        raise ValueError(f"instance_norm: a channel needs more than one value, got {tuple(x.shape)}")
    y, mean, var = xg.standardize(x, axis=tuple(range(2, x.ndim)), eps=eps)
    _move("instance_norm", running_mean, mean, momentum)
    _move("instance_norm", running_var, var, momentum, n)
    return affine(y, of_channels(weight, x.ndim), of_channels(bias, x.ndim))


def _beside(name: str, mean: Any, var: Any, *values: Any) -> list[Any]:
    """The arrays as tensors, where the running statistics are. These stay what they are: they may have to change."""
    return [None if value is None else array(name, value, mean, var, *values) for value in values]


def _by_given(name: str, x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Tensor:
    """Normalization by given statistics: one multiplication and one addition for each element."""
    if mean is None or var is None:
        raise ValueError(
            f"{name}: running_mean and running_var are needed where the statistics of the input are not used"
        )
    mean, var = array(name, mean, x), array(name, var, x)
    scale = 1 / xg.sqrt(var + eps)
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias
    return affine(x, of_channels(scale, x.ndim), of_channels(shift, x.ndim))


def _move(name: str, running: Any, found: Any, momentum: Any, n: int = 0) -> None:
    """Move running statistics towards those of a batch, in place and without a graph.

    `n` is the number of elements if `found` is a variance: it becomes the unbiased one. In the second run of a checkpointed
    function nothing moves: the first run has done it.
    """
    if running is None or is_repetition():
        return
    if not isinstance(running, Tensor):
        raise TypeError(f"{name}: running statistics must be tensors, which can change, not {type(running).__name__}")
    with xg.no_grad():
        target = xg.mean(xg.reshape(found, (found.shape[0], *running.shape)), axis=0)
        if n:
            target = target * (n / (n - 1))
        running[...] = running + momentum * (target - running)
