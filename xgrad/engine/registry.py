"""The table of public functions, by their names in the namespace, and where their derivatives come from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[str, Callable[..., Any]] = {}
ELEMENTWISE: set[str] = set()  # the functions that work element by element, and broadcast
DERIVATIVES: dict[str, str] = {}  # name -> "rule", "composition", or why there is none


def public(name: str, derivative: str) -> Callable[[F], F]:
    """Publish a function under a name of the standard or of an extension function. `derivative` is as in DERIVATIVES."""

    def register(function: F) -> F:
        if (
            "axis"
            in function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
        ):
            function = naming_words(name, function)
        FUNCTIONS[name] = function
        DERIVATIVES[name] = derivative
        return function

    return register


# Names of arguments in NumPy and PyTorch, and their names in the standard.
WORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "ddof": "correction", "unbiased": "correction"}


def naming_words(name: str, function: F) -> F:
    """The function, with a TypeError for `dim=` and the like that says the right name."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError:
            wrong = next((word for word in kwargs if word in WORDS), None)
            if wrong is None:
                raise
        raise TypeError(
            f"{name}: unexpected argument {wrong!r}: it is {WORDS[wrong]!r} here, as in the Array API standard "
            "(a tensor's methods and xgrad.nn.functional take PyTorch's names too)"
        )

    return call  # type: ignore[return-value]
