"""Searching, sorting and truth: where, argmax, sort, all, any ..."""

from __future__ import annotations

from typing import Any

from xgrad.backends.data import BOOL, is_scalar
from xgrad.engine.arguments import as_scalar, backend_of, unwrap
from xgrad.engine.dispatch import apply, with_fast_path
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
@with_fast_path("choice", _where)
def where(condition: Any, x1: Any, x2: Any, /) -> Tensor:
    """x1 where a condition holds, x2 elsewhere.

    >>> import xgrad as xg
    >>> x = xg.asarray([-1.0, 4.0])
    >>> xg.where(x > 0, x, 0.0).tolist()
    [0.0, 4.0]
    >>> xg.grad(lambda x: xg.sum(xg.where(x > 0, xg.sqrt(xg.where(x > 0, x, 1.0)), 0.0)))(x).tolist()
    [0.0, 0.25]

    Args:
        condition: an array of booleans, or a bool; or of numbers, which hold where they are not 0.
        x1, x2: arrays of any dtype, or numbers.

    Returns:
        A tensor of the shape that all three broadcast to, and of the dtype that x1 and x2 promote to.

    Derivative:
        Each element's cotangent goes to the branch that it came from; the other gets 0. A branch that is not taken still has a
        derivative of its own: where that is infinite or nan, 0 times it is nan. Make the argument safe first, as in the example.

    Raises:
        TypeError: for a value that is neither an array nor a number.
        ValueError: for shapes that do not broadcast.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    if is_scalar(condition):
        condition = beside("where", x1 if is_scalar(x2) else x2, condition)
    if is_scalar(x1) and is_scalar(x2):  # the standard does not define the dtype of two numbers
        backend = backend_of("where", (condition,))
        x1, x2 = as_scalar(backend, x1), as_scalar(backend, x2)
        both = x1 if type(x1) is type(x2) else x1 + x2
        x1 = wrap(backend.asarray(x1, dtype=backend.asarray(both).dtype), backend)
    condition, x1, x2 = together("where", condition, x1, x2)
    if hasattr(condition, "dtype") and not _is_mask("where", condition):
        condition = untracked("not_equal", (condition, 0))  # the rules negate it, and mask by it
    return apply(_where, (condition, x1, x2))


@public("mask", "rule")
def mask(x: Any, condition: Any, /) -> Tensor:
    """x where a condition holds, 0 elsewhere.

    Unlike x * condition, it gives 0 also where x is infinite or nan.

    >>> import xgrad as xg
    >>> xg.mask(xg.asarray([1.0, xg.nan, 3.0]), xg.asarray([True, False, False])).tolist()
    [1.0, 0.0, 0.0]

    Args:
        x: an array of any numeric dtype.
        condition: an array of booleans, or a bool. Both shapes broadcast.

    Returns:
        A tensor of the shape that both broadcast to, and of the dtype of x.

    Derivative:
        The cotangent, masked in the same way.

    Raises:
        TypeError: for a condition that does not consist of booleans.
        ValueError: for shapes that do not broadcast.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.masked_fill.html
    """
    condition = beside("mask", x, condition)
    if not _is_mask("mask", condition):
        raise TypeError(f"mask: the condition must be an array of booleans, not of {condition.dtype}")
    return apply(_mask, (x, condition))


def _is_mask(name: str, condition: Any) -> bool:
    """Whether an array consists of booleans."""
    backend = condition.backend if isinstance(condition, Tensor) else backend_of(name, (condition,))
    found: bool = backend.rank(condition.dtype) == BOOL
    return found


# --- positions and truth ------------------------------------------------------------------------------------


@public("argmax", NOT_CONTINUOUS)
def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the largest element along an axis: the first one, if several are equal. nan counts as the largest.

    >>> import xgrad as xg
    >>> xg.argmax(xg.asarray([1.0, 3.0, 3.0])).item()
    1

    Args:
        x: an array of any real dtype, or a number.
        axis: the axis, counted from the end where it is negative; None counts all elements row by row.

    Returns:
        A tensor of the shape of x without the axis, of the default integer dtype.

    Raises:
        ValueError: for an axis that x does not have, or one without elements.
    """
    return untracked("argmax", (x,), axis=or_none("argmax", axis), keepdims=keepdims)


@public("argmin", NOT_CONTINUOUS)
def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the smallest element along an axis: the first one, if several are equal. nan counts as the smallest.

    >>> import xgrad as xg
    >>> xg.argmin(xg.asarray([[3.0, 1.0], [2.0, 5.0]]), axis=1).tolist()
    [1, 0]

    Args:
        x: an array of any real dtype, or a number.
        axis: the axis, counted from the end where it is negative; None counts all elements row by row.

    Returns:
        A tensor of the shape of x without the axis, of the default integer dtype.

    Raises:
        ValueError: for an axis that x does not have, or one without elements.
    """
    return untracked("argmin", (x,), axis=or_none("argmin", axis), keepdims=keepdims)


@public("count_nonzero", NOT_CONTINUOUS)
def count_nonzero(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The number of elements that are not 0. nan is not 0.

    >>> import xgrad as xg
    >>> xg.count_nonzero(xg.asarray([[1.0, 0.0], [2.0, 3.0]]), axis=0).tolist()
    [2, 1]

    Returns:
        A tensor of the shape of x without the axes, of the default integer dtype.
    """
    return untracked("count_nonzero", (x,), axis=one_or_more("count_nonzero", axis), keepdims=keepdims)


@public("nonzero", NOT_CONTINUOUS)
def nonzero(x: Any, /) -> tuple[Tensor, ...]:
    """The positions of the elements that are not 0, row by row.

    >>> import xgrad as xg
    >>> rows, columns = xg.nonzero(xg.asarray([[1.0, 0.0], [0.0, 3.0]]))
    >>> rows.tolist(), columns.tolist()
    ([0, 1], [0, 1])

    Returns:
        A tuple of tensors of shape (n,) and the default integer dtype, one for each axis of x; n is how many elements are not 0.

    Raises:
        ValueError: for a 0-d array.
        NotImplementedError: on dask, where the shape of a result cannot depend on values.
    """
    return several("nonzero", x)


def several(name: str, x: Any) -> tuple[Tensor, ...]:
    """Call a function of one array that returns several. They come as tensors in the type of tuple that the library returns."""
    backend, (raw,), _ = unwrap(name, (x,))
    found = getattr(backend.xp, name)(raw)
    tensors = [wrap(part, backend) for part in found]
    return type(found)(*tensors) if hasattr(found, "_fields") else tuple(tensors)


@public("searchsorted", NOT_CONTINUOUS)
def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Tensor:
    """The positions at which elements would have to be inserted into a sorted vector to keep it sorted.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0, 2.0, 3.0])
    >>> v = xg.asarray([2.0, 9.0])
    >>> xg.searchsorted(x, v).tolist(), xg.searchsorted(x, v, side="right").tolist()
    ([1, 4], [3, 4])

    Args:
        x1: a vector of a real dtype, in ascending order.
        x2: an array of a real dtype, of any shape. nan comes after all numbers.
        side: where equal elements go: 'left' is before them, 'right' after them.
        sorter: the indices that sort x1, if it is not sorted.

    Returns:
        A tensor of the shape of x2, of the default integer dtype.

    Raises:
        TypeError: for a value that is neither an array nor a number.
        ValueError: for an x1 with several axes, and for any other side.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    if sorter is not None:
        from xgrad.rules.taking import take

        x1 = take(x1, sorter, axis=0)
    x1 = operand("searchsorted", x1)
    return untracked("searchsorted", (x1, beside("searchsorted", x1, x2)), side=side)


@public("all", NOT_CONTINUOUS)
def all(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether every element is true, that is, not 0. It is True where there are no elements.

    >>> import xgrad as xg
    >>> xg.all(xg.asarray([[True, False], [True, True]]), axis=1).tolist()
    [False, True]

    Returns:
        A tensor of the shape of x without the axes, of dtype bool.
    """
    return untracked("all", (x,), axis=one_or_more("all", axis), keepdims=keepdims)


@public("any", NOT_CONTINUOUS)
def any(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether some element is true, that is, not 0. It is False where there are no elements.

    >>> import xgrad as xg
    >>> xg.any(xg.asarray([[True, False], [False, False]]), axis=1).tolist()
    [True, False]

    Returns:
        A tensor of the shape of x without the axes, of dtype bool.
    """
    return untracked("any", (x,), axis=one_or_more("any", axis), keepdims=keepdims)


# --- order --------------------------------------------------------------------------------------------------


@public("argsort", NOT_CONTINUOUS)
def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The positions that sort an array along an axis. nan comes after all numbers, or first in descending order.

    >>> import xgrad as xg
    >>> xg.argsort(xg.asarray([3.0, 1.0, 2.0])).tolist()
    [1, 2, 0]

    Args:
        x: an array of any real dtype, with an axis at least.
        stable: whether equal elements keep their order, also in descending order.

    Returns:
        A tensor of the shape of x, of the default integer dtype.

    Raises:
        ValueError: for an axis that x does not have.
    """
    x = operand("argsort", x)
    (axis,) = normalize_axes("argsort", integer("argsort", axis), x.ndim)
    return untracked("argsort", (x,), axis=axis, descending=descending, stable=stable)


@public("sort", "composition")
def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in ascending order along an axis. nan comes after all numbers, or first in descending order.

    >>> import xgrad as xg
    >>> xg.grad(lambda x: xg.sort(x)[0])(xg.asarray([3.0, 1.0, 2.0])).tolist()
    [0.0, 1.0, 0.0]

    Args:
        x: an array of any real dtype, with an axis at least.

    Returns:
        A tensor of the shape and dtype of x: a copy.

    Derivative:
        Each cotangent goes back to where the element stood. Equal elements count in the order in which they stood: they do not
        share.

    Raises:
        ValueError: for an axis that x does not have.
    """
    from xgrad.rules.taking import take_along_axis

    x = operand("sort", x)
    (axis,) = normalize_axes("sort", integer("sort", axis), x.ndim)
    if not getattr(x, "requires_grad", False):
        return untracked("sort", (x,), axis=axis, descending=descending, stable=stable)
    return take_along_axis(x, argsort(x, axis=axis, descending=descending, stable=stable), axis=axis)


@public("diff", "composition")
def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Tensor:
    """The n-th difference of neighbours along an axis: x[i + 1] - x[i], n times.

    >>> import xgrad as xg
    >>> xg.diff(xg.asarray([1.0, 4.0, 9.0])).tolist(), xg.diff(xg.asarray([1.0, 4.0, 9.0]), n=2).tolist()
    ([3.0, 5.0], [2.0])

    Args:
        x: an array of any numeric dtype, with an axis at least.
        n: how many times. For n = 0 the result is x, with what is put before and after it.
        prepend: an array to put before x along the axis, or one number for all lines.
        append: an array to put after it, or one number.

    Returns:
        A tensor of the dtype of x (or that it promotes to with what is put beside it), with n elements fewer along the axis, but
        not fewer than none.

    Derivative:
        The function is linear. For n = 1, each element gets the cotangent of the difference before it, less that of the one after
        it.

    Raises:
        TypeError: for an x that is neither an array nor a number; for an axis or an n that is no integer; for booleans.
        ValueError: for an axis that x does not have, and for shapes to put beside it that do not fit.
    """
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
