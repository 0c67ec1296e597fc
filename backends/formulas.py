"""Helpers that the formulas for special functions share."""

from __future__ import annotations

from typing import Any


def number(xp: Any, value: float, like: Any) -> Any:
    """A number as a 0-d array of the dtype of `like`."""
    return xp.full((), value, dtype=like.dtype)


def bounded(xp: Any, x: Any) -> Any:
    """x, clipped to a size beyond which the ratios of functions of x no longer change."""
    bound = number(xp, 1e15, x)
    return xp.where(x > bound, bound, xp.where(x < -bound, -bound, x))


def added(parts: list[Any]) -> Any:
    return sum(parts[1:], parts[0])
