"""Functions of tensors for NumPy arrays as well: an array on the host stays there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.backends import use_backend
from xgrad.backends.base import Backend
from xgrad.backends.data import check
from xgrad.backends.host_batches import MappedArray, is_numpy
from xgrad.engine.tensor import Tensor
from xgrad.rules.creation import asarray

HOST = "numpy"  # the backend of the host's arrays


def is_host(x: Any) -> bool:
    """Whether this is a NumPy array, in memory or in a mapped file."""
    return is_numpy(x) or isinstance(x, MappedArray)


def host_tensor(x: Any, dtype: Any = None) -> Tensor:
    """A tensor on NumPy, whatever backend is the current one."""
    with use_backend(HOST):
        found: Tensor = asarray(x[...] if isinstance(x, MappedArray) else x, dtype=dtype)
    return found


def host_backend() -> Backend:
    with use_backend(HOST) as backend:
        return backend


def applied(name: str, function: Callable[[Tensor], Tensor], x: Any) -> Any:
    """`function(x)` of a tensor: a NumPy array for a NumPy array, and a tensor for anything else."""
    if not isinstance(x, MappedArray):
        check(name, x)
    if is_host(x):
        with use_backend(HOST):
            return function(host_tensor(x)).numpy()
    return function(asarray(x))
