"""Cases for reading and writing parts of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases.case import case, cplx, real

MASK = np.asarray([[True, False, True], [False, False, True]])


def as_key(parts: tuple[Any, ...]) -> Any:
    """Strict takes a mask only as it is, not in a tuple."""
    return parts[0] if len(parts) == 1 else parts


def reading(*parts: Any, shape: tuple[int, ...] = (3, 4), without: tuple[str, ...] = (), note: str = "") -> None:
    """x[parts]; a part that is a NumPy array is an array of the namespace."""

    def call(xp: Any, x: Any, *key: Any) -> Any:
        return xp.getitem(x, as_key(key))

    case("getitem", real(*shape), *parts, call=call, without=without, note=note)


reading(1, ...)
reading(-1, ...)
reading(slice(1, None), ...)
reading(slice(0, 0), ...)
reading(slice(None, None, -2), ..., without=("torch",))
reading(..., 0)
reading(slice(None), 1)
reading(0, 2)
reading(0, slice(None, None, 2))
reading(None, slice(0, 2), None, 3)
reading(...)
reading(np.asarray([[0, 1], [1, 0]]), np.asarray([3, 0]))
reading(np.asarray([0, 2, 0]), np.asarray([3, 0, 3]))
reading(MASK, shape=(2, 3), without=("dask",))  # how many there are is not known before they are computed
reading(MASK, shape=(2, 3, 2), without=("strict", "dask"))
reading(np.zeros((2, 3), dtype=bool), shape=(2, 3), without=("dask",), note="nothing")
reading(np.asarray(True), shape=(), without=("dask",), note="0-d mask")
reading(1, without=("strict",))
reading(np.asarray([2, 0, 2]), without=("strict",))
reading(slice(None), np.asarray([1, -1, 1]), without=("strict",))
reading(1, np.asarray([1, -1, 1]), without=("strict",))
case("getitem", real(), call=lambda xp, x: xp.getitem(x, ()), note="()")
case("getitem", real(3, 2), call=lambda xp, x: x[1:, 0], note="operator")
case("getitem", real(3), np.asarray([1, 1]), call=lambda xp, x, i: x[i], note="operator")
case("getitem", cplx(3), np.asarray([1, 1]), call=lambda xp, x, i: xp.getitem(x, i))


def writing(x: Any, value: Any, *parts: Any, without: tuple[str, ...] = (), note: str = "") -> None:
    def call(xp: Any, x: Any, *rest: Any) -> Any:
        *key, value = rest
        return xp.setitem(x, value, as_key(tuple(key)))

    case("setitem", x, *parts, value, call=call, without=without, note=note)


writing(real(3, 2), real(2), 1, ...)
writing(real(3, 2), real(3), slice(None), -1)
writing(real(3, 2), real(), slice(0, 2), ..., note="broadcast")
writing(real(4), real(2), slice(None, None, 2))
writing(real(4), real(), ..., note="all of it")
writing(real(4), 1.5, slice(1, 3), note="a number")
writing(real(2, 3), real(3), MASK, without=("strict", "dask"), note="mask")
writing(real(2, 3), 0.5, MASK, note="mask, a number")
writing(real(2, 3), real(), MASK, note="mask, a 0-d array")
writing(cplx(3), cplx(2), slice(1, None))


def adding(x: Any, shape: tuple[int, ...], *parts: Any, without: tuple[str, ...] = ()) -> None:
    def call(xp: Any, x: Any, *key: Any) -> Any:
        return xp.scatter(x, as_key(key), shape)

    def reference(xp: Any, x: Any, *key: Any) -> Any:
        y = np.zeros(shape, dtype=x.dtype)
        np.add.at(y, key, x)
        return y

    case("scatter", x, *parts, call=call, reference=reference, without=without, note=str(shape))


adding(real(2), (3, 2), 1, ...)
adding(real(2, 2), (4, 2), slice(None, None, 2), ...)
adding(real(3), (2, 3), MASK, without=("dask",))
adding(real(4), (3,), np.asarray([0, 2, 2, -1]))
adding(real(2, 3), (2, 4), slice(None), np.asarray([1, 1, 3]), without=("strict",))
adding(cplx(2), (3,), np.asarray([2, 2]))

case("take", real(4), np.asarray([2, 0, 2]))
case("take", real(3, 2), np.asarray([2, 0, 2, 1]), axis=0)
case("take", real(2, 3), np.asarray([1, 1]), axis=-1)
case("take", real(2, 3), np.asarray([], dtype=np.int64), axis=1)
case("take", cplx(3), np.asarray([2, 2]), axis=0)
case("take_along_axis", real(2, 3), np.asarray([[2, 0], [1, 1]]))
case("take_along_axis", real(3, 2), np.asarray([[2, 0], [2, 1]]), axis=0)
case("take_along_axis", real(2, 3), np.asarray([[0], [2]]), axis=-1)


def _scatter_take(xp, x, indices, shape, axis):
    y = np.zeros(shape, dtype=x.dtype)
    np.add.at(y, (slice(None),) * axis + (indices,), x)
    return y


def _scatter_along_axis(xp, x, indices, shape, axis):
    y = np.zeros(shape, dtype=x.dtype)
    for at in np.ndindex(*indices.shape):
        y[(*at[:axis], indices[at], *at[axis + 1 :])] += x[at]
    return y


case("scatter_take", real(3), np.asarray([2, 0, 2]), (4,), 0, reference=_scatter_take)
case("scatter_take", real(2, 3), np.asarray([1, 1, 0]), (2, 3), 1, reference=_scatter_take)
case(
    "scatter_along_axis",
    real(2, 2),
    np.asarray([[2, 0], [1, 1]]),
    (2, 3),
    1,
    reference=_scatter_along_axis,
)
case(
    "scatter_along_axis",
    real(2, 2),
    np.asarray([[2, 0], [2, 1]]),
    (3, 2),
    0,
    reference=_scatter_along_axis,
)
