"""Reductions and cumulative functions."""

from __future__ import annotations

from typing import Any

from xgrad.engine.dispatch import Operation, apply, with_fast_path
from xgrad.engine.integers import integer, one_or_more
from xgrad.engine.op import Function, Multilinear, Op, conjugate
from xgrad.engine.operands import operand
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.shapes import Axes, count, expand, infinite_at_zero, normalize_axes, wide

# --- sums ---------------------------------------------------------------------------------------------------

_sum = Multilinear("sum", ("x",), (lambda xp, g, x_shape, axis: expand(xp, g, x_shape, axis),))
_mean = Multilinear(
    "mean", ("x",), (lambda xp, g, x_shape, axis: expand(xp, wide(xp, g) / count(x_shape, axis), x_shape, axis),)
)


def _of_all(op: Op, static: dict[str, Any]) -> Operation:
    """A reduction over all axes, with the defaults for its static arguments."""
    return with_fast_path("reduce_all", op, static=static)(lambda x: apply(op, (x,), static))


_sum_all = _of_all(_sum, {"axis": None, "dtype": None, "keepdims": False})
_mean_all = _of_all(_mean, {"axis": None, "keepdims": False})


@public("sum", "rule")
def sum(x: Any, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements over axes. It is 0 where there are no elements.

    >>> import xgrad as xg
    >>> xg.sum(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [4.0, 6.0]
    >>> xg.sum(xg.asarray([100, 100], dtype=xg.int8)).item()
    200

    Args:
        x: an array of any numeric dtype, or of booleans, which count as 0 and 1.
        dtype: the dtype of the result, to which x is converted first; None means that of x, but the default integer dtype for
            booleans and for integers of fewer bits (of uint8, say, the unsigned one), so that sums of small integers do not
            overflow.

    Returns:
        A tensor of the shape of x without the axes.

    Derivative:
        Every element gets the cotangent of its sum.
    """
    if axis is None and dtype is None and not keepdims:
        return _sum_all(x)
    return apply(_sum, (x,), {"axis": one_or_more("sum", axis), "dtype": dtype, "keepdims": keepdims})


@public("mean", "rule")
def mean(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean of the elements over axes. It is nan where there are no elements.

    >>> import xgrad as xg
    >>> xg.mean(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=1).tolist()
    [1.5, 3.5]

    Args:
        x: an array of a real or complex floating-point dtype. Integers and booleans become floats of the default dtype.

    Returns:
        A tensor of the shape of x without the axes, of the dtype of x.

    Derivative:
        Every element gets the cotangent of its mean, divided by the number of elements.
    """
    if axis is None and not keepdims:
        return _mean_all(x)
    return apply(_mean, (x,), {"axis": one_or_more("mean", axis), "keepdims": keepdims})


# --- variance -----------------------------------------------------------------------------------------------


def _deviation(xp: Any, x: Any, axis: Axes, correction: float) -> Any:
    """The derivative of half the variance: (x - mean) / (n - correction)."""
    x = wide(xp, x)
    return (x - xp.mean(x, axis=axis, keepdims=True)) / (count(x.shape, axis) - correction)


def _std_slope(xp: Any, x: Any, y: Any, axis: Axes, correction: float) -> Any:
    """The derivative of the standard deviation y, and 0 where y is 0: there every deviation is 0 too."""
    deviation = _deviation(xp, x, axis, correction)
    return deviation / expand(xp, infinite_at_zero(xp, y), x.shape, axis)


_var = Function(
    "var",
    ("x",),
    (lambda xp, g, x, axis, correction: expand(xp, g + g, x.shape, axis) * _deviation(xp, x, axis, correction),),
    jvp=lambda xp, t, x, axis, correction, keepdims: xp.sum(
        (t + t) * _deviation(xp, x, axis, correction), axis=axis, keepdims=keepdims
    ),
)
_std = Function(
    "std",
    ("x",),
    (lambda xp, g, x, y, axis, correction: expand(xp, g, x.shape, axis) * _std_slope(xp, x, y, axis, correction),),
    jvp=lambda xp, t, x, y, axis, correction, keepdims: xp.sum(
        t * _std_slope(xp, x, y, axis, correction), axis=axis, keepdims=keepdims
    ),
)


@public("var", "rule")
def var(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The variance over axes: the mean square of the distances from the mean. It is nan where there are no elements.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 3.0])
    >>> xg.var(x).item(), xg.var(x, correction=1).item()
    (1.0, 2.0)
    >>> xg.grad(xg.var)(x).tolist()
    [-1.0, 1.0]

    Args:
        x: an array of a real floating-point dtype. Integers and booleans become floats of the default dtype.
        correction: the sum of squares is divided by n - correction: 0 for a population, 1 for a sample.

    Returns:
        A tensor of the shape of x without the axes, of the dtype of x. It is inf or nan where n - correction is 0 or less.

    Derivative:
        2 * (x - mean) / (n - correction), in both modes and to any order.
    """
    return apply(_var, (x,), {"axis": one_or_more("var", axis), "correction": correction, "keepdims": keepdims})


@public("std", "rule")
def std(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The standard deviation over axes: the square root of the variance. It is nan where there are no elements.

    >>> import xgrad as xg
    >>> xg.std(xg.asarray([1.0, 3.0])).item()
    1.0
    >>> xg.grad(xg.std)(xg.asarray([2.0, 2.0])).tolist()
    [0.0, 0.0]

    Args:
        x: an array of a real floating-point dtype. Integers and booleans become floats of the default dtype.
        correction: the sum of squares is divided by n - correction: 0 for a population, 1 for a sample.

    Returns:
        A tensor of the shape of x without the axes, of the dtype of x. It is inf or nan where n - correction is 0 or less.

    Derivative:
        (x - mean) / ((n - correction) * std), and 0 where std is 0.
    """
    return apply(_std, (x,), {"axis": one_or_more("std", axis), "correction": correction, "keepdims": keepdims})


# --- extremes -----------------------------------------------------------------------------------------------


def _shares(xp: Any, x: Any, y: Any, axis: Axes) -> Any:
    """For each element, its share of the gradient: equal ones among the largest have equal shares."""
    hit = wide(xp, xp.astype(x == expand(xp, y, x.shape, axis), x.dtype))
    return hit / xp.sum(hit, axis=axis, keepdims=True)


def _extreme(name: str) -> Function:
    return Function(
        name,
        ("x",),
        (lambda xp, g, x, y, axis: expand(xp, g, x.shape, axis) * _shares(xp, x, y, axis),),
        jvp=lambda xp, t, x, y, axis, keepdims: xp.sum(t * _shares(xp, x, y, axis), axis=axis, keepdims=keepdims),
    )


_max, _min = _extreme("max"), _extreme("min")


@public("max", "rule")
def max(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element over axes. nan counts as the largest.

    >>> import xgrad as xg
    >>> xg.max(xg.asarray([[1.0, 5.0], [3.0, 2.0]]), axis=0).tolist()
    [3.0, 5.0]
    >>> xg.grad(xg.max)(xg.asarray([1.0, 3.0, 3.0])).tolist()
    [0.0, 0.5, 0.5]

    Args:
        x: an array of any real dtype, or a number.

    Returns:
        A tensor of the shape of x without the axes, of the dtype of x.

    Derivative:
        The cotangent goes to the largest element. Equal ones share it in equal parts. Where the result is nan, all of it is nan.

    Raises:
        ValueError: for an axis that x does not have, or one without elements.
    """
    return apply(_max, (x,), {"axis": one_or_more("max", axis), "keepdims": keepdims})


@public("min", "rule")
def min(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element over axes. nan counts as the smallest.

    >>> import xgrad as xg
    >>> xg.min(xg.asarray([[1.0, 5.0], [3.0, 2.0]]), axis=0).tolist()
    [1.0, 2.0]

    Args:
        x: an array of any real dtype, or a number.

    Returns:
        A tensor of the shape of x without the axes, of the dtype of x.

    Derivative:
        The cotangent goes to the smallest element. Equal ones share it in equal parts. Where the result is nan, all of it is nan.

    Raises:
        ValueError: for an axis that x does not have, or one without elements.
    """
    return apply(_min, (x,), {"axis": one_or_more("min", axis), "keepdims": keepdims})


# --- products -----------------------------------------------------------------------------------------------


def _times(xp: Any, a: Any, b: Any) -> Any:
    """a * b, but 0 where one is 0 and the other infinite: the infinite one is a product that overflowed."""
    return xp.mask(a, ~(xp.isinf(a) & (b == 0))) * xp.mask(b, ~(xp.isinf(b) & (a == 0)))


def _before(xp: Any, x: Any, axis: int) -> Any:
    """The product of all elements before each one. It is 0 where one of them is, also if the product overflowed before."""
    before = _drop_last(xp.cumulative_prod(x, axis=axis, include_initial=True), axis)
    zeros, nans = (_drop_last(_count_so_far(xp, each, axis), axis) for each in (x == 0, xp.isnan(x)))
    return xp.mask(before, ~(xp.isnan(before) & (zeros > 0) & (nans == 0)))


def _count_so_far(xp: Any, condition: Any, axis: int) -> Any:
    return xp.cumulative_sum(xp.astype(condition, xp.int64), axis=axis, include_initial=True)


def _others(xp: Any, x: Any, axis: Axes) -> Any:
    """For each element, the product of all others. It is right at zeros, where the product divided by x is not."""
    axes = normalize_axes("prod", axis, x.ndim)
    if not axes:
        return xp.ones(x.shape, dtype=x.dtype)
    order = [i for i in range(x.ndim) if i not in axes] + list(axes)
    moved = xp.permute_dims(x, tuple(order))
    kept = moved.shape[: x.ndim - len(axes)]
    flat = xp.reshape(moved, (*kept, count(x.shape, axes)))
    last = len(kept)
    after = xp.flip(_before(xp, xp.flip(flat, axis=last), last), axis=last)
    others = _times(xp, _before(xp, flat, last), after)
    return xp.permute_dims(xp.reshape(others, moved.shape), tuple(order.index(i) for i in range(x.ndim)))


_prod = Function(
    "prod",
    ("x",),
    (lambda xp, g, x, axis: _times(xp, expand(xp, g, x.shape, axis), conjugate(xp, _others(xp, x, axis))),),
    jvp=lambda xp, t, x, axis, keepdims: xp.sum(_times(xp, t, _others(xp, x, axis)), axis=axis, keepdims=keepdims),
)


@public("prod", "rule")
def prod(x: Any, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product of the elements over axes. It is 1 where there are no elements.

    >>> import xgrad as xg
    >>> xg.prod(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=1).tolist()
    [2.0, 12.0]
    >>> xg.grad(xg.prod)(xg.asarray([0.0, 2.0, 3.0])).tolist()
    [6.0, 0.0, 0.0]

    Args:
        x: an array of any numeric dtype, or of booleans, which count as 0 and 1.
        dtype: the dtype of the result, to which x is converted first; None means that of x, but the default integer dtype for
            booleans and for integers of fewer bits, as of `sum`.

    Returns:
        A tensor of the shape of x without the axes.

    Derivative:
        The product of all other elements. It is not computed by a division, so it is right where elements are 0.
    """
    return apply(_prod, (x,), {"axis": one_or_more("prod", axis), "dtype": dtype, "keepdims": keepdims})


# --- cumulative ---------------------------------------------------------------------------------------------


def _slice(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop), ...)]


def _drop_last(x: Any, axis: int) -> Any:
    return _slice(x, axis, None, x.shape[axis] - 1)


def _later(xp: Any, x: Any, axis: int, by: int) -> Any:
    """x moved `by` places towards the end, with zeros in front."""
    head = xp.zeros((*x.shape[:axis], by, *x.shape[axis + 1 :]), dtype=x.dtype)
    return xp.concat([head, _slice(x, axis, None, x.shape[axis] - by)], axis=axis)


def _recurrence(xp: Any, a: Any, b: Any, axis: int) -> Any:
    """s with s[i] = a[i] * s[i-1] + b[i], in log2(n) steps of whole arrays (Hillis and Steele's scan)."""
    by = 1
    while by < a.shape[axis]:
        b = b + _times(xp, a, _later(xp, b, axis, by))
        a = _times(xp, a, _later(xp, a, axis, by))
        by *= 2
    return b


def _cumulative_prod_vjp(xp: Any, g: Any, x: Any, axis: int, include_initial: bool) -> Any:
    """Product before i times s[i], where s[i] = g[i] + x[i+1] s[i+1]: there is no division, so it is right at zeros."""
    x = conjugate(xp, x)
    if include_initial:
        g = _slice(g, axis, 1, None)
    following = xp.flip(_later(xp, xp.flip(x, axis=axis), axis, 1), axis=axis) if x.shape[axis] else x
    s = xp.flip(_recurrence(xp, xp.flip(following, axis=axis), xp.flip(g, axis=axis), axis), axis=axis)
    return _times(xp, _before(xp, x, axis), s)


def _cumulative_prod_jvp(xp: Any, t: Any, x: Any, axis: int, include_initial: bool) -> Any:
    moved = _recurrence(xp, x, _times(xp, t, _before(xp, x, axis)), axis)
    if not include_initial:
        return moved
    first = xp.zeros((*x.shape[:axis], 1, *x.shape[axis + 1 :]), dtype=x.dtype)
    return xp.concat([first, moved], axis=axis)


def _cumulative_sum_vjp(xp: Any, g: Any, axis: int, include_initial: bool) -> Any:
    if include_initial:
        g = _slice(g, axis, 1, None)
    return xp.flip(xp.cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis)


_cumulative_sum = Multilinear("cumulative_sum", ("x",), (_cumulative_sum_vjp,))
_cumulative_prod = Function("cumulative_prod", ("x",), (_cumulative_prod_vjp,), jvp=_cumulative_prod_jvp)


def _one_axis(name: str, x: Any, axis: int | None) -> int:
    x = operand(name, x)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"{name}: axis is needed for an array with {x.ndim} axes")
        return 0
    return normalize_axes(name, integer(name, axis), x.ndim)[0]


@public("cumulative_sum", "rule")
def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """The sums of the first elements along an axis: of one, of two, and so on.

    >>> import xgrad as xg
    >>> xg.cumulative_sum(xg.asarray([1.0, 2.0, 3.0])).tolist()
    [1.0, 3.0, 6.0]

    Args:
        x: an array of any numeric dtype, or of booleans, which count as 0 and 1.
        axis: the axis, counted from the end where it is negative; None is for vectors only.
        dtype: the dtype of the result, to which x is converted first; None means that of x, but the default integer dtype for
            booleans and for integers of fewer bits, as of `sum`.
        include_initial: whether the sum of no elements, 0, stands in front.

    Returns:
        A tensor of the shape of x, or with one element more along the axis.

    Derivative:
        Each element gets the sum of the cotangents from its own place to the end.

    Raises:
        ValueError: for an axis that x does not have, and for None where x is no vector.
    """
    axis = _one_axis("cumulative_sum", x, axis)
    return apply(_cumulative_sum, (x,), {"axis": axis, "dtype": dtype, "include_initial": include_initial})


@public("cumulative_prod", "rule")
def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """The products of the first elements along an axis: of one, of two, and so on.

    >>> import xgrad as xg
    >>> xg.cumulative_prod(xg.asarray([2.0, 0.0, 3.0])).tolist()
    [2.0, 0.0, 0.0]
    >>> xg.grad(lambda x: xg.sum(xg.cumulative_prod(x)))(xg.asarray([2.0, 0.0, 3.0])).tolist()
    [1.0, 8.0, 0.0]

    Args:
        x: an array of any numeric dtype, or of booleans, which count as 0 and 1.
        axis: the axis, counted from the end where it is negative; None is for vectors only.
        dtype: the dtype of the result, to which x is converted first; None means that of x, but the default integer dtype for
            booleans and for integers of fewer bits, as of `sum` (JAX keeps the dtype of x).
        include_initial: whether the product of no elements, 1, stands in front.

    Returns:
        A tensor of the shape of x, or with one element more along the axis.

    Derivative:
        It is not computed by a division, so it is right where elements are 0.

    Raises:
        ValueError: for an axis that x does not have, and for None where x is no vector.
    """
    axis = _one_axis("cumulative_prod", x, axis)
    return apply(_cumulative_prod, (x,), {"axis": axis, "dtype": dtype, "include_initial": include_initial})
