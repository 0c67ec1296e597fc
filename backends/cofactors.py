"""Cofactor matrices, the derivative of the determinant, also of singular matrices.

With x = U S V^H, the cofactors are det(U) det(V^H) conj(U) C conj(V^H), where C is diagonal: each element is the product
of all other singular values. Nothing is divided by a singular value.
"""

from __future__ import annotations

from typing import Any

_FEW_DIGITS = 1000.0  # the largest condition number for which the formula with inverses is accurate enough


def cofactors(xp: Any, x: Any, y: Any) -> Any:
    """The cofactors of matrices x with determinants y: y x^-T where that is accurate, otherwise from singular values."""
    n = x.shape[-1]
    if n < 2:
        return xp.ones(x.shape, dtype=x.dtype)
    if xp._waits_for_inverses and is_regular(xp, y):
        return y[..., None, None] * xp.matrix_transpose(xp.linalg.inv(x))
    sign, u, s, vh = _taken_apart(xp, x)
    others = _products(xp, s, xp.eye(n, dtype=xp.bool))
    return sign * xp.matmul(u * xp.astype(others, x.dtype)[..., None, :], vh)


def cofactors_jvp(xp: Any, t: Any, x: Any) -> Any:
    """The derivative of the cofactors of x along the tangent t. It is symmetric: <t1, jvp(t2)> = <t2, jvp(t1)>.

    With B = U^H t V, and P[i, j] the product of all singular values except i and j, the tangent of C is diag(P diag(B)) - P *
    B^T.
    """
    n = x.shape[-1]
    if n < 2:
        return xp.zeros(t.shape, dtype=x.dtype)
    if xp._waits_for_inverses and is_regular(xp, y := xp.linalg.det(x)):
        inverse = xp.linalg.inv(x)
        if bool(xp.all(xp.linalg.matrix_norm(x) * xp.linalg.matrix_norm(inverse) < _FEW_DIGITS)):
            along = xp.matmul(inverse, t)
            core = xp.linalg.trace(along)[..., None, None] * inverse - xp.matmul(along, inverse)
            return y[..., None, None] * xp.matrix_transpose(core)
    sign, u, s, vh = _taken_apart(xp, x)
    one = xp.eye(n, dtype=xp.bool)
    p = _products(xp, s[..., None, :], one[:, None, :] | one[None, :, :])
    p = xp.astype(xp.where(one, xp.zeros((), dtype=p.dtype), p), x.dtype)
    b = xp.matmul(xp.matmul(xp.matrix_transpose(u), t), xp.matrix_transpose(vh))
    on_diagonal = xp.matmul(p, xp.linalg.diagonal(b)[..., None])
    core = on_diagonal * xp.astype(one, x.dtype) - p * xp.matrix_transpose(b)
    return sign * xp.matmul(xp.matmul(u, core), vh)


def is_regular(xp: Any, determinants: Any) -> bool:
    """Whether all matrices with these determinants have an inverse, and no determinant overflowed or underflowed."""
    size = xp.abs(determinants)
    info = xp.finfo(size.dtype)
    return bool(xp.all((size > float(info.smallest_normal) / float(info.eps)) & (size < float(info.max))))


def _taken_apart(xp: Any, x: Any) -> tuple[Any, Any, Any, Any]:
    """det(U) det(V^H), conj(U), S and conj(V^H); nan for a matrix that is not finite."""
    finite = xp.all(xp.isfinite(x), axis=(-2, -1), keepdims=True)
    u, s, vh = xp.linalg.svd(xp.where(finite, x, xp.eye(x.shape[-1], dtype=x.dtype)), full_matrices=False)
    sign = (xp.linalg.det(u) * xp.linalg.det(vh))[..., None, None]
    sign = xp.where(finite, sign, xp.full((), float("nan"), dtype=sign.dtype))
    if x.dtype in xp.complex_dtypes:
        u, vh = xp.conj(u), xp.conj(vh)
    return sign, u, s, vh


def _products(xp: Any, s: Any, without: Any) -> Any:
    """Products over the last axis, each without the elements that its mask selects."""
    return xp.prod(xp.where(without, xp.ones((), dtype=s.dtype), s[..., None, :]), axis=-1)
