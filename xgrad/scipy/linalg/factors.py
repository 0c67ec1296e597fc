"""Factorizations under SciPy's names: eigenvalues, singular values, QR, and norms."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions import linear_algebra
from xgrad.scipy.linalg.matrices import adjoint, alike, as_complex, matrices, not_for_tensors, of_matrices, squares
from xgrad.scipy.linalg.systems import _of_triangle, _triangular, cholesky


@of_matrices("eigh")
def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    type: int = 1,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
) -> Any:
    """The eigenvalues of a Hermitian matrix, in ascending order, and its eigenvectors: a @ v = b @ v * w.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.eigh(xg.asarray([[2.0, 0.0], [0.0, 1.0]]))[0].tolist()
    [1.0, 2.0]

    Args:
        a: a Hermitian matrix, or a stack of them: shape (..., n, n). Only one triangle is read, and has a gradient.
        b: a positive definite matrix, or None for the identity. It is read like a.
        lower: whether the lower triangle is read, in place of the upper one.
        eigvals_only: whether to return the eigenvalues alone.
        type: 1.
        subset_by_index: a pair (first, last) of the indices of the eigenvalues to return, both included. None: all.
        subset_by_value: must be left out for tensors.

    Returns:
        (w, v), of shapes (..., k) and (..., n, k), or w.

    Derivative:
        That of xgrad.linalg.eigh: right for functions that do not depend on the signs, or phases, of the eigenvectors.

    Raises:
        ValueError: for shapes that do not fit, and for a b that is not positive definite.
        NotImplementedError: for another type, and for `subset_by_value`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.eigh.html
    """
    not_for_tensors("eigh", subset_by_value=subset_by_value)
    if type != 1:
        raise NotImplementedError(f"eigh: type={type!r} is for plain arrays only; for tensors it is 1")
    (a,) = squares("eigh", a)
    if b is None:
        w, v = xg.linalg.eigh(_of_triangle(a, lower))
    else:
        a, b = alike(a, *squares("eigh", b))
        if a.shape[-1] != b.shape[-1]:
            raise ValueError(
                f"eigh: a and b have one shape (..., n, n); these are {tuple(a.shape)} and {tuple(b.shape)}"
            )
        half = cholesky(b, lower=True) if lower else adjoint(cholesky(b, lower=False))
        inner = _triangular(half, _of_triangle(a, lower), 0, True)
        inner = _triangular(half, adjoint(inner), 0, True)
        w, v = xg.linalg.eigh((inner + adjoint(inner)) / 2)
        v = _triangular(half, v, 2, True)
    if subset_by_index is not None:
        first, last = (int(i) for i in subset_by_index)
        if not 0 <= first <= last < a.shape[-1]:
            raise ValueError(f"eigh: subset_by_index=({first}, {last}) must be within 0 to {a.shape[-1] - 1}, in order")
        w, v = w[..., first : last + 1], v[..., first : last + 1]
    return w if eigvals_only else (w, v)


@of_matrices("eigvalsh")
def eigvalsh(a: Any, b: Any = None, *, lower: bool = True, type: int = 1, subset_by_index: Any = None) -> Tensor:
    """The eigenvalues of a Hermitian matrix, in ascending order.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.eigvalsh(xg.asarray([[2.0, 0.0], [0.0, 1.0]])).tolist()
    [1.0, 2.0]

    Args:
        a, b, lower, type, subset_by_index: as for `eigh`.

    Returns:
        A tensor of shape (..., k).

    Raises:
        ValueError, NotImplementedError: as `eigh`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.eigvalsh.html
    """
    found: Tensor = eigh(a, b, lower=lower, type=type, subset_by_index=subset_by_index, eigvals_only=True)
    return found


@of_matrices("eig")
def eig(a: Any, b: Any = None, left: bool = False, right: bool = True, homogeneous_eigvals: bool = False) -> Any:
    """The eigenvalues of a square matrix, and its eigenvectors: a @ v = b @ v * w.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.eig(xg.asarray([[0.0, 1.0], [-1.0, 0.0]]))[0].numpy().round(12).imag.tolist()
    [1.0, -1.0]

    Args:
        a: a square matrix, or a stack of them: shape (..., n, n).
        b: a square matrix with an inverse, or None for the identity.
        left: must be left out for tensors.
        right: whether to return the eigenvectors.
        homogeneous_eigvals: must be left out for tensors.

    Returns:
        (w, v), complex tensors of shapes (..., n) and (..., n, n), or w.

    Derivative:
        That of xgrad.linalg.eig: right for functions that do not depend on the phases of the eigenvectors.

    Raises:
        ValueError: for shapes that do not fit, and for a b without an inverse.
        NotImplementedError: for `left` and `homogeneous_eigvals`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.eig.html
    """
    not_for_tensors("eig", left=left, homogeneous_eigvals=homogeneous_eigvals)
    (a,) = squares("eig", a)
    if b is not None:
        a, b = alike(a, *squares("eig", b))
        a = xg.linalg.solve(b, a)
    if not right:
        return as_complex(xg.linalg.eigvals(a))
    w, v = xg.linalg.eig(a)
    return as_complex(w), v


@of_matrices("eigvals")
def eigvals(a: Any, b: Any = None, homogeneous_eigvals: bool = False) -> Tensor:
    """The eigenvalues of a square matrix.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.eigvals(xg.asarray([[2.0, 1.0], [0.0, 1.0]])).numpy().real.tolist()
    [2.0, 1.0]

    Args:
        a, b, homogeneous_eigvals: as for `eig`.

    Returns:
        A complex tensor of shape (..., n).

    Raises:
        ValueError, NotImplementedError: as `eig`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.eigvals.html
    """
    found: Tensor = eig(a, b, right=False, homogeneous_eigvals=homogeneous_eigvals)
    return found


@of_matrices("svd")
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition of a matrix: a = (u * s) @ vh.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.svd(xg.asarray([[3.0, 0.0], [0.0, 4.0]]))[1].tolist()
    [4.0, 3.0]

    Args:
        a: a matrix, or a stack of them: shape (..., m, n).
        full_matrices: whether u and vh are square. Only the space that the further columns span has a derivative.
        compute_uv: whether to return u and vh too.

    Returns:
        (u, s, vh), of shapes (..., m, k), (..., min(m, n)) and (..., k, n), or s.

    Raises:
        ValueError: for an array with fewer than two axes.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.svd.html
    """
    (a,) = matrices("svd", a)
    return tuple(xg.linalg.svd(a, full_matrices=full_matrices)) if compute_uv else xg.linalg.svdvals(a)


@of_matrices("svdvals")
def svdvals(a: Any) -> Tensor:
    """The singular values of a matrix, in descending order.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.svdvals(xg.asarray([[3.0, 0.0], [0.0, 4.0]])).tolist()
    [4.0, 3.0]

    Args:
        a: a matrix, or a stack of them: shape (..., m, n).

    Returns:
        A tensor of shape (..., min(m, n)).

    Raises:
        ValueError: for an array with fewer than two axes.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.svdvals.html
    """
    return xg.linalg.svdvals(*matrices("svdvals", a))


@of_matrices("qr")
def qr(a: Any, mode: str = "full", pivoting: bool = False) -> Any:
    """The QR factorization of a matrix: a q with orthonormal columns and an upper triangular r, with q @ r = a.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> q, r = linalg.qr(xg.asarray([[3.0, 1.0], [4.0, 2.0]]))
    >>> (q @ r).numpy().round(12).tolist()
    [[3.0, 1.0], [4.0, 2.0]]

    Args:
        a: a matrix, or a stack of them: shape (..., m, n).
        mode: "full" for m columns of q, "economic" for min(m, n), or "r" for r alone, as a tuple.
        pivoting: must be left out for tensors.

    Returns:
        (q, r), or (r,). In mode "r", r has m rows as in SciPy.

    Derivative:
        That of xgrad.linalg.qr.

    Raises:
        ValueError: for another mode, and for an array with fewer than two axes.
        NotImplementedError: for `pivoting`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.qr.html
    """
    not_for_tensors("qr", pivoting=pivoting)
    if mode not in ("full", "economic", "r"):
        raise ValueError(f"qr: mode must be 'full', 'economic' or 'r' for a tensor, not {mode!r}")
    (a,) = matrices("qr", a)
    q, r = xg.linalg.qr(a, mode="reduced" if mode == "economic" else "complete")
    return (r,) if mode == "r" else (q, r)


@of_matrices("norm")
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm of a vector or of a matrix.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.norm(xg.asarray([3.0, 4.0])).item()
    5.0

    Args:
        a: an array of one axis or two, or of any number with `axis` or without `ord`.
        ord: None for the root of the sum of squares; for a vector any number; for a matrix "fro", "nuc", 1, 2, -1, -2, inf, -inf.
        axis: an integer for vectors, a pair for matrices, None for all axes.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        A real tensor.

    Raises:
        ValueError: for another `ord`, and for axes that are not there.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.norm.html
    """
    found: Tensor = linear_algebra.norm(a, ord=ord, axis=axis, keepdims=keepdims)
    return found
