"""NumPy's functions on lists of traced values, which NumPy does not look into."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import xgrad.numpy as ours
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import has_tensor

METHODS = frozenset(("sum", "mean", "prod", "max", "min"))  # without options, a tensor's method is NumPy's function


def of_list(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which takes its first argument also as a list in which some values are traced."""

    method = getattr(Tensor, function.__name__) if function.__name__ in METHODS else None

    @functools.wraps(function)
    def call(first: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(first, Tensor) and method is not None and not args and not kwargs:
            return method(first)
        if isinstance(first, list | tuple) and has_tensor(first):
            first = ours.array(first)
        return function(first, *args, **kwargs)

    return call


def of_iterable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a sequence of arrays, which takes any iterable of them, such as the values of a dict."""

    @functools.wraps(function)
    def call(arrays: Any, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(arrays, "__getitem__"):
            arrays = list(arrays)
        if isinstance(arrays, list | tuple) and any(
            isinstance(each, list | tuple) and has_tensor(each) for each in arrays
        ):
            arrays = [ours.array(each) if isinstance(each, list | tuple) else each for each in arrays]
        return function(arrays, *args, **kwargs)

    return call
