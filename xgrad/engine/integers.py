"""Integers among the arguments: axes, sizes, counts and positions.

An integer is anything that Python takes as an index: an int, a NumPy integer, a 0-d array or tensor of an integer dtype. Booleans
are excluded, although Python counts True as 1. `integer` is the one place that decides this.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from xgrad.backends.data import described


def integer(name: str, value: Any, what: str = "axis", kind: str = "be an integer") -> int:
    """The argument `what` of the function `name` as an int. Raises TypeError, with both names, for anything else."""
    if type(value) is int:
        return value
    if not _is_boolean(value) and not getattr(value, "shape", ()):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(f"{name}: {what} must {kind}, not {described(value)}")


def integers(name: str, values: Any, what: str = "axis") -> tuple[int, ...]:
    """A sequence of integers, or one integer, as a tuple of ints."""
    if type(values) is tuple or _is_sequence(values):
        return tuple([integer(name, value, what, "hold integers only") for value in values])
    return (integer(name, values, what, "be an integer, or several"),)


def one_or_more(name: str, values: Any, what: str = "axis", *, needed: bool = False) -> Any:
    """An integer as an int, a sequence as a tuple of ints, and None as None, unless an integer is `needed`."""
    if type(values) is int or (values is None and not needed):
        return values
    found = integers(name, values, what)
    return found if _is_sequence(values) else found[0]


def or_none(name: str, value: Any, what: str = "axis") -> int | None:
    """As `integer`, for an argument that may be None."""
    return None if value is None else integer(name, value, what, "be an integer or None")


def _is_sequence(values: Any) -> bool:
    """Whether this is a sequence. A 0-d array has `__iter__` and is none."""
    return isinstance(values, Iterable) and not isinstance(values, str | bytes) and getattr(values, "shape", None) != ()


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or str(getattr(value, "dtype", "")).rpartition(".")[2].startswith("bool")
