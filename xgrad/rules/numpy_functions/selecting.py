"""Choosing elements, by conditions and by indices; inserting and deleting them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xgrad.backends.data import BOOL
from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import (
    arrays,
    not_given,
    one_axis,
    tensor,
    tensors,
    xp,
)
from xgrad.rules.numpy_functions.indices import index_dtype
from xgrad.rules.numpy_functions.orders import nonzero
from xgrad.rules.numpy_functions.table import numpy_function

LISTS = frozenset((list, tuple))


@numpy_function("where")
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("numpy.where takes a condition alone, or both x and y")
    one = x if isinstance(x, Tensor) else y
    if not isinstance(one, Tensor) or not LISTS.isdisjoint(map(type, (condition, x, y))):
        condition, one, y = tensors("where", condition, x, y)
        x = one
    elif not isinstance(condition, Tensor) and not one.backend.owns(condition):
        condition = tensors("where", one, condition)[1]
    is_mask = one.backend.rank(condition.dtype) == BOOL
    return xp.where(condition if is_mask else condition != 0, x, y)


@numpy_function("select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(f"numpy.select: there are {len(condlist)} conditions and {len(choicelist)} choices")
    found = tensors("select", *choicelist, default)
    y = found[-1]
    for condition, choice in zip(reversed(list(condlist)), reversed(found[:-1]), strict=True):
        y = xp.where(tensor("select", condition), choice, y)
    return y


@numpy_function("piecewise")
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Each function is computed for its elements only, so that the others get no nan from it."""
    x = tensor("piecewise", x)
    if isinstance(condlist, Tensor) or not isinstance(condlist, list | tuple) or not hasattr(condlist[0], "__len__"):
        first = condlist[0] if isinstance(condlist, list | tuple) and not isinstance(condlist[0], bool) else condlist
        condlist = [first] if getattr(first, "shape", None) == x.shape else list(condlist)
    conditions = [tensor("piecewise", condition) for condition in condlist]
    if len(funclist) == len(conditions) + 1:
        otherwise = conditions[0]
        for condition in conditions[1:]:
            otherwise = otherwise | condition
        conditions.append(xp.logical_not(otherwise))
    if len(funclist) != len(conditions):
        raise ValueError(f"numpy.piecewise: {len(conditions)} conditions need as many functions, or one more")
    y = xp.zeros_like(x)
    for condition, f in zip(conditions, funclist, strict=True):
        if not callable(f):
            y = xp.where(condition, f, y)
            continue
        flat = xp.nonzero(xp.reshape(xp.broadcast_to(condition, x.shape), (-1,)))[0]
        if not flat.shape[0]:
            continue
        part = tensor("piecewise", f(xp.take(xp.reshape(x, (-1,)), flat, axis=0), *args, **kw))
        whole = xp.setitem(xp.reshape(y, (-1,)), xp.broadcast_to(part, flat.shape), flat)
        y = xp.reshape(whole, x.shape)
    return y


@numpy_function("choose")
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    not_given("choose", out=out)
    a = tensor("choose", a)
    found = xp.broadcast_arrays(a, *arrays("choose", choices))
    at, n = found[0], len(found) - 1
    at = {"raise": lambda: _in_range("choose", at, n), "wrap": lambda: at % n, "clip": lambda: xp.clip(at, 0, n - 1)}[
        mode
    ]()
    y = found[1]
    for i, choice in enumerate(found[2:], 1):
        y = xp.where(at == i, choice, y)
    return y


def _in_range(name: str, at: Any, n: int) -> Any:
    if math.prod(at.shape) and not bool(xp.all((at >= 0) & (at < n))):
        raise ValueError(f"numpy.{name}: an index is not between 0 and {n - 1}")
    return at


# --- indices --------------------------------------------------------------------------------------------------


@numpy_function("take")
def take(a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Any:
    not_given("take", out=out)
    a, at = tensor("take", a), indices
    a, axis = (xp.reshape(a, (-1,)), 0) if axis is None else (a, one_axis("take", axis, a.ndim))
    at = (
        at
        if isinstance(at, Tensor)
        else tensors("take", xp.zeros_like(a, dtype=xp.argmax(xp.ones_like(a)).dtype), at)[1]
    )
    n = a.shape[axis]
    if mode == "wrap":
        at = at % n
    elif mode == "clip":
        at = xp.clip(at, 0, n - 1)
    else:
        if math.prod(at.shape) and not bool(xp.all((at >= -n) & (at < n))):
            raise IndexError(f"numpy.take: an index is out of bounds for axis {axis} with {n} elements")
        at = xp.where(at < 0, at + n, at)
    y = xp.take(a, xp.reshape(at, (-1,)), axis=axis)
    return xp.reshape(y, (*a.shape[:axis], *at.shape, *a.shape[axis + 1 :]))


@numpy_function("take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    arr = tensor("take_along_axis", arr)
    arr, axis = (xp.reshape(arr, (-1,)), 0) if axis is None else (arr, axis)
    return xp.take_along_axis(arr, indices, axis=axis)


@numpy_function("compress")
def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    not_given("compress", out=out)
    a = tensor("compress", a)
    a, axis = (xp.reshape(a, (-1,)), 0) if axis is None else (a, one_axis("compress", axis, a.ndim))
    at = xp.nonzero(tensors("compress", a, condition)[1] != 0)[0]
    return xp.take(a, at, axis=axis)


@numpy_function("extract")
def extract(condition: Any, arr: Any) -> Any:
    condition, arr = tensors("extract", condition, arr)
    return compress(xp.reshape(condition, (-1,)), xp.reshape(arr, (-1,)))


@numpy_function("delete")
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = tensor("delete", arr)
    arr, axis = (xp.reshape(arr, (-1,)), 0) if axis is None else (arr, one_axis("delete", axis, arr.ndim))
    n = arr.shape[axis]
    gone = _places("delete", obj, n, n)
    kept = [i for i in range(n) if i not in gone]
    return xp.take(arr, xp.asarray(kept, dtype=index_dtype()), axis=axis)


@numpy_function("insert")
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = tensors("insert", arr, values)
    arr, axis = (xp.reshape(arr, (-1,)), 0) if axis is None else (arr, one_axis("insert", axis, arr.ndim))
    n = arr.shape[axis]
    one = not isinstance(obj, slice) and not hasattr(obj, "__len__")
    places = _places("insert", obj, n, n + 1)
    values = xp.astype(values, arr.dtype)
    if one and values.ndim:  # the values are one slice along the axis, or several for this one place
        values = xp.moveaxis(values, 0, axis) if values.ndim == arr.ndim else xp.expand_dims(values, axis=axis)
        count = values.shape[axis] if values.ndim == arr.ndim else 1
        places = places * count if len(places) == 1 else places
    shape = (*arr.shape[:axis], len(places), *arr.shape[axis + 1 :])
    values = xp.broadcast_to(values, shape)
    order = sorted(range(len(places)), key=lambda i: places[i])
    both = xp.concat([arr, values], axis=axis)
    rows, taken = [], 0
    for i in range(n + 1):
        while taken < len(order) and places[order[taken]] == i:
            rows.append(n + order[taken])
            taken += 1
        if i < n:
            rows.append(i)
    return xp.take(both, xp.asarray(rows, dtype=index_dtype()), axis=axis)


def _places(name: str, obj: Any, n: int, end: int) -> list[int]:
    """The places that an integer, a slice, a mask or a list of integers names, counted from the start."""
    if isinstance(obj, slice):
        return list(range(*obj.indices(n)))
    if isinstance(obj, Tensor) or hasattr(obj, "tolist"):
        obj = obj.tolist()
    if isinstance(obj, list | tuple):
        if obj and all(isinstance(i, bool) for i in obj):
            return [i for i, chosen in enumerate(obj) if chosen]
        numbers = [integer(name, i, "obj") for i in obj]
    else:
        numbers = [integer(name, obj, "obj")]
    for i in numbers:
        if not -n <= i < end:
            raise IndexError(f"numpy.{name}: index {i} is out of bounds for an axis of {n} elements")
    return [i + n if i < 0 else i for i in numbers]


@numpy_function("trim_zeros")
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    filt = tensor("trim_zeros", filt)
    places = [tuple(row) for row in xp.stack(xp.nonzero(filt), axis=1).tolist()]
    key = []
    for i, n in enumerate(filt.shape):
        if axis is not None and i not in ((axis,) if isinstance(axis, int) else axis):
            key.append(slice(None))
            continue
        along = [place[i] for place in places]
        first = min(along) if along and "f" in trim.lower() else (0 if along or "f" not in trim.lower() else n)
        last = max(along) + 1 if along and "b" in trim.lower() else (n if along else 0)
        key.append(slice(first, last))
    return filt[tuple(key)]
