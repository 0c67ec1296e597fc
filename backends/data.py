"""Which values can become an array: numbers and truth values, sequences of them, and arrays of them.

Other values are refused here, before a library sees them, because libraries differ: NumPy reads a string as a number ("1.5", with
a dtype), None as nan, and makes arrays of objects of anything else.
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
# A value that has one of these is a number, or a library can make an array of it.
CONVERTIBLE = ("__float__", "__index__", "__array__", "__dlpack__", "__array_interface__", "__cuda_array_interface__")

Shape = tuple[int, ...] | None


def is_numeric(dtype: Any) -> bool:
    """Whether a dtype is of numbers or truth values. Only NumPy's dtypes, and dtypes like them, can be of something else."""
    kind = getattr(dtype, "kind", "b")
    return kind in KINDS or (
        kind == "V" and dtype.type.__name__ != "void"
    )  # bfloat16 and other extension dtypes are of kind V


def is_scalar(value: Any) -> bool:
    """Whether a value is a number and not an array: Python's numbers, fractions and NumPy scalars are."""
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


_scalars: set[type] = set(PYTHON_NUMBERS)  # the types that are known to be scalars


def rank_of_number(number: Any) -> int:
    """The kind of a number: an index into RANKS, as `Backend.rank` gives it for a dtype."""
    if isinstance(number, bool):
        return BOOL
    return INTEGRAL if isinstance(number, int) else COMPLEX if isinstance(number, complex) else REAL


def kind_of_numbers(obj: Any) -> type | None:
    """The widest type, complex, float or int, of a Python number or a nested list of them. Truth values count as int.

    An empty list counts as float. None for any other value, and for a list with any other value in it.
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
    """Check a value that is to become an array, and return its shape if it is known.

    Raises TypeError, which names the calling function, for a value without numbers and for a ragged list.
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
    """How an error message describes a value: its text, shortened, and its type."""
    return f"{shortened(obj)} ({type(obj).__name__})"


def shortened(obj: Any) -> str:
    text = " ".join(_short.repr(obj).split())
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."


_LONG = 60
_short = reprlib.Repr()  # it shortens a long list without formatting all of it
_short.maxother = _short.maxstring = _short.maxlong = _LONG
