"""Cases for choosing, sorting and differences."""

from __future__ import annotations

import numpy as np

from tests.cases.case import case, cplx, real

MASK = np.asarray([[True, False, True], [False, False, True]])

case("where", MASK, real(2, 3), real(2, 3))
case("where", MASK, real(3), real(2, 1))
case("where", MASK[0], real(2, 3), real())
case("where", MASK[:, :1], real(1, 3), real(2, 1))
case("where", MASK, real(2, 3), 1.5)
case("where", MASK, -2.0, real(3))
case("where", MASK, real(2, 3), np.asarray([1.0, 2.0, 3.0]))
case("where", np.asarray(True), real(), real())
case("where", np.zeros((0,), dtype=bool), real(0), real(1))
case("where", MASK[0], cplx(3), cplx(3))
case("where", MASK[0], cplx(3), real(3))


def _mask(xp, x, condition):
    return np.where(condition, x, 0.0)


case("mask", real(2, 3), MASK, reference=_mask)
case("mask", real(2, 3), MASK[0], reference=_mask)
case("mask", real(3), MASK, reference=_mask)
case("mask", real(), np.asarray(False), reference=_mask)
case("mask", real(0, 3), MASK[:0], reference=_mask)
case("mask", cplx(3), MASK[0], reference=_mask)

case("sort", real(5))
case("sort", real(2, 3), axis=0)
case("sort", real(2, 3), axis=-1, descending=True)
case("sort", real(0, 2), axis=0)
case("diff", real(4))
case("diff", real(4), n=2)
case("diff", real(2, 3), axis=0)
case("diff", real(2, 3), axis=-1)
case("diff", real(2), call=lambda xp, x: xp.diff(x, n=0), note="n=0")
case("diff", real(1))
case(
    "diff",
    real(3),
    real(1),
    real(2),
    call=lambda xp, x, a, b: xp.diff(x, prepend=a, append=b),
    note="prepend, append",
)
case("diff", cplx(3))

# NumPy's unique_values comes in no order, the others in ascending order: xgrad's are all in that one.
for _name in ("unique_values", "unique_counts", "unique_inverse", "unique_all"):
    for _shape in ((5,), (2, 3), (0,)):
        case(
            _name,
            real(*_shape),
            call=lambda xp, x, name=_name: xp.unique_values(x) if name == "unique_values" else getattr(xp, name)(x)[0],
            raw=lambda xp, x: xp.unique_inverse(x)[0],
            reference=lambda xp, x: np.sort(np.reshape(x, (-1,))),
        )
