"""Which function each operator and property of a tensor stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.rules import elementwise as e
from xgrad.rules.indexing import getitem, setitem
from xgrad.rules.linear_algebra import matmul, matrix_transpose
from xgrad.rules.manipulation import permute_dims
from xgrad.tape import Leaf, is_recording
from xgrad.tensor import Tensor

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


def in_place(function: Binary, symbol: str) -> Binary:
    def operator(self: Tensor, other: Any) -> Tensor:
        check_writable(self)
        result = function(self, other)
        if (result.shape, result.dtype) != (self.shape, self.dtype):
            raise ValueError(
                f"in place, '{symbol}=' must keep the shape and dtype of the tensor, {self.shape} {self.dtype}; "
                f"the result is {result.shape} {result.dtype}"
            )
        replace(self, result)
        return self

    return operator


def check_writable(x: Tensor) -> None:
    """Whether a write keeps gradients right: a leaf gets a new value only unrecorded, a computed tensor only recorded."""
    if not x.requires_grad:
        return
    if x.is_leaf and is_recording():
        raise RuntimeError(
            "a leaf that requires a gradient cannot be written in place: its value would no longer be the one that the "
            "gradient is of. Write into a copy, xgrad.asarray(t, copy=True); or, to give the leaf a new value, write "
            "under xgrad.no_grad()."
        )
    if not x.is_leaf and not is_recording():
        raise RuntimeError(
            "a computed tensor that requires a gradient cannot be written in place under no_grad(): the write would be "
            "missing from its gradient. Write into t.detach(), or outside of no_grad()."
        )


def replace(x: Tensor, result: Tensor) -> None:
    """Let x be the result from here on. The array it had stays as it is: others may hold it."""
    x.data = result.data
    if type(x.node) is not Leaf:
        x.node = result.node


def write(self: Tensor, key: Any, value: Any) -> None:
    check_writable(self)
    replace(self, setitem(self, value, key))


def transpose(self: Tensor) -> Tensor:
    if self.ndim != 2:
        raise ValueError(f".T is for matrices; for shape {self.shape} use .mT or permute_dims")
    return permute_dims(self, (1, 0))


SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@"}

for _name, _function in BINARY.items():
    setattr(Tensor, f"__{_name}__", _function)
    setattr(Tensor, f"__r{_name}__", reflected(_function))
    setattr(Tensor, f"__i{_name}__", in_place(_function, SYMBOLS.get(_name, _name)))
for _name, _special in {**COMPARISONS, **UNARY}.items():
    setattr(Tensor, f"__{_name}__", _special)

Tensor.__getitem__ = getitem  # type: ignore[method-assign]
Tensor.__setitem__ = write  # type: ignore[method-assign]
Tensor.T = property(transpose)  # type: ignore[assignment]
Tensor.mT = property(matrix_transpose)  # type: ignore[assignment]
