"""Linear systems: general, triangular, and by a Cholesky factorization."""

from __future__ import annotations

from typing import Any, NamedTuple

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import floating, is_complex, tensors
from xgrad.scipy.linalg.matrices import adjoint, alike, check_square, identity, matrices, of_matrices, squares

TRANSPOSED = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}
LONG = {
    "general": "gen", "symmetric": "sym", "hermitian": "her", "positive definite": "pos", "lower triangular": "lower",
    "upper triangular": "upper", "banded": "gen", "tridiagonal": "gen", "tri-diagonal": "gen",
}  # fmt: skip
KINDS = ("gen", "sym", "her", "pos", "lower", "upper", "diagonal")


def _of_triangle(a: Tensor, lower: bool, *, hermitian: bool = True) -> Tensor:
    """The Hermitian or symmetric matrix that has a's triangle. SciPy does not read the other one."""
    part = xg.tril(a, k=-1) if lower else xg.triu(a, k=1)
    middle = xg.linalg.diagonal(a)
    if hermitian and is_complex(a):
        middle = xg.astype(xg.real(middle), a.dtype)
    return part + (adjoint(part) if hermitian else part.mT) + middle[..., None] * identity(a)


def _system(name: str, a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """The matrix and the right-hand side of a system, whose shapes are checked."""
    a, b = alike(*(floating(x) for x in tensors(f"scipy.linalg.{name}", a, b)))
    check_square(name, a)
    rows = b.shape[-1] if b.ndim == 1 else b.shape[-2] if b.ndim else None
    if rows != a.shape[-1]:
        n = a.shape[-1]
        raise ValueError(
            f"{name}: for a of shape {tuple(a.shape)}, b has shape ({n},) or (..., {n}, k), not {tuple(b.shape)}"
        )
    return a, b


@of_matrices("solve")
def solve(a: Any, b: Any, lower: bool = False, *, assume_a: str | None = None, transposed: bool = False) -> Tensor:
    """The solution x of a @ x = b.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.solve(xg.asarray([[2.0, 0.0], [0.0, 4.0]]), [2.0, 2.0]).tolist()
    [1.0, 0.5]

    Args:
        a: a square matrix, or a stack of them: shape (..., n, n), of a real or complex floating-point dtype, or integers.
        b: a vector of shape (n,), or matrices of shape (..., n, k).
        lower: which triangle is read of a symmetric, Hermitian or positive definite matrix. The other one has no gradient.
        assume_a: "gen", "sym", "her", "pos", "upper triangular", "lower triangular" or "diagonal". None is "gen".
        transposed: whether to solve a.T @ x = b. As in SciPy, not for complex matrices.

    Returns:
        A tensor of the shape of b, with the axes of stacks broadcast.

    Raises:
        ValueError: for shapes that do not fit, for a matrix without an inverse, and for another `assume_a`.
        NotImplementedError: for a complex a with `transposed`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.solve.html
    """
    a, b = _system("solve", a, b)
    kind = "gen" if assume_a is None else LONG.get(assume_a, assume_a)
    if kind not in KINDS:
        raise ValueError(f"solve: assume_a must be one of {', '.join(KINDS)}, not {assume_a!r}")
    if transposed and is_complex(a):
        raise NotImplementedError("solve: transposed=True is for real matrices. Pass a.mT")
    if kind in ("sym", "her"):
        a = _of_triangle(a, lower, hermitian=kind == "her")
    elif kind == "pos":
        return cho_solve(cho_factor(a, lower=lower), b)
    elif kind == "lower":
        a = xg.tril(a)
    elif kind == "upper":
        a = xg.triu(a)
    elif kind == "diagonal":
        a = xg.tril(xg.triu(a))
    return xg.linalg.solve(a.mT if transposed else a, b)


@of_matrices("solve_banded")
def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Tensor:
    """The solution x of a @ x = b for a matrix that is given by its diagonals.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> ab = xg.asarray([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 0.0]])  # 2 on the diagonal, 1 beside it
    >>> linalg.solve_banded((1, 1), ab, [3.0, 4.0, 3.0]).numpy().round(12).tolist()
    [1.0, 1.0, 1.0]

    Args:
        l_and_u: how many diagonals there are below the main one, and above it.
        ab: the diagonals as rows, from the highest one down: shape (l + u + 1, n), with ab[u + i - j, j] for a[i, j]. What lies
            outside of the matrix is not read.
        b: a vector of shape (n,), or a matrix of shape (n, k).

    Returns:
        A tensor of the shape of b. The matrix is solved as a full one.

    Raises:
        ValueError: for shapes that do not fit, and for a matrix without an inverse.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.solve_banded.html
    """
    lower, upper = l_and_u
    ab, b = alike(*(floating(x) for x in tensors("scipy.linalg.solve_banded", ab, b)))
    if ab.ndim != 2 or ab.shape[0] != lower + upper + 1:
        raise ValueError(f"solve_banded: ab must have the shape ({lower + upper + 1}, n), not {tuple(ab.shape)}")
    i = xg.arange(ab.shape[1])
    row = upper + i[:, None] - i[None, :]
    is_inside = (row >= 0) & (row <= lower + upper)
    a = xg.where(is_inside, ab[xg.clip(row, 0, lower + upper), xg.broadcast_to(i[None, :], row.shape)], 0.0)
    return xg.linalg.solve(*_system("solve_banded", a, b))


@of_matrices("solve_triangular")
def solve_triangular(a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False) -> Tensor:
    """The solution x of a @ x = b for a triangular a.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> a = xg.asarray([[2.0, 0.0], [1.0, 4.0]])
    >>> linalg.solve_triangular(a, [2.0, 9.0], lower=True).tolist()
    [1.0, 2.0]
    >>> xg.grad(lambda a: linalg.solve_triangular(a, [2.0, 9.0], lower=True)[1])(a).tolist()
    [[0.125, 0.0], [-0.25, -0.5]]

    Args:
        a: a matrix, or a stack of them: shape (..., n, n). Only its triangle is read, and only that has a gradient.
        b: a vector of shape (n,), or matrices of shape (..., n, k).
        trans: 0 or "N" for a, 1 or "T" for its transpose, 2 or "C" for its conjugate transpose.
        lower: whether a's lower triangle is read, in place of its upper one.
        unit_diagonal: whether the diagonal counts as ones, and is not read.

    Returns:
        A tensor of the shape of b, with the axes of stacks broadcast.

    Raises:
        ValueError: for shapes that do not fit, for a 0 on the diagonal, and for another `trans`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.solve_triangular.html
    """
    a, b = _system("solve_triangular", a, b)
    if trans not in TRANSPOSED:
        raise ValueError(f"solve_triangular: trans must be 0 or 'N', 1 or 'T', or 2 or 'C', not {trans!r}")
    return _triangular(a, b, TRANSPOSED[trans], lower, unit_diagonal)


def _triangular(a: Tensor, b: Tensor, trans: int, lower: bool, unit_diagonal: bool = False) -> Tensor:
    k = 1 if unit_diagonal else 0
    a = xg.tril(a, k=-k) if lower else xg.triu(a, k=k)
    if unit_diagonal:
        a = a + identity(a)
    return xg.linalg.solve((a, a.mT, adjoint(a))[trans], b)


@of_matrices("cholesky")
def cholesky(a: Any, lower: bool = False) -> Tensor:
    """The Cholesky factor of a positive definite matrix: U with U^H @ U = a, or with `lower` L with L @ L^H = a.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.cholesky(xg.asarray([[4.0, 2.0], [2.0, 10.0]])).tolist()
    [[2.0, 1.0], [0.0, 3.0]]

    Args:
        a: a Hermitian, positive definite matrix, or a stack of them: shape (..., n, n). Only one triangle is read, and has a
            gradient: the upper one, or with `lower` the lower one.
        lower: whether to return L.

    Returns:
        A tensor of the shape of a.

    Raises:
        ValueError: for a matrix that is not square or not positive definite.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.cholesky.html
    """
    (a,) = squares("cholesky", a)
    return xg.linalg.cholesky(_of_triangle(a, lower), upper=not lower)


@of_matrices("cho_factor")
def cho_factor(a: Any, lower: bool = False) -> tuple[Tensor, bool]:
    """What `cho_solve` takes: the Cholesky factor, and whether it is the lower one.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> factor = linalg.cho_factor(xg.asarray([[4.0, 2.0], [2.0, 10.0]]))
    >>> linalg.cho_solve(factor, [8.0, 22.0]).numpy().round(12).tolist()
    [1.0, 2.0]

    Args:
        a: as for `cholesky`.
        lower: as for `cholesky`.

    Returns:
        (c, lower). Outside of its triangle c is 0; SciPy leaves other numbers there.

    Raises:
        ValueError: for a matrix that is not square or not positive definite.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.cho_factor.html
    """
    return cholesky(a, lower=lower), lower


@of_matrices("cho_solve")
def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Tensor:
    """The solution x of a @ x = b, given what `cho_factor` returned for a.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.cho_solve((xg.asarray([[2.0]]), True), [8.0]).tolist()
    [2.0]

    Args:
        c_and_lower: the factor, of shape (..., n, n), and whether it is the lower one.
        b: a vector of shape (n,), or matrices of shape (..., n, k).

    Returns:
        A tensor of the shape of b, with the axes of stacks broadcast.

    Raises:
        ValueError: for shapes that do not fit, and for a 0 on the diagonal.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.cho_solve.html
    """
    c, lower = c_and_lower
    c, b = _system("cho_solve", c, b)
    first, second = (0, 2) if lower else (2, 0)
    return _triangular(c, _triangular(c, b, first, lower), second, lower)


@of_matrices("inv")
def inv(a: Any) -> Tensor:
    """The inverse of a square matrix.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.inv(xg.asarray([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]

    Args:
        a: a square matrix, or a stack of them: shape (..., n, n).

    Returns:
        A tensor of the shape of a.

    Raises:
        ValueError: for a matrix that is not square or has no inverse.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.inv.html
    """
    return xg.linalg.inv(*squares("inv", a))


@of_matrices("det")
def det(a: Any) -> Tensor:
    """The determinant of a square matrix.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> round(linalg.det(xg.asarray([[2.0, 0.0], [0.0, 4.0]])).item(), 12)
    8.0

    Args:
        a: a square matrix, or a stack of them: shape (..., n, n).

    Returns:
        A tensor of shape (...), of the dtype of a. (SciPy's is of double precision.)

    Raises:
        ValueError: for a matrix that is not square.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.det.html
    """
    return xg.linalg.det(*squares("det", a))


@of_matrices("pinv")
def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False) -> Any:
    """The pseudo-inverse of a matrix (Moore-Penrose).

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.pinv(xg.asarray([[2.0], [0.0]])).numpy().round(12).tolist()
    [[0.5, 0.0]]

    Args:
        a: a matrix, or a stack of them: shape (..., m, n).
        atol: must be left out for tensors.
        rtol: singular values up to this share of the largest one count as 0. None: max(m, n) times the precision of the dtype.
        return_rank: whether to return (pinv, rank).

    Returns:
        A tensor of shape (..., n, m). The gradient is that for a fixed rank.

    Raises:
        ValueError: for an array with fewer than two axes.
        NotImplementedError: for `atol`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.pinv.html
    """
    if atol is not None:
        raise NotImplementedError("pinv: atol= is for plain arrays only. For a tensor, pass rtol=")
    (a,) = matrices("pinv", a)
    rtol = max(a.shape[-2:]) * float(xg.finfo(a.dtype).eps) if rtol is None else rtol
    found = xg.linalg.pinv(a, rtol=rtol)
    return (found, xg.linalg.matrix_rank(a, rtol=rtol)) if return_rank else found


class LeastSquares(NamedTuple):
    """What `lstsq` returns for tensors."""

    x: Tensor
    residues: Tensor
    rank: Tensor
    s: Tensor


@of_matrices("lstsq")
def lstsq(a: Any, b: Any, cond: Any = None) -> LeastSquares:
    """The x of the smallest norm among those that make the norm of b - a @ x smallest.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.lstsq(xg.asarray([[1.0], [1.0]]), [1.0, 3.0])[0].numpy().round(12).tolist()
    [2.0]

    Args:
        a: a matrix, or a stack of them: shape (..., m, n).
        b: a vector of shape (m,), or matrices of shape (..., m, k).
        cond: singular values up to this share of the largest one count as 0. None: the precision of the dtype.

    Returns:
        A named tuple (x, residues, rank, s). The residues are the sums of squares of b - a @ x, of shape () or (..., k). SciPy's
        are empty where the rank is below n or m is not above n.

    Raises:
        ValueError: for shapes that do not fit.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.lstsq.html
    """
    a, b = alike(*(floating(x) for x in tensors("scipy.linalg.lstsq", a, b)))
    is_vector = b.ndim == 1
    if a.ndim < 2 or b.ndim < 1 or (b.shape[0] if is_vector else b.shape[-2]) != a.shape[-2]:
        raise ValueError(
            f"lstsq: for a of shape (..., m, n), b has shape (m,) or (..., m, k); these are {tuple(a.shape)} and {tuple(b.shape)}"
        )
    cond = float(xg.finfo(a.dtype).eps) if cond is None else cond
    columns = b[:, None] if is_vector else b
    x = xg.matmul(xg.linalg.pinv(a, rtol=cond), columns)
    left = columns - xg.matmul(a, x)
    residues = xg.sum(xg.real(xg.conj(left) * left) if is_complex(left) else left * left, axis=-2)
    rank = xg.linalg.matrix_rank(a, rtol=cond)
    singular = xg.linalg.svdvals(a)
    if is_vector:
        x, residues = x[..., 0], residues[..., 0]
    return LeastSquares(x, residues, rank, singular)
