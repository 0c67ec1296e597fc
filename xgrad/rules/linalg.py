"""The standard's linalg extension: products, diagonals, powers, inverses and linear systems.

Matrices are in the last two axes.
"""

from __future__ import annotations

from typing import Any

from xgrad.engine.arguments import backend_of
from xgrad.engine.dispatch import apply, apply_to_one
from xgrad.engine.integers import integer
from xgrad.engine.op import Function, Multilinear, total
from xgrad.engine.operands import as_tensors, operand
from xgrad.engine.registry import public
from xgrad.engine.several import Joint
from xgrad.engine.tensor import Tensor
from xgrad.engine.views import Kind, as_view
from xgrad.rules import linear_algebra, strides
from xgrad.rules.declare import BOUND
from xgrad.rules.decompositions import adjoint, product
from xgrad.rules.elementwise import multiply
from xgrad.rules.manipulation import expand_dims, repeated
from xgrad.rules.searching import where
from xgrad.rules.shapes import resize
from xgrad.rules.statistical import sum

# Functions that the extension shares with the main namespace.
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
    """The cross product of vectors of three elements.

    >>> import xgrad as xg
    >>> xg.linalg.cross(xg.asarray([1.0, 0.0, 0.0]), xg.asarray([0.0, 1.0, 0.0])).numpy().tolist()
    [0.0, 0.0, 1.0]

    Args:
        x1, x2: arrays of any numeric dtype, with length 3 along the axis, whose shapes broadcast.

    Returns:
        A tensor of the shape that x1 and x2 broadcast to, and of the dtype that they promote to.

    Raises:
        ValueError: for shapes that do not broadcast, and for an axis that is not there.
        TypeError: for a value that is not an array, and for an axis that is no integer.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    x1, x2 = as_tensors("cross", (x1, x2))
    return apply(_cross, (x1, x2), {"axis": integer("cross", axis)})


@public("linalg.outer", "composition")
def outer(x1: Any, x2: Any, /) -> Tensor:
    """The products of each element of one vector with each element of another, without a conjugate.

    >>> import xgrad as xg
    >>> xg.linalg.outer(xg.asarray([1.0, 2.0]), xg.asarray([3.0, 4.0])).numpy().tolist()
    [[3.0, 4.0], [6.0, 8.0]]

    Args:
        x1, x2: vectors of shapes (m,) and (n,), of any numeric dtype.

    Returns:
        A tensor of shape (m, n), of the dtype that x1 and x2 promote to.

    Raises:
        ValueError: for arrays that have not exactly one axis.
        TypeError: for a value that is not an array.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    x1, x2 = as_tensors("linalg.outer", (x1, x2))
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(
            f"outer: x1 and x2 must be two vectors, not arrays of shapes {tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    return multiply(expand_dims(x1, axis=1), expand_dims(x2, axis=0))


def _of_diagonal(xp: Any, g: Any, x_shape: tuple[int, ...], offset: int) -> Any:
    """The matrix with g on a diagonal and 0 elsewhere: element i in row i, or in column i for a diagonal below the main one."""
    rows, columns = x_shape[-2:]
    right = offset >= 0
    g = resize(xp, g, rows if right else columns, g.ndim - 1)
    spread = xp.expand_dims(g, axis=-1 if right else -2)
    return xp.mask(xp.broadcast_to(spread, x_shape), xp.eye(rows, columns, k=offset, dtype=xp.bool))


_diagonal = Multilinear("linalg.diagonal", ("x",), (_of_diagonal,))


def _with_diagonal(base: Tensor, new: Tensor, offset: int, in_memory: bool) -> Tensor:
    """The matrices of `base` with `new` in place of a diagonal."""
    xp = base.backend.view
    on_it = xp.eye(*base.shape[-2:], k=offset, dtype=xp.bool)
    return where(on_it, _of_diagonal(xp, new, base.shape, offset), base)


DIAGONAL = Kind(
    lambda base, offset: apply_to_one(_diagonal, base, {"offset": offset}), _with_diagonal, strides.diagonal
)


@public("linalg.diagonal", "rule")
def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    """The diagonal of a matrix, as a view of it: a write to the diagonal writes to x.

    >>> import xgrad as xg
    >>> x = xg.zeros((2, 3))
    >>> xg.linalg.diagonal(x)[...] = 1.0
    >>> x.tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), any dtype.
        offset: how far the diagonal is to the right of the main one; a negative one is below it.

    Returns:
        A tensor of shape (..., k) and of the dtype of x, where k is the length of the diagonal. It is 0 for an offset beyond x.

    Raises:
        ValueError: for an array without two axes.
        TypeError: for a value that is not an array, and for an offset that is no integer.
    """
    offset = integer("diagonal", offset, "offset")
    y = apply_to_one(_diagonal, x, {"offset": offset})
    return as_view(y, x, DIAGONAL, offset) if isinstance(x, Tensor) else y


@public("linalg.trace", "composition")
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of the diagonal of a matrix.

    >>> import xgrad as xg
    >>> xg.linalg.trace(xg.asarray([[1.0, 2.0], [3.0, 4.0]])).item()
    5.0
    >>> xg.grad(xg.linalg.trace)(xg.zeros((2, 2))).numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), any numeric dtype.
        offset: how far the diagonal is to the right of the main one; a negative one is below it.
        dtype: the dtype of the sum; None means that of x, or the default integer dtype for smaller integers.

    Returns:
        A tensor of shape (...). It is 0 for an offset beyond x.

    Raises:
        ValueError: for an array without two axes.
        TypeError: for a value that is not an array, an offset that is no integer, and a dtype that the backend does not have.
    """
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


@public("linalg.matrix_power", "composition")
def matrix_power(x: Any, n: int, /) -> Tensor:
    """The matrix product of n factors x; for a negative n, of -n factors inv(x).

    >>> import xgrad as xg
    >>> xg.linalg.matrix_power(xg.asarray([[1.0, 1.0], [0.0, 1.0]]), 3).numpy().tolist()
    [[1.0, 3.0], [0.0, 1.0]]

    Args:
        x: a square matrix, or a stack of them: shape (..., n, n), any numeric dtype; a floating-point one for a negative n.
        n: an integer. For 0 the result is the identity, and the gradient is 0.

    Returns:
        A tensor of the shape and dtype of x.

    Raises:
        ValueError: for an array that is not a stack of square matrices, and for a negative n, where a matrix has no inverse.
        TypeError: for a value that is not an array, and for an n that is no integer.
    """
    x, n = operand("matrix_power", x), integer("matrix_power", n, "n")
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"matrix_power: x must be a stack of square matrices, not of shape {tuple(x.shape)}")
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


# --- inverses and linear systems ----------------------------------------------------------------------------


_inv = Function(
    "linalg.inv",
    ("x",),
    (lambda xp, g, y: -product(xp, xp.matrix_transpose(y), g, xp.matrix_transpose(y)),),
    jvp=lambda xp, t, y: -product(xp, y, t, y),
    holomorphic=True,
)


@public("linalg.inv", "rule")
def inv(x: Any, /) -> Tensor:
    """The inverse of a square matrix.

    >>> import xgrad as xg
    >>> x = xg.asarray([[2.0, 1.0], [1.0, 1.0]])
    >>> xg.linalg.inv(x).numpy().round(12).tolist()
    [[1.0, -1.0], [-1.0, 2.0]]
    >>> xg.grad(lambda x: xg.linalg.inv(x)[0, 0])(x).numpy().round(12).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]

    Args:
        x: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.

    Returns:
        A tensor of the shape and dtype of x.

    Raises:
        ValueError: for an array that is not a stack of square matrices, and for a matrix without an inverse.
        TypeError: for a value that is not an array.
    """
    return apply(_inv, (x,))


def _columns(b: Any, is_vector: bool) -> Any:
    return b[..., None] if is_vector else b


def _solve_vjp(xp: Any, g: Any, x1: Any, x2_shape: tuple[int, ...], y: Any) -> list[Any]:
    """The gradient of x2 is h = X1^-H g, and that of x1 is -h y^H."""
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
    """The solution y of the linear system x1 @ y = x2.

    >>> import xgrad as xg
    >>> x1 = xg.asarray([[2.0, 0.0], [0.0, 4.0]])
    >>> xg.linalg.solve(x1, xg.asarray([2.0, 2.0])).numpy().tolist()
    [1.0, 0.5]
    >>> xg.grad(lambda x2: xg.sum(xg.linalg.solve(x1, x2)))(xg.asarray([2.0, 2.0])).numpy().tolist()
    [0.5, 0.25]

    Args:
        x1: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.
        x2: a vector of shape (n,), or matrices of shape (..., n, k). An array of two axes or more is always one of matrices.

    Returns:
        A tensor of shape (..., n) for a vector and (..., n, k) for matrices, of the dtype that x1 and x2 promote to. The axes
        before the last two broadcast.

    Raises:
        ValueError: for shapes that do not fit, and for a matrix without an inverse.
        TypeError: for a value that is not an array.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    x1, x2 = as_tensors("solve", (x1, x2))
    return apply(_solve, (x1, x2))
