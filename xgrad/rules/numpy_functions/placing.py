"""Functions of NumPy's that write into an array: into a tensor, or results without a gradient into an array of NumPy's.

A write into a tensor is differentiable. These are the writes of `out=` too, with the casts that NumPy allows, and the method `at`
of ufuncs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import one_axis, tensors, xp
from xgrad.rules.numpy_functions.table import numpy_function
from xgrad.rules.writing import at as place_at


def into(name: str, out: Any, result: Any, where: Any = True) -> Any:
    """Write a result into an array, where the mask is true, and return the array.

    Raises:
        TypeError: for a result of another kind, such as real numbers for an array of integers, and for one with a gradient, which
            an array of NumPy's would lose.
        ValueError: for a result of another shape.
    """
    if not isinstance(out, Tensor):
        return _into_numpys(name, out, result, where)
    one = result if isinstance(result, Tensor) else tensors(name, out, result)[1]
    if out.backend.rank(one.dtype) > out.backend.rank(out.dtype):
        raise TypeError(
            f"numpy.{name}: a result of dtype {one.dtype} cannot be written into a tensor of dtype {out.dtype}"
        )
    if where is not True:
        one = xp.where(tensors(name, out, where)[1] != 0, one, out)
    if one.shape != out.shape and xp.broadcast_shapes(one.shape, out.shape) != out.shape:
        raise ValueError(f"numpy.{name}: a result of shape {one.shape} does not fit into a tensor of shape {out.shape}")
    out[...] = xp.astype(one, out.dtype)
    return out


def _into_numpys(name: str, out: Any, result: Any, where: Any) -> Any:
    if isinstance(result, Tensor) and result.requires_grad:
        raise TypeError(
            f"numpy.{name}: a NumPy array cannot keep the gradient of a tensor that requires one. Write a = a + t for a += t, or "
            "t.detach() if the gradient is not needed."
        )
    if where is not True:
        there, result, mask = tensors(name, out, result, where)
        result = xp.where(mask != 0, result, there)
    out[...] = result.numpy() if isinstance(result, Tensor) else result
    return out


def at(name: str, function: Callable[..., Any], x: Any, indices: Any, *values: Any) -> None:
    """`ufunc.at`: the function at some places, in place. At a place that is named several times, it is called as often."""
    if name in ("add", "subtract") and values:
        changed = getattr(place_at(x, indices), name)(tensors(name, x, values[0])[1])
        x[...] = changed
        return
    places = xp.reshape(xp.arange(x.size), x.shape)[indices]
    others = [xp.reshape(xp.broadcast_to(v, places.shape), (-1,)) for v in tensors(name, *values)]
    flat = xp.reshape(x, (-1,))
    for round_ in _rounds(xp.reshape(places, (-1,)).tolist()):
        where = xp.asarray([place for _, place in round_])
        chosen = xp.asarray([i for i, _ in round_])
        flat = place_at(flat, where).set(function(flat[where], *(v[chosen] for v in others)))
    x[...] = xp.reshape(flat, x.shape)


def _rounds(places: Sequence[int]) -> Iterable[list[tuple[int, int]]]:
    """The positions and places in groups in which each place is named once: its first time, its second, and so on."""
    seen: dict[int, int] = {}
    rounds: list[list[tuple[int, int]]] = []
    for i, place in enumerate(places):
        turn = seen[place] = seen.get(place, -1) + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append((i, place))
    return rounds


# --- functions ------------------------------------------------------------------------------------------------


@numpy_function("copyto")
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    into("copyto", dst, src, where)


def _written(name: str, a: Any) -> Any:
    if not isinstance(a, Tensor):
        raise TypeError(
            f"numpy.{name}: a NumPy array does not take tensors; make a tensor of it first: xgrad.asarray(a)"
        )
    return a


def _repeated(values: Any, count: int) -> Any:
    """The first so many elements of the values, which are repeated as often as it takes."""
    flat = xp.reshape(values, (-1,))
    return flat[:0] if not count else xp.tile(flat, (math.ceil(count / flat.shape[0]),))[:count]


def _places(flat: Iterable[int], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Indices for each axis, from indices into the flat array."""
    columns: list[list[int]] = [[] for _ in shape]
    for place in flat:
        for axis in reversed(range(len(shape))):
            place, i = divmod(place, shape[axis])
            columns[axis].append(i)
    return tuple(xp.asarray(column, dtype="int64") for column in columns)


def _write_flat(name: str, a: Any, places: list[int], values: Any) -> None:
    if places:
        a[_places(places, a.shape)] = xp.astype(_repeated(tensors(name, a, values)[1], len(places)), a.dtype)


@numpy_function("fill_diagonal")
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    a = _written("fill_diagonal", a)
    if a.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if a.ndim == 2:
        step = a.shape[1] + 1
        end = a.size if wrap else min(a.size, a.shape[1] * a.shape[1])
    else:
        if len(set(a.shape)) > 1:
            raise ValueError("All dimensions of input must be of equal length")
        step, end = sum(a.shape[0] ** i for i in range(a.ndim)), a.size
    _write_flat("fill_diagonal", a, list(range(0, end, step)), val)


@numpy_function("place")
def place(arr: Any, mask: Any, vals: Any) -> None:
    arr = _written("place", arr)
    chosen = xp.reshape(tensors("place", arr, mask)[1] != 0, (-1,)).tolist()
    _write_flat("place", arr, [i for i, is_chosen in enumerate(chosen) if is_chosen], vals)


@numpy_function("putmask")
def putmask(a: Any, mask: Any, values: Any) -> None:
    a = _written("putmask", a)
    every = xp.reshape(_repeated(tensors("putmask", a, values)[1], a.size), a.shape)
    into("putmask", a, every, mask)


@numpy_function("put")
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    a = _written("put", a)
    found = []
    for i in xp.reshape(tensors("put", a, ind)[1], (-1,)).tolist():
        if mode == "raise" and not -a.size <= i < a.size:
            raise IndexError(f"index {int(i)} is out of bounds for an array of {a.size} elements")
        found.append(min(max(int(i), 0), a.size - 1) if mode == "clip" else int(i) % a.size)
    _write_flat("put", a, found, v)


@numpy_function("put_along_axis")
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    arr = _written("put_along_axis", arr)
    chosen = tensors("put_along_axis", arr, indices)[1]
    if axis is None:
        _write_flat("put_along_axis", arr, [int(i) % arr.size for i in chosen.tolist()], values)
        return
    axis = one_axis("put_along_axis", axis, arr.ndim)
    key = tuple(
        chosen if i == axis else xp.reshape(xp.arange(n), (1,) * i + (n,) + (1,) * (arr.ndim - i - 1))
        for i, n in enumerate(arr.shape)
    )
    arr[key] = xp.astype(tensors("put_along_axis", arr, values)[1], arr.dtype)
