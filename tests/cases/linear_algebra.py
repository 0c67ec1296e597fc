"""Cases for products of matrices and vectors."""

from __future__ import annotations

from tests.cases.case import case, cplx, real

for _shape1, _shape2 in (
    ((2, 3), (3, 2)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 2, 3), (3, 2)),
    ((2, 3), (2, 3, 1)),
    ((2, 1, 1, 3), (2, 3, 2)),
    ((3,), (2, 3, 2)),
    ((2, 2, 3), (3,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 2)),
):
    case("matmul", real(*_shape1), real(*_shape2))
case("matmul", cplx(2, 2), cplx(2, 2))
case("matmul", cplx(2), cplx(2, 2))
case("matmul", cplx(2, 2), real(2))
case("matmul", real(2, 2), cplx(2))
case("matmul", real(2, 2), real(2, 2), call=lambda xp, a, b: a @ b, note="operator")
case("matmul", real(2, 2), call=lambda xp, a: xp.matmul(a, a), note="the same array twice")

case("matrix_transpose", real(2, 3))
case("matrix_transpose", real(2, 3, 1))
case("matrix_transpose", real(0, 3))
case("matrix_transpose", cplx(2, 2))
case(
    "matrix_transpose",
    real(2, 3),
    call=lambda xp, x: x.mT,
    raw=lambda xp, x: xp.matrix_transpose(x),  # dask's arrays lack the property
    note="property",
)
case("permute_dims", real(2, 3), call=lambda xp, x: x.T, note="property")

case("vecdot", real(3), real(3))
case("vecdot", real(2, 3), real(2, 3))
case("vecdot", real(2, 3), real(3))
case("vecdot", real(3, 2), real(3, 2), axis=-2)
case("vecdot", real(3, 1), real(3, 2), axis=-2)
case("vecdot", real(2, 0), real(2, 0))
case("vecdot", cplx(2, 3), cplx(2, 3))
case("vecdot", cplx(3), cplx(2, 3))

case("tensordot", real(2, 3), real(2, 3))
case("tensordot", real(2, 3), real(3, 2), axes=1)
case("tensordot", real(2), real(3), axes=0)
case("tensordot", real(2, 3, 2), real(3, 2), axes=((1,), (0,)))
case("tensordot", real(2, 3, 2), real(2, 3, 2), axes=((0, 1), (2, 1)))
case("tensordot", real(2, 3, 2), real(2, 2, 3), axes=((1, 2), (2, 0)))
case("tensordot", real(2, 3, 1), real(1, 3), axes=((-2, -1), (1, 0)))
case("tensordot", real(2, 0), real(0, 2), axes=1)
case("tensordot", cplx(2, 2), cplx(2, 2), axes=1)
