"""Normalization by statistics of each sample: over its last axes, its groups of channels, or its neighbouring channels."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer, integers, one_or_more
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import array, arrays, size, wrong_shape
from xgrad.nn.functional.precision import in_float32


def affine(y: Any, weight: Any, bias: Any) -> Tensor:
    """y * weight + bias, where each of the two may be None."""
    if weight is None:
        shifted: Tensor = y if bias is None else y + bias
        return shifted
    scaled: Tensor = xg.scale_and_shift(y, weight, bias)
    return scaled


def of_channels(value: Any, ndim: int) -> Any:
    """An array with an element for each channel, in the shape in which it meets an input of `ndim` axes; None as it is."""
    return value if value is None or ndim == 2 else xg.reshape(value, (*value.shape, *(1,) * (ndim - 2)))


@in_float32
def layer_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) over the last axes of each sample, times a weight, plus a bias.

    Args:
        input: an array of shape (..., *normalized_shape), of a real floating-point dtype.
        normalized_shape: the lengths of the last axes, over which mean and variance are taken.
        weight: an array of shape `normalized_shape`, or None for none.
        bias: an array of shape `normalized_shape`, or None for none.
        eps: the number that is added to the variance.

    Returns:
        A tensor of the shape of the input, of the dtype that the arrays promote to.

    Raises:
        ValueError: for an input, a weight or a bias whose last axes have other lengths.
        TypeError: for an input of another dtype.

    >>> import xgrad as xg
    >>> xg.nn.functional.layer_norm(xg.asarray([[1.0, 3.0], [2.0, 6.0]]), (2,), eps=0.0).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
    """
    x, axes = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    return affine(xg.standardize(x, axis=axes, eps=eps).values, weight, bias)


@in_float32
def rms_norm(input: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None) -> Tensor:
    """x / sqrt(mean(x**2) + eps) over the last axes of each sample, times a weight.

    Args:
        input: an array of shape (..., *normalized_shape), of a real floating-point dtype.
        normalized_shape: the lengths of the last axes, over which the mean is taken.
        weight: an array of shape `normalized_shape`, or None for none.
        eps: the number that is added to the mean square; None means the resolution of the dtype of the input.

    Returns:
        A tensor of the shape of the input, of the dtype that the arrays promote to.

    Raises:
        ValueError: for an input or a weight whose last axes have other lengths.
        TypeError: for an input of another dtype.

    >>> import xgrad as xg
    >>> xg.nn.functional.rms_norm(xg.asarray([[3.0, 3.0]]), (2,), eps=0.0).tolist()
    [[1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html
    """
    x, axes = _last_axes("rms_norm", input, normalized_shape, weight)
    eps = float(xg.finfo(x.dtype).eps) if eps is None else eps
    return affine(xg.standardize(x, axis=axes, eps=eps, centered=False).values, weight, None)


def _last_axes(name: str, input: Any, normalized_shape: Any, *others: Any) -> tuple[Any, tuple[int, ...]]:
    """The input as a tensor, and its axes that have the lengths in `normalized_shape`."""
    x, lengths = array(name, input, *others), integers(name, normalized_shape, "normalized_shape")
    n = len(lengths)
    if not n:
        raise ValueError(f"{name}: normalized_shape must have one length at least")
    if tuple(x.shape[-n:]) != lengths:
        raise wrong_shape(name, f"(..., {', '.join(map(str, lengths))})", x)
    for other, what in zip(others, ("weight", "bias"), strict=False):
        if other is not None and tuple(other.shape) != lengths:
            raise ValueError(f"{name}: the {what} must have the shape {lengths}, got {tuple(other.shape)}")
    return x, tuple(range(x.ndim - n, x.ndim))


@in_float32
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(var + eps) over each group of channels of each sample, times a weight, plus a bias.

    Args:
        input: an array of shape (N, C, ...), of a real floating-point dtype.
        num_groups: the number of groups, an integer that divides C.
        weight: an array of shape (C,), or None for none.
        bias: an array of shape (C,), or None for none.
        eps: the number that is added to the variance.

    Returns:
        A tensor of the shape of the input, of the dtype that the arrays promote to.

    Raises:
        ValueError: for an input of another shape, a weight or a bias of another shape than (C,), or groups that do not divide C.
        TypeError: for an input of another dtype.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 3.0, 5.0, 9.0]])
    >>> xg.nn.functional.group_norm(x, 2, eps=0.0).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html
    """
    x, weight, bias = arrays("group_norm", input, weight, bias)
    groups = size("group_norm", "num_groups", num_groups, 1)
    if x.ndim < 2 or x.shape[1] % groups:
        raise wrong_shape("group_norm", f"(N, C, ...) with a multiple of {groups} channels", x)
    n, channels, *rest = x.shape
    check_channels("group_norm", channels, weight=weight, bias=bias)
    parts = xg.reshape(x, (n, groups, channels // groups * prod(rest)))
    y = xg.reshape(xg.standardize(parts, axis=2, eps=eps).values, x.shape)
    return affine(y, of_channels(weight, x.ndim), of_channels(bias, x.ndim))


def check_channels(name: str, channels: int, **given: Any) -> None:
    """Raise ValueError for an array that does not have one element for each channel."""
    for what, value in given.items():
        if value is not None and tuple(value.shape) != (channels,):
            raise ValueError(f"{name}: {what} must have the shape ({channels},), got {tuple(value.shape)}")


def normalize(input: Any, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12, out: None = None) -> Tensor:
    """x / max(norm(x), eps), with the p-norm over an axis.

    Args:
        input: an array of a real or complex floating-point dtype.
        p: the order of the norm, a number.
        dim: the axis, an integer, or several.
        eps: the least norm that is divided by.
        out: an argument of PyTorch's that can only be None: the result is a new tensor.

    Returns:
        A tensor of the shape and dtype of the input.

    Raises:
        ValueError: for an axis that the input does not have, or an `out` that is not None.
        TypeError: for an input that is no array, or a `dim` that is not an integer.

    >>> import xgrad as xg
    >>> xg.nn.functional.normalize(xg.asarray([[3.0, 4.0]])).tolist()
    [[0.6, 0.8]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
    """
    if out is not None:
        raise ValueError("normalize: out must be None: the result is a new tensor")
    x, axis = operand("normalize", input), one_or_more("normalize", dim, "dim", needed=True)
    norms = xg.linalg.vector_norm(x, axis=axis, ord=p, keepdims=True)
    normalized: Tensor = x / xg.maximum(norms, eps)
    return normalized


@in_float32
def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha * m)**beta, where m is the mean square over neighbouring channels.

    Args:
        input: an array of shape (N, C, ...) with one more axis at least, of a real floating-point dtype.
        size: how many neighbouring channels. Beyond the first and the last channel there are zeros, which count.
        alpha: the factor of the mean square.
        beta: the exponent.
        k: the number that is added.

    Returns:
        A tensor of the shape and dtype of the input.

    Raises:
        ValueError: for an input of fewer axes, or a `size` that is not 1 or more.
        TypeError: for an input that is no array, or a `size` that is not an integer.

    >>> import xgrad as xg
    >>> x = xg.ones((1, 2, 1))
    >>> xg.nn.functional.local_response_norm(x, 2, alpha=2.0, beta=1.0).tolist()
    [[[0.5], [0.3333333333333333]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html
    """
    x, width = operand("local_response_norm", input), integer("local_response_norm", size, "size")
    if width < 1:
        raise ValueError(f"local_response_norm: size must be 1 or more, got {size!r}")
    if x.ndim < 3:
        raise wrong_shape("local_response_norm", "(N, C, ...) with three axes at least", x)
    n, channels, *rest = x.shape
    before = (slice(None), slice(width // 2, width // 2 + channels))
    padded = xg.scatter(xg.square(x), before, (n, channels + width - 1, *rest))
    total = padded[:, :channels]
    for i in range(1, width):
        total = total + padded[:, i : i + channels]
    response: Tensor = x / (k + alpha / width * total) ** beta
    return response
