"""Whether values are finite."""

from __future__ import annotations

import cmath
from collections.abc import Iterable, Sequence
from typing import Any

import xgrad as xg


def is_finite_number(backend: Any, number: Any) -> bool:
    """Whether a raw number is finite."""
    return cmath.isfinite(backend.to_numpy(number).item())


def all_finite(tensors: Iterable[Any]) -> bool:
    """Whether all elements of all tensors are finite."""
    with xg.no_grad():
        return all(bool(xg.all(xg.isfinite(t)).item()) for t in tensors if t.backend.is_inexact(t.dtype))


def sum_is_finite(tensors: Sequence[Any]) -> bool:
    """Whether the sum of all elements is finite, in one transfer: then all elements are. The sum of large ones may overflow."""
    if not tensors or any(t.backend is not tensors[0].backend for t in tensors):
        return all_finite(tensors)
    backend = tensors[0].backend
    total = sum(backend.xp.sum(t.data) for t in tensors if backend.is_inexact(t.dtype))
    return not hasattr(total, "shape") or is_finite_number(backend, total)
