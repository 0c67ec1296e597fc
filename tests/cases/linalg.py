"""Cases for the linalg extension.

Matrices are kept away from those that have no inverse, or two equal values, by a fixed diagonal.
Vectors that are determined up to a factor enter through functions that do not depend on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cases.case import Sample, case, cplx, real

Call = Callable[..., Any]


def spread_out(xp: Any, x: Any, by: float = 2.0) -> Any:
    """x with by, 2 by, 3 by ... added to the diagonal."""
    rows, columns = x.shape[-2:]
    steps = xp.arange(1, rows + 1, dtype=xp.abs(x).dtype) * by
    return x + xp.eye(rows, columns, dtype=x.dtype) * steps[:, None]


def adjoint(xp: Any, x: Any) -> Any:
    y = xp.matrix_transpose(x)
    return xp.conj(y) if xp.isdtype(x.dtype, "complex floating") else y


def positive(xp: Any, x: Any) -> Any:
    """A positive definite matrix."""
    return xp.matmul(x, adjoint(xp, x)) + xp.eye(x.shape[-1], dtype=x.dtype)


def hermitian(xp: Any, x: Any) -> Any:
    return spread_out(xp, x + adjoint(xp, x))


def weighed(xp: Any, a: Any, b: Any) -> Any:
    """a diag(1, 2, ...) b: each column of a and row of b has a weight of its own."""
    return xp.matmul(a * xp.arange(1, a.shape[-1] + 1, dtype=xp.abs(a).dtype), b)


def of(name: str, prepare: Call, *args: Any, of_result: Call | None = None, note: str = "", **static: Any) -> None:
    """A case for name(prepare(x), ...), or for a function of its result."""

    def call(xp: Any, x: Any, *others: Any) -> Any:
        result = getattr(xp.linalg, name)(prepare(xp, x), *others, **static)
        return result if of_result is None else of_result(xp, result)

    shown = ", ".join([f"{k}={v}" for k, v in static.items()] + ([note] if note else []))
    case(f"linalg.{name}", *args, call=call, note=shown)


def small(*shape: int) -> Sample:
    return real(*shape, low=-0.7, high=0.7)


def small_cplx(*shape: int) -> Sample:
    return cplx(*shape, low=0.1, high=0.5)


SQUARE = (small(3, 3), small(2, 2, 2), small_cplx(2, 2), small(1, 1), small(0, 2, 2))

# --- products and diagonals -----------------------------------------------------------------------

for _args in ((real(2, 3), real(3, 2)), (real(3), real(3)), (cplx(2, 2), cplx(2, 2))):
    case("linalg.matmul", *_args)
case("linalg.matrix_transpose", real(2, 3))
case("linalg.tensordot", real(2, 3), real(3, 2), axes=1)
case("linalg.vecdot", cplx(2, 3), cplx(2, 3))

case("linalg.cross", real(3), real(3))
case("linalg.cross", real(2, 3), real(2, 3))
case("linalg.cross", real(2, 1, 3), real(4, 3))
case("linalg.cross", real(3, 2), real(3, 2), axis=0, without=("strict",))
case("linalg.cross", real(3, 2), real(3, 2), axis=-2)
case("linalg.cross", cplx(3), cplx(2, 3))
case("linalg.outer", real(2), real(3))
case("linalg.outer", cplx(2), cplx(2))
case("linalg.outer", real(0), real(3))

for _name in ("linalg.diagonal", "linalg.trace"):
    for _offset in (0, 1, -1, 2, -2):
        case(_name, real(3, 3), offset=_offset)
        case(_name, real(2, 2, 4), offset=_offset)
    case(_name, real(4, 2), offset=-1)
    case(_name, cplx(2, 2))
case("linalg.trace", real(2, 2), call=lambda xp, x: xp.linalg.trace(x, dtype=x.dtype), note="dtype")

for _n in (1, 2, 3, 5, -1, -2, -3):
    case(
        "linalg.matrix_power",
        small(2, 2),
        call=lambda xp, x, n=_n: xp.linalg.matrix_power(spread_out(xp, x), n),
        note=f"{_n}",
    )
case("linalg.matrix_power", real(2, 2, 2), 2)
case("linalg.matrix_power", cplx(2, 2), 3)

# --- norms ----------------------------------------------------------------------------------------

for _ord in (2, 1, 3, 1.5, 0.5, -1, -2, 0, math.inf, -math.inf):
    case("linalg.vector_norm", real(4, low=-2.0, high=-0.3), ord=_ord)
    case("linalg.vector_norm", real(2, 3, low=0.3), axis=-1, ord=_ord)
    case("linalg.vector_norm", cplx(2, 3), axis=0, keepdims=True, ord=_ord)
case("linalg.vector_norm", real(2, 3))
case("linalg.vector_norm", real(2, 3), keepdims=True)
case("linalg.vector_norm", real(2, 3, 2), axis=(0, 2))
case("linalg.vector_norm", real(2, 3, 2), axis=(2, 0), ord=3, keepdims=True)
case("linalg.vector_norm", real(0, 2), axis=1)
case("linalg.vector_norm", real(0))

for _ord_of_matrix in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
    for _sample in (small(3, 2), small(2, 2, 3), cplx(2, 2)):
        of("matrix_norm", spread_out, _sample, ord=_ord_of_matrix)
    of("matrix_norm", spread_out, small(2, 2, 2), ord=_ord_of_matrix, keepdims=True)
case("linalg.matrix_norm", real(2, 3))

# --- inverses and determinants --------------------------------------------------------------------

for _name in ("inv", "det"):
    for _sample in SQUARE:
        of(_name, spread_out, _sample)


def cofactors(xp: Any, x: Any) -> Any:
    x = spread_out(xp, x)
    return xp.linalg.cofactors(x, xp.linalg.det(x))


def cofactors_by_inverse(xp: Any, x: Any) -> Any:
    x = spread_out(xp, x)
    return xp.linalg.det(x)[..., None, None] * xp.matrix_transpose(xp.linalg.inv(x))


def cofactors_jvp(xp: Any, t: Any, x: Any) -> Any:
    return xp.linalg.cofactors_jvp(t, spread_out(xp, x))


def cofactors_jvp_by_inverse(xp: Any, t: Any, x: Any) -> Any:
    x = spread_out(xp, x)
    inverse = xp.linalg.inv(x)
    along = xp.matmul(inverse, t)
    core = xp.linalg.trace(along)[..., None, None] * inverse - xp.matmul(along, inverse)
    return xp.linalg.det(x)[..., None, None] * xp.matrix_transpose(core)


for _sample in SQUARE:
    case("linalg.cofactors", _sample, call=cofactors, reference=cofactors_by_inverse)
    case("linalg.cofactors_jvp", _sample, _sample, call=cofactors_jvp, reference=cofactors_jvp_by_inverse)


def logarithm(xp: Any, result: Any) -> Any:
    return result[1]


for _sample in SQUARE:
    of("slogdet", spread_out, _sample, of_result=logarithm)
of("slogdet", lambda xp, x: -spread_out(xp, x), small(3, 3), of_result=logarithm, note="negative")
of("slogdet", spread_out, small_cplx(2, 2, 2))
of("slogdet", spread_out, small_cplx(2, 2), of_result=lambda xp, r: r[0], note="the sign")

for _args in (
    (small(3, 3), real(3)),
    (small(2, 2), real(2, 3)),
    (small(2, 2, 2), real(2)),
    (small(2, 2, 2), real(2, 3)),
    (small(2, 2), real(3, 2, 1)),
    (small(2, 1, 2, 2), real(3, 2, 2)),
    (small_cplx(2, 2), cplx(2, 2)),
    (small_cplx(2, 2), cplx(2)),
    (small(0, 2, 2), real(0, 2, 1)),
):
    of("solve", spread_out, *_args)
case("linalg.solve", small(2, 2), call=lambda xp, x: xp.linalg.solve(positive(xp, x), x), note="of itself")

for _sample in (small(3, 2), small(2, 3), small(2, 2), small(2, 2, 3), small_cplx(3, 2)):
    of("pinv", spread_out, _sample)
case(
    "linalg.pinv",
    real(3, 1),
    real(1, 2),
    call=lambda xp, a, b: xp.linalg.pinv(xp.matmul(a, b), rtol=1e-3),
    note="rank 1",
)
case(
    "linalg.pinv",
    cplx(2, 1),
    cplx(1, 2),
    call=lambda xp, a, b: xp.linalg.pinv(xp.matmul(a, b), rtol=1e-3),
    note="rank 1",
)

# --- decompositions -------------------------------------------------------------------------------

for _upper in (False, True):
    for _sample in SQUARE:
        of("cholesky", positive, _sample, upper=_upper)


def both(xp: Any, qr: Any) -> Any:
    """Changing the sign of a column of Q, and of the row of R, changes none of these; nor does turning further columns."""
    q, r = qr
    k = min(r.shape[-2:])
    q1, q2, r1 = q[..., :k], q[..., k:], r[..., :k, :]
    return (
        weighed(xp, q1, adjoint(xp, q1)),
        weighed(xp, adjoint(xp, r1), r1),
        weighed(xp, q1, r1),
        xp.matmul(q2, adjoint(xp, q2)),
    )


def reduced(xp: Any, qr: Any) -> Any:
    return both(xp, qr)[:3]


for _sample in (small(3, 2), small(2, 2), small(2, 3), small(2, 3, 2), small(2, 2, 4), small_cplx(3, 2)):
    of("qr", spread_out, _sample, of_result=reduced)
of("qr", spread_out, small_cplx(2, 3), of_result=reduced)
of("qr", spread_out, small(3, 2), of_result=lambda xp, qr: weighed(xp, qr[0], adjoint(xp, qr[0])), note="Q")
of("qr", spread_out, small(3, 2), of_result=lambda xp, qr: weighed(xp, adjoint(xp, qr[1]), qr[1]), note="R")
for _sample in (small(3, 2), small(2, 4, 2), small_cplx(3, 1)):
    of("qr", spread_out, _sample, of_result=both, mode="complete")
of("qr", spread_out, small(2, 3), of_result=reduced, mode="complete")


def vectors(xp: Any, result: Any) -> Any:
    v = result[1]
    return weighed(xp, v, adjoint(xp, v))


def values(xp: Any, result: Any) -> Any:
    return result[0]


def values_and_vectors(xp: Any, result: Any) -> Any:
    return (
        values(xp, result),
        vectors(xp, result),
        xp.matmul(result[1] * result[0][..., None, :] ** 2, adjoint(xp, result[1])),
    )


for _sample in (small(3, 3), small(2, 2, 2), small_cplx(3, 3), small_cplx(2, 2, 2), small(1, 1)):
    for _part in (values, vectors, values_and_vectors):
        of("eigh", hermitian, _sample, of_result=_part, note=_part.__name__)
        of("eig", spread_out, _sample, of_result=_part, note=_part.__name__)
    of("eigvalsh", hermitian, _sample)
    of("eigvals", spread_out, _sample)
_turning = np.asarray([[0.0, -3.0], [3.0, 1.0]])
case(
    "linalg.eig",
    small(2, 2),
    _turning,
    call=lambda xp, x, turning: values_and_vectors(xp, xp.linalg.eig(x + turning)),
    note="complex eigenvalues of a real matrix",
)


def pairs(xp: Any, svd: Any) -> Any:
    """Changing the phase of a pair of vectors, or turning those that belong to no value, changes none of these."""
    u, s, vh = svd
    k = s.shape[-1]
    u1, u2, v1, v2 = u[..., :k], u[..., k:], vh[..., :k, :], vh[..., k:, :]
    return (
        s,
        weighed(xp, u1, v1),
        weighed(xp, u1, adjoint(xp, u1)),
        weighed(xp, adjoint(xp, v1), v1),
        xp.matmul(u2, adjoint(xp, u2)) + 1,
        xp.matmul(adjoint(xp, v2), v2) + 1,
    )


def left(xp: Any, svd: Any) -> Any:
    return weighed(xp, svd[0], adjoint(xp, svd[0]))


def right(xp: Any, svd: Any) -> Any:
    return weighed(xp, adjoint(xp, svd[2]), svd[2])


for _sample in (
    small(3, 2),
    small(2, 3),
    small(2, 2),
    small(2, 2, 3),
    small_cplx(2, 2),
    small_cplx(3, 2),
    small_cplx(2, 3),
):
    for _part in (lambda xp, svd: svd[1], left, right):
        of("svd", spread_out, _sample, of_result=_part, full_matrices=False)
    for _full in (True, False):
        of("svd", spread_out, _sample, of_result=pairs, full_matrices=_full)
    of("svdvals", spread_out, _sample)
