"""Makes a library's operators return NotImplemented for other libraries' arrays, so that Python asks the other operand."""

from __future__ import annotations

from functools import wraps
from typing import Any

OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


def yield_to_others(array_type: Any, *known: Any) -> None:
    """Make the class's operators return NotImplemented for an array on their right, so that `raw - tensor` is a tensor.

    For arrays of the class itself and of the `known` types they work as before.
    """
    for name in (*OPERATORS, *(f"i{name}" for name in OPERATORS), *COMPARISONS):
        operator = getattr(array_type, f"__{name}__", None)
        if operator is not None:
            setattr(array_type, f"__{name}__", _yielding(operator, (array_type, *known)))


def _yielding(operator: Any, known: tuple[Any, ...]) -> Any:
    @wraps(operator)
    def method(self: Any, other: Any, /) -> Any:
        stranger = hasattr(other, "__array_namespace__") and not isinstance(other, known)
        return NotImplemented if stranger else operator(self, other)

    return method
