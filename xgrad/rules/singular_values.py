"""The standard's linalg extension: singular values, and what the libraries compute from them: the pseudo-inverse and the rank.

A pair of singular vectors is determined up to a common sign, or phase if it is complex, and the vectors of equal singular values
up to a change of basis. These choices have no derivative: a gradient is right for functions that do not depend on them. Where
singular values are equal, the gradient through their vectors is nan, as in PyTorch. Through the values alone it is finite.

The formulas follow Townsend, "Differentiating the SVD" (2016), and Golub and Pereyra (1973) for the pseudo-inverse.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from xgrad.engine.dispatch import apply
from xgrad.engine.op import Function, real_part
from xgrad.engine.operands import operand
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tensor import Tensor
from xgrad.rules.declare import NOT_CONTINUOUS, untracked
from xgrad.rules.decompositions import adjoint, differentiated, imaginary, on_diagonal, product


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values in descending order, and right singular vectors as conjugated rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


# --- singular values ----------------------------------------------------------------------------------------


def _first(xp: Any, u: Any, g: Any, k: int) -> tuple[Any, Any]:
    """The first k singular vectors and their gradient. The further ones stay orthogonal to them: dU2 = -U1 dU1^H U2."""
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
    """U (diag(gs) + F * skew(U^H gU) S + S F * skew(V^H gV)) V^H with F = 1 / squared gaps.

    To this it adds the parts of gU and gV that are orthogonal to the columns of U and V, divided by S.
    """
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
    if u.dtype in xp.complex_dtypes:  # a change of phase in one vector of a pair is one of opposite sign in the other
        for p in phases:
            core = core + on_diagonal(xp, imaginary(xp, xp.linalg.diagonal(p)) / (s + s))
    h = xp.matmul(xp.matmul(u, core), vh)
    if gu is not None and u.shape[-2] > k:
        h = h + xp.matmul((gu - xp.matmul(u, xp.matmul(adjoint(xp, u), gu))) / row, vh)
    if gv is not None and v.shape[-2] > k:
        h = h + xp.matmul(u / row, adjoint(xp, gv - xp.matmul(v, xp.matmul(vh, gv))))
    return h


def _svd_jvp(xp: Any, t: Any, u: Any, s: Any, vh: Any) -> list[Any]:
    """With P = U^H t V and F = 1 / squared gaps: dS = diag(P), dU = U (F * (P S + S P^H)) and dV = V (F * (S P + P^H S)).

    To these it adds the parts that are orthogonal to the columns of U and V.
    """
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
    """The tangents of all singular vectors, from those of the first k. The further ones stay orthogonal to these."""
    if u.shape[-1] == k:
        return du
    return xp.concat([du, -xp.matmul(u[..., :k], xp.matmul(adjoint(xp, du), u[..., k:]))], axis=-1)


_svd = Several("linalg.svd", "x", ("u", "s", "vh"), _svd_vjp, _svd_jvp)


@public("linalg.svd", "rule")
def svd(x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """The singular value decomposition of a matrix: (U * S) @ Vh = x, where U and V have orthonormal columns.

    >>> import xgrad as xg
    >>> x = xg.asarray([[0.0, 2.0], [3.0, 0.0]])
    >>> u, s, vh = xg.linalg.svd(x)
    >>> s.numpy().round(12).tolist(), ((u * s) @ vh).numpy().round(12).tolist()
    ([3.0, 2.0], [[0.0, 2.0], [3.0, 0.0]])

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), a real or complex floating-point dtype of at least 32 bits.
        full_matrices: True for square U and Vh, False for their first k = min(m, n) columns and rows.

    Returns:
        A named tuple: U of shape (..., m, m) or (..., m, k), S of shape (..., k), and Vh of shape (..., n, n) or (..., k, n). U
        and Vh are of the dtype of x; S is real, of the precision of x, and in descending order. The signs of each pair of
        vectors, or phases, are the library's.

    Derivative:
        By the rule in xgrad/rules/singular_values.py, in both modes and to any order. It is right for functions that do not
        depend on the signs or phases of pairs of vectors. Through U and Vh, the gradient is not finite where singular values are
        equal, or where one is 0 and x is complex or not square. Through S alone it is finite.

    Raises:
        ValueError: for an array without two axes; on NumPy and PyTorch, for a matrix with inf or nan.
        TypeError: for a value that is not an array.
    """
    return SVDResult(*_svd(x, full_matrices=full_matrices))


@public("linalg.svdvals", "composition")
def svdvals(x: Any, /) -> Tensor:
    """The singular values of a matrix, in descending order.

    >>> import xgrad as xg
    >>> x = xg.asarray([[0.0, 2.0], [3.0, 0.0]])
    >>> xg.linalg.svdvals(x).numpy().round(12).tolist()
    [3.0, 2.0]
    >>> xg.grad(lambda x: xg.sum(xg.linalg.svdvals(x)))(x).numpy().round(12).tolist()
    [[0.0, 1.0], [1.0, 0.0]]

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), a real or complex floating-point dtype of at least 32 bits.

    Returns:
        A tensor of shape (..., min(m, n)), of the real dtype that has the precision of x.

    Derivative:
        That of svd: u v^H for the singular value of u and v. Where singular values are equal or 0, it is that of the singular
        vectors that the library has found, which is a subgradient for the largest value and for the sum of all.

    Raises:
        ValueError: for an array without two axes; on NumPy and PyTorch, for a matrix with inf or nan.
        TypeError: for a value that is not an array.
    """
    return svd(x, full_matrices=False).S if differentiated(x) else untracked("linalg.svdvals", (x,))


# --- the pseudo-inverse and the rank ------------------------------------------------------------------------


def _beyond(xp: Any, a: Any, b: Any) -> Any:
    """I - a b: the projection onto the orthogonal complement of the range of the projection a b."""
    product = xp.matmul(a, b)
    return xp.eye(product.shape[-1], dtype=product.dtype) - product


def _pinv_vjp(xp: Any, g: Any, x: Any, y: Any) -> Any:
    yh, gh = adjoint(xp, y), adjoint(xp, g)
    h = -product(xp, yh, g, yh)
    h = h + product(xp, _beyond(xp, x, y), gh, y, yh)
    return h + product(xp, yh, y, gh, _beyond(xp, y, x))


def _pinv_jvp(xp: Any, t: Any, x: Any, y: Any) -> Any:
    yh, th = adjoint(xp, y), adjoint(xp, t)
    moved = -product(xp, y, t, y)
    moved = moved + product(xp, y, yh, th, _beyond(xp, x, y))
    return moved + product(xp, _beyond(xp, y, x), th, yh, y)


_pinv = Function("linalg.pinv", ("x",), (_pinv_vjp,), jvp=_pinv_jvp)


def _tolerance(rtol: Any) -> Any:
    return rtol.data if isinstance(rtol, Tensor) else rtol


@public("linalg.pinv", "rule")
def pinv(x: Any, /, *, rtol: Any = None) -> Tensor:
    """The Moore-Penrose pseudo-inverse of a matrix.

    >>> import xgrad as xg
    >>> x = xg.asarray([[2.0], [0.0]])
    >>> xg.linalg.pinv(x).numpy().tolist()
    [[0.5, 0.0]]
    >>> xg.grad(lambda x: xg.linalg.pinv(x)[0, 0])(x).numpy().tolist()
    [[-0.25], [0.0]]

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), a real or complex floating-point dtype of at least 32 bits.
        rtol: singular values of at most `rtol` times the largest one count as 0: a number, or an array of shape (...). None means
            max(m, n) times the dtype's epsilon, on JAX ten times that.

    Returns:
        A tensor of shape (..., n, m) and of the dtype of x.

    Derivative:
        By the rule in xgrad/rules/singular_values.py, in both modes and to any order. The rule is that of matrices near x of the
        same rank. Where the rank changes, pinv is not continuous. `rtol` gets no gradient.

    Raises:
        ValueError: for an array without two axes; on NumPy and PyTorch, for a matrix with inf or nan.
        TypeError: for a value that is not an array.
    """
    return apply(_pinv, (x,), {"rtol": _tolerance(rtol)})


@public("linalg.matrix_rank", NOT_CONTINUOUS)
def matrix_rank(x: Any, /, *, rtol: Any = None) -> Tensor:
    """The rank of a matrix: the number of its singular values that are larger than `rtol` times the largest one.

    >>> import xgrad as xg
    >>> xg.linalg.matrix_rank(xg.asarray([[1.0, 2.0], [2.0, 4.0]])).item()
    1

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), a real or complex floating-point dtype of at least 32 bits.
        rtol: a number, or an array of shape (...). None means max(m, n) times the dtype's epsilon.

    Returns:
        A tensor of shape (...), of the library's default integer dtype. A matrix without elements has the rank 0.

    Raises:
        ValueError: for an array without two axes; on NumPy and PyTorch, for a matrix with inf or nan.
        TypeError: for a value that is not an array.
    """
    x = operand("matrix_rank", x)
    if 0 in x.shape[-2:]:  # there are no singular values, for which some libraries raise
        xp = x.backend.view
        none: Tensor = xp.zeros(x.shape[:-2], dtype=xp.int64)
        return none
    return untracked("linalg.matrix_rank", (x,), rtol=_tolerance(rtol))
