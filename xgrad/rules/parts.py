"""Arrays taken apart, and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.engine.arguments import backend_of
from xgrad.engine.integers import integer, integers
from xgrad.engine.operands import operand, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.declare import untracked
from xgrad.rules.indexing import getitem, take
from xgrad.rules.manipulation import broadcast_to, expand_dims, rearranged, reshape
from xgrad.rules.shapes import normalize_axes


@public("unstack", "composition")
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, as a tuple: views of x. (Of a vector, they are numbers of their own, as in NumPy.)"""
    x = operand("unstack", x)
    (axis,) = normalize_axes("unstack", integer("unstack", axis), x.ndim)
    before, after = (slice(None),) * axis, (...,) if x.ndim > 1 else ()
    return tuple(getitem(x, (*before, i, *after)) for i in range(x.shape[axis]))


@public("repeat", "composition")
def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Each element `repeats` times (a number, or one for each element along `axis`); of the flattened array without an axis."""
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
    """The whole array repeated along each axis."""
    x = operand("tile", x)
    reps = integers("tile", repetitions, "repetitions")
    width = max(x.ndim, len(reps))
    shape, reps = (1,) * (width - x.ndim) + tuple(x.shape), (1,) * (width - len(reps)) + reps
    apart = reshape(x, tuple(n for length in shape for n in (1, length)))
    spread = broadcast_to(apart, tuple(n for pair in zip(reps, shape, strict=True) for n in pair))
    return rearranged(spread, tuple(r * n for r, n in zip(reps, shape, strict=True)))
