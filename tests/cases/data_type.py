"""Cases for conversion between dtypes. (To float32 and back: test_mixing.py.)"""

from __future__ import annotations

from tests.cases.case import case, cplx, real

case("astype", real(2, 3), call=lambda xp, x: xp.astype(x, x.dtype), note="same")
case("astype", real(3), call=lambda xp, x: xp.astype(x, x.dtype, copy=False), note="same, no copy")
case(
    "astype",
    real(2, 3),
    call=lambda xp, x: xp.astype(x, xp.complex128),
    float32=False,
    note="to complex",
)
case(
    "astype",
    cplx(2),
    real(2),
    call=lambda xp, z, x: z * xp.astype(x, z.dtype),
    note="to complex, in a product",
)
case("cast", real(2, 3), call=lambda xp, x: xp.cast(x, x.dtype))
case("cast", real(2), call=lambda xp, x: xp.cast(x, xp.complex128), float32=False, note="to complex")
