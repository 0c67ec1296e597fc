"""What the formulas for special functions share."""

from __future__ import annotations

from typing import Any


def number(xp: Any, value: float, like: Any) -> Any:
    """A 0-d array in the dtype of another."""
    return xp.full((), value, dtype=like.dtype)


def bounded(xp: Any, x: Any) -> Any:
    """x, but no larger than ratios of functions of it care about."""
    bound = number(xp, 1e15, x)
    return xp.where(x > bound, bound, xp.where(x < -bound, -bound, x))


def added(parts: list[Any]) -> Any:
    return sum(parts[1:], parts[0])
