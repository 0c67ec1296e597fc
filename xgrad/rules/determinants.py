"""The determinant, the matrix of cofactors, which is its derivative, and the logarithm of the determinant.

A determinant is a polynomial in the elements of the matrix. It has derivatives at a matrix without an inverse, too: the first and
the second one are computed there without an inverse (see backends/cofactors.py).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from xgrad.engine.dispatch import apply
from xgrad.engine.op import Function, real_part, total
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tensor import ComplexTensor, Tensor
from xgrad.rules.decompositions import adjoint, imaginary, where_regular


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Tensor
    logabsdet: Tensor


# --- the determinant ----------------------------------------------------------------------------------------

_det = Function(
    "linalg.det",
    ("x",),
    (lambda xp, g, x, y: g[..., None, None] * xp.linalg.cofactors(x, y),),
    jvp=lambda xp, t, x, y: xp.sum(t * xp.linalg.cofactors(x, y), axis=(-2, -1)),
    holomorphic=True,
)


@public("linalg.det", "rule")
def det(x: Any, /) -> Tensor:
    """The determinant of a square matrix.

    >>> import xgrad as xg
    >>> xg.grad(xg.linalg.det)(xg.asarray([[1.0, 2.0], [2.0, 4.0]])).numpy().round(12).tolist()  # a matrix without an inverse
    [[4.0, -2.0], [-2.0, 1.0]]

    Args:
        x: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.

    Returns:
        A tensor of shape (...), of the dtype of x.

    Derivative:
        The cofactors of x, by the rule in xgrad/rules/determinants.py, in both modes. At a matrix with an inverse it can be taken
        to any order, at one without an inverse twice.

    Raises:
        ValueError: for an array that is not a stack of square matrices. A third derivative at a matrix without an inverse is the
            library's error for it, on PyTorch a RuntimeError.
        TypeError: for a value that is not an array.
    """
    return apply(_det, (x,))


# The rule of det has the determinant already. It tells whether x has an inverse, and no derivative is taken by it.
_cofactors = Function(
    "linalg.cofactors",
    ("x", "determinant"),
    (lambda xp, g, x: xp.linalg.cofactors_jvp(g, x), None),
    jvp=lambda xp, t, x: None if t[0] is None else xp.linalg.cofactors_jvp(t[0], x),
    holomorphic=True,
)


@public("linalg.cofactors", "rule")
def cofactors(x: Any, determinant: Any, /) -> Tensor:
    """The cofactors of a square matrix: the derivative of its determinant by each of its elements.

    They are determinant * inv(x).T for a matrix with an inverse, and are computed without it for another.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> xg.linalg.cofactors(x, xg.linalg.det(x)).numpy().round(12).tolist()
    [[4.0, -3.0], [-2.0, 1.0]]

    Args:
        x: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.
        determinant: det(x), an array of shape (...). No derivative is taken by it.

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        By the rule in xgrad/rules/determinants.py, in both modes: cofactors_jvp, once at a matrix without an inverse.

    Raises:
        ValueError: for an array that is not a stack of square matrices.
        TypeError: for a value that is not an array, and for a determinant that is a number.

    https://en.wikipedia.org/wiki/Adjugate_matrix
    """
    return apply(_cofactors, (x, determinant))


def _third(xp: Any, g: Any, t: Any, x: Any) -> Any:
    """The derivative by x of <g, cofactors_jvp(t, x)>, for an x that has an inverse."""
    if x.shape[-1] < 3:  # the determinant is a polynomial of degree 2 or less
        return xp.zeros(x.shape, dtype=x.dtype)
    inverse, one = xp.linalg.inv(x), xp.eye(x.shape[-1], dtype=x.dtype)
    a, b = xp.matmul(inverse, t), xp.matmul(inverse, g)
    ab, ba = xp.matmul(a, b), xp.matmul(b, a)
    trace_a, trace_b, trace_ab = (
        xp.sum(xp.linalg.diagonal(each), axis=-1)[..., None, None] for each in (a, b, ab)
    )  # a sum of diagonals has a batched form under vmap
    core = (trace_a * trace_b - trace_ab) * one - trace_b * a - trace_a * b + ab + ba
    return xp.linalg.det(x)[..., None, None] * xp.matrix_transpose(xp.matmul(core, inverse))


def _cofactors_jvp_jvp(xp: Any, tangents: Any, t: Any, x: Any) -> Any:
    moved_t, moved_x = tangents
    parts = [] if moved_t is None else [xp.linalg.cofactors_jvp(moved_t, x)]
    return total(parts if moved_x is None else [*parts, _third(xp, moved_x, t, x)])


_cofactors_jvp = Function(
    "linalg.cofactors_jvp",
    ("t", "x"),
    (lambda xp, g, x: xp.linalg.cofactors_jvp(g, x), _third),
    jvp=_cofactors_jvp_jvp,
    holomorphic=True,
)


@public("linalg.cofactors_jvp", "rule")
def cofactors_jvp(t: Any, x: Any, /) -> Tensor:
    """The derivative of cofactors(x) along t: its Jacobian-vector product.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> xg.linalg.cofactors_jvp(xg.ones((2, 2)), x).numpy().round(12).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]

    Args:
        t: the tangent of x, an array of its shape and dtype.
        x: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        By the rule in xgrad/rules/determinants.py, in both modes. By x, for n of 3 or more, it needs the inverse of x.

    Raises:
        ValueError: for an array that is not a stack of square matrices, and for shapes that do not fit.
        TypeError: for a value that is not an array.

    https://en.wikipedia.org/wiki/Jacobi%27s_formula
    """
    return apply(_cofactors_jvp, (t, x))


# --- the logarithm of the determinant -----------------------------------------------------------------------


def _inverse(xp: Any, x: Any, logabsdet: Any) -> Any:
    """The inverses of the matrices that have one, and nan for the others."""
    return where_regular(xp, logabsdet != -math.inf, xp.linalg.inv, x)


def _slogdet_vjp(xp: Any, g: list[Any], x: Any, sign: Any, logabsdet: Any) -> Any:
    """c X^-H, where c is the gradient of logabsdet, plus the imaginary part of the gradient of the sign times conj(sign)."""
    turn, c = g
    if turn is not None:
        turn = imaginary(xp, turn * xp.conj(sign))
        c = turn if c is None else c + turn
    return c[..., None, None] * adjoint(xp, _inverse(xp, x, logabsdet))


def _slogdet_jvp(xp: Any, t: Any, x: Any, sign: Any, logabsdet: Any) -> list[Any]:
    change = xp.sum(xp.matrix_transpose(_inverse(xp, x, logabsdet)) * t, axis=(-2, -1))
    growth = real_part(xp, change)
    return [sign * (change - growth), growth]  # 0 for real numbers, where the sign is constant


_slogdet = Several("linalg.slogdet", "x", ("sign", "logabsdet"), _slogdet_vjp, _slogdet_jvp)


@public("linalg.slogdet", "rule")
def slogdet(x: Any, /) -> SlogdetResult:
    """The sign of the determinant of a square matrix, and the logarithm of its absolute value, which does not overflow.

    >>> import xgrad as xg
    >>> x = xg.asarray([[0.0, 2.0], [0.5, 0.0]])
    >>> sign, logabsdet = xg.linalg.slogdet(x)
    >>> sign.item(), logabsdet.item()
    (-1.0, 0.0)
    >>> xg.grad(lambda x: xg.linalg.slogdet(x).logabsdet)(x).numpy().tolist()  # inv(x).T
    [[0.0, 0.5], [2.0, 0.0]]

    Args:
        x: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.

    Returns:
        A named tuple of tensors of shape (...): `sign` of the dtype of x, -1, 0 or 1, or det(x) / |det(x)| for a
        complex x; `logabsdet` of the real dtype that has the precision of x. It is -inf for a matrix without an inverse.

    Derivative:
        By the rule in xgrad/rules/determinants.py, in both modes and to any order: inv(x)^H for logabsdet. It is nan for a matrix
        without an inverse; the other matrices of the stack keep theirs. The sign has a derivative for a complex x only.

    Raises:
        ValueError: for an array that is not a stack of square matrices.
        TypeError: for a value that is not an array.
    """
    sign, logabsdet = _slogdet(x)
    return SlogdetResult(sign if isinstance(sign, ComplexTensor) else sign.detach(), logabsdet)
