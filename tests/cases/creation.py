"""Cases for functions that make arrays, from arrays."""

from __future__ import annotations

from tests.cases.case import case, cplx, real

case("asarray", real(2, 3), raw=lambda xp, x: x)
case("asarray", real(2, 3), call=lambda xp, x: xp.asarray(x, copy=True), note="copy")
case(
    "asarray",
    real(),
    real(),
    call=lambda xp, a, b: xp.asarray([[a, 2.0], [b, a]], dtype=a.dtype),
    raw=lambda xp, a, b: xp.reshape(xp.stack([a, xp.ones_like(a) * 2, b, a]), (2, 2)),
    note="nested",
)
case(
    "full",
    real(),
    call=lambda xp, x: xp.full((2, 3), x),
    raw=lambda xp, x: xp.broadcast_to(x, (2, 3)),
)
case("full", real(), call=lambda xp, x: xp.full(3, x), raw=lambda xp, x: xp.broadcast_to(x, (3,)))
case("full", real(), call=lambda xp, x: xp.full((0,), x), raw=lambda xp, x: xp.broadcast_to(x, (0,)))
case(
    "full_like",
    real(2, 2),
    real(),
    call=lambda xp, x, v: xp.full_like(x, v),
    raw=lambda xp, x, v: xp.broadcast_to(v, (2, 2)),
)
for _name in ("tril", "triu"):
    case(_name, real(3, 3))
    case(_name, real(2, 3, 2), k=1)
    case(_name, real(2, 3), k=-1)
    case(_name, real(0, 3))
    case(_name, cplx(2, 2))
for _indexing in ("xy", "ij"):
    case("meshgrid", real(2), real(3), indexing=_indexing)
    case("meshgrid", real(2), real(1), real(3), indexing=_indexing)
case("meshgrid", real(2))


def _weighed(xp, start, stop, num, endpoint):  # type: ignore[no-untyped-def]
    weight = xp.linspace(0.0, 1.0, num, endpoint=endpoint, dtype=xp.abs(stop).dtype)
    return start * (1 - weight) + stop * weight


for _num, _endpoint in ((5, True), (4, False), (1, True), (0, True)):
    case(
        "linspace",
        real(),
        real(),
        call=lambda xp, a, b, n=_num, e=_endpoint: xp.linspace(a, b, n, dtype=a.dtype, endpoint=e),
        raw=lambda xp, a, b, n=_num, e=_endpoint: _weighed(xp, a, b, n, e),
        note=f"{_num}, endpoint={_endpoint}",
    )
case(
    "linspace",
    cplx(),
    cplx(),
    call=lambda xp, a, b: xp.linspace(a, b, 3),
    raw=lambda xp, a, b: _weighed(xp, a, b, 3, True),
)
case(
    "linspace",
    real(),
    call=lambda xp, b: xp.linspace(1.0, b, 3),
    raw=lambda xp, b: _weighed(xp, 1.0, b, 3, True),
    note="a number and an array",
)
case(
    "arange",
    real(low=0.1, high=0.2),
    real(low=0.3, high=0.4),
    call=lambda xp, a, step: xp.arange(a, 2.0, step),
    raw=lambda xp, a, step: a + xp.arange(6, dtype=a.dtype) * step,
)
