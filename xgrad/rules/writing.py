"""Writes: x[i] = v, x += y, and at(x, i).add(v).

A write computes a new value, and the tensor takes it. On the tape it is a function like any other, so it is differentiable, and
an operation that read the tensor before keeps what it read. The array is written in place only if nothing else refers to it.

A view such as x[2:5] shares its elements with x: a write to one shows in the other (see views.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.backends.data import BOOL, COMPLEX, PYTHON_NUMBERS
from xgrad.engine import tape
from xgrad.engine.arguments import unwrap
from xgrad.engine.dispatch import explain, node_of
from xgrad.engine.reading import noting
from xgrad.engine.tape import Leaf, is_recording
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.views import (
    BASE,
    KIND,
    STATIC,
    chain_of,
    family_of,
    is_read_only,
    is_recorded,
    link_of,
    update_family,
)
from xgrad.rules.data_type import cast
from xgrad.rules.filled import zeros_like
from xgrad.rules.indexing import (
    PART,
    SETITEM,
    check_kind,
    getitem,
    is_plain,
    placed,
    rank_of,
    scatter,
    setitem,
)
from xgrad.rules.manipulation import broadcast_to

Binary = Callable[[Any, Any], Any]

FROM_OUTSIDE = (
    "setitem: under vmap, a tensor that was made outside of the function has no batch axis, and the value to write has one. "
    "Make the tensor inside (with xgrad.zeros, for example, or the namespace of an argument), or make a new one: "
    "xgrad.at(x, key).set(value), or x = x + y for x += y."
)


def write(self: Tensor, key: Any, value: Any) -> None:
    """x[key] = value."""
    chain = chain_of(self)
    check_writable(chain)
    if isinstance(value, Tensor) and _is_part(value, self, key):  # x[key] += v has written to the view x[key] already
        return
    family = family_of(chain)
    in_place = is_exclusive(self, family)
    backend, x, v, value_node, key = _operands(self, key, value)
    if value_node is not None or type(v) is complex or getattr(v, "dtype", None) in backend.complex_dtypes:
        _check_value(self, v, value_node)
    try:
        y = (backend.write if in_place else backend.xp.setitem)(x, v, key)
    except Exception as error:
        explain(error, "setitem", (x, v), backend)
    nodes = self.node, value_node
    if nodes == (None, None) and not tape.watchers:
        node = None
        if in_place and (family is None or not is_recorded(family)):
            return
    else:
        node = node_of(SETITEM, backend, (x, v), nodes, y, {"key": key})
    _become(chain, wrap(y, backend, node), family, in_place)


def _operands(x: Tensor, key: Any, value: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The backend, the raw arrays of x and of the value (or a number), the value's node, and the key with raw arrays in it."""
    backend = x.backend
    if is_plain(key) and not noting:
        if type(value) in PYTHON_NUMBERS:
            return backend, x._data, value, None, key
        if isinstance(value, Tensor) and value.backend is backend:
            return backend, x._data, value._data, value.node, key
    here, key = placed(x, key, value=value)
    backend, (raw, v), (_, node) = unwrap("setitem", (here, value))
    if backend is not x.backend:
        raise TypeError(FROM_OUTSIDE)
    return backend, raw, v, node, key


def is_exclusive(x: Tensor, family: list[Tensor] | None) -> bool:
    """Whether nothing but x and its views refers to its array, so that it may be written in place."""
    if family is None:
        return x.backend.exclusive(x.data)
    return x.backend.exclusive_together([each._data for each in family])


def _is_part(value: Tensor, x: Tensor, key: Any) -> bool:
    """Whether the value is the view x[key]."""
    link = link_of(value)
    return link is not None and link[KIND] is PART and link[BASE] is x and link[STATIC] is key


def _check_value(x: Tensor, v: Any, node: Any) -> None:
    """Raise TypeError for a complex value in a real tensor, and for a value that requires a gradient in integers."""
    if rank_of(x.backend, v) == COMPLEX:
        check_kind(x, v)
    if node is not None and is_recording() and not x.backend.is_inexact(x.dtype):
        raise TypeError(
            f"setitem: a value that requires a gradient was written into a tensor of dtype {x.dtype}, where the gradient "
            "would be lost. Convert the tensor to a floating-point dtype first, or write value.detach()."
        )


def _become(chain: list[Tensor], new: Tensor, family: list[Tensor] | None, in_memory: bool) -> None:
    """Give the tensor at the start of this chain the value of `new`, and update its base and the other views."""
    if family is not None:
        update_family(chain, new, family, in_memory=in_memory, record=is_recording())
        return
    x = chain[0]
    x.data = new.data
    x.become(new.node)


def in_place(function: Binary, symbol: str) -> Binary:
    """The operator `symbol=` of a function."""

    def operator(self: Tensor, other: Any) -> Any:
        chain = chain_of(self)
        check_writable(chain)
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
        family = family_of(chain)
        in_memory = family is not None and is_exclusive(self, family)
        if in_memory:
            self.backend.write(self.data, result.data, ...)
        _become(chain, result, family, in_memory)
        return self

    return operator


def _same_kind(backend: Any, one: Any, other: Any) -> bool:
    """Whether both are integer, both real, or both complex dtypes. Then the result is converted to the dtype of the tensor."""
    return bool(backend.rank(one) == backend.rank(other) > BOOL)


def check_writable(chain: list[Tensor]) -> None:
    """Raise RuntimeError where a write would make gradients wrong.

    A leaf is written only under no_grad, and a computed tensor only outside of it. For a view, its root is checked. Raises
    ValueError for a read-only view.
    """
    x, root = chain[0], chain[-1]
    is_cut = link_of(root) is not None  # a view made under no_grad whose base no longer exists
    if x is root and root.node is None and not is_cut:
        return
    node = root.node
    what = "a" if x is root else "a view of a"
    if is_read_only(chain):
        raise ValueError(
            "a view that was made by broadcast_to (or broadcast_arrays) is read-only: its elements share places in memory. "
            "Write into a copy, xgrad.asarray(t, copy=True), or into what was broadcast."
        )
    if type(node) is Leaf:
        if is_recording():
            raise RuntimeError(
                f"{what} leaf that requires a gradient cannot be written in place: its gradient would belong to the value "
                "before. Write into a copy, xgrad.asarray(t, copy=True); or, to assign the leaf a new value, write "
                "under xgrad.no_grad()."
            )
    elif is_cut or (node is not None and (x.node is None or not is_recording())):
        raise RuntimeError(
            f"{what} computed tensor that requires a gradient cannot be written in place under no_grad(), nor can a view that "
            "was made there: the write would be missing from its gradient. Write into t.detach(), or outside of no_grad()."
        )


class At:
    """A key into a tensor, with the methods that read and write there; see `at`."""

    def __init__(self, x: Tensor, key: Any) -> None:
        self.x, self.key = x, key

    def get(self) -> Tensor:
        """The part of the tensor at the key."""
        return getitem(self.x, self.key)

    def set(self, value: Any) -> Tensor:
        """A copy of the tensor with `value` written at the key. Where the key names a place twice, one of the values stays.

        Raises TypeError for a complex value in real numbers, and for a floating-point one in integers. So do the other methods.
        """
        return setitem(self.x, value, self.key)

    def add(self, value: Any) -> Tensor:
        """A copy of the tensor with `value` added at the key. Where the key names a place twice, both are added."""
        there = getitem(self.x.detach(), self.key)
        value = value if isinstance(value, Tensor) else zeros_like(there) + value
        if value.shape != there.shape:
            value = broadcast_to(value, there.shape)
        result = self.x + scatter(value, self.key, self.x.shape)
        if result.dtype == self.x.dtype:
            return result
        if not _same_kind(self.x.backend, result.dtype, self.x.dtype):
            raise TypeError(
                f"at(...).add: a value of dtype {value.dtype} was added to a tensor of dtype {self.x.dtype}, which must keep its "
                "kind; convert one of them with xgrad.astype"
            )
        return cast(result, self.x.dtype)

    def subtract(self, value: Any) -> Tensor:
        """A copy of the tensor with `value` subtracted at the key. Where the key names a place twice, both are subtracted."""
        return self.add(-value)


def at(x: Any, key: Any, /) -> At:
    """The place x[key], for writes that leave x as it is and give a new tensor.

    >>> import xgrad as xg
    >>> i = xg.asarray([0, 0, 2])
    >>> xg.at(xg.zeros(3), i).add(1.0).tolist()
    [2.0, 0.0, 1.0]
    >>> xg.at(xg.zeros(3), 1).set(5.0).tolist()
    [0.0, 5.0, 0.0]

    Args:
        x: an array of any shape and dtype, or a number.
        key: as of `getitem`: integers, slices, `...`, None, arrays of integers and masks.

    Returns:
        An object with the methods get(), set(value), add(value) and subtract(value). Each returns a tensor of the shape and dtype
        of x (get: of x[key]) and is differentiable, in x and in the value. add and subtract count a place as often as the key
        names it.

    Raises:
        TypeError: for an x that is neither an array nor a number; by the methods, for a complex value in real numbers, and for a
            floating-point one in integers.
        IndexError: by the methods, for an index out of range, as of `getitem`.
        ValueError: by the methods, for a value that does not broadcast to x[key].

    https://docs.jax.dev/en/latest/_autosummary/jax.numpy.ndarray.at.html
    """
    if isinstance(x, Tensor):
        return At(x, key)
    backend, (raw,), _ = unwrap("at", (x,))
    return At(wrap(raw, backend), key)
