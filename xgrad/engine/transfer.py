"""Arrays from one backend or device to another. Nothing else in xgrad moves data without being asked."""

from __future__ import annotations

from typing import Any

from xgrad.backends.base import Backend

Array = Any


def transfer(array: Array, source: Backend, target: Backend, dtype: Any = None) -> Array:
    """A new raw array of `target` (by way of the host, where the two backends differ), of `dtype` if it is given."""
    if source is target:
        return target.asarray(array, dtype=dtype, copy=True)
    return target.asarray(source.to_numpy(array), dtype=dtype, copy=True)


def holds(target: Backend, to: Any, source: Backend, dtype: Any) -> bool:
    """Whether numbers of `dtype` can be cast to the dtype `to` without losing their kind: a complex one to a real one cannot."""
    return source.rank(dtype) <= target.rank(to)
