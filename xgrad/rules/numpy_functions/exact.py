"""What NumPy can ask or print about a tensor without its values having a derivative: shapes, dtypes, text, files."""

from __future__ import annotations

import math
import sys
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import is_float, one_axis, tensor, tensors, xp
from xgrad.rules.numpy_functions.indices import index_dtype
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("shape", exact=True)
def shape(a: Any) -> tuple[int, ...]:
    return tuple(tensor("shape", a).shape)


@numpy_function("ndim", exact=True)
def ndim(a: Any) -> int:
    return int(tensor("ndim", a).ndim)


@numpy_function("size", exact=True)
def size(a: Any, axis: int | None = None) -> int:
    a = tensor("size", a)
    return int(a.size) if axis is None else int(a.shape[one_axis("size", axis, a.ndim)])


@numpy_function("result_type", exact=True)
def result_type(*arrays_and_dtypes: Any) -> Any:
    return xp.result_type(*arrays_and_dtypes)


@numpy_function("can_cast", exact=True)
def can_cast(from_: Any, to: Any, casting: str = "safe") -> bool:
    if casting != "safe":
        raise TypeError(f"numpy.can_cast of a tensor takes casting='safe' only, not {casting!r}")
    return bool(xp.can_cast(from_, to))


@numpy_function("common_type", exact=True)
def common_type(*arrays: Any) -> Any:
    return xp.result_type(*(a / 1 for a in tensors("common_type", *arrays)))


@numpy_function("min_scalar_type", exact=True)
def min_scalar_type(a: Any, /) -> Any:
    return tensor("min_scalar_type", a).dtype


@numpy_function("array_equal", exact=True)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    one, other = (x.detach() for x in tensors("array_equal", a1, a2))
    if one.shape != other.shape:
        return False
    same = one == other
    return bool(xp.all(same | (xp.isnan(one) & xp.isnan(other)) if equal_nan else same))


@numpy_function("array_equiv", exact=True)
def array_equiv(a1: Any, a2: Any) -> bool:
    one, other = (x.detach() for x in tensors("array_equiv", a1, a2))
    try:
        one, other = xp.broadcast_arrays(one, other)
    except ValueError:
        return False
    return bool(xp.all(one == other))


def _like(name: str) -> Any:
    def like(
        a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
    ) -> Any:
        a = tensor(name, a)
        if shape is None:
            return getattr(xp, name)(a, dtype=dtype)
        shape = (shape,) if not hasattr(shape, "__len__") else tuple(shape)
        one = xp.zeros_like(xp.reshape(a, (-1,))[:1] if a.size else a, dtype=dtype)
        return getattr(xp, name)(xp.broadcast_to(xp.reshape(one, (1,) * len(shape)), shape))

    like.__name__ = name
    return numpy_function(name, exact=True)(like)


zeros_like, ones_like, empty_like = _like("zeros_like"), _like("ones_like"), _like("empty_like")


@numpy_function("full_like")
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    like = zeros_like(a, dtype, order, subok, shape)
    value = tensors("full_like", like, fill_value)[1]
    return xp.broadcast_to(xp.astype(value, like.dtype), like.shape) + 0


@numpy_function("linspace")
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    start, stop = tensors("linspace", start, stop)
    start, stop = start / 1, stop / 1
    step = (stop - start) / max(num - 1 if endpoint else num, 1)
    if start.ndim == stop.ndim == 0:
        y = xp.linspace(start, stop, num, endpoint=endpoint)
    else:
        start, stop = xp.broadcast_arrays(start, stop)
        count = xp.reshape(
            xp.asarray([float(i) for i in range(num)], dtype=start.dtype), (num, *(1 for _ in start.shape))
        )
        y = xp.moveaxis(start + count * (stop - start) / max(num - 1 if endpoint else num, 1), 0, axis)
    if dtype is not None:
        exactly, y = y, xp.astype(y, dtype)
        if not is_float(y):  # NumPy rounds down
            y = xp.astype(xp.floor(exactly), dtype)
    return (y, step) if retstep else y


@numpy_function("logspace")
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    powers = linspace(start, stop, num, endpoint, axis=axis)
    y = tensors("logspace", powers, base)[1] ** powers
    return y if dtype is None else xp.astype(y, dtype)


@numpy_function("geomspace")
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    start, stop = tensors("geomspace", start, stop)
    sign = xp.sign(start.detach() / 1)
    y = logspace(xp.log10(start / sign), xp.log10(stop / sign), num, endpoint, axis=axis) * sign
    return y if dtype is None else xp.astype(y, dtype)


@numpy_function("tril_indices_from", exact=True)
def tril_indices_from(arr: Any, k: int = 0) -> Any:
    return tuple(xp.nonzero(xp.tril(xp.ones_like(tensor("tril_indices_from", arr).detach()), k=k)))


@numpy_function("triu_indices_from", exact=True)
def triu_indices_from(arr: Any, k: int = 0) -> Any:
    return tuple(xp.nonzero(xp.triu(xp.ones_like(tensor("triu_indices_from", arr).detach()), k=k)))


@numpy_function("diag_indices_from", exact=True)
def diag_indices_from(arr: Any) -> Any:
    arr = tensor("diag_indices_from", arr)
    if arr.ndim < 2 or len(set(arr.shape)) != 1:
        raise ValueError(f"numpy.diag_indices_from takes an array with axes of one length, not of shape {arr.shape}")
    return (xp.arange(arr.shape[0], dtype=index_dtype()),) * arr.ndim


@numpy_function("ix_", exact=True)
def ix_(*args: Any) -> Any:
    vectors = [tensor("ix_", a) for a in args]
    n = len(vectors)
    vectors = [xp.nonzero(v)[0] if v.dtype == (v == v).dtype else v for v in vectors]
    return tuple(xp.reshape(v, tuple(-1 if i == k else 1 for i in range(n))) for k, v in enumerate(vectors))


@numpy_function("ravel_multi_index", exact=True)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    parts = tensors("ravel_multi_index", *multi_index)
    sizes = list(dims)
    modes = (mode,) * len(sizes) if isinstance(mode, str) else tuple(mode)
    pairs = list(zip(parts, sizes, modes, strict=True))
    flat = None
    for at, n, how in pairs if order == "C" else pairs[::-1]:
        at = at % n if how == "wrap" else xp.clip(at, 0, n - 1) if how == "clip" else at
        if how == "raise" and not bool(xp.all((at >= 0) & (at < n))):
            raise ValueError("numpy.ravel_multi_index: an index is outside of its axis")
        flat = at if flat is None else flat * n + at
    return flat


@numpy_function("unravel_index", exact=True)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> Any:
    at = tensor("unravel_index", indices)
    sizes = [shape] if isinstance(shape, int) else list(shape)
    if not bool(xp.all((at >= 0) & (at < math.prod(sizes)))):
        raise ValueError(f"numpy.unravel_index: an index is not between 0 and {math.prod(sizes) - 1}")
    found = []
    for n in sizes[::-1] if order == "C" else sizes:
        found.append(at % n)
        at = at // n
    return tuple(found[::-1] if order == "C" else found)


# --- text and files: on the host, of the values ---------------------------------------------------------------


def _on_host(name: str) -> Any:
    def function(*args: Any, **kwargs: Any) -> Any:
        given = [_values(arg) for arg in args]
        return getattr(sys.modules["numpy"], name)(*given, **{key: _values(value) for key, value in kwargs.items()})

    return function


def _values(value: Any) -> Any:
    return value.numpy() if isinstance(value, Tensor) else value


for _name in ("array2string", "array_repr", "array_str", "save", "savez", "savez_compressed", "savetxt"):
    numpy_function(_name, exact=True)(_on_host(_name))
