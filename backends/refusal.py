"""Replaces functions of a raw namespace, for example with functions that raise because the library cannot compute them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

# The functions on raw arrays that rows of rules/ define with `raw=`, because no library has them: name -> f(xp, *arrays).
ROWS: dict[str, Callable[..., Any]] = {}


def refuse(xp: Any, backend: str, cannot: Mapping[str, str]) -> None:
    """Replace functions of a raw namespace, named as "sort" or "linalg.eig", by functions that raise with the reason.

    They are looked up like any other function, so the other functions cost no more than before.
    """
    for path, reason in cannot.items():
        add(xp, path, refusal(path, backend, reason))


def add(xp: Any, path: str, function: Callable[..., Any]) -> None:
    """Put a function into a raw namespace."""
    setattr(_part_of(xp, path), path.rpartition(".")[2], function)


def replace(xp: Any, path: str, function: Callable[..., Any]) -> None:
    """Put `function(plain, ...)` into a raw namespace, where `plain` is the library's function of that name."""
    part, name = _part_of(xp, path), path.rpartition(".")[2]
    setattr(part, name, partial(function, getattr(part, name)))


def _part_of(xp: Any, path: str) -> Any:
    """The namespace itself, or its extension as an object whose functions can be replaced."""
    extension = path.rpartition(".")[0]
    if not extension:
        return xp
    if not isinstance(vars(xp).get(extension), Extension):
        setattr(xp, extension, Extension(getattr(xp, extension, None)))
    return getattr(xp, extension)


def refusal(path: str, backend: str, reason: str) -> Callable[..., NoReturn]:
    """A function that raises NotImplementedError with the reason."""

    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"backend {backend!r} cannot do {path}: {reason}")

    return refused


class Extension:
    """An extension of a namespace, such as linalg, in which functions may be replaced."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(self._library, name)
        return value
