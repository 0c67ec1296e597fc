"""Choosing elements: by conditions, by indices and along diagonals; and orders, which have no derivative."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

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
from xgrad.rules.numpy_functions.products import diagonal
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("where")
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("numpy.where takes a condition alone, or both x and y")
    condition, x, y = tensors("where", condition, x, y)
    return xp.where(condition != 0 if condition.dtype != (condition == condition).dtype else condition, x, y)


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
    at = {"raise": lambda: _in_range("choose", at, n), "wrap": lambda: at % n, "clip": lambda: xp.clip(at, 0, n - 1)}[mode]()
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
    at = at if isinstance(at, Tensor) else tensors("take", xp.zeros_like(a, dtype=xp.argmax(xp.ones_like(a)).dtype), at)[1]
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
    return xp.take(arr, xp.asarray(kept, dtype=_integers()), axis=axis)


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
    return xp.take(both, xp.asarray(rows, dtype=_integers()), axis=axis)


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


def _integers() -> Any:
    return xp.argmax(xp.asarray([0.0])).dtype


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


# --- diagonals and triangles ----------------------------------------------------------------------------------


@numpy_function("diag")
def diag(v: Any, k: int = 0) -> Any:
    v = tensor("diag", v)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"numpy.diag takes a vector or a matrix, not an array of {v.ndim} axes")
    n, size = v.shape[0], v.shape[0] + abs(k)
    at = [(i + max(-k, 0)) * size + i + max(k, 0) for i in range(n)]
    return xp.reshape(xp.scatter(v, xp.asarray(at, dtype=_integers()), (size * size,)), (size, size))


@numpy_function("diagflat")
def diagflat(v: Any, k: int = 0) -> Any:
    return diag(xp.reshape(tensor("diagflat", v), (-1,)), k)


@numpy_function("tril")
def tril(m: Any, k: int = 0) -> Any:
    return _triangle(xp.tril, m, k)


@numpy_function("triu")
def triu(m: Any, k: int = 0) -> Any:
    return _triangle(xp.triu, m, k)


def _triangle(function: Callable[..., Any], m: Any, k: int) -> Any:
    m = tensor("tril", m)
    if m.ndim == 1:  # NumPy takes a vector for each row of a matrix
        m = xp.broadcast_to(m, (m.shape[0], m.shape[0]))
    return function(m, k=k)


@numpy_function("vander")
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:  # noqa: N803 (NumPy's name)
    x = tensor("vander", x)
    count = x.shape[0] if N is None else N
    columns = [xp.ones_like(x)]
    for _ in range(count - 1):
        columns.append(columns[-1] * x)
    y = xp.stack(columns, axis=1)[:, :count]
    return y if increasing else xp.flip(y, axis=1)


# --- orders ---------------------------------------------------------------------------------------------------


@numpy_function("sort")
def sort(a: Any, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Any:
    not_given("sort", order=order)
    a = tensor("sort", a)
    a, axis = (xp.reshape(a, (-1,)), 0) if axis is None else (a, axis)
    return xp.sort(a, axis=axis)


@numpy_function("partition")
def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None) -> Any:
    """All of it is sorted, which is one of the orders that a partition may have."""
    return sort(a, axis, order=order)


@numpy_function("argpartition", exact=True)
def argpartition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None) -> Any:
    return argsort(a, axis, order=order)


@numpy_function("argsort", exact=True)
def argsort(a: Any, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Any:
    not_given("argsort", order=order)
    a = tensor("argsort", a)
    a, axis = (xp.reshape(a, (-1,)), 0) if axis is None else (a, axis)
    return xp.argsort(a, axis=axis)


@numpy_function("lexsort", exact=True)
def lexsort(keys: Any, axis: int = -1) -> Any:
    """Stable sorts, from the least important key to the last one."""
    rows = arrays("lexsort", keys)
    order = xp.argsort(rows[0], axis=axis)
    for row in rows[1:]:
        sorted_row = xp.take_along_axis(row, order, axis=axis)
        order = xp.take_along_axis(order, xp.argsort(sorted_row, axis=axis, stable=True), axis=axis)
    return order


def _arg(name: str) -> Callable[..., Any]:
    def found(a: Any, axis: int | None = None, out: None = None, *, keepdims: Any = False) -> Any:
        not_given(name, out=out)
        return getattr(xp, name)(tensor(name, a), axis=axis, keepdims=keepdims is True)

    return found


argmax = numpy_function("argmax", exact=True)(_arg("argmax"))
argmin = numpy_function("argmin", exact=True)(_arg("argmin"))


def _nan_arg(name: str, worst: float) -> Callable[..., Any]:
    def found(a: Any, axis: int | None = None, out: None = None, *, keepdims: Any = False) -> Any:
        a = tensor(name, a).detach()
        bad = xp.isnan(a)
        if bool(xp.any(xp.all(bad, axis=axis))):
            raise ValueError(f"numpy.{name}: a line has only nan")
        return _arg(name.removeprefix("nan"))(xp.where(bad, worst, a), axis, out, keepdims=keepdims)

    return found


numpy_function("nanargmax", exact=True)(_nan_arg("nanargmax", -math.inf))
numpy_function("nanargmin", exact=True)(_nan_arg("nanargmin", math.inf))


@numpy_function("nonzero", exact=True)
def nonzero(a: Any) -> Any:
    return tuple(xp.nonzero(tensor("nonzero", a)))


@numpy_function("flatnonzero", exact=True)
def flatnonzero(a: Any) -> Any:
    return xp.nonzero(xp.reshape(tensor("flatnonzero", a), (-1,)))[0]


@numpy_function("argwhere", exact=True)
def argwhere(a: Any) -> Any:
    return xp.stack(xp.nonzero(tensor("argwhere", a)), axis=1)


@numpy_function("searchsorted", exact=True)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    a, v = tensors("searchsorted", a, v)
    found = xp.searchsorted(a, xp.reshape(v, (-1,)), side=side, sorter=sorter)
    return xp.reshape(found, v.shape)


@numpy_function("digitize", exact=True)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    x, bins = tensors("digitize", x, bins)
    steps = xp.diff(bins)
    if bool(xp.all(steps >= 0)):
        return searchsorted(bins, x, side="left" if right else "right")
    if not bool(xp.all(steps <= 0)):
        raise ValueError("numpy.digitize: bins must increase or decrease")
    return bins.shape[0] - searchsorted(xp.flip(bins), x, side="right" if right else "left")


@numpy_function("bincount")
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """The derivative by the weights: each gets the cotangent of its bin."""
    x = tensor("bincount", x)
    if x.ndim != 1 or bool(xp.any(x < 0)):
        raise ValueError("numpy.bincount takes a vector of integers that are not negative")
    n = max(int(xp.max(x)) + 1 if x.shape[0] else 0, minlength)
    weights = xp.ones_like(x, dtype=_integers()) if weights is None else tensors("bincount", x, weights)[1]
    return xp.scatter(weights, x, (n,))


# --- sets -----------------------------------------------------------------------------------------------------


@numpy_function("unique", exact=True)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    not_given("unique", axis=axis)
    values, first, inverse, counts = xp.unique_all(tensor("unique", ar))
    found = [values]
    found += [first] if return_index else []
    found += [inverse] if return_inverse else []
    found += [counts] if return_counts else []
    return found[0] if len(found) == 1 else tuple(found)


for _name in ("unique_values", "unique_counts", "unique_inverse", "unique_all"):
    numpy_function(_name, exact=True)(lambda x, /, _name=_name: getattr(xp, _name)(tensor(_name, x)))


@numpy_function("isin", exact=True)
def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None) -> Any:
    element, test = tensors("isin", element, test_elements)
    return xp.isin(element, xp.reshape(test, (-1,)), invert=invert)


@numpy_function("union1d", exact=True)
def union1d(ar1: Any, ar2: Any) -> Any:
    return unique(xp.concat([xp.reshape(x, (-1,)) for x in tensors("union1d", ar1, ar2)]))


@numpy_function("intersect1d", exact=True)
def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    not_given("intersect1d", return_indices=return_indices or None)
    one, other = (unique(x) for x in tensors("intersect1d", ar1, ar2))
    return one[isin(one, other)]


@numpy_function("setdiff1d", exact=True)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    one, other = tensors("setdiff1d", ar1, ar2)
    one = xp.reshape(one, (-1,)) if assume_unique else unique(one)
    return one[isin(one, other, invert=True)]


@numpy_function("setxor1d", exact=True)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    one, other = tensors("setxor1d", ar1, ar2)
    return union1d(setdiff1d(one, other), setdiff1d(other, one))

