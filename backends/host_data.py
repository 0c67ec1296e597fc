"""Whether an array is host data: a NumPy array, which moves to the device of the other operands of an operation.

The registry notes here the array types of each backend that it loads. This file imports no backend, so that all can import it.
"""

from __future__ import annotations

from typing import Any

_is_host_data: dict[type, bool] = {}  # by array type, for those of the loaded backends


def note(array_type: type, holds_host_data: bool) -> None:
    """Remember whether arrays of a type are host data. The backend that owns the type decides."""
    _is_host_data[array_type] = holds_host_data


def is_table(kind: type) -> bool:
    """Whether a type is one of pandas's tables, columns and indices. A tensor has its protocol too, and a namespace besides."""
    return hasattr(kind, "__pandas_priority__") and not hasattr(kind, "__array_namespace__")


def is_host_data(array: Any) -> bool:
    """Whether a value is a NumPy array (of no type that another backend owns): it moves to the device of the other operands.

    So is a table or a column of pandas, which has its own protocol for operands: `__pandas_priority__`. Its values are NumPy's.
    """
    kind = type(array)
    if kind not in _is_host_data and not hasattr(kind, "__array_interface__"):
        return is_table(kind)
    for ancestor in kind.__mro__:
        if ancestor in _is_host_data:
            return _is_host_data[ancestor]
        if ancestor.__module__ == "numpy" and ancestor.__name__ == "ndarray":  # NumPy's backend is not loaded yet
            return True
    return False
