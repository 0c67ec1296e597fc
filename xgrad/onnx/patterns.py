"""Constant arrays whose shape depends on a size: zeros, counts and causal masks, found from their values at several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from xgrad.onnx.sizes import Dim, size


class Pattern(NamedTuple):
    """An array with symbolic sizes.

    Attributes:
        kind: "repeated": `base` broadcast to the shape; "count": base + step * (0, 1, 2, ...) along `axis`; "triangle": base
            where column - row <= diagonal on the last two axes, and `other` elsewhere; "diagonal": where these are equal;
            "number": a 0-d array that is a size.
        base: a NumPy array that broadcasts to the shape; a number for a triangle.
    """

    kind: str
    shape: tuple[Dim, ...]
    base: Any
    axis: int = 0
    step: Any = 0
    other: Any = None
    diagonal: int = 0
    number: Dim = 0


def pattern(arrays: Sequence[Any]) -> Any:
    """The array, if it is the same in all traces; its Pattern; or None for one that is not known."""
    first = arrays[0]
    if any(array.ndim != first.ndim or array.dtype != first.dtype for array in arrays):
        return None
    shape = tuple([size(at) for at in zip(*[array.shape for array in arrays], strict=True)])
    varying = [axis for axis, n in enumerate(shape) if not isinstance(n, int)]
    if not varying:
        if all(_same(array, first) for array in arrays):
            return first
        if first.ndim == 0 and all(array == int(array) for array in arrays):
            return Pattern("number", (), first, number=size([int(array) for array in arrays]))
        return None
    if any(0 in array.shape for array in arrays):
        return None
    start = tuple(slice(0, 1) if axis in varying else slice(None) for axis in range(first.ndim))
    base = first[start]
    if all(_same(array[start], base) for array in arrays):
        if all(_is_repeated(array, varying) for array in arrays):
            return Pattern("repeated", shape, base)
        for axis in varying:
            if all(_is_repeated(array, [other for other in varying if other != axis]) for array in arrays):
                found = _count(arrays, shape, base, axis)
                if found is not None:
                    return found
    if first.ndim > 1 and varying[-2:] == [first.ndim - 2, first.ndim - 1]:
        return _triangle(arrays, shape)
    return None


def _same(a: Any, b: Any) -> bool:
    return bool(a.tobytes() == b.tobytes())


def _along(array: Any, axis: int, *limits: int | None) -> Any:
    return array[(slice(None),) * axis + (slice(*limits),)]


def _is_repeated(array: Any, axes: Sequence[int]) -> bool:
    return all(_same(_along(array, axis, 1, None), _along(array, axis, 0, -1)) for axis in axes)


def _count(arrays: Sequence[Any], shape: tuple[Dim, ...], base: Any, axis: int) -> Pattern | None:
    """Numbers that go up by the same step along one axis."""
    longest = max(arrays, key=lambda array: array.shape[axis])
    if longest.dtype.kind not in "iuf" or longest.shape[axis] < 2:
        return None
    step = (_along(longest, axis, 1, 2) - _along(longest, axis, 0, 1)).ravel()[0]
    for array in arrays:
        differences = _along(array, axis, 1, None) - _along(array, axis, 0, -1)
        if not (abs(differences - step) <= abs(step) * 1e-6).all():
            return None
    return Pattern("count", shape, base, axis=axis, step=step)


def _triangle(arrays: Sequence[Any], shape: tuple[Dim, ...]) -> Pattern | None:
    """Two numbers, one on and below a diagonal of the last two axes (or on it alone), and one elsewhere."""
    matrices = []
    for array in arrays:
        all_of_them = array.reshape(-1, *array.shape[-2:])
        if not all(_same(one, other) for one, other in pairwise(all_of_them)):
            return None
        matrices.append(all_of_them[0].tolist())
    rows = max(matrices, key=len)
    below, above = rows[-1][0], rows[0][-1]
    last = next((j - 1 for j, value in enumerate(rows[0]) if value != below), len(rows[0]) - 1)
    if last < 0:  # the diagonal is below the first one
        last = -next((i for i, row in enumerate(rows) if row[0] == below), len(rows))
    on = next((j for j, value in enumerate(rows[0]) if value != above), 0)
    for kind, value, diagonal in (("triangle", below, last), ("diagonal", rows[0][on], on)):
        if all(_is_drawn(matrix, kind, value, above, diagonal) for matrix in matrices):
            return Pattern(kind, shape, value, other=above, diagonal=diagonal)
    return None


def _is_drawn(rows: list[list[Any]], kind: str, value: Any, other: Any, diagonal: int) -> bool:
    """Whether a matrix is as a Pattern says."""
    if kind == "triangle":
        return all(
            x == (value if j - i <= diagonal else other) for i, row in enumerate(rows) for j, x in enumerate(row)
        )
    return all(x == (value if j - i == diagonal else other) for i, row in enumerate(rows) for j, x in enumerate(row))
