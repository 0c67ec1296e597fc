"""The operators of a tensor, and the function that each one calls. Methods are in methods.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.rules import elementwise as e
from xgrad.rules.declare import OPERATORS
from xgrad.rules.indexing import getitem
from xgrad.rules.linear_algebra import matmul, matrix_transpose
from xgrad.rules.manipulation import permute_dims
from xgrad.rules.methods import METHODS, PROPERTIES
from xgrad.rules.pytorch_methods import PYTORCH
from xgrad.rules.writing import in_place, write

Binary = Callable[[Any, Any], Any]

BINARY: dict[str, Binary] = {
    "add": e.add,
    "sub": e.subtract,
    "mul": e.multiply,
    "truediv": e.divide,
    "floordiv": e.floor_divide,
    "mod": e.remainder,
    "pow": e.pow,
    "matmul": matmul,
    "and": e.bitwise_and,
    "or": e.bitwise_or,
    "xor": e.bitwise_xor,
    "lshift": e.bitwise_left_shift,
    "rshift": e.bitwise_right_shift,
}
COMPARISONS: dict[str, Binary] = {
    "lt": e.less,
    "le": e.less_equal,
    "gt": e.greater,
    "ge": e.greater_equal,
    "eq": e.equal,
    "ne": e.not_equal,
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": e.negative,
    "pos": e.positive,
    "abs": e.abs,
    "invert": e.bitwise_invert,
}


def reflected(function: Binary) -> Binary:
    def operator(self: Any, other: Any) -> Any:
        return function(other, self)

    return operator


def transpose(self: Tensor) -> Tensor:
    """The transpose of a matrix, as a view: the axes in reverse order, so that a vector is as it was.

    The standard has it for two axes only. NumPy's code takes it of any array.
    """
    return permute_dims(self, tuple(range(self.ndim))[::-1])


SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@"}

for _name, _function in BINARY.items():
    _function = OPERATORS[_function]
    setattr(Tensor, f"__{_name}__", _function)
    setattr(Tensor, f"__r{_name}__", reflected(_function))
    setattr(Tensor, f"__i{_name}__", in_place(_function, SYMBOLS.get(_name, _name)))
for _name, _function in COMPARISONS.items():
    setattr(Tensor, f"__{_name}__", OPERATORS[_function])
for _name, _special in UNARY.items():
    setattr(Tensor, f"__{_name}__", _special)
for _name, _method in {**METHODS, **PYTORCH}.items():
    setattr(Tensor, _name, _method)
for _name, _property in PROPERTIES.items():
    setattr(Tensor, _name, property(_property))

ITEMS = {"__getitem__": getitem, "__setitem__": write, "T": property(transpose), "mT": property(matrix_transpose)}
for _name, _item in ITEMS.items():
    setattr(Tensor, _name, _item)
