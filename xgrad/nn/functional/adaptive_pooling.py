"""Adaptive pooling as functions: the windows follow from the size of the output.

Output i of m is made of the elements from floor(i * n / m) to ceil((i + 1) * n / m) of n. These windows overlap where m does not
divide n, and may have two lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.casting import uncast
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import wrong_shape
from xgrad.nn.functional.convolution import numbers, shapes

Sizes = int | None | Sequence[int | None]


def _arguments(name: str, n: int, input: Any, output_size: Any) -> tuple[Any, tuple[int, ...]]:
    """The input, and the size of the output."""
    x = operand(name, input)
    if x.ndim not in (n + 1, n + 2):
        raise wrong_shape(name, shapes(n, "C"), x)
    size = x.shape[-n:]
    if min(size) < 1:
        raise ValueError(f"{name}: an input of shape {tuple(x.shape)} has no elements to pool")
    wanted = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * n
    if len(wanted) == 1:
        wanted *= n
    if len(wanted) != n:
        raise ValueError(f"{name}: output_size must be an integer, or one for each axis, got {output_size!r}")
    return x, numbers(
        name, "output_size", tuple(m if w is None else w for w, m in zip(wanted, size, strict=True)), n, 1
    )


def _bounds(xp: Any, n: int, m: int) -> tuple[Any, Any]:
    """Where each of m windows on n elements starts and ends, as arrays of integers."""
    i = xp.arange(m)
    return i * n // m, ((i + 1) * n + (m - 1)) // m


def _adaptive_avg_pool(name: str, n: int, input: Any, output_size: Any) -> Tensor:
    x, count = _arguments(name, n, input, output_size)
    size = x.shape[-n:]
    if all(a % b == 0 for a, b in zip(size, count, strict=True)):
        kernel = tuple(a // b for a, b in zip(size, count, strict=True))
        whole: Tensor = xg.sum_pool(x, kernel=kernel) / prod(kernel)
        return whole
    xp = x.__array_namespace__()
    for axis, (a, b) in enumerate(zip(size, count, strict=True), x.ndim - n):
        start, end = (xg.expand_dims(bound, axis=-1) for bound in _bounds(xp, a, b))
        j = xp.arange(a)
        mean = xg.astype((j >= start) & (j < end), x.dtype) / xg.astype(end - start, x.dtype)  # of shape (b, a)
        x = xg.moveaxis(xg.matmul(xg.moveaxis(x, axis, -1), xg.matrix_transpose(mean)), -1, axis)
    pooled: Tensor = x
    return pooled


def _adaptive_max_pool(name: str, n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    x, count = _arguments(name, n, input, output_size)
    size = x.shape[-n:]
    if all(a % b == 0 for a, b in zip(size, count, strict=True)):
        found = xg.max_pool(x, kernel=tuple(a // b for a, b in zip(size, count, strict=True)))
        return found if return_indices else found[0]
    indices = _places_of_largest(x, size, count)
    values = xg.take_pooled(x, indices, axes=n)
    return (values, indices) if return_indices else values


def _places_of_largest(x: Tensor, size: tuple[int, ...], count: tuple[int, ...]) -> Tensor:
    """Where the first largest element of each window is in the flattened axes.

    All windows are brought to the same length along an axis: those that are shorter have their last element more than once.
    """
    xp, n, before = x.__array_namespace__(), len(size), x.shape[: x.ndim - len(size)]
    bounds = [_bounds(xp, a, b) for a, b in zip(size, count, strict=True)]
    longest = [max(-(-(i + 1) * a // b) - i * a // b for i in range(b)) for a, b in zip(size, count, strict=True)]
    w = x.detach()
    for axis, ((start, end), length) in enumerate(zip(bounds, longest, strict=True), len(before)):
        places = xg.minimum(xg.expand_dims(start, axis=-1) + xp.arange(length), xg.expand_dims(end, axis=-1) - 1)
        w = xg.take(w, xg.reshape(places, (-1,)), axis=axis)
    w = xg.reshape(w, (*before, *(k for pair in zip(count, longest, strict=True) for k in pair)))
    first = len(before)
    order = (*range(first), *range(first, first + 2 * n, 2), *range(first + 1, first + 2 * n, 2))
    number = xg.argmax(xg.reshape(xg.permute_dims(w, order), (*before, *count, prod(longest))), axis=-1)
    index: Any = None
    for a, (start, end) in enumerate(bounds):
        place = number // prod(longest[a + 1 :]) % longest[a]
        along = (-1, *(1,) * (n - 1 - a))
        place = xg.minimum(place + xg.reshape(start, along), xg.reshape(end, along) - 1)
        index = place if index is None else index * size[a] + place
    found: Tensor = index
    return found


@uncast
def adaptive_avg_pool1d(input: Any, output_size: Sizes) -> Tensor:
    """The means of windows of the last axis, as many as the output has elements.

    Args:
        input: an array of shape (N, C, L), or (C, L) without a batch, and of a floating-point dtype.
        output_size: the length of the last axis of the output, an integer; None means that of the input.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes, or without elements; for an output_size below 1.
        TypeError: for an output_size that is no integer, or an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.adaptive_avg_pool1d(xg.asarray([[1.0, 2.0, 3.0]]), 2).tolist()
    [[1.5, 2.5]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html
    """
    return _adaptive_avg_pool("adaptive_avg_pool1d", 1, input, output_size)


@uncast
def adaptive_avg_pool2d(input: Any, output_size: Sizes) -> Tensor:
    """The means of windows of the last two axes, as many as the output has elements.

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of a floating-point dtype.
        output_size: the last two axes of the output: an integer, or two; None means that of the input.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input.

    Raises:
        ValueError: for an input of another number of axes, or without elements; for an output_size below 1.
        TypeError: for an output_size that is no integer, or an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.adaptive_avg_pool2d(xg.reshape(xg.arange(12.0), (1, 3, 4)), (1, 2)).tolist()
    [[[4.5, 6.5]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
    """
    return _adaptive_avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: Sizes, return_indices: bool = False) -> Any:
    """The largest elements of windows of the last axis, as many as the output has elements.

    Of equal elements the first gets the gradient.

    Args:
        input: an array of shape (N, C, L), or (C, L) without a batch, and of a real dtype.
        output_size: the length of the last axis of the output, an integer; None means that of the input.
        return_indices: whether the places of the elements are returned too.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input; with `return_indices` a tuple of it and a tensor of
        integers: where each element is in the last axis.

    Raises:
        ValueError: for an input of another number of axes, or without elements; for an output_size below 1.
        TypeError: for an output_size that is no integer, or an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.adaptive_max_pool1d(xg.asarray([[1.0, 3.0, 2.0]]), 2).tolist()
    [[3.0, 3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html
    """
    return _adaptive_max_pool("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Sizes, return_indices: bool = False) -> Any:
    """The largest elements of windows of the last two axes, as many as the output has elements.

    Of equal elements the first gets the gradient.

    Args:
        input: an array of shape (N, C, H, W), or (C, H, W) without a batch, and of a real dtype.
        output_size: the last two axes of the output: an integer, or two; None means that of the input.
        return_indices: whether the places of the elements are returned too.

    Returns:
        A tensor of shape (N, C, ...) or (C, ...), of the dtype of the input; with `return_indices` a tuple of it and a tensor of
        integers: where each element is in the last two axes, flattened.

    Raises:
        ValueError: for an input of another number of axes, or without elements; for an output_size below 1.
        TypeError: for an output_size that is no integer, or an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.adaptive_max_pool2d(xg.reshape(xg.arange(12.0), (1, 3, 4)), (1, 2)).tolist()
    [[[9.0, 11.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html
    """
    return _adaptive_max_pool("adaptive_max_pool2d", 2, input, output_size, return_indices)
