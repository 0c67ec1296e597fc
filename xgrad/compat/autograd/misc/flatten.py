"""Trees of arrays as flat vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xgrad.compat.autograd.builtins import type
from xgrad.compat.autograd.tracing import make_vjp
from xgrad.rules.numpy_functions.face import has_tensor
from xgrad.rules.numpy_functions.shaping import concatenate

Unflatten = Callable[[Any], Any]


def flatten(value: Any) -> tuple[Any, Unflatten]:
    """(vector, unflatten): the elements of a tree of arrays and numbers, and what makes the tree again.

    A dict's elements are in the order of its sorted keys. The vector has one dtype for all.
    """
    unflatten, flat = make_vjp(_flatten, value)
    return flat, unflatten


def _flatten(value: Any) -> Any:
    kind = type(value)
    if kind in (list, tuple):
        return _concatenate([_flatten(each) for each in value])
    if kind is dict:
        return _concatenate([_flatten(value[key]) for key in sorted(value)])
    return np.ravel(value)


def _concatenate(parts: list[Any]) -> Any:
    if not parts:
        return np.array([])
    return concatenate(parts) if has_tensor(parts) else np.concatenate(parts)


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Callable[..., Any], Unflatten, Any]:
    """(f, unflatten, x): a function of trees as one of vectors, and the example as a vector."""
    flat, unflatten = flatten(example)
    return lambda x, *args: flatten(func(unflatten(x), *args))[0], unflatten, flat
