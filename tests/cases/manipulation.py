"""Cases for functions that move elements about."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases.case import case, cplx, real

case("reshape", real(2, 3), (3, 2))
case("reshape", real(2, 3), (-1,))
case("reshape", real(2, 3), (1, 6, 1))
case("reshape", real(), (1, 1))
case("reshape", real(0, 3), (3, 0))
case("reshape", real(2, 2), (4,), copy=True)
case("reshape", cplx(2, 2), (4,))
case("squeeze", real(2, 1, 3), 1)
case("squeeze", real(1, 2, 1), (0, -1))
case("squeeze", real(1), 0)
case("squeeze", cplx(2, 1), axis=1)
case("expand_dims", real(2, 3), axis=0)
case("expand_dims", real(2, 3), axis=-1)
case("expand_dims", real(), axis=0)
case("expand_dims", cplx(2), axis=1)
case("permute_dims", real(2, 3, 1), (2, 0, 1))
case("permute_dims", real(2, 3), (-1, 0))
case("permute_dims", real(), ())
case("permute_dims", cplx(2, 2), (1, 0))
case("moveaxis", real(2, 3, 1), 0, -1)
case("moveaxis", real(2, 3, 1), (0, 1), (-1, 0))
for _axis in (None, 0, -1, (0, 1)):
    case("flip", real(2, 3), axis=_axis)
case("flip", real(0, 2))
case("flip", real())
case("flip", cplx(3))
case("roll", real(2, 3), 1)
case("roll", real(2, 3), -1, axis=-1)
case("roll", real(2, 3), (1, 2), axis=(0, 1))
case("roll", real(2, 3), 5, axis=1)
case("roll", real(0, 2), 1, axis=0)
case("roll", cplx(3), 1)

case("broadcast_to", real(3), (2, 3))
case("broadcast_to", real(2, 1), (2, 3))
case("broadcast_to", real(1, 2), (3, 2, 2))
case("broadcast_to", real(), (2,))
case("broadcast_to", real(1), (0,))
case("broadcast_to", real(2), (2,))
case("broadcast_to", cplx(2), (2, 2))
case("broadcast_arrays", real(2, 1), real(3))
case("broadcast_arrays", real(), real(2), real(1, 2))
case("repeat", real(2, 3), 2)
case("repeat", real(2, 3), 2, axis=-1)
case("repeat", real(2, 3), 0, axis=1)
case("repeat", real(3), np.asarray([2, 0, 1]), without=("dask",))  # the shape is not known before it is computed
case("repeat", real(2, 3), np.asarray([1, 2]), axis=0, without=("dask",))
case("tile", real(2, 3), (2, 1))
case("tile", real(3), (2, 2))
case("tile", real(2, 1), (3,))
case("tile", real(), (2,))


def _joined(name: str, **static: Any) -> Any:
    return lambda xp, *arrays: getattr(xp, name)(list(arrays), **static)


def joining(name: str, *args: Any, **static: Any) -> None:
    case(
        name,
        *args,
        call=_joined(name, **static),
        note=", ".join(f"{k}={v}" for k, v in static.items()),
    )


joining("concat", real(2, 3), real(1, 3))
joining("concat", real(2, 1), real(2, 3), real(2, 2), axis=-1)
joining("concat", real(2, 1), real(3), axis=None)
joining("concat", real(0, 2), real(1, 2), axis=0)
joining("concat", real(2), np.asarray([1.0, 2.0]), real(1))
joining("concat", cplx(2), real(2))
case("concat", real(2), call=lambda xp, x: xp.concat([x, x]), note="the same array twice")
joining("stack", real(2, 3), real(2, 3))
joining("stack", real(2), real(2), real(2), axis=-1)
joining("stack", real(), real(), axis=0)
joining("stack", real(2, 2), real(2, 2), axis=1)
joining("stack", real(2), cplx(2))
case("unstack", real(2, 3))
case("unstack", real(2, 3), axis=-1)


def in_chunks(xp, x, n, axis=0):
    length = -(-x.shape[axis] // n)
    before = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*before, slice(i, min(i + length, x.shape[axis])), ...)] for i in range(0, x.shape[axis], length))


def where_filled(xp, x, mask, value):
    return xp.where(xp.asarray(mask), xp.asarray(value), x)


def in_three(xp, x):
    return in_chunks(xp, x, 3, -1)


case("chunk", real(5, 2), 2, raw=in_chunks, reference=in_chunks)
case("chunk", real(2, 5), call=lambda xp, x: xp.chunk(x, 3, axis=-1), raw=in_three, reference=in_three)
MASK = np.asarray([[True, False, True], [False, False, True]])
case("masked_fill", real(2, 3), MASK, real(), raw=where_filled, reference=where_filled)
case("masked_fill", real(2, 3), MASK[0], real(), raw=where_filled, reference=where_filled)
