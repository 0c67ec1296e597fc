"""`numpy.linalg`: factorizations, systems, norms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.engine.casting import uncast
from xgrad.engine.integers import integer
from xgrad.rules.eigenvalues import EighResult, eigh_rule
from xgrad.rules.numpy_functions.face import axes_of, floating, is_complex, linalg, tensor, tensors, xp
from xgrad.rules.numpy_functions.table import numpy_function


def _of_one(name: str) -> Callable[..., Any]:
    def function(a: Any) -> Any:
        return getattr(linalg, name)(floating(tensor(f"linalg.{name}", a)))

    return function


for _name in ("det", "inv", "eigvals", "svdvals", "eig", "slogdet"):
    numpy_function(f"linalg.{_name}")(_of_one(_name))


@numpy_function("linalg.cholesky")
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return linalg.cholesky(floating(tensor("linalg.cholesky", a)), upper=upper)


@numpy_function("linalg.eigh")
def eigh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803 (NumPy's name)
    a = _hermitian(floating(tensor("linalg.eigh", a)), UPLO)
    if UPLO.upper() == "L":
        return linalg.eigh(a)
    try:  # the library's own option, which decides the signs of the eigenvectors
        return EighResult(*eigh_rule(a, UPLO=UPLO.upper()))
    except TypeError:
        return linalg.eigh(a)


@numpy_function("linalg.eigvalsh")
def eigvalsh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803 (NumPy's name)
    return linalg.eigvalsh(_hermitian(floating(tensor("linalg.eigvalsh", a)), UPLO))


def _hermitian(a: Any, uplo: str) -> Any:
    """The matrix of which one triangle is given. NumPy does not look at the other one."""
    if uplo.upper() not in ("L", "U"):
        raise ValueError(f"numpy.linalg.eigh: UPLO is 'L' or 'U', not {uplo!r}")
    half = xp.tril(a, k=-1) if uplo.upper() == "L" else xp.triu(a, k=1)
    middle = xp.tril(xp.triu(a))
    other = xp.matrix_transpose(xp.conj(half) if is_complex(half) else half)
    return half + other + (xp.astype(xp.real(middle), a.dtype) if is_complex(a) else middle)


@numpy_function("linalg.qr")
def qr(a: Any, mode: str = "reduced") -> Any:
    a = floating(tensor("linalg.qr", a))
    if mode == "r":
        return linalg.qr(a, mode="reduced")[1]
    if mode not in ("reduced", "complete"):
        raise ValueError(f"numpy.linalg.qr of a tensor has the modes 'reduced', 'complete' and 'r', not {mode!r}")
    return linalg.qr(a, mode=mode)


@numpy_function("linalg.svd")
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    a = floating(tensor("linalg.svd", a))
    a = _hermitian(a, "L") if hermitian else a
    return linalg.svd(a, full_matrices=full_matrices) if compute_uv else linalg.svdvals(a)


@numpy_function("linalg.pinv")
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    chosen = rcond if rcond is not None else None if type(rtol).__name__ == "_NoValueType" else rtol
    a = floating(tensor("linalg.pinv", a))
    return linalg.pinv(_hermitian(a, "L") if hermitian else a, rtol=chosen)


@numpy_function("linalg.solve")
def solve(a: Any, b: Any) -> Any:
    a, b = tensors("linalg.solve", a, b)
    return linalg.solve(floating(a), floating(b))


@numpy_function("linalg.lstsq")
@uncast  # under autocast, too, linear algebra keeps its digits
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The solution by the pseudo-inverse; the sums of squared residuals, the rank and the singular values as NumPy gives them."""
    a, b = (floating(x) for x in tensors("linalg.lstsq", a, b))
    m, n = a.shape
    eps = xp.finfo(a.dtype).eps
    s = linalg.svdvals(a)
    rtol = eps * max(m, n) if rcond is None else eps if rcond == -1 else rcond
    x = xp.matmul(linalg.pinv(a, rtol=rtol), b)
    rank = int(xp.count_nonzero(s > rtol * xp.max(s))) if math.prod(s.shape) else 0
    left = b - xp.matmul(a, x)
    squares = xp.real(left) ** 2 + xp.imag(left) ** 2 if is_complex(left) else left * left
    residuals = xp.sum(xp.reshape(squares, (m, -1)), axis=0) if rank == n < m else xp.reshape(squares, (-1,))[:0]
    return x, residuals, rank, s


@numpy_function("linalg.matrix_power")
def matrix_power(a: Any, n: int) -> Any:
    return linalg.matrix_power(tensor("linalg.matrix_power", a), n)


@numpy_function("linalg.matrix_rank", exact=True)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:  # noqa: N803 (NumPy's name)
    a = floating(tensor("linalg.matrix_rank", A)).detach()
    if tol is None:
        return linalg.matrix_rank(a, rtol=rtol)
    return xp.count_nonzero(linalg.svdvals(a) > tol, axis=-1)


@numpy_function("linalg.cond")
def cond(x: Any, p: Any = None) -> Any:
    x = floating(tensor("linalg.cond", x))
    if p in (None, 2, -2):
        s = linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return norm(x, p, (-2, -1)) * norm(linalg.inv(x), p, (-2, -1))


@numpy_function("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = floating(tensor("linalg.norm", x))
    if axis is None:
        if ord is None:
            y = linalg.vector_norm(x)
            return xp.reshape(y, (1,) * x.ndim) if keepdims else y
        axes = tuple(range(x.ndim))
    else:
        axes = axes_of("linalg.norm", axis, x.ndim)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"numpy.linalg.norm: {ord!r} is a norm of matrices")
        return linalg.vector_norm(x, axis=axes[0], ord=2 if ord is None else ord, keepdims=keepdims)
    if len(axes) != 2:
        raise ValueError("numpy.linalg.norm: a norm is taken over one axis or two")
    y = linalg.matrix_norm(xp.moveaxis(x, axes, (-2, -1)), ord="fro" if ord is None else ord)
    return xp.reshape(y, tuple(1 if i in axes else n for i, n in enumerate(x.shape))) if keepdims else y


@numpy_function("linalg.vector_norm")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return linalg.vector_norm(floating(tensor("linalg.vector_norm", x)), axis=axis, keepdims=keepdims, ord=ord)


@numpy_function("linalg.matrix_norm")
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return linalg.matrix_norm(floating(tensor("linalg.matrix_norm", x)), keepdims=keepdims, ord=ord)


@numpy_function("linalg.tensorinv")
def tensorinv(a: Any, ind: int = 2) -> Any:
    a = floating(tensor("linalg.tensorinv", a))
    ind = integer("linalg.tensorinv", ind, "ind")
    if ind <= 0:
        raise ValueError("numpy.linalg.tensorinv: ind is 1 or more")
    rows = math.prod(a.shape[:ind])
    return xp.reshape(linalg.inv(xp.reshape(a, (rows, -1))), (*a.shape[ind:], *a.shape[:ind]))


@numpy_function("linalg.tensorsolve")
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = (floating(x) for x in tensors("linalg.tensorsolve", a, b))
    if axes is not None:
        order = [i for i in range(a.ndim) if i not in axes] + list(axes)
        a = xp.permute_dims(a, tuple(order))
    shape = a.shape[b.ndim - a.ndim :] if a.ndim > b.ndim else ()
    count = math.prod(shape)
    return xp.reshape(linalg.solve(xp.reshape(a, (-1, count)), xp.reshape(b, (-1,))), shape)
