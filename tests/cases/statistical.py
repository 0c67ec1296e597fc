"""Cases for reductions and cumulative functions."""

from __future__ import annotations

from typing import Any

from tests.cases.case import case, cplx, real

AXES: list[dict[str, Any]] = [
    {},
    {"axis": 0},
    {"axis": -1},
    {"axis": (0, -1)},
    {"axis": 1, "keepdims": True},
    {"axis": (1, 0), "keepdims": True},
    {"keepdims": True},
]
for _name in ("sum", "mean", "var", "std", "max", "min", "prod"):
    for _static in AXES:
        case(_name, real(2, 3), **_static)
    case(_name, real(3))
    case(_name, real(2, 3, 2, low=-1.5, high=1.5), axis=(0, 2))
    case(_name, real(2, 0), axis=0, without=("torch",) if _name in ("var", "std") else ())  # it warns
for _name in ("sum", "mean", "max", "min", "prod"):
    case(_name, real())
    case(_name, real(2), axis=())
for _name in ("sum", "prod"):
    case(_name, real(2, 0), axis=1)
    case(_name, real(0))
    case(_name, real(3), call=lambda xp, x, n=_name: getattr(xp, n)(x, dtype=x.dtype), note="dtype")
for _name in ("sum", "mean", "prod"):
    case(_name, cplx(2, 2))
    case(_name, cplx(2, 3), axis=1)
for _name in ("var", "std"):
    case(_name, real(2, 3), axis=1, correction=1)
    case(_name, real(4), correction=0.5, keepdims=True, without=("torch",))

for _name in ("cumulative_sum", "cumulative_prod"):
    case(_name, real(4))
    case(_name, real(2, 3), axis=0)
    case(_name, real(2, 3), axis=-1)
    case(_name, real(2, 3), axis=1, include_initial=True)
    case(_name, real(3), include_initial=True)
    case(_name, real(0))
    case(_name, real(2, 0), axis=1, include_initial=True)
    case(_name, real(0, 2), axis=1)
    case(_name, cplx(3))
    case(_name, cplx(2, 2), axis=0, include_initial=True)
    case(_name, real(3), call=lambda xp, x, n=_name: getattr(xp, n)(x, dtype=x.dtype), note="dtype")
for _name in ("prod", "cumulative_prod"):
    for _zeros in ((1,), (0, 2), (0, 1, 2, 3)):
        case(_name, real(4, zero_at=_zeros), note=f"zeros at {_zeros}")
    case(_name, real(2, 3, zero_at=(1, 3, 4)), axis=1, note="zeros")
case("prod", real(2, 2, 3, low=0.5, high=1.5), axis=(0, 2), keepdims=True)
