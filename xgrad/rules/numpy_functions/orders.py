"""Orders: sorting, and the functions of indices, which have no derivative; counts of bins; and sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.rules.numpy_functions.face import arrays, is_float, not_given, tensor, tensors, xp
from xgrad.rules.numpy_functions.indices import index_dtype
from xgrad.rules.numpy_functions.reducing import keeps
from xgrad.rules.numpy_functions.table import numpy_function


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
        return getattr(xp, name)(tensor(name, a), axis=axis, keepdims=keeps(keepdims))

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
    return bins.shape[0] - searchsorted(xp.flip(bins), x, side="left" if right else "right")


@numpy_function("bincount")
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """The derivative by the weights: each gets the cotangent of its bin."""
    x = tensor("bincount", x)
    if x.ndim != 1 or bool(xp.any(x < 0)):
        raise ValueError("numpy.bincount takes a vector of integers that are not negative")
    n = max(int(xp.max(x)) + 1 if x.shape[0] else 0, minlength)
    weights = xp.ones_like(x, dtype=index_dtype()) if weights is None else tensors("bincount", x, weights)[1]
    return xp.scatter(weights, x, (n,))


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
    spare = int(xp.count_nonzero(xp.isnan(values))) - 1 if equal_nan and is_float(values) else 0
    if spare > 0:  # those nan that are one value to NumPy; they come last
        m = values.shape[0] - spare
        counts = xp.concat([counts[: m - 1], xp.reshape(xp.sum(counts[m - 1 :]), (1,))])
        values, first, inverse = values[:m], first[:m], xp.clip(inverse, 0, m - 1)
    found = [values]
    found += [first] if return_index else []
    found += [inverse] if return_inverse else []
    found += [counts] if return_counts else []
    return found[0] if len(found) == 1 else tuple(found)


for _name in ("unique_values", "unique_counts", "unique_inverse", "unique_all"):
    numpy_function(_name, exact=True)(lambda x, /, _name=_name: getattr(xp, _name)(tensor(_name, x)))


@numpy_function("isin", exact=True)
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
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
