"""Arithmetic of shapes and axes that several chapters need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod
from typing import Any

from xgrad.engine.integers import integers

Axes = int | Sequence[int] | None


def normalize_axes(name: str, axis: Axes, ndim: int) -> tuple[int, ...]:
    """The axes as a tuple of numbers from 0; all of them for None. Raises ValueError for an axis out of range."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if type(axis) is int else integers(name, axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"{name}: axis {a} of an array with {ndim} axes; {_range(ndim)}")
    return tuple(a % ndim for a in axes)


def _range(ndim: int) -> str:
    return f"it must lie in {-ndim} to {ndim - 1}" if ndim else "a 0-d array has none to choose from"


def expand(xp: Any, g: Any, shape: tuple[int, ...], axis: Axes) -> Any:
    """The result of a reduction over `axis`, broadcast back to the shape that was reduced."""
    if axis is None and not g.shape:
        return xp.broadcast_to(g, shape)
    axes = normalize_axes("expand", axis, len(shape))
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    return xp.broadcast_to(g if g.shape == kept else xp.reshape(g, kept), shape)


def count(shape: Sequence[int], axis: Axes) -> int:
    """The number of elements that a reduction over `axis` combines."""
    return prod(shape) if axis is None else prod(shape[a] for a in normalize_axes("count", axis, len(shape)))


def wide(xp: Any, x: Any) -> Any:
    """x in float32 if its dtype is too narrow to sum in: float16 ends at 65,504, and bfloat16 rounds integers above 256."""
    return xp.astype(x, xp.float32) if x.dtype in xp.narrow_dtypes else x


def infinite_at_zero(xp: Any, y: Any) -> Any:
    """y with inf in place of 0, for use as a divisor: 0 / 0 and its derivatives become 0."""
    return xp.where(y == 0, xp.full((), math.inf, dtype=y.dtype), y)


def inverse(permutation: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes this one."""
    undone = [0] * len(permutation)
    for i, p in enumerate(permutation):
        undone[p] = i
    return tuple(undone)


def resize(xp: Any, x: Any, n: int, axis: int) -> Any:
    """x cut or filled up with zeros to n elements along an axis."""
    have, before = x.shape[axis], x.shape[:axis]
    if have > n:
        return x[(slice(None),) * len(before) + (slice(0, n), ...)]
    if have < n:
        fill = xp.zeros((*before, n - have, *x.shape[axis + 1 :]), dtype=x.dtype)
        return xp.concat([x, fill], axis=axis)
    return x
