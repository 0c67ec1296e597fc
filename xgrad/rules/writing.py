"""Writes: x[i] = v, x += y, and at(x, i).add(v).

A write makes a new value and lets the tensor be it: on the tape it is a function like any other, so it is differentiable, and
whatever read the tensor before keeps what it read. The array itself is written in place only where nobody else holds it.

A tensor that was read out of another, x[2:5], is a tensor of its own: a write into it does not change x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.dispatch import explain, node_of, unwrap
from xgrad.rules.data_type import cast
from xgrad.rules.indexing import SETITEM, getitem, placed, scatter, setitem
from xgrad.rules.manipulation import broadcast_to
from xgrad.tape import is_recording
from xgrad.tensor import Tensor, wrap

Binary = Callable[[Any, Any], Any]

FROM_OUTSIDE = (
    "setitem: under vmap, a tensor that was made outside of the function is the same for all examples, and what would be written "
    "into it differs among them. Make the tensor inside (by xgrad.zeros, say, or by the namespace of an argument), or write into "
    "a copy: xgrad.at(x, key).set(value), or x = x + y for x += y."
)


def write(self: Tensor, key: Any, value: Any) -> None:
    """x[key] = value."""
    check_writable(self)
    here, key = placed(self, key, value=value)
    in_place = self.backend.exclusive(self.data)
    backend, (x, v), nodes = unwrap("setitem", (here, value))
    if backend is not self.backend:
        raise TypeError(FROM_OUTSIDE)
    static = {"key": key}
    if getattr(v, "dtype", None) in backend.complex_dtypes and self.dtype not in backend.complex_dtypes:
        raise TypeError(
            f"setitem: a complex value was written into a tensor of dtype {self.dtype}; write xgrad.real of it"
        )
    try:
        y = (backend.write if in_place else backend.xp.setitem)(x, v, key)
    except Exception as error:
        explain(error, "setitem", (x, v), backend)
    node = node_of(SETITEM, backend, (x, v), nodes, y, static)
    if node is None and nodes[1] is not None and is_recording():
        raise TypeError(
            f"setitem: a value that requires a gradient was written into a tensor of dtype {self.dtype}, where the gradient "
            "would be lost. Convert the tensor to a floating-point dtype first, or write value.detach()."
        )
    self.data = y
    self.become(node)


def in_place(function: Binary, symbol: str) -> Binary:
    """The operator `symbol=` of a function."""

    def operator(self: Tensor, other: Any) -> Any:
        check_writable(self)
        result = function(self, other)
        if result is NotImplemented:
            return NotImplemented  # Python goes on with `self = self + other`
        if result.backend is not self.backend:
            raise TypeError(FROM_OUTSIDE)
        if result.dtype != self.dtype and _same_kind(self.backend, result.dtype, self.dtype):
            result = cast(result, self.dtype)
        if (result.shape, result.dtype) != (self.shape, self.dtype):
            raise ValueError(
                f"in place, '{symbol}=' must keep the shape and kind of the tensor, {self.shape} {self.dtype}; "
                f"the result is {result.shape} {result.dtype}"
            )
        self.data = result.data
        self.become(result.node)
        return self

    return operator


def _same_kind(backend: Any, one: Any, other: Any) -> bool:
    """Whether both are integers, or both real, or both complex: then the dtype that is written to decides on the precision."""
    kinds = ("integral", "real floating", "complex floating")
    return any(backend.library.isdtype(one, kind) and backend.library.isdtype(other, kind) for kind in kinds)


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


class At:
    """A place in a tensor; see `at`."""

    def __init__(self, x: Tensor, key: Any) -> None:
        self.x, self.key = x, key

    def get(self) -> Tensor:
        """What is there."""
        return getitem(self.x, self.key)

    def set(self, value: Any) -> Tensor:
        """A copy of the tensor with `value` there. Of what is written to one place twice, one of the values stays."""
        return setitem(self.x, value, self.key)

    def add(self, value: Any) -> Tensor:
        """A copy of the tensor with `value` added there. What is added to one place twice is added twice."""
        there = getitem(self.x.detach(), self.key)
        value = value if isinstance(value, Tensor) else there * 0 + value
        if value.shape != there.shape:
            value = broadcast_to(value, there.shape)
        return self.x + scatter(value, self.key, self.x.shape)

    def subtract(self, value: Any) -> Tensor:
        """A copy of the tensor with `value` taken away there, as often as a place is named."""
        return self.add(-value)


def at(x: Any, key: Any, /) -> At:
    """The place `x[key]`, for writes that make a new tensor, and that add up where a place is named more than once.

    >>> import xgrad as xg
    >>> i = xg.asarray([0, 0, 2])
    >>> xg.at(xg.zeros(3), i).add(1.0).numpy().tolist()
    [2.0, 0.0, 1.0]
    """
    if isinstance(x, Tensor):
        return At(x, key)
    backend, (raw,), _ = unwrap("at", (x,))
    return At(wrap(raw, backend), key)
