"""Searching, sorting, sets and truth: where, argmax, sort, unique, all, any ..."""

from __future__ import annotations

from typing import Any

from xgrad.backends.data import is_scalar
from xgrad.engine.arguments import as_scalar, backend_of, unwrap
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integer, one_or_more, or_none
from xgrad.engine.op import JointlyLinear
from xgrad.engine.operands import as_tensors, beside, operand, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.declare import NOT_CONTINUOUS, untracked
from xgrad.rules.shapes import Axes, normalize_axes

_where = JointlyLinear(
    "where",
    ("condition", "x1", "x2"),
    (None, lambda xp, g, condition: xp.mask(g, condition), lambda xp, g, condition: xp.mask(g, ~condition)),
    fixed=("condition",),
)
_mask = JointlyLinear(
    "mask", ("x", "condition"), (lambda xp, g, condition: xp.mask(g, condition), None), fixed=("condition",)
)


@public("where", "rule")
def where(condition: Any, x1: Any, x2: Any, /) -> Tensor:
    """x1 where the condition holds, x2 elsewhere.

    The branch not taken gets the gradient 0, also where its own derivative is infinite or nan: but what is infinite further up
    makes 0 * inf = nan there. Make the argument safe first: where(x > 0, log(where(x > 0, x, 1)), 0).
    """
    if is_scalar(condition):
        condition = beside("where", x1 if is_scalar(x2) else x2, condition)
    if is_scalar(x1) and is_scalar(x2):  # of which the standard would not know the dtype
        backend = backend_of("where", (condition,))
        x1, x2 = as_scalar(backend, x1), as_scalar(backend, x2)
        both = x1 if type(x1) is type(x2) else x1 + x2
        x1 = wrap(backend.asarray(x1, dtype=backend.asarray(both).dtype), backend)
    return apply(_where, (condition, x1, x2))


@public("mask", "rule")
def mask(x: Any, condition: Any, /) -> Tensor:
    """x where the condition holds, 0 elsewhere."""
    return apply(_mask, (x, condition))


# --- positions and truth ------------------------------------------------------------------------------------


@public("argmax", NOT_CONTINUOUS)
def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the largest element along an axis."""
    return untracked("argmax", (x,), axis=or_none("argmax", axis), keepdims=keepdims)


@public("argmin", NOT_CONTINUOUS)
def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the smallest element along an axis."""
    return untracked("argmin", (x,), axis=or_none("argmin", axis), keepdims=keepdims)


@public("count_nonzero", NOT_CONTINUOUS)
def count_nonzero(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """How many elements are not 0."""
    return untracked("count_nonzero", (x,), axis=one_or_more("count_nonzero", axis), keepdims=keepdims)


@public("nonzero", NOT_CONTINUOUS)
def nonzero(x: Any, /) -> tuple[Tensor, ...]:
    """The positions of the elements that are not 0, one array for each axis."""
    return _several("nonzero", x)


@public("searchsorted", NOT_CONTINUOUS)
def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Tensor:
    """Where in the sorted x1 the elements of x2 belong."""
    if sorter is not None:
        from xgrad.rules.indexing import take

        x1 = take(x1, sorter, axis=0)
    return untracked("searchsorted", (x1, x2), side=side)


@public("all", NOT_CONTINUOUS)
def all(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether every element is true."""
    return untracked("all", (x,), axis=one_or_more("all", axis), keepdims=keepdims)


@public("any", NOT_CONTINUOUS)
def any(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether some element is true."""
    return untracked("any", (x,), axis=one_or_more("any", axis), keepdims=keepdims)


@public("isin", NOT_CONTINUOUS)
def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """For each element of x1, whether it is among those of x2."""
    return untracked("isin", (x1, x2), invert=invert)


# --- order --------------------------------------------------------------------------------------------------


@public("argsort", NOT_CONTINUOUS)
def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The positions that sort x along an axis."""
    x = operand("argsort", x)
    (axis,) = normalize_axes("argsort", integer("argsort", axis), x.ndim)
    return untracked("argsort", (x,), axis=axis, descending=descending, stable=stable)


@public("sort", "composition")
def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """x sorted along an axis; the gradient goes back to where each element stood."""
    from xgrad.rules.indexing import take_along_axis

    x = operand("sort", x)
    (axis,) = normalize_axes("sort", integer("sort", axis), x.ndim)
    if not getattr(x, "requires_grad", False):
        return untracked("sort", (x,), axis=axis, descending=descending, stable=stable)
    return take_along_axis(x, argsort(x, axis=axis, descending=descending, stable=stable), axis=axis)


@public("diff", "composition")
def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Tensor:
    """The n-th difference of neighbours along an axis, with arrays (or one number for all) put before and after it."""
    from xgrad.rules.indexing import getitem
    from xgrad.rules.manipulation import broadcast_to, concat

    x, prepend, append = together("diff", x, prepend, append)
    x = operand("diff", x)
    (axis,), n = normalize_axes("diff", integer("diff", axis), x.ndim), integer("diff", n, "n")
    parts = [*as_tensors("diff", [part for part in (prepend, x, append) if part is not None])]
    one_place = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    parts = [part if part.ndim else broadcast_to(part, one_place) for part in parts]
    y = concat(parts, axis=axis) if len(parts) > 1 else x
    at = (slice(None),) * axis
    for _ in range(n):
        behind, ahead = slice(None, max(y.shape[axis] - 1, 0)), slice(1, None)
        y = getitem(y, (*at, ahead, ...)) - getitem(y, (*at, behind, ...))
    return y


# --- sets ---------------------------------------------------------------------------------------------------


@public("unique_values", "composition")
def unique_values(x: Any, /) -> Tensor:
    """The distinct elements. The gradient of each goes to where it occurs first.

    >>> import xgrad as xg
    >>> xg.grad(lambda x: xg.sum(xg.unique_values(x)))(xg.asarray([2.0, 1.0, 2.0])).numpy().tolist()
    [1.0, 1.0, 0.0]
    """
    return _unique("unique_inverse", x)[0]


@public("unique_counts", "composition")
def unique_counts(x: Any, /) -> tuple[Tensor, ...]:
    """The distinct elements, and how often each occurs."""
    return _unique("unique_counts", x)


@public("unique_inverse", "composition")
def unique_inverse(x: Any, /) -> tuple[Tensor, ...]:
    """The distinct elements, and for each element of x which of them it is."""
    return _unique("unique_inverse", x)


@public("unique_all", "composition")
def unique_all(x: Any, /) -> tuple[Tensor, ...]:
    """The distinct elements, where each occurs first, which one each element of x is, and how often each occurs."""
    return _unique("unique_all", x)


def _unique(name: str, x: Any) -> tuple[Tensor, ...]:
    """The library's answer, with distinct elements that are connected with x, if x requires a gradient."""
    from xgrad.rules.indexing import take
    from xgrad.rules.manipulation import reshape

    found = _several(name, x)
    if not getattr(x, "requires_grad", False):
        return found
    xp = x.backend.xp
    which = xp.reshape(xp.unique_inverse(x.data)[1], (-1,))
    order = xp.argsort(which, stable=True)
    first = xp.take(order, xp.searchsorted(xp.take(which, order, axis=0), xp.arange(found[0].size)), axis=0)
    values = take(reshape(x, (-1,)), wrap(first, x.backend), axis=0)
    return type(found)(values, *found[1:]) if hasattr(found, "_fields") else (values, *found[1:])


def _several(name: str, x: Any) -> tuple[Tensor, ...]:
    """A function of one array that returns a tuple of arrays, of the kind of tuple that the library returns."""
    backend, (raw,), _ = unwrap(name, (x,))
    found = getattr(backend.xp, name)(raw)
    tensors = [wrap(part, backend) for part in found]
    return type(found)(*tensors) if hasattr(found, "_fields") else tuple(tensors)
