"""What a module here does not have itself: SciPy's function of that name, which takes plain arrays only."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Collection
from typing import Any

from xgrad.rules.numpy_functions.face import has_tensor
from xgrad.scipy.plain import scipys


def others(path: str, own: Collection[str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module such as "linalg" that has the names `own`.

    >>> from xgrad.scipy.others import others
    >>> float(others("linalg", ["solve"])("issymmetric")([[1.0]]))
    1.0
    """

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module 'xgrad.scipy.{path}' has no attribute {name!r}")
        found = getattr(scipys(path), name, None)
        if found is None:
            raise AttributeError(f"neither xgrad.scipy.{path} nor scipy.{path} has {name!r}")
        is_error = isinstance(found, type) and issubclass(found, Exception)
        return found if is_error or not callable(found) else without_tensors(f"{path}.{name}", found, own)

    return get


def without_tensors(path: str, function: Callable[..., Any], own: Collection[str] = ()) -> Callable[..., Any]:
    """A function of SciPy's that raises TypeError for a tensor, where SciPy would read its values and lose the gradient."""

    @functools.wraps(function, updated=())
    def call(*args: Any, **options: Any) -> Any:
        if has_tensor([*args, *options.values()]):
            raise TypeError(refusal(path, own))
        return function(*args, **options)

    return call


def refusal(path: str, own: Collection[str] = ()) -> str:
    """Why a function does not take tensors, and what does."""
    module, _, name = path.rpartition(".")
    near = difflib.get_close_matches(name, own, 1)
    instead = f"The nearest that there is: xgrad.scipy.{module}.{near[0]}" if near else "Use functions of xgrad"
    return f"scipy.{path} does not take tensors. {instead}; or t.detach().numpy(), if no gradient is needed"
