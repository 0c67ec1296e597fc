"""The standard's linalg extension: norms of vectors and of matrices."""

from __future__ import annotations

import math
from typing import Any

from xgrad.engine.dispatch import apply
from xgrad.engine.integers import one_or_more
from xgrad.engine.op import Function, conjugate, real_part
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.elementwise import abs
from xgrad.rules.manipulation import expand_dims
from xgrad.rules.shapes import Axes, expand, infinite_at_zero, wide
from xgrad.rules.singular_values import svdvals
from xgrad.rules.statistical import max, min, sum


def _slope(xp: Any, x: Any, y: Any, axis: Axes, ord: float) -> Any:
    """The derivative of the norm y: sign(x) * (|x| / y)**(ord - 1), and 0 where x or y is 0."""
    if x.dtype in xp.narrow_dtypes:  # the norm of 16-bit floats may overflow
        x = wide(xp, x)
        y = xp.linalg.vector_norm(x, axis=axis, keepdims=True, ord=ord)
    if ord == 0 or 0 in x.shape:
        return xp.zeros(x.shape, dtype=x.dtype)
    if ord == 1:
        return xp.sign(x)
    if ord == 2:
        return x / expand(xp, infinite_at_zero(xp, y), x.shape, axis)
    size = xp.abs(x)
    if math.isinf(ord):  # y comes from another kernel, and may differ in the last digit from all of these
        extreme = (xp.max if ord > 0 else xp.min)(size, axis=axis, keepdims=True)
        hit = xp.astype(size == extreme, size.dtype)
        return xp.sign(x) * hit / xp.sum(hit, axis=axis, keepdims=True)
    y = expand(xp, y, x.shape, axis)
    return xp.sign(x) * _power_of_share(xp, size, y, ord - 1)


def _power_of_share(xp: Any, size: Any, y: Any, power: float) -> Any:
    """(size / y)**power, and 0 where one of them is 0. No quotient on the way overflows or underflows unless the result does."""
    nonzero = (size != 0) & (y != 0)
    one = xp.ones((), dtype=size.dtype)
    size, y = xp.where(nonzero, size, one), xp.where(nonzero, y, one)
    if math.fabs(power) <= 1:
        share = size**power / y**power if power > 0 else y**-power / size**-power
    else:
        share = (size / y) ** power if power > 0 else (y / size) ** -power
    return xp.mask(share, nonzero)


def _vector_norm_vjp(xp: Any, g: Any, x: Any, y: Any, axis: Axes, ord: float) -> Any:
    return expand(xp, g, x.shape, axis) * _slope(xp, x, y, axis, ord)


def _vector_norm_jvp(xp: Any, t: Any, x: Any, y: Any, axis: Axes, ord: float, keepdims: bool) -> Any:
    slope = _slope(xp, x, y, axis, ord)
    return xp.sum(real_part(xp, conjugate(xp, slope) * t), axis=axis, keepdims=keepdims)


_vector_norm = Function("linalg.vector_norm", ("x",), (_vector_norm_vjp,), jvp=_vector_norm_jvp)


@public("linalg.vector_norm", "rule")
def vector_norm(x: Any, /, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm of the vectors along one axis or several: (sum of |x|**ord) ** (1 / ord).

    >>> import xgrad as xg
    >>> x = xg.asarray([3.0, 4.0])
    >>> xg.linalg.vector_norm(x).item()
    5.0
    >>> xg.grad(xg.linalg.vector_norm)(x).numpy().tolist()
    [0.6, 0.8]

    Args:
        x: an array of a real or complex floating-point dtype, of any shape, or a number. Integers become floats.
        ord: a number. inf is the largest |x|, -inf the smallest, and 0 the number of elements that are not 0.

    Returns:
        A tensor of the shape of x without the axes (with `keepdims`, with length 1 for each), of the real dtype that has the
        precision of x.

    Derivative:
        By the rule in xgrad/rules/norms.py, in both modes and to any order, in PyTorch's convention for complex numbers. The
        gradient is 0 where the norm is 0, for elements that are 0, and for ord=0. For inf and -inf, the elements that are equally
        large share it.

    Raises:
        ValueError: for an axis that x does not have, and for an axis given twice.
        TypeError: for a value that is neither an array nor a number, an axis that is no integer, and an `ord` that is no number.
    """
    axis = one_or_more("vector_norm", axis)
    return apply(_vector_norm, (x,), {"axis": axis, "keepdims": keepdims, "ord": ord})


@public("linalg.matrix_norm", "composition")
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor:
    """A norm of matrices: the Frobenius norm, an operator norm, or the nuclear norm.

    >>> import xgrad as xg
    >>> x = xg.asarray([[0.0, 2.0], [3.0, 0.0]])
    >>> [round(xg.linalg.matrix_norm(x, ord=ord).item(), 4) for ord in ("fro", "nuc", 2, 1)]
    [3.6056, 5.0, 3.0, 3.0]

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), of a real or complex floating-point dtype.
        ord: "fro" or None, the root of the sum of |x|**2; "nuc", the sum of the singular values; 2, the largest singular value; 1
            and inf, the largest sum of |x| in a column and in a row. -2, -1 and -inf have the smallest in place of the largest.

    Returns:
        A tensor of shape (...), or (..., 1, 1) with `keepdims`, of the real dtype that has the precision of x.

    Derivative:
        That of vector_norm, of svdvals, or of sums and maxima, in both modes and to any order. It is 0 for the Frobenius norm 0
        and for singular values of 0. Equally large singular values or sums share it.

    Raises:
        ValueError: for another `ord`, and for an array without two axes.
        TypeError: for a value that is not an array.
    """
    if ord is None or ord == "fro":
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord == "nuc" or ord in (2, -2):
        values, along, other = abs(svdvals(x)), -1, None  # abs has the gradient 0 at a singular value of 0
        if keepdims:
            values = expand_dims(values, axis=-1)
            along = -2
    elif ord in (1, -1, math.inf, -math.inf):
        over, other = (-2, -1) if ord in (1, -1) else (-1, -2)
        values = sum(abs(x), axis=over, keepdims=keepdims)
        along = other if keepdims else -1
    else:
        raise ValueError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, not {ord!r}")
    if isinstance(ord, str):
        return sum(values, axis=along, keepdims=keepdims)
    return max(values, axis=along, keepdims=keepdims) if ord > 0 else min(values, axis=along, keepdims=keepdims)
