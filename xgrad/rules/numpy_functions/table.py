"""The table of NumPy's functions that take tensors. A file of this folder fills it in with `@numpy_function`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

DERIVATIVE, EXACT = "differentiated", "exact, without a derivative"


class Row(NamedTuple):
    """A function of NumPy's on tensors: what computes it, and whether it has a derivative."""

    function: Callable[..., Any]
    kind: str


TABLE: dict[str, Row] = {}


def numpy_function(*names: str, exact: bool = False) -> Callable[[Function], Function]:
    """Enter a function under its names in NumPy, such as "mean" and "linalg.det"."""

    def enter(function: Function) -> Function:
        for name in names:
            assert name not in TABLE, name
            TABLE[name] = Row(function, EXACT if exact else DERIVATIVE)
        return function

    return enter
