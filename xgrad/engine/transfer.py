"""Copying arrays from one backend or device to another. Nothing else in xgrad moves data unasked."""

from __future__ import annotations

from typing import Any

from xgrad.backends.base import Backend

Array = Any


def transfer(array: Array, source: Backend, target: Backend, dtype: Any = None) -> Array:
    """A new raw array of `target`, of `dtype` if it is given. Between two backends the copy goes through the host."""
    if source is target:
        return target.asarray(array, dtype=dtype, copy=True)
    return target.asarray(source.to_numpy(array), dtype=dtype, copy=True)


def holds(target: Backend, to: Any, source: Backend, dtype: Any) -> bool:
    """Whether `dtype` can be cast to the dtype `to` of the same or a higher kind. Complex to real, say, cannot."""
    return source.rank(dtype) <= target.rank(to)
