"""Shapes: NumPy's functions that arrange the elements of an array, or of several, in another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.engine.integers import integer, integers
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import arrays, axes_of, index, not_given, one_axis, tensor, tensors, xp
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("reshape")
def reshape(a: Any, /, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: bool | None = None) -> Any:
    shape = newshape if shape is None else shape
    a = tensor("reshape", a)
    if order == "F":
        shape = (
            integers("reshape", shape, "shape")
            if isinstance(shape, Sequence)
            else (integer("reshape", shape, "shape"),)
        )
        return transpose(xp.reshape(transpose(a), shape[::-1]))
    if order not in ("C", "A"):
        raise ValueError(f"numpy.reshape of a tensor takes order='C' or order='F', not {order!r}")
    return xp.reshape(a, (shape,) if not isinstance(shape, Sequence) else tuple(shape), copy=copy)


@numpy_function("ravel")
def ravel(a: Any, order: str = "C") -> Any:
    return reshape(tensor("ravel", a), (-1,), "C" if order == "K" else order)


@numpy_function("transpose", "permute_dims")
def transpose(a: Any, axes: Any = None) -> Any:
    a = tensor("transpose", a)
    return xp.permute_dims(a, tuple(range(a.ndim))[::-1] if axes is None else tuple(axes))


@numpy_function("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(x: Any, /) -> Any:
    return xp.matrix_transpose(tensor("matrix_transpose", x))


@numpy_function("swapaxes")
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    a = tensor("swapaxes", a)
    order = list(range(a.ndim))
    one, other = (one_axis("swapaxes", axis, a.ndim) for axis in (axis1, axis2))
    order[one], order[other] = other, one
    return xp.permute_dims(a, tuple(order))


@numpy_function("moveaxis")
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return xp.moveaxis(tensor("moveaxis", a), source, destination)


@numpy_function("rollaxis")
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    a = tensor("rollaxis", a)
    axis, start = one_axis("rollaxis", axis, a.ndim), start + a.ndim if start < 0 else start
    return xp.moveaxis(a, axis, start - 1 if axis < start else start)


@numpy_function("expand_dims")
def expand_dims(a: Any, axis: Any) -> Any:
    a = tensor("expand_dims", a)
    places = axes_of("expand_dims", axis, a.ndim + (len(axis) if isinstance(axis, Sequence) else 1))
    for place in sorted(places):
        a = xp.expand_dims(a, axis=place)
    return a


@numpy_function("squeeze")
def squeeze(a: Any, axis: Any = None) -> Any:
    a = tensor("squeeze", a)
    return xp.squeeze(a, axis=tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else axis)


@numpy_function("broadcast_to")
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return xp.broadcast_to(tensor("broadcast_to", array), (shape,) if not isinstance(shape, Sequence) else tuple(shape))


@numpy_function("broadcast_arrays")
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    return tuple(xp.broadcast_arrays(*tensors("broadcast_arrays", *args)))


@numpy_function("atleast_1d")
def atleast_1d(*arys: Any) -> Any:
    return _each(arys, lambda a: a.reshape((1,)) if a.ndim == 0 else a)


@numpy_function("atleast_2d")
def atleast_2d(*arys: Any) -> Any:
    return _each(arys, lambda a: a.reshape((1, *a.shape) if a.ndim else (1, 1)) if a.ndim < 2 else a)


@numpy_function("atleast_3d")
def atleast_3d(*arys: Any) -> Any:
    def wider(a: Any) -> Any:
        shape = {0: (1, 1, 1), 1: (1, *a.shape, 1), 2: (*a.shape, 1)}.get(a.ndim)
        return a if shape is None else a.reshape(shape)

    return _each(arys, wider)


def _is_plain(a: Any) -> bool:
    """Whether this is a tensor on the host without a gradient, outside of vmap and of a trace."""
    return isinstance(a, Tensor) and a.node is None and a.backend.on_host and not a.backend.is_temporary


def _each(arys: Sequence[Any], f: Any) -> Any:
    """`f` of each array. SciPy converts results by `np.atleast_1d`, so it gives a NumPy array where `np.asarray` does."""
    found = tuple(f(a.__array__() if _is_plain(a) else tensor("atleast", a)) for a in arys)
    return found[0] if len(found) == 1 else found


# --- several arrays -------------------------------------------------------------------------------------------


@numpy_function("concatenate", "concat")
def concatenate(
    seq: Any, axis: int | None = 0, out: None = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    not_given("concatenate", out=out)
    y = xp.concat(arrays("concatenate", seq), axis=axis)
    return y if dtype is None else xp.astype(y, dtype)


@numpy_function("stack")
def stack(seq: Any, axis: int = 0, out: None = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    not_given("stack", out=out)
    y = xp.stack(arrays("stack", seq), axis=axis)
    return y if dtype is None else xp.astype(y, dtype)


@numpy_function("vstack")
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return concatenate([atleast_2d(a) for a in arrays("vstack", tup)], 0, dtype=dtype)


@numpy_function("hstack")
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [atleast_1d(a) for a in arrays("hstack", tup)]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1, dtype=dtype)


@numpy_function("dstack")
def dstack(tup: Any) -> Any:
    return concatenate([atleast_3d(a) for a in arrays("dstack", tup)], 2)


@numpy_function("column_stack")
def column_stack(tup: Any) -> Any:
    parts = arrays("column_stack", tup)
    return concatenate([xp.reshape(a, (-1, 1)) if a.ndim < 2 else a for a in parts], 1)


@numpy_function("append")
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = tensors("append", arr, values)
    if axis is None:
        arr, values, axis = ravel(arr), ravel(values), 0
    return concatenate([arr, values], axis)


@numpy_function("block")
def block(blocks: Any) -> Any:
    """Blocks in nested lists: the innermost are joined along the last axis, those around them along the one before it."""

    def depth(part: Any) -> int:
        return 1 + max((depth(each) for each in part), default=0) if isinstance(part, list) else 0

    deepest = depth(blocks)
    found = [tensor("block", part) for part in _flat(blocks)]
    ndim = max([deepest, *(part.ndim for part in found)])

    def joined(part: Any, level: int) -> Any:
        if not isinstance(part, list):
            part = tensor("block", part)
            return xp.reshape(part, (1,) * (ndim - part.ndim) + tuple(part.shape))
        return concatenate([joined(each, level - 1) for each in part], ndim - level)

    return joined(blocks, deepest)


def _flat(part: Any) -> list[Any]:
    return [leaf for each in part for leaf in _flat(each)] if isinstance(part, list) else [part]


@numpy_function("meshgrid")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    vectors = [ravel(x) for x in tensors("meshgrid", *xi)] if xi else []
    if not sparse:
        return tuple(xp.meshgrid(*vectors, indexing=indexing)) if vectors else ()
    n = len(vectors)
    places = list(range(n))
    if indexing == "xy" and n > 1:
        places[:2] = 1, 0
    return tuple(
        xp.reshape(x, tuple(-1 if i == place else 1 for i in range(n)))
        for x, place in zip(vectors, places, strict=True)
    )


# --- parts ----------------------------------------------------------------------------------------------------


@numpy_function("split")
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    ary = tensor("split", ary)
    n = ary.shape[one_axis("split", axis, ary.ndim)]
    if not hasattr(indices_or_sections, "__len__") and n % integer("split", indices_or_sections, "sections"):
        raise ValueError(
            f"numpy.split: {n} elements do not divide into {indices_or_sections} equal parts: use array_split"
        )
    return array_split(ary, indices_or_sections, axis)


@numpy_function("array_split")
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    ary = tensor("array_split", ary)
    axis = one_axis("array_split", axis, ary.ndim)
    n = ary.shape[axis]
    if hasattr(indices_or_sections, "__len__"):
        ends = [int(i) for i in indices_or_sections]
    else:
        sections = integer("array_split", indices_or_sections, "sections")
        if sections < 1:
            raise ValueError(f"numpy.array_split: sections must be 1 or more, not {sections}")
        each, more = divmod(n, sections)
        ends = [each * i + min(i, more) for i in range(1, sections)]
    return [ary[index(axis, slice(start, end))] for start, end in zip([0, *ends], [*ends, n], strict=True)]


@numpy_function("vsplit")
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 0)


@numpy_function("hsplit")
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    ary = tensor("hsplit", ary)
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@numpy_function("dsplit")
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 2)


@numpy_function("unstack")
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(xp.unstack(tensor("unstack", x), axis=axis))


# --- order ----------------------------------------------------------------------------------------------------


@numpy_function("flip")
def flip(m: Any, axis: Any = None) -> Any:
    return xp.flip(tensor("flip", m), axis=axis)


@numpy_function("fliplr")
def fliplr(m: Any) -> Any:
    return flip(m, 1)


@numpy_function("flipud")
def flipud(m: Any) -> Any:
    return flip(m, 0)


@numpy_function("roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return xp.roll(tensor("roll", a), shift, axis=axis)


@numpy_function("rot90")
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    m = tensor("rot90", m)
    one, other = axes_of("rot90", tuple(axes), m.ndim)
    k %= 4
    if k == 0:
        return m
    if k == 2:
        return xp.flip(m, axis=(one, other))
    return swapaxes(flip(m, other), one, other) if k == 1 else flip(swapaxes(m, one, other), other)


@numpy_function("repeat")
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    a = tensor("repeat", a)
    if isinstance(repeats, list | tuple):
        repeats = xp.asarray([integer("repeat", n, "repeats") for n in repeats])
    return xp.repeat(a, repeats, axis=axis)


@numpy_function("tile")
def tile(A: Any, reps: Any) -> Any:  # noqa: N803 (NumPy's name)
    return xp.tile(tensor("tile", A), tuple(reps) if isinstance(reps, Sequence) else (reps,))


@numpy_function("resize")
def resize(a: Any, new_shape: Any) -> Any:
    """The elements in order, repeated until they fill the new shape."""
    flat = ravel(a)
    shape = (
        integers("resize", new_shape, "shape") if isinstance(new_shape, Sequence) else (integer("resize", new_shape),)
    )
    count = 1
    for n in shape:
        count *= n
    have = flat.shape[0]
    if not count or not have:
        return xp.reshape(flat[:0], shape)
    copies = -(-count // have)
    return xp.reshape(xp.tile(flat, (copies,))[:count], shape)
