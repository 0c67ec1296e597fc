"""The standard's linalg extension: matrices taken apart. Everything works on the last two axes.

What a decomposition leaves free (signs and phases of vectors, bases of spaces that belong to one value) has no derivative:
gradients are right for functions that do not depend on it. Where two values are equal, gradients through their vectors are nan,
as in PyTorch: which limit would be right depends on the function. Through values alone they are finite.

Differentials as in Giles, "Collected matrix derivative results" (2008), and Townsend, "Differentiating the SVD" (2016).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from xgrad.engine.dispatch import apply
from xgrad.engine.op import Function, conjugate, real_part
from xgrad.engine.operands import operand
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tape import is_recording
from xgrad.engine.tensor import Tensor
from xgrad.rules.declare import untracked


class EigResult(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


class EighResult(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    Q: Tensor
    R: Tensor


class SVDResult(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor


# --- what rules have in common ------------------------------------------------------------------------------


def adjoint(xp: Any, x: Any) -> Any:
    """The conjugate transpose."""
    return conjugate(xp, xp.matrix_transpose(x))


def hermitian(xp: Any, x: Any) -> Any:
    return (x + adjoint(xp, x)) / 2


def on_diagonal(xp: Any, d: Any) -> Any:
    """Matrices with d on the diagonal."""
    return d[..., None] * xp.eye(d.shape[-1], dtype=d.dtype)


def imaginary(xp: Any, x: Any) -> Any:
    """The imaginary part times i."""
    return x - xp.real(x)


def _gaps(xp: Any, w: Any) -> Any:
    """1 / (w[j] - w[i]) at i, j, and 0 on the diagonal."""
    one = xp.eye(w.shape[-1], dtype=w.dtype)
    return 1 / (w[..., None, :] - w[..., :, None] + one) - one


def where_regular(xp: Any, regular: Any, function: Any, x: Any, *others: Any) -> Any:
    """function(x, ...) of matrices of which some have no inverse: nan for these, and no error for their neighbours."""
    regular = regular[..., None, None]
    y = function(xp.where(regular, x, xp.eye(x.shape[-1], dtype=x.dtype)), *others)
    return xp.where(regular, y, xp.full((), math.nan, dtype=y.dtype))


def _solve_triangular(xp: Any, r: Any, b: Any) -> Any:
    regular = xp.all(xp.linalg.diagonal(r) != 0, axis=-1)
    return where_regular(xp, regular, xp.linalg.solve, r, b)


def _differentiated(x: Any) -> bool:
    return getattr(x, "requires_grad", False) and is_recording()


# --- Cholesky -----------------------------------------------------------------------------------------------


def _lower(xp: Any, x: Any) -> Any:
    """The lower triangle with half of the diagonal: x is its sum with its adjoint, if x is Hermitian."""
    return xp.tril(x) - x * (xp.eye(x.shape[-1], dtype=x.dtype) / 2)


def _cholesky_vjp(xp: Any, g: Any, y: Any, upper: bool) -> Any:
    """L^-H P L^-1 with P = lower(L^H g), made Hermitian as the argument is."""
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
    """The lower triangular L with L @ L^H = x, for a positive definite x; with `upper`, L^H.

    The library reads one triangle of x; the gradient is Hermitian, as x is.
    """
    return apply(_cholesky, (x,), {"upper": upper})


# --- QR -----------------------------------------------------------------------------------------------------


def _split(q: Any, r: Any) -> tuple[Any, Any, Any]:
    """The columns of Q that belong to x, those beyond (which only mode "complete" has), and the square part of R."""
    n = r.shape[-1]
    return q[..., :n], q[..., n:], r[..., :n, :]


def _qr_vjp(xp: Any, g: list[Any], q: Any, r: Any) -> Any:
    """(gQ + Q (P + P^H + D)) R^-H; P above and D (real) on the diagonal are of gR R^H - Q^H gQ."""
    gq, gr = g
    q1, q2, r1 = _split(q, r)
    n = r.shape[-1]
    m = xp.zeros(r1.shape, dtype=r.dtype)
    if gr is not None:
        m = xp.matmul(gr[..., :n, :], adjoint(xp, r1))
    if gq is not None:
        g1, g2 = gq[..., :n], gq[..., n:]
        if g2.shape[-1]:  # the further columns turn against the first ones: dQ2 = -Q1 dQ1^H Q2
            g1 = g1 - xp.matmul(q2, xp.matmul(adjoint(xp, g2), q1))
        m = m - xp.matmul(adjoint(xp, q1), g1)
    above = xp.triu(m, k=1)
    diagonal = on_diagonal(xp, real_part(xp, xp.linalg.diagonal(m)))
    z = xp.matmul(q1, above + adjoint(xp, above) + diagonal)
    if gq is not None:
        z = z + g1
    return adjoint(xp, _solve_triangular(xp, r1, adjoint(xp, z)))


def _qr_jvp(xp: Any, t: Any, q: Any, r: Any) -> list[Any]:
    """With Z = dA R^-1 and W = Q^H Z: dR = T R and dQ = Z - Q T, where T is W with its lower triangle folded up."""
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
    """Q with orthonormal columns and an upper triangular R with Q @ R = x; in mode "complete", Q is square.

    Differentiable where the first min(m, n) columns of x are independent. The gradient is nan where one is exactly 0.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete', not {mode!r}")
    x = operand("qr", x)
    if x.ndim < 2:
        raise ValueError(f"qr is of matrices, and the shape here is {tuple(x.shape)}")
    rows = x.shape[-2]
    if rows >= x.shape[-1] or not _differentiated(x):
        return QRResult(*_qr(x, mode=mode))
    from xgrad.rules.linear_algebra import matmul
    from xgrad.rules.manipulation import concat

    q, r = _qr(x[..., :rows], mode=mode)
    return QRResult(q, concat([r, matmul(adjoint(x.backend.view, q), x[..., rows:])], axis=-1))


# --- eigenvalues of Hermitian matrices ----------------------------------------------------------------------


def _eigh_vjp(xp: Any, g: list[Any], w: Any, v: Any) -> Any:
    """V (diag(gw) + F * skew(V^H gV)) V^H with F = 1 / gaps."""
    gw, gv = g
    back = adjoint(xp, v)
    if gv is None:
        return xp.matmul(v * gw[..., None, :], back)
    n = xp.matmul(back, gv)
    core = (n - adjoint(xp, n)) * _gaps(xp, w) / 2
    if gw is not None:
        core = core + on_diagonal(xp, gw)
    return xp.matmul(xp.matmul(v, core), back)


def _eigh_jvp(xp: Any, t: Any, w: Any, v: Any) -> list[Any]:
    p = xp.matmul(xp.matmul(adjoint(xp, v), hermitian(xp, t)), v)
    return [real_part(xp, xp.linalg.diagonal(p)), xp.matmul(v, p * _gaps(xp, w))]


_eigh = Several("linalg.eigh", "x", ("w", "v"), _eigh_vjp, _eigh_jvp)


@public("linalg.eigh", "rule")
def eigh(x: Any, /) -> EighResult:
    """The eigenvalues of a Hermitian x in ascending order, and the eigenvectors as columns.

    The library reads one triangle of x; the gradient is Hermitian, as x is.

    >>> import xgrad as xg
    >>> xg.linalg.eigh(xg.asarray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues.numpy().tolist()
    [1.0, 2.0]
    """
    return EighResult(*_eigh(x))


@public("linalg.eigvalsh", "composition")
def eigvalsh(x: Any, /) -> Tensor:
    """The eigenvalues of a Hermitian x, in ascending order."""
    return eigh(x).eigenvalues if _differentiated(x) else untracked("linalg.eigvalsh", (x,))


# --- eigenvalues of any matrix ------------------------------------------------------------------------------


def _eig_vjp(xp: Any, g: list[Any], w: Any, v: Any) -> Any:
    """V^-H (diag(gw) + conj(F) * (N - V^H V diag(Re N))) V^H with N = V^H gV: vectors keep their length."""
    gw, gv = g
    back = adjoint(xp, v)
    if gv is None:
        return xp.linalg.solve(back, gw[..., :, None] * back)
    n = xp.matmul(back, gv)
    n = n - xp.matmul(back, v) * xp.real(xp.linalg.diagonal(n))[..., None, :]
    core = n * xp.conj(_gaps(xp, w))
    if gw is not None:
        core = core + on_diagonal(xp, gw)
    return xp.linalg.solve(back, xp.matmul(core, back))


def _eig_jvp(xp: Any, t: Any, w: Any, v: Any) -> list[Any]:
    p = xp.linalg.solve(v, xp.matmul(xp.astype(t, v.dtype), v))
    turned = xp.matmul(v, p * _gaps(xp, w))
    longer = xp.real(xp.sum(xp.conj(v) * turned, axis=-2, keepdims=True))
    return [xp.linalg.diagonal(p), turned - v * longer]


_eig = Several("linalg.eig", "x", ("w", "v"), _eig_vjp, _eig_jvp)


@public("linalg.eig", "rule")
def eig(x: Any, /) -> EigResult:
    """The eigenvalues of a square x, in no order, and eigenvectors of length 1 as columns. Both are complex.

    Differentiable where the eigenvectors are independent.
    """
    return EigResult(*_eig(x))


@public("linalg.eigvals", "composition")
def eigvals(x: Any, /) -> Tensor:
    """The eigenvalues of a square x, complex and in no order."""
    return eig(x).eigenvalues if _differentiated(x) else untracked("linalg.eigvals", (x,))


# --- singular values ----------------------------------------------------------------------------------------


def _first(xp: Any, u: Any, g: Any, k: int) -> tuple[Any, Any]:
    """The first k singular vectors and the gradient for them. Further ones turn against them: dU2 = -U1 dU1^H U2."""
    if u.shape[-1] == k:
        return u, g
    u1, u2 = u[..., :k], u[..., k:]
    return u1, None if g is None else g[..., :k] - xp.matmul(u2, xp.matmul(adjoint(xp, g[..., k:]), u1))


def _squared_gaps(xp: Any, s: Any) -> Any:
    """1 / (s[j]**2 - s[i]**2) at i, j, and 0 on the diagonal."""
    one = xp.eye(s.shape[-1], dtype=s.dtype)
    row, column = s[..., None, :], s[..., :, None]
    return 1 / ((row - column) * (row + column) + one) - one


def _svd_vjp(xp: Any, g: list[Any], u: Any, s: Any, vh: Any) -> Any:
    """U (diag(gs) + F * skew(U^H gU) S + S F * skew(V^H gV)) V^H, and what leaves the spaces of U and V."""
    k = s.shape[-1]
    gs = g[1]
    u, gu = _first(xp, u, g[0], k)
    v, gv = _first(xp, adjoint(xp, vh), None if g[2] is None else adjoint(xp, g[2]), k)
    vh = adjoint(xp, v)
    if gu is None and gv is None:
        return xp.matmul(u * gs[..., None, :], vh)
    f, row, column = _squared_gaps(xp, s), s[..., None, :], s[..., :, None]
    core = xp.zeros((*s.shape, k), dtype=u.dtype) if gs is None else on_diagonal(xp, gs)
    phases = []
    if gu is not None:
        n = xp.matmul(adjoint(xp, u), gu)
        core = core + (n - adjoint(xp, n)) * f * row
        phases.append(n)
    if gv is not None:
        m = xp.matmul(vh, gv)
        core = core + (m - adjoint(xp, m)) * f * column
        phases.append(-m)
    if u.dtype in xp.complex_dtypes:  # the two phases of a pair of vectors turn against each other
        for p in phases:
            core = core + on_diagonal(xp, imaginary(xp, xp.linalg.diagonal(p)) / (s + s))
    h = xp.matmul(xp.matmul(u, core), vh)
    if gu is not None and u.shape[-2] > k:
        h = h + xp.matmul((gu - xp.matmul(u, xp.matmul(adjoint(xp, u), gu))) / row, vh)
    if gv is not None and v.shape[-2] > k:
        h = h + xp.matmul(u / row, adjoint(xp, gv - xp.matmul(v, xp.matmul(vh, gv))))
    return h


def _svd_jvp(xp: Any, t: Any, u: Any, s: Any, vh: Any) -> list[Any]:
    k = s.shape[-1]
    u1, v1 = u[..., :k], adjoint(xp, vh)[..., :k]
    f, row, column = _squared_gaps(xp, s), s[..., None, :], s[..., :, None]
    tv, tu = xp.matmul(t, v1), xp.matmul(adjoint(xp, t), u1)
    p = xp.matmul(adjoint(xp, u1), tv)
    ph = adjoint(xp, p)
    turn_u, turn_v = (p * row + column * ph) * f, (column * p + ph * row) * f
    if u.dtype in xp.complex_dtypes:
        phase = on_diagonal(xp, imaginary(xp, xp.linalg.diagonal(p)) / (s + s))
        turn_u, turn_v = turn_u + phase, turn_v - phase
    du, dv = xp.matmul(u1, turn_u), xp.matmul(v1, turn_v)
    if u.shape[-2] > k:
        du = du + (tv - xp.matmul(u1, p)) / row
    if vh.shape[-1] > k:
        dv = dv + (tu - xp.matmul(v1, ph)) / row
    return [
        _with_others(xp, du, u, k),
        real_part(xp, xp.linalg.diagonal(p)),
        adjoint(xp, _with_others(xp, dv, adjoint(xp, vh), k)),
    ]


def _with_others(xp: Any, du: Any, u: Any, k: int) -> Any:
    """The tangent of the first k singular vectors, and those of the further ones."""
    if u.shape[-1] == k:
        return du
    return xp.concat([du, -xp.matmul(u[..., :k], xp.matmul(adjoint(xp, du), u[..., k:]))], axis=-1)


_svd = Several("linalg.svd", "x", ("u", "s", "vh"), _svd_vjp, _svd_jvp)


@public("linalg.svd", "rule")
def svd(x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """U, S and Vh with (U * S) @ Vh = x, S falling; with `full_matrices`, U and Vh are square.

    Through U and Vh, the gradient is not finite where two singular values are equal, or where one is 0 and x is not square.
    """
    return SVDResult(*_svd(x, full_matrices=full_matrices))


@public("linalg.svdvals", "composition")
def svdvals(x: Any, /) -> Tensor:
    """The singular values, in descending order."""
    return svd(x, full_matrices=False).S if _differentiated(x) else untracked("linalg.svdvals", (x,))
