"""Functions that are SciPy's own on plain arrays, and xgrad's on tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from xgrad.rules.numpy_functions.face import has_tensor as has_tensor
from xgrad.rules.numpy_functions.face import on_their_backend

F = TypeVar("F", bound=Callable[..., Any])


def scipys(path: str) -> Any:
    """What SciPy has under a name such as "stats.norm.pdf".

    Raises:
        ImportError: without SciPy. The message says how to install it.
    """
    library, *names = path.split(".")
    try:
        found = import_module(f"scipy.{library}")
    except ImportError as error:
        raise ImportError(f"scipy.{path} needs SciPy. Install it with: pip install 'xgrad[scipy]'") from error
    for name in names:
        found = getattr(found, name)
    return found


def on_tensors(path: str) -> Callable[[F], F]:
    """A decorator: the function computes on tensors, and without any, SciPy's function of that name does.

    The function's own arguments are the arrays and options of SciPy's, in its order. An option that it does not have is one that
    tensors do not take. New tensors within it are on the backend of the first tensor.

    >>> import xgrad as xg
    >>> from xgrad.scipy.plain import on_tensors
    >>> @on_tensors("special.expit")
    ... def expit(x):
    ...     return 1 / (1 + xg.exp(-x))
    >>> float(expit(0.0)), expit(xg.asarray(0.0)).item()
    (0.5, 0.5)
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            given = [*args, *options.values()]
            if not has_tensor(given):
                return scipys(path)(*args, **options)
            with on_their_backend(given):
                return function(*args, **options)

        return call  # type: ignore[return-value]

    return decorate
