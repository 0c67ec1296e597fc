"""Functions that take an array apart, or repeat it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.engine.arguments import backend_of
from xgrad.engine.integers import integer, integers
from xgrad.engine.operands import operand, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.declare import untracked
from xgrad.rules.indexing import getitem
from xgrad.rules.manipulation import broadcast_to, expand_dims, rearranged, reshape
from xgrad.rules.shapes import normalize_axes
from xgrad.rules.taking import take


@public("unstack", "composition")
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices of an array along an axis.

    >>> import xgrad as xg
    >>> first, second = xg.unstack(xg.asarray([[1.0, 2.0], [3.0, 4.0]]))
    >>> second.tolist()
    [3.0, 4.0]

    Returns:
        A tuple of tensors of the shape of x without the axis, and of its dtype: views of x. Of a vector they are copies, as x[0]
            is.

    Raises:
        ValueError: for an axis that x does not have.
    """
    x = operand("unstack", x)
    (axis,) = normalize_axes("unstack", integer("unstack", axis), x.ndim)
    before, after = (slice(None),) * axis, (...,) if x.ndim > 1 else ()
    return tuple(getitem(x, (*before, i, *after)) for i in range(x.shape[axis]))


@public("repeat", "composition")
def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Each element several times in a row.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0])
    >>> xg.repeat(x, 2).tolist(), xg.repeat(x, xg.asarray([0, 3])).tolist()
    ([1.0, 1.0, 2.0, 2.0], [2.0, 2.0, 2.0])

    Args:
        repeats: how often: an integer for all, or an array of integers, one for each element along the axis.
        axis: the axis, counted from the end where it is negative; None flattens x first.

    Returns:
        A tensor of the dtype of x, and of its shape with a longer axis: a copy.

    Derivative:
        Each element of x gets the sum of the cotangents of its repetitions.

    Raises:
        TypeError: for an x that is neither an array nor a number; for an axis or for repeats that are no integers.
        ValueError: for an axis that x does not have; for negative repeats; for repeats of another length than the axis.
        NotImplementedError: for repeats that are an array, on dask, where the shape of a result cannot depend on values.
    """
    x, repeats = together("repeat", x, repeats)
    x = operand("repeat", x)

    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    (axis,) = normalize_axes("repeat", integer("repeat", axis), x.ndim)
    if not getattr(repeats, "shape", ()):
        repeats = integer("repeat", repeats, "repeats")
        apart = broadcast_to(expand_dims(x, axis=axis + 1), (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]))
        return rearranged(apart, (*x.shape[:axis], x.shape[axis] * repeats, *x.shape[axis + 1 :]))
    backend = backend_of("repeat", (x,))
    places = wrap(backend.xp.arange(x.shape[axis]), backend)
    return take(x, untracked("repeat", (places, repeats)), axis=axis)


@public("tile", "composition")
def tile(x: Any, repetitions: Sequence[int], /) -> Tensor:
    """The whole array several times along each axis.

    >>> import xgrad as xg
    >>> xg.tile(xg.asarray([[1.0, 2.0]]), (2, 2)).tolist()
    [[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]

    Args:
        repetitions: how often along each axis, or along the last ones where there are fewer. More than x has axes add axes in
            front.

    Returns:
        A tensor of the dtype of x, and of its shape times the repetitions: a copy.

    Derivative:
        Each element of x gets the sum of the cotangents of its repetitions.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for repetitions that are no integers.
        ValueError: for a negative number of repetitions.
    """
    x = operand("tile", x)
    reps = integers("tile", repetitions, "repetitions")
    width = max(x.ndim, len(reps))
    shape, reps = (1,) * (width - x.ndim) + tuple(x.shape), (1,) * (width - len(reps)) + reps
    apart = reshape(x, tuple(n for length in shape for n in (1, length)))
    spread = broadcast_to(apart, tuple(n for pair in zip(reps, shape, strict=True) for n in pair))
    return rearranged(spread, tuple(r * n for r, n in zip(reps, shape, strict=True)))
