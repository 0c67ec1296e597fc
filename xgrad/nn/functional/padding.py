"""Padding: more elements at the ends of the last axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integers
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor

MODES = ("constant", "reflect", "replicate", "circular")


def pad(input: Any, pad: int | Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add elements at the ends of the last axes, or take some away.

    Args:
        input: an array of any shape and dtype.
        pad: two numbers for each axis, the last axis first: how many elements to add before it and after it. A negative number
            takes elements away.
        mode: what the new elements are: "constant", "reflect" (the neighbours of the edge, mirrored at it), "replicate" (the
            element at the edge), or "circular" (those of the other end).
        value: the new elements in the mode "constant", a number; None means 0. The other modes take none.

    Returns:
        A tensor of the dtype of the input. Each axis in `pad` is longer by its two numbers.

    Raises:
        ValueError: for an unknown mode, a `value` beside another mode than "constant", a `pad` that does not fit the shape, or
            one that needs more elements than there are: "reflect" adds fewer than the axis has, "circular" at most as many.
        TypeError: for an input that is no array, or a `pad` that holds other things than integers.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0, 3.0])
    >>> xg.nn.functional.pad(x, (1, 2)).tolist()
    [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]
    >>> xg.nn.functional.pad(x, (1, 2), mode="reflect").tolist()
    [2.0, 1.0, 2.0, 3.0, 2.0, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
    """
    x: Tensor = operand("pad", input)
    sides = _sides(x.shape, pad)
    if mode not in MODES:
        raise ValueError(f"pad: mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if mode == "constant":
        return _with_constant(x, sides, 0.0 if value is None else value)
    if value is not None:
        raise ValueError(f'pad: only the mode "constant" takes a value, not {mode!r}')
    if mode == "circular":
        x = _cropped(x, sides)
    for axis, (before, after) in sides.items():
        x = _PIECES[mode](x, axis, max(before, 0), max(after, 0))
    return x if mode == "circular" else _cropped(x, sides)


def _sides(shape: tuple[int, ...], pad: Any) -> dict[int, tuple[int, int]]:
    """For each axis that changes, the numbers of elements to add before and after it."""
    numbers = integers("pad", pad, "pad")
    if len(numbers) % 2 or len(numbers) > 2 * len(shape):
        raise ValueError(f"pad: pad must have two numbers for each of some last axes of {tuple(shape)}, got {pad!r}")
    sides = {}
    for i in range(0, len(numbers), 2):
        axis, (before, after) = len(shape) - 1 - i // 2, numbers[i : i + 2]
        if shape[axis] + before + after < 0 or shape[axis] + min(before, 0) + min(after, 0) < 0:
            raise ValueError(f"pad: axis {axis} of {tuple(shape)} has too few elements to pad it by {(before, after)}")
        if before or after:
            sides[axis] = before, after
    return sides


def _cropped(x: Tensor, sides: dict[int, tuple[int, int]]) -> Tensor:
    """x without the elements that negative numbers take away."""
    if all(min(numbers) >= 0 for numbers in sides.values()):
        return x
    key: list[Any] = [slice(None)] * x.ndim
    for axis, (before, after) in sides.items():
        key[axis] = slice(max(-before, 0), x.shape[axis] - max(-after, 0))
    return x[tuple(key)]


def _with_constant(x: Tensor, sides: dict[int, tuple[int, int]], value: float) -> Tensor:
    x = _cropped(x, sides)
    if not sides:
        same: Tensor = xg.asarray(x, copy=True)
        return same
    shape, key = list(x.shape), [slice(None)] * x.ndim
    for axis, (before, after) in sides.items():
        start = max(before, 0)
        key[axis] = slice(start, start + shape[axis])
        shape[axis] += start + max(after, 0)
    if type(value) in (int, float) and value == 0:
        return xg.scatter(x, tuple(key), tuple(shape))
    whole = x.__array_namespace__().full(tuple(shape), value, dtype=x.dtype)
    return xg.setitem(whole, x, tuple(key))


# --- the other modes: each axis is put together from pieces of itself ---------------------------------------------------


def _part(x: Any, axis: int, start: int, stop: int) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _reflected(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    _check("reflect", x, axis, max(before, after), n - 1)
    pieces = [xg.flip(_part(x, axis, 1, before + 1), axis=axis)] if before else []
    pieces.append(x)
    if after:
        pieces.append(xg.flip(_part(x, axis, n - 1 - after, n - 1), axis=axis))
    return _joined(pieces, axis)


def _replicated(x: Any, axis: int, before: int, after: int) -> Any:
    n, shape = x.shape[axis], x.shape
    _check("replicate", x, axis, min(1, max(before, after)), n)

    def repeated(at: int, times: int) -> list[Any]:
        edge = _part(x, axis, at, at + 1)
        return [xg.broadcast_to(edge, (*shape[:axis], times, *shape[axis + 1 :]))] if times else []

    return _joined([*repeated(0, before), x, *repeated(n - 1, after)], axis)


def _wrapped(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    _check("circular", x, axis, max(before, after), n)
    first = [_part(x, axis, n - before, n)] if before else []
    return _joined([*first, x, *([_part(x, axis, 0, after)] if after else [])], axis)


def _joined(pieces: list[Any], axis: int) -> Any:
    return xg.concat(pieces, axis=axis) if len(pieces) > 1 else pieces[0]


def _check(mode: str, x: Any, axis: int, needed: int, there: int) -> None:
    if needed > there:
        raise ValueError(
            f"pad: the mode {mode!r} can add at most {max(there, 0)} elements to each end of axis {axis} "
            f"of {tuple(x.shape)}, not {needed}"
            if mode != "replicate"
            else f"pad: axis {axis} of {tuple(x.shape)} has no element to replicate"
        )


_PIECES: dict[str, Callable[[Any, int, int, int], Any]] = {
    "reflect": _reflected,
    "replicate": _replicated,
    "circular": _wrapped,
}
