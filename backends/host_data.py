"""Whether an array is host data: a NumPy array, which moves to the device of the arrays that it meets.

The registry notes here the array types of each backend that it loads. This file stands below the backends, and imports none.
"""

from __future__ import annotations

from typing import Any

_is_host_data: dict[type, bool] = {}  # by array type, for those of the loaded backends


def note(array_type: type, holds_host_data: bool) -> None:
    """Keep whether the arrays of a type are host data, as the backend that owns them says."""
    _is_host_data[array_type] = holds_host_data


def is_host_data(array: Any) -> bool:
    """Whether it is a NumPy array. Those belong to no device: they move to that of the arrays that they meet."""
    kind = type(array)
    if kind not in _is_host_data and not hasattr(kind, "__array_interface__"):
        return False
    for ancestor in kind.__mro__:
        if ancestor in _is_host_data:
            return _is_host_data[ancestor]
        if ancestor.__module__ == "numpy" and ancestor.__name__ == "ndarray":  # before NumPy's backend was loaded
            return True
    return False
