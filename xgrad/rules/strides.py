"""The layouts of views: their shapes and their strides, counted in elements, as NumPy's views have them.

A layout decides whether a reshape of a view is a view or a copy, in the same way on every backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.engine.views import Layout, contiguous

Ints = tuple[int, ...]


def at_key(shape: Ints, strides: Ints, key: Any) -> Layout:
    """The layout of x[key], for integers, slices, None and `...`."""
    parts = key if isinstance(key, tuple) else (key,)
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if Ellipsis not in parts:
        parts = (*parts, Ellipsis)
    found: list[tuple[int, int]] = []
    axes = iter(zip(shape, strides, strict=True))
    for part in parts:
        if part is None:
            found.append((1, 0))
        elif part is Ellipsis:
            found.extend(next(axes) for _ in range(len(shape) - taken))
        elif isinstance(part, slice):
            n, stride = next(axes)
            places = range(*part.indices(n))
            found.append((len(places), stride * places.step))
        else:  # an integer
            next(axes)
    return tuple(n for n, _ in found), tuple(stride for _, stride in found)


def reshaped(shape: Ints, strides: Ints, new: Sequence[int]) -> Layout | None:
    """Of a reshape without a copy; None where there is none."""
    new = tuple(new)
    if 0 in new:
        return new, contiguous(new)
    blocks: list[tuple[int, int]] = []  # lengths and strides, where axes that follow each other closely are one
    for n, stride in zip(shape, strides, strict=True):
        if n == 1:
            continue
        if blocks and blocks[-1][1] == n * stride:
            blocks[-1] = blocks[-1][0] * n, stride
        else:
            blocks.append((n, stride))
    found: list[int] = []
    left, step = 1, 1
    for n in reversed(new):
        if left == 1 and n != 1:
            left, step = blocks.pop()
        if left % n:
            return None
        found.append(step)
        left, step = left // n, step * n
    return new, tuple(reversed(found))


def permuted(shape: Ints, strides: Ints, axes: Sequence[int]) -> Layout:
    return tuple(shape[i] for i in axes), tuple(strides[i] for i in axes)


def transposed(shape: Ints, strides: Ints, _: None) -> Layout:
    """The layout with the last two axes exchanged."""
    return (*shape[:-2], shape[-1], shape[-2]), (*strides[:-2], strides[-1], strides[-2])


def flipped(shape: Ints, strides: Ints, axes: Sequence[int]) -> Layout:
    return shape, tuple(-stride if i in axes else stride for i, stride in enumerate(strides))


def broadcast(shape: Ints, strides: Ints, new: Sequence[int]) -> Layout:
    missing = len(new) - len(shape)
    spread = (0 if n != m else stride for n, m, stride in zip(shape, new[missing:], strides, strict=True))
    return tuple(new), (*(0,) * missing, *spread)


def diagonal(shape: Ints, strides: Ints, offset: int) -> Layout:
    rows, columns = shape[-2:]
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    return (*shape[:-2], length), (*strides[:-2], strides[-1] + strides[-2])


def same(shape: Ints, strides: Ints, _: None) -> Layout:
    """The layout of the real or the imaginary part: it is that of the complex array, whose elements the strides count."""
    return shape, strides
