"""What a library cannot do: in its raw namespace such a function says so, in place of failing in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn


def refuse(xp: Any, backend: str, cannot: Mapping[str, str]) -> None:
    """Put refusals into a raw namespace: for each name ("sort", "linalg.eig") a function that raises, with the reason.

    They are found like any other function, so those that work cost what they did.
    """
    for path, reason in cannot.items():
        extension, _, name = path.rpartition(".")
        if extension and not isinstance(vars(xp).get(extension), Extension):
            setattr(xp, extension, Extension(getattr(xp, extension, None)))
        setattr(getattr(xp, extension) if extension else xp, name, refusal(path, backend, reason))


def refusal(path: str, backend: str, reason: str) -> Callable[..., NoReturn]:
    """A function that cannot be had."""

    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"backend {backend!r} cannot do {path}: {reason}")

    return refused


class Extension:
    """A part of a namespace (linalg, say) in which some functions may be replaced."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(self._library, name)
        return value
