"""The standard's linalg extension: the Cholesky and the QR factorization, and what the rules of all factorizations share.

Matrices are in the last two axes. The formulas follow Giles, "Collected matrix derivative results" (2008).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from xgrad.backends.looking import may_look
from xgrad.engine.dispatch import apply
from xgrad.engine.op import Function, conjugate, real_part
from xgrad.engine.operands import operand
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tape import is_recording
from xgrad.engine.tensor import Tensor
from xgrad.rules.linear_algebra import matmul
from xgrad.rules.manipulation import concat


class QRResult(NamedTuple):
    """An orthonormal and an upper triangular factor."""

    Q: Tensor
    R: Tensor


# --- what rules have in common ------------------------------------------------------------------------------


def adjoint(xp: Any, x: Any) -> Any:
    """The conjugate transpose."""
    return conjugate(xp, xp.matrix_transpose(x))


def product(xp: Any, *matrices: Any) -> Any:
    """The matrix product of several matrices, from the left to the right."""
    result = matrices[0]
    for matrix in matrices[1:]:
        result = xp.matmul(result, matrix)
    return result


def hermitian(xp: Any, x: Any) -> Any:
    """The Hermitian part: the mean of x and its conjugate transpose."""
    return (x + adjoint(xp, x)) / 2


def on_diagonal(xp: Any, d: Any) -> Any:
    """Matrices with d on the diagonal."""
    return d[..., None] * xp.eye(d.shape[-1], dtype=d.dtype)


def imaginary(xp: Any, x: Any) -> Any:
    """The imaginary part times i."""
    return x - xp.real(x)


def where_regular(xp: Any, regular: Any, function: Any, x: Any, *others: Any) -> Any:
    """function(x, ...) for a stack of matrices, with nan for those without an inverse. The other matrices keep their results.

    `regular` says which matrices have an inverse. The identity takes the place of the others, for which the library may raise.
    """
    if may_look(xp, regular) and bool(regular.all()):
        return function(x, *others)
    regular = regular[..., None, None]
    y = function(xp.where(regular, x, xp.eye(x.shape[-1], dtype=x.dtype)), *others)
    return xp.where(regular, y, xp.full((), math.nan, dtype=y.dtype))


def _solve_triangular(xp: Any, r: Any, b: Any) -> Any:
    """The y with r @ y = b, for triangular matrices r; nan where one has a 0 on its diagonal."""
    regular = xp.all(xp.linalg.diagonal(r) != 0, axis=-1)
    return where_regular(xp, regular, xp.linalg.solve, r, b)


def differentiated(x: Any) -> bool:
    """Whether an operation on x is recorded."""
    return getattr(x, "requires_grad", False) and is_recording()


# --- Cholesky -----------------------------------------------------------------------------------------------


def _lower(xp: Any, x: Any) -> Any:
    """The lower triangle, with the diagonal halved. A Hermitian x is the sum of this and its conjugate transpose."""
    return xp.tril(x) - x * (xp.eye(x.shape[-1], dtype=x.dtype) / 2)


def _cholesky_vjp(xp: Any, g: Any, y: Any, upper: bool) -> Any:
    """L^-H P L^-1, where P is the Hermitian part of lower(L^H g). The gradient is Hermitian, as x is."""
    if upper:
        g, y = adjoint(xp, g), adjoint(xp, y)
    up = adjoint(xp, y)
    p = hermitian(xp, _lower(xp, xp.matmul(up, g)))
    return adjoint(xp, xp.linalg.solve(up, adjoint(xp, xp.linalg.solve(up, p))))


def _cholesky_jvp(xp: Any, t: Any, y: Any, upper: bool) -> Any:
    """L lower(L^-1 t L^-H)."""
    low = adjoint(xp, y) if upper else y
    half = xp.linalg.solve(low, hermitian(xp, t))
    moved = xp.matmul(low, _lower(xp, xp.linalg.solve(low, adjoint(xp, half))))
    return adjoint(xp, moved) if upper else moved


_cholesky = Function("linalg.cholesky", ("x",), (_cholesky_vjp,), jvp=_cholesky_jvp)


@public("linalg.cholesky", "rule")
def cholesky(x: Any, /, *, upper: bool = False) -> Tensor:
    """The Cholesky factor of a positive definite matrix: a lower triangular L with L @ L^H = x.

    >>> import xgrad as xg
    >>> x = xg.asarray([[4.0, 2.0], [2.0, 10.0]])
    >>> xg.linalg.cholesky(x).numpy().tolist()
    [[2.0, 0.0], [1.0, 3.0]]
    >>> xg.grad(lambda x: xg.linalg.cholesky(x)[0, 0])(x).numpy().tolist()
    [[0.25, 0.0], [0.0, 0.0]]

    Args:
        x: a Hermitian, positive definite matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of
            at least 32 bits. NumPy reads the lower triangle only, PyTorch the triangle that it returns; JAX takes the mean of
            both.
        upper: whether to return L^H, which is upper triangular, in place of L.

    Returns:
        A tensor of the shape and dtype of x. Outside of its triangle it is 0.

    Derivative:
        By the rule in xgrad/rules/decompositions.py, in both modes and to any order. The gradient is Hermitian, as x is: both
        triangles of it hold half of the derivative, also where the library reads one triangle of x.

    Raises:
        ValueError: for an array that is not a stack of square matrices, and for a matrix that is not positive definite.
        TypeError: for a value that is not an array.
    """
    return apply(_cholesky, (x,), {"upper": upper})


# --- QR -----------------------------------------------------------------------------------------------------


def _split(q: Any, r: Any) -> tuple[Any, Any, Any]:
    """The first n columns of Q, its further columns (in mode "complete" only), and the first n rows of R."""
    n = r.shape[-1]
    return q[..., :n], q[..., n:], r[..., :n, :]


def _qr_vjp(xp: Any, g: list[Any], q: Any, r: Any) -> Any:
    """(gQ + Q (P + P^H + D)) R^-H, where gR R^H - Q^H gQ has P above its diagonal, and D is the real part of that diagonal."""
    gq, gr = g
    q1, q2, r1 = _split(q, r)
    n = r.shape[-1]
    m = xp.zeros(r1.shape, dtype=r.dtype)
    if gr is not None:
        m = xp.matmul(gr[..., :n, :], adjoint(xp, r1))
    if gq is not None:
        g1, g2 = gq[..., :n], gq[..., n:]
        if g2.shape[-1]:  # the further columns stay orthogonal to the first ones: dQ2 = -Q1 dQ1^H Q2
            g1 = g1 - xp.matmul(q2, xp.matmul(adjoint(xp, g2), q1))
        m = m - xp.matmul(adjoint(xp, q1), g1)
    above = xp.triu(m, k=1)
    diagonal = on_diagonal(xp, real_part(xp, xp.linalg.diagonal(m)))
    z = xp.matmul(q1, above + adjoint(xp, above) + diagonal)
    if gq is not None:
        z = z + g1
    return adjoint(xp, _solve_triangular(xp, r1, adjoint(xp, z)))


def _qr_jvp(xp: Any, t: Any, q: Any, r: Any) -> list[Any]:
    """With Z = dA R^-1 and W = Q^H Z: dR = T R and dQ = Z - Q T.

    T is upper triangular: the triangle of W above the diagonal, plus the conjugate transpose of the one below, and the real part
    of the diagonal.
    """
    q1, q2, r1 = _split(q, r)
    z = xp.matrix_transpose(_solve_triangular(xp, xp.matrix_transpose(r1), xp.matrix_transpose(t)))
    w = xp.matmul(adjoint(xp, q1), z)
    folded = xp.triu(w, k=1) + adjoint(xp, xp.tril(w, k=-1))
    folded = folded + on_diagonal(xp, real_part(xp, xp.linalg.diagonal(w)))
    tq, tr = z - xp.matmul(q1, folded), xp.matmul(folded, r1)
    if q2.shape[-1]:
        beyond = xp.matmul(q1, adjoint(xp, xp.matmul(adjoint(xp, q2), z)))
        tq = xp.concat([tq, -beyond], axis=-1)
    if r.shape[-2] > r.shape[-1]:
        tr = xp.concat([tr, xp.zeros((*r.shape[:-2], r.shape[-2] - r.shape[-1], r.shape[-1]), dtype=r.dtype)], axis=-2)
    return [tq, tr]


_qr = Several("linalg.qr", "x", ("q", "r"), _qr_vjp, _qr_jvp)


@public("linalg.qr", "rule for as many rows as columns or more, else a composition")
def qr(x: Any, /, *, mode: str = "reduced") -> QRResult:
    """The QR factorization of a matrix: a Q with orthonormal columns and an upper triangular R, with Q @ R = x.

    >>> import xgrad as xg
    >>> q, r = xg.linalg.qr(xg.asarray([[3.0, 1.0], [4.0, 2.0]]))
    >>> (q @ r).numpy().round(12).tolist()
    [[3.0, 1.0], [4.0, 2.0]]
    >>> xg.grad(lambda x: xg.linalg.qr(x).R[0, 0] ** 2)(xg.asarray([[3.0], [4.0]])).numpy().round(12).tolist()
    [[6.0], [8.0]]

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), a real or complex floating-point dtype of at least 32 bits.
        mode: "reduced" for k = min(m, n) columns of Q and rows of R, or "complete" for m of each.

    Returns:
        A named tuple (Q, R), of the dtype of x: Q of shape (..., m, k) and R of shape (..., k, n), where k is m in mode
        "complete". The signs on the diagonal of R, or phases, are the library's.

    Derivative:
        By the rule in xgrad/rules/decompositions.py for m >= n. For m < n, the first m columns are factorized, and R has Q^H
        times the further columns beside. It exists where the first min(m, n) columns of x are linearly independent. Where one is
        exactly 0, the gradient is nan. Of the further columns in mode "complete", only the space that they span has a derivative.

    Raises:
        ValueError: for another mode, and for an array without two axes.
        TypeError: for a value that is not an array.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete', not {mode!r}")
    x = operand("qr", x)
    if x.ndim < 2:
        raise ValueError(f"qr: x must have two axes or more, not shape {tuple(x.shape)}")
    rows = x.shape[-2]
    if rows >= x.shape[-1] or not differentiated(x):
        return QRResult(*_qr(x, mode=mode))
    q, r = _qr(x[..., :rows], mode=mode)
    return QRResult(q, concat([r, matmul(adjoint(x.backend.view, q), x[..., rows:])], axis=-1))
