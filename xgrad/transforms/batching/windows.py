"""Convolution and pooling of arrays with hidden axes.

Where only the input differs from example to example, the examples join its batch. Otherwise they become groups: one convolution
with as many groups as examples, and no loop.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from xgrad.transforms.batching.array import Axes, Batched, full, merged

Function = Callable[..., Any]


def _as_groups(x: Batched, axes: Axes) -> Any:
    """The array (N, C, ...) of each example as one, of shape (N, examples * C, ...)."""
    xp, n = x.backend.base.xp, x.shape[0]
    value = xp.reshape(full(x, axes), (prod(axis.size for axis in axes), *x.shape))
    value = xp.permute_dims(value, (1, 0, *range(2, value.ndim)))
    return xp.reshape(value, (n, value.shape[1] * value.shape[2], *value.shape[3:]))


def _of_groups(x: Batched, value: Any, axes: Axes) -> Batched:
    """The inverse of `_as_groups`."""
    xp, many = x.backend.base.xp, prod(axis.size for axis in axes)
    value = xp.reshape(value, (value.shape[0], many, value.shape[1] // many, *value.shape[2:]))
    value = xp.permute_dims(value, (1, 0, *range(2, value.ndim)))
    return x.like(xp.reshape(value, (*(axis.size for axis in axes), *value.shape[1:])), axes)


def _as_rows(x: Batched, axes: Axes) -> Any:
    """The array (out, ...) of each example as one, of shape (examples * out, ...)."""
    value = full(x, axes)
    return x.backend.base.xp.reshape(value, (prod(value.shape[: len(axes) + 1]), *x.shape[1:]))


def _of_rows(x: Batched, value: Any, axes: Axes) -> Batched:
    """The inverse of `_as_rows`."""
    sizes = tuple(axis.size for axis in axes)
    return x.like(x.backend.base.xp.reshape(value, (*sizes, value.shape[0] // prod(sizes), *value.shape[1:])), axes)


def convolution(
    function: Function, x: Batched, weight: Batched, bias: Batched | None = None, /, **static: Any
) -> Batched:
    arrays = (weight,) if bias is None else (weight, bias)
    if not any(array.axes for array in arrays):
        y = function(_as_rows(x, x.axes), *(array.value for array in arrays), **static)
        return _of_rows(x, y, x.axes)
    axes = merged(x.axes, *(array.axes for array in arrays))
    static["groups"] *= prod(axis.size for axis in axes)
    y = function(_as_groups(x, axes), *(_as_rows(array, axes) for array in arrays), **static)
    return _of_groups(x, y, axes)


def convolution_transpose(function: Function, x: Batched, weight: Batched, /, **static: Any) -> Batched:
    return convolution(function, x, weight, **static)


def convolution_weight(function: Function, x: Batched, g: Batched, /, **static: Any) -> Batched:
    axes = merged(x.axes, g.axes)
    static["groups"] *= prod(axis.size for axis in axes)
    return _of_rows(x, function(_as_groups(x, axes), _as_groups(g, axes), **static), axes)


def last_axes(function: Function, x: Batched, /, **static: Any) -> Any:
    """A function of the last axes, with one result or several. The hidden axes come first."""
    found = function(x.value, **static)
    return tuple(map(x.like, found)) if isinstance(found, tuple) else x.like(found)


def pooled(function: Function, x: Batched, indices: Batched, /, **static: Any) -> Batched:
    """take_pooled and scatter_pooled."""
    axes = merged(x.axes, indices.axes)
    return x.like(function(full(x, axes), full(indices, axes), **static), axes)


TABLE: dict[str, Function] = {
    **{rule.__name__: rule for rule in (convolution, convolution_transpose, convolution_weight)},
    **dict.fromkeys(["windows", "add_windows", "sum_pool", "spread_pool", "max_pool"], last_axes),
    **dict.fromkeys(["take_pooled", "scatter_pooled"], pooled),
}
