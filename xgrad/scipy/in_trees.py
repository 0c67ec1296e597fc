"""Functions of functions: a tensor anywhere in the trees of their arguments decides that they compute on tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.rules.numpy_functions.face import on_their_backend
from xgrad.scipy.plain import scipys

F = TypeVar("F", bound=Callable[..., Any])


def on_tensors_in_trees(path: str) -> Callable[[F], F]:
    """A decorator as `on_tensors`, for functions whose arguments may be dicts, such as the args of a solver.

    >>> import xgrad as xg
    >>> from xgrad.scipy.in_trees import on_tensors_in_trees
    >>> @on_tensors_in_trees("optimize.fixed_point")
    ... def fixed_point(func, x0, args=()):
    ...     return "tensors"
    >>> fixed_point(lambda x, p: p["a"], 1.0, args=({"a": xg.asarray(2.0)},))
    'tensors'
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            found = [leaf for leaf in flatten((args, options))[0] if isinstance(leaf, Tensor)]
            if not found:
                return scipys(path)(*args, **options)
            with on_their_backend(found):
                return function(*args, **options)

        return call  # type: ignore[return-value]

    return decorate
