"""The standard's linalg extension: eigenvalues and eigenvectors.

An eigenvector is determined up to its sign, or its phase if it is complex, and the eigenvectors of equal eigenvalues up to a
change of basis. These choices have no derivative: a gradient is right for functions that do not depend on them. Where
eigenvalues are equal, the gradient through their eigenvectors is nan, as in PyTorch. Through the eigenvalues alone it is finite.

The formulas follow Giles, "Collected matrix derivative results" (2008).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from xgrad.engine.op import real_part
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tensor import Tensor
from xgrad.rules.declare import untracked
from xgrad.rules.decompositions import adjoint, differentiated, hermitian, on_diagonal


class EigResult(NamedTuple):
    """The eigenvalues of a square matrix, and its eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class EighResult(NamedTuple):
    """The eigenvalues of a Hermitian matrix in ascending order, and its eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def _gaps(xp: Any, w: Any) -> Any:
    """1 / (w[j] - w[i]) at i, j, and 0 on the diagonal."""
    one = xp.eye(w.shape[-1], dtype=w.dtype)
    return 1 / (w[..., None, :] - w[..., :, None] + one) - one


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
    """With P = V^H t V and F = 1 / gaps: dw = diag(P) and dV = V (F * P)."""
    p = xp.matmul(xp.matmul(adjoint(xp, v), hermitian(xp, t)), v)
    return [real_part(xp, xp.linalg.diagonal(p)), xp.matmul(v, p * _gaps(xp, w))]


eigh_rule = Several("linalg.eigh", "x", ("w", "v"), _eigh_vjp, _eigh_jvp)


@public("linalg.eigh", "rule")
def eigh(x: Any, /) -> EighResult:
    """The eigenvalues of a Hermitian matrix, in ascending order, and its eigenvectors: x @ v = v * w.

    >>> import xgrad as xg
    >>> x = xg.asarray([[2.0, 0.0], [0.0, 1.0]])
    >>> xg.linalg.eigh(x).eigenvalues.numpy().tolist()
    [1.0, 2.0]
    >>> xg.grad(lambda x: xg.linalg.eigh(x).eigenvalues[1])(x).numpy().tolist()
    [[1.0, 0.0], [0.0, 0.0]]

    Args:
        x: a Hermitian matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.
            NumPy and PyTorch read the lower triangle only; JAX takes the mean of both.

    Returns:
        A named tuple: `eigenvalues` of shape (..., n), real and of the precision of x, and `eigenvectors` of shape (..., n, n)
        and the dtype of x. These are columns of length 1. Their signs, or phases, are the library's.

    Derivative:
        By the rule in xgrad/rules/eigenvalues.py, in both modes and to any order. The gradient is Hermitian, as x is. It is right
        for functions that do not depend on the signs or phases of the eigenvectors. Where eigenvalues are equal, the gradient
        through their eigenvectors is nan, as in PyTorch; the gradient through the eigenvalues alone is finite.

    Raises:
        ValueError: for an array that is not a stack of square matrices.
        TypeError: for a value that is not an array.
    """
    return EighResult(*eigh_rule(x))


@public("linalg.eigvalsh", "composition")
def eigvalsh(x: Any, /) -> Tensor:
    """The eigenvalues of a Hermitian matrix, in ascending order.

    >>> import xgrad as xg
    >>> xg.linalg.eigvalsh(xg.asarray([[0.0, 1.0], [1.0, 0.0]])).numpy().round(12).tolist()
    [-1.0, 1.0]

    Args:
        x: a Hermitian matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.
            The library reads it as in eigh.

    Returns:
        A tensor of shape (..., n), of the real dtype that has the precision of x.

    Derivative:
        That of eigh: v v^H for the eigenvalue of v. Where eigenvalues are equal, it is that of the eigenvectors that the library
        has found.

    Raises:
        ValueError: for an array that is not a stack of square matrices.
        TypeError: for a value that is not an array.
    """
    return eigh(x).eigenvalues if differentiated(x) else untracked("linalg.eigvalsh", (x,))


# --- eigenvalues of any matrix ------------------------------------------------------------------------------


def _eig_vjp(xp: Any, g: list[Any], w: Any, v: Any) -> Any:
    """V^-H (diag(gw) + conj(F) * (N - V^H V diag(Re N))) V^H with N = V^H gV and F = 1 / gaps.

    The term with Re N takes out what would change the lengths of the eigenvectors.
    """
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
    """With P = V^-1 t V and F = 1 / gaps: dw = diag(P), and dV = V (F * P).

    The last step removes from dV what would change the lengths of the eigenvectors.
    """
    p = xp.linalg.solve(v, xp.matmul(xp.astype(t, v.dtype), v))
    turned = xp.matmul(v, p * _gaps(xp, w))
    longer = xp.real(xp.sum(xp.conj(v) * turned, axis=-2, keepdims=True))
    return [xp.linalg.diagonal(p), turned - v * longer]


_eig = Several("linalg.eig", "x", ("w", "v"), _eig_vjp, _eig_jvp)


@public("linalg.eig", "rule")
def eig(x: Any, /) -> EigResult:
    """The eigenvalues of a square matrix and its eigenvectors: x @ v = v * w. Both are complex, also for a real x.

    >>> import xgrad as xg
    >>> x = xg.asarray([[0.0, -1.0], [1.0, 0.0]])  # a rotation by 90 degrees
    >>> sorted(xg.linalg.eig(x).eigenvalues.imag.tolist())
    [-1.0, 1.0]

    Args:
        x: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.

    Returns:
        A named tuple: `eigenvalues` of shape (..., n), in no particular order, and `eigenvectors` of shape (..., n, n), both of
        the complex dtype that has the precision of x. The eigenvectors are columns of length 1. Their phases are the library's.

    Derivative:
        By the rule in xgrad/rules/eigenvalues.py, in both modes and to any order, in PyTorch's convention for complex numbers. It
        exists where the eigenvectors are linearly independent, and is right for functions that do not depend on their phases. The
        gradient through the eigenvectors of equal eigenvalues is nan. That of a real x is real.

    Raises:
        ValueError: for an array that is not a stack of square matrices; on NumPy and PyTorch, for a matrix with inf or nan.
        TypeError: for a value that is not an array.
    """
    return EigResult(*_eig(x))


@public("linalg.eigvals", "composition")
def eigvals(x: Any, /) -> Tensor:
    """The eigenvalues of a square matrix. They are complex, also for a real x.

    >>> import xgrad as xg
    >>> x = xg.asarray([[0.0, -2.0], [2.0, 0.0]])
    >>> xg.abs(xg.linalg.eigvals(x)).numpy().round(12).tolist()
    [2.0, 2.0]

    Args:
        x: a square matrix, or a stack of them: shape (..., n, n), a real or complex floating-point dtype of at least 32 bits.

    Returns:
        A tensor of shape (..., n), in no particular order, of the complex dtype that has the precision of x.

    Derivative:
        That of eig. It exists where the eigenvectors of x are linearly independent.

    Raises:
        ValueError: for an array that is not a stack of square matrices; on NumPy, for a matrix with inf or nan.
        TypeError: for a value that is not an array.
    """
    return eig(x).eigenvalues if differentiated(x) else untracked("linalg.eigvals", (x,))
