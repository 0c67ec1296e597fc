"""The standard's linalg extension: products, norms, inverses and determinants. Everything works on the last two axes."""

from __future__ import annotations

import math
from typing import Any

from xgrad.engine.arguments import backend_of
from xgrad.engine.dispatch import apply, apply_to_one
from xgrad.engine.integers import integer, one_or_more
from xgrad.engine.op import Function, Multilinear, conjugate, real_part, total
from xgrad.engine.operands import as_tensors, operand
from xgrad.engine.registry import public
from xgrad.engine.several import Joint
from xgrad.engine.tensor import Tensor
from xgrad.engine.views import Kind, as_view
from xgrad.rules import linear_algebra, strides
from xgrad.rules.declare import BOUND, NOT_CONTINUOUS, untracked
from xgrad.rules.decompositions import adjoint, svdvals
from xgrad.rules.elementwise import abs, multiply
from xgrad.rules.manipulation import expand_dims, repeated
from xgrad.rules.searching import where
from xgrad.rules.shapes import Axes, expand, infinite_at_zero, resize, wide
from xgrad.rules.statistical import max, min, sum

# Those of the main namespace that the extension has too.
matmul = public("linalg.matmul", "composition")(linear_algebra.matmul)
matrix_transpose = public("linalg.matrix_transpose", "composition")(linear_algebra.matrix_transpose)
tensordot = public("linalg.tensordot", "composition")(linear_algebra.tensordot)
vecdot = public("linalg.vecdot", "composition")(linear_algebra.vecdot)


# --- products and diagonals ---------------------------------------------------------------------------------

_cross = Multilinear(
    "linalg.cross",
    ("x1", "x2"),
    (
        lambda xp, g, x2, axis: xp.linalg.cross(x2, g, axis=axis),
        lambda xp, g, x1, axis: xp.linalg.cross(g, x1, axis=axis),
    ),
)


@public("linalg.cross", "rule")
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The cross product of vectors of three elements along an axis."""
    x1, x2 = as_tensors("cross", (x1, x2))
    return apply(_cross, (x1, x2), {"axis": integer("cross", axis)})


@public("linalg.outer", "composition")
def outer(x1: Any, x2: Any, /) -> Tensor:
    """The products of each element of one vector with each of another: shapes (m,) and (n,) give (m, n)."""
    x1, x2 = as_tensors("linalg.outer", (x1, x2))
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"outer: two vectors are wanted, not shapes {tuple(x1.shape)} and {tuple(x2.shape)}")
    return multiply(expand_dims(x1, axis=1), expand_dims(x2, axis=0))


def _of_diagonal(xp: Any, g: Any, x_shape: tuple[int, ...], offset: int) -> Any:
    """Element i goes to row i, or to column i where the diagonal starts below the corner; all others are 0."""
    rows, columns = x_shape[-2:]
    right = offset >= 0
    g = resize(xp, g, rows if right else columns, g.ndim - 1)
    spread = xp.expand_dims(g, axis=-1 if right else -2)
    return xp.mask(xp.broadcast_to(spread, x_shape), xp.eye(rows, columns, k=offset, dtype=xp.bool))


_diagonal = Multilinear("linalg.diagonal", ("x",), (_of_diagonal,))


def _with_diagonal(base: Tensor, new: Tensor, offset: int, in_memory: bool) -> Tensor:
    """The matrices with another diagonal."""
    xp = base.backend.view
    on_it = xp.eye(*base.shape[-2:], k=offset, dtype=xp.bool)
    return where(on_it, _of_diagonal(xp, new, base.shape, offset), base)


DIAGONAL = Kind(
    lambda base, offset: apply_to_one(_diagonal, base, {"offset": offset}), _with_diagonal, strides.diagonal
)


@public("linalg.diagonal", "rule")
def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    """The diagonal, or one that is `offset` places to its right. A view of x."""
    offset = integer("diagonal", offset, "offset")
    y = apply_to_one(_diagonal, x, {"offset": offset})
    return as_view(y, x, DIAGONAL, offset) if isinstance(x, Tensor) else y


@public("linalg.trace", "composition")
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of a diagonal."""
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


@public("linalg.matrix_power", "composition")
def matrix_power(x: Any, n: int, /) -> Tensor:
    """x multiplied n times by itself; for a negative n, its inverse.

    >>> import xgrad as xg
    >>> xg.linalg.matrix_power(xg.asarray([[1.0, 1.0], [0.0, 1.0]]), 3).numpy().tolist()
    [[1.0, 3.0], [0.0, 1.0]]
    """
    x, n = operand("matrix_power", x), integer("matrix_power", n, "n")
    if n == 0:
        one: Tensor = BOUND["eye"](backend_of("matrix_power", (x,)), x.shape[-1], dtype=x.dtype)
        return repeated(one, x.shape)
    if n < 0:
        x, n = inv(x), -n
    power: Tensor | None = None
    while True:  # by squaring, from the lowest binary digit of n
        if n % 2:
            power = x if power is None else matmul(power, x)
        n //= 2
        if not n and power is not None:
            return power
        x = matmul(x, x)


# --- norms --------------------------------------------------------------------------------------------------


def _slope(xp: Any, x: Any, y: Any, axis: Axes, ord: float) -> Any:
    """The derivative of the norm y: sign(x) * (|x| / y)**(ord - 1), and 0 where x or y is 0."""
    if x.dtype in xp.narrow_dtypes:  # whose norms may overflow
        x = wide(xp, x)
        y = xp.linalg.vector_norm(x, axis=axis, keepdims=True, ord=ord)
    if ord == 0 or 0 in x.shape:
        return xp.zeros(x.shape, dtype=x.dtype)
    if ord == 1:
        return xp.sign(x)
    if ord == 2:
        return x / expand(xp, infinite_at_zero(xp, y), x.shape, axis)
    size = xp.abs(x)
    if math.isinf(ord):  # y is another kernel's absolute value, and may be equal to none of these
        extreme = (xp.max if ord > 0 else xp.min)(size, axis=axis, keepdims=True)
        hit = xp.astype(size == extreme, size.dtype)
        return xp.sign(x) * hit / xp.sum(hit, axis=axis, keepdims=True)
    y = expand(xp, y, x.shape, axis)
    return xp.sign(x) * _power_of_share(xp, size, y, ord - 1)


def _power_of_share(xp: Any, size: Any, y: Any, power: float) -> Any:
    """(size / y)**power, and 0 where one of them is 0. No quotient overflows or underflows where the result does not."""
    there = (size != 0) & (y != 0)
    one = xp.ones((), dtype=size.dtype)
    size, y = xp.where(there, size, one), xp.where(there, y, one)
    if math.fabs(power) <= 1:
        share = size**power / y**power if power > 0 else y**-power / size**-power
    else:
        share = (size / y) ** power if power > 0 else (y / size) ** -power
    return xp.mask(share, there)


def _vector_norm_vjp(xp: Any, g: Any, x: Any, y: Any, axis: Axes, ord: float) -> Any:
    return expand(xp, g, x.shape, axis) * _slope(xp, x, y, axis, ord)


def _vector_norm_jvp(xp: Any, t: Any, x: Any, y: Any, axis: Axes, ord: float, keepdims: bool) -> Any:
    slope = _slope(xp, x, y, axis, ord)
    return xp.sum(real_part(xp, conjugate(xp, slope) * t), axis=axis, keepdims=keepdims)


_vector_norm = Function("linalg.vector_norm", ("x",), (_vector_norm_vjp,), jvp=_vector_norm_jvp)


@public("linalg.vector_norm", "rule")
def vector_norm(x: Any, /, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm of the vectors along one axis or several: (sum |x|**ord) ** (1 / ord), or the largest or smallest |x|.

    Its gradient is 0 where x is 0; the largest elements share it, if there are several. ord=0 counts the elements that are not 0.

    >>> import xgrad as xg
    >>> xg.linalg.vector_norm(xg.asarray([3.0, 4.0])).item()
    5.0
    """
    axis = one_or_more("vector_norm", axis)
    return apply(_vector_norm, (x,), {"axis": axis, "keepdims": keepdims, "ord": ord})


@public("linalg.matrix_norm", "composition")
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor:
    """A norm of matrices.

    "fro": of the elements as a vector. 1 and inf: the largest sum of |x| over a column, over a row. 2: the largest singular
    value. -1, -inf and -2: the smallest of these. "nuc": the sum of the singular values.
    """
    if ord is None or ord == "fro":
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord == "nuc" or ord in (2, -2):
        values, along, other = abs(svdvals(x)), -1, None  # whose gradient at a value of 0 is 0
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


# --- inverses and determinants ------------------------------------------------------------------------------


def _product(xp: Any, *matrices: Any) -> Any:
    product = matrices[0]
    for matrix in matrices[1:]:
        product = xp.matmul(product, matrix)
    return product


_inv = Function(
    "linalg.inv",
    ("x",),
    (lambda xp, g, y: -_product(xp, xp.matrix_transpose(y), g, xp.matrix_transpose(y)),),
    jvp=lambda xp, t, y: -_product(xp, y, t, y),
    holomorphic=True,
)


@public("linalg.inv", "rule")
def inv(x: Any, /) -> Tensor:
    """The inverse of a square matrix. Raises ValueError on every backend if there is none."""
    return apply(_inv, (x,))


def _columns(b: Any, is_vector: bool) -> Any:
    return b[..., None] if is_vector else b


def _solve_vjp(xp: Any, g: Any, x1: Any, x2_shape: tuple[int, ...], y: Any) -> list[Any]:
    """For x2, h = X1^-H g; for x1, -h y^H."""
    is_vector = len(x2_shape) == 1
    h = xp.linalg.solve(adjoint(xp, x1), _columns(g, is_vector))
    return [-xp.matmul(h, adjoint(xp, _columns(y, is_vector))), h[..., 0] if is_vector else h]


def _solve_jvp(xp: Any, t: list[Any], x1: Any, x2_shape: tuple[int, ...], y: Any) -> Any:
    """X1^-1 (t2 - t1 y)."""
    is_vector = len(x2_shape) == 1
    t1, t2 = t
    parts = [] if t2 is None else [_columns(t2, is_vector)]
    if t1 is not None:
        parts.append(-xp.matmul(t1, _columns(y, is_vector)))
    moved = xp.linalg.solve(x1, total(parts))
    return moved[..., 0] if is_vector else moved


_solve = Joint("linalg.solve", ("x1", "x2"), _solve_vjp, _solve_jvp)


@public("linalg.solve", "rule")
def solve(x1: Any, x2: Any, /) -> Tensor:
    """The y with x1 @ y = x2, for a square x1. A 1-d x2 is a vector; otherwise its last two axes are a matrix of columns.

    >>> import xgrad as xg
    >>> xg.linalg.solve(xg.asarray([[2.0, 0.0], [0.0, 4.0]]), xg.asarray([2.0, 2.0])).numpy().tolist()
    [1.0, 0.5]
    """
    x1, x2 = as_tensors("solve", (x1, x2))
    return apply(_solve, (x1, x2))


# --- the pseudo-inverse (Golub and Pereyra 1973) ------------------------------------------------------------


def _beyond(xp: Any, a: Any, b: Any) -> Any:
    """I - a b: the projection onto what a b leaves out."""
    product = xp.matmul(a, b)
    return xp.eye(product.shape[-1], dtype=product.dtype) - product


def _pinv_vjp(xp: Any, g: Any, x: Any, y: Any) -> Any:
    yh, gh = adjoint(xp, y), adjoint(xp, g)
    h = -_product(xp, yh, g, yh)
    h = h + _product(xp, _beyond(xp, x, y), gh, y, yh)
    return h + _product(xp, yh, y, gh, _beyond(xp, y, x))


def _pinv_jvp(xp: Any, t: Any, x: Any, y: Any) -> Any:
    yh, th = adjoint(xp, y), adjoint(xp, t)
    moved = -_product(xp, y, t, y)
    moved = moved + _product(xp, y, yh, th, _beyond(xp, x, y))
    return moved + _product(xp, _beyond(xp, y, x), th, yh, y)


_pinv = Function("linalg.pinv", ("x",), (_pinv_vjp,), jvp=_pinv_jvp)


def _tolerance(rtol: Any) -> Any:
    return rtol.data if isinstance(rtol, Tensor) else rtol


@public("linalg.pinv", "rule")
def pinv(x: Any, /, *, rtol: Any = None) -> Tensor:
    """The Moore-Penrose inverse. Singular values below `rtol` times the largest count as 0.

    Differentiable where the rank does not change.
    """
    return apply(_pinv, (x,), {"rtol": _tolerance(rtol)})


@public("linalg.matrix_rank", NOT_CONTINUOUS)
def matrix_rank(x: Any, /, *, rtol: Any = None) -> Tensor:
    """How many singular values are larger than `rtol` times the largest."""
    x = operand("matrix_rank", x)
    if 0 in x.shape[-2:]:  # without singular values, which some libraries do not see coming
        xp = x.backend.view
        none: Tensor = xp.zeros(x.shape[:-2], dtype=xp.int64)
        return none
    return untracked("linalg.matrix_rank", (x,), rtol=_tolerance(rtol))
