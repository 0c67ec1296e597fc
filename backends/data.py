"""What can be the data of an array: numbers and truth values, sequences of them, and arrays of them.

Libraries differ in what they make of the rest. NumPy takes a string for a number ("1.5", with a dtype), None for nan, and
anything at all for an array of objects, with which nothing can be computed; so it is refused here, before a library is asked.
"""

from __future__ import annotations

import numbers
import reprlib
from collections.abc import Sequence
from typing import Any

PYTHON_NUMBERS = frozenset((float, int, bool, complex))
KINDS = frozenset("biufc")  # of NumPy's dtypes
RANKS = ("bool", "integral", "real floating", "complex floating")  # each has the values of those before it
BOOL, INTEGRAL, REAL, COMPLEX = range(4)
# What has one of these is a number, or can be made an array by a library.
CONVERTIBLE = ("__float__", "__index__", "__array__", "__dlpack__", "__array_interface__", "__cuda_array_interface__")

Shape = tuple[int, ...] | None


def is_numeric(dtype: Any) -> bool:
    """Whether it is a dtype of numbers or truth values. Only NumPy's and those like them can be something else."""
    kind = getattr(dtype, "kind", "b")
    return kind in KINDS or (kind == "V" and dtype.type.__name__ != "void")  # (bfloat16 and its like are of kind V)


def is_scalar(value: Any) -> bool:
    """Whether it is a number, and no array: Python's, a fraction, a NumPy scalar."""
    if type(value) in _scalars:
        return True
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return isinstance(value, numbers.Number)
    if hasattr(value, "__setitem__") or getattr(value, "shape", None) != () or not is_numeric(dtype):
        return False  # an array, also a 0-d one, or a string
    if hasattr(value, "tobytes"):
        _scalars.add(type(value))
        return True
    return isinstance(value, numbers.Number)


_scalars: set[type] = set(PYTHON_NUMBERS)  # the types of which it is known


def rank_of_number(number: Any) -> int:
    """The kind of a number, as `Backend.rank` has it of a dtype."""
    if isinstance(number, bool):
        return BOOL
    return INTEGRAL if isinstance(number, int) else COMPLEX if isinstance(number, complex) else REAL


def kind_of_numbers(obj: Any) -> type | None:
    """complex, float or int: what a Python number, or a nested list of them, holds. Truth values count as int.

    An empty list counts as one of floats. None for anything else, and for a list with anything else in it.
    """
    if not isinstance(obj, list | tuple):
        return None if type(obj) not in PYTHON_NUMBERS else int if isinstance(obj, int) else type(obj)
    kinds: set[Any] = set(map(type, obj))
    if not kinds <= PYTHON_NUMBERS:
        kinds = {kind_of_numbers(part) for part in obj}
        if None in kinds:
            return None
    return complex if complex in kinds else float if float in kinds or not kinds else int


def check(name: str, obj: Any) -> Shape:
    """The shape of what is to become an array, where it is known.

    Raises TypeError, in the name of the function, for what has no numbers in it or is ragged.
    """
    if type(obj) in PYTHON_NUMBERS:
        return ()
    if isinstance(obj, list | tuple):
        return _check_sequence(name, obj)
    dtype = getattr(obj, "dtype", None)
    if dtype is not None:
        if not is_numeric(dtype):
            raise TypeError(f"{name}: {described(obj)} has dtype {dtype}, which holds no numbers")
        shape = getattr(obj, "shape", None)
        return None if shape is None else tuple(shape)
    if isinstance(obj, Sequence) and not isinstance(obj, str | bytes):
        return _check_sequence(name, obj)
    if isinstance(obj, numbers.Number) or any(hasattr(obj, way) for way in CONVERTIBLE):
        return None
    raise TypeError(f"{name}: {described(obj)} is no number, array, or nested list of numbers")


def _check_sequence(name: str, obj: Sequence[Any]) -> Shape:
    if PYTHON_NUMBERS.issuperset(map(type, obj)):
        return (len(obj),)
    shapes = [check(name, part) for part in obj]
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    for i, shape in enumerate(known):
        if shape != known[0]:
            raise TypeError(
                f"{name}: a nested list must have parts of one shape; the first here has shape {known[0]}, "
                f"and number {i} has {shape}: {described(obj)}"
            )
    return (len(obj), *known[0])


def described(obj: Any) -> str:
    """What an error message calls a value: what it looks like, shortened, and its type."""
    return f"{shortened(obj)} ({type(obj).__name__})"


def shortened(obj: Any) -> str:
    text = " ".join(_short.repr(obj).split())
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."


_LONG = 60
_short = reprlib.Repr()  # which does not write out all of a long list to shorten it
_short.maxother = _short.maxstring = _short.maxlong = _LONG
