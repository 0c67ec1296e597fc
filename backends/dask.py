"""dask.array: lazy arrays in chunks, computed by threads or by the workers of a cluster when a value is asked for.

Nothing here computes, apart from `persist` and `to_numpy`. Functions that dask.array lacks are in dask_blocks.py.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

from xgrad.backends import dask_recurrent, gelu_blocks
from xgrad.backends import gelu as plain
from xgrad.backends.base import Backend
from xgrad.backends.dask_blocks import (
    FFT,
    Array,
    InBlocks,
    Linalg,
    Shape,
    add,
    checked,
    chunks_of,
    da,
    filled,
    in_one_block,
    missing,
    np,
    read,
    take_in_rows,
    taken_apart,
    values,
    whole,
    write,
)
from xgrad.backends.dask_rules import InOneTask
from xgrad.backends.dask_windows import DaskWindows
from xgrad.backends.growth import look
from xgrad.backends.powers import power
from xgrad.backends.raw import Raw

DATA_DEPENDENT = "the shape of the result depends on values that are not computed yet"


class DaskRaw(DaskWindows, Raw):
    """array_api_compat.dask.array, with the functions that it lacks."""

    _special = InBlocks

    def __init__(self, library: Any, device: Any = None) -> None:
        super().__init__(library, device)
        self.linalg, self.fft = Linalg(library.linalg), FFT(library.fft)

    def pow(self, x1: Any, x2: Any, /) -> Array:
        """A Python number as the exponent goes to the fast powers of NumPy's backend."""
        if isinstance(x1, da.Array) and type(x2) in (int, float) and x1.dtype.kind in "fc":
            return x1.map_blocks(power, x2, dtype=x1.dtype)
        return x1**x2

    def gelu(self, x: Array, approximate: str = "none") -> Array:
        """One task for each block, on NumPy's arrays, instead of one for each operation."""
        if x.dtype.char not in "fd":
            return plain.gelu(self, x, approximate)
        return x.map_blocks(partial(gelu_blocks.gelu, None), approximate=approximate, dtype=x.dtype)

    def gelu_gradient(self, g: Array, x: Array, y: Array, approximate: str = "none") -> Array:
        if not _are_alike(g, x, y):
            return plain.gelu_gradient(self, g, x, y, approximate)
        return da.core.elemwise(
            partial(gelu_blocks.gelu_gradient, None, approximate=approximate), g, x, y, dtype=x.dtype
        )

    def recurrent(self, *inputs: Any, mode: str, reverse: bool = False) -> Any:
        return dask_recurrent.forward((*inputs, *(None,) * (8 - len(inputs))), mode, reverse)

    def _recurrent_gradients(
        self, g: Any, inputs: Any, outputs: Any, mode: str, reverse: bool, moving: Any
    ) -> list[Any]:
        return dask_recurrent.gradients(g, inputs, outputs, mode, reverse, moving)

    def sign(self, x: Array, /) -> Array:
        return da.sign(x)  # array_api_compat's version divides 0 by 0 for a complex 0

    def from_dlpack(self, x: Any, **options: Any) -> Array:
        return x.copy() if isinstance(x, da.Array) else da.from_array(np.from_dlpack(x, **options))

    # --- chunks ---

    def asarray(self, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Array:
        if isinstance(obj, da.Array) or copy is False:
            return self.library.asarray(obj, dtype=dtype, copy=copy)
        host = np.array(obj, dtype=dtype)
        return da.from_array(host, chunks=chunks_of(host.shape))

    def full(self, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
        return self.library.full(shape, fill_value, dtype=dtype, chunks=chunks_of(shape))

    def zeros(self, shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
        return self.library.zeros(shape, dtype=dtype, chunks=chunks_of(shape))

    def ones(self, shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
        return self.library.ones(shape, dtype=dtype, chunks=chunks_of(shape))

    def reshape(self, x: Array, shape: Any, *, copy: bool | None = None) -> Array:
        """dask can either merge or split axes. A reshape that does both goes through a 1-d array."""
        if not x.size:
            return self.zeros(np.empty(x.shape).reshape(shape).shape, dtype=x.dtype)
        try:
            y = self.library.reshape(x, shape)
        except NotImplementedError:
            y = self.library.reshape(self.library.reshape(x, (-1,)), shape)
        return y.rechunk(shape.chunks) if isinstance(shape, Shape) else y

    def broadcast_to(self, x: Array, shape: Any) -> Array:
        """dask's own version makes every new axis one chunk, however long it is."""
        chunks = list(da.core.normalize_chunks(chunks_of(shape), tuple(shape), dtype=x.dtype))
        for i in range(-min(x.ndim, len(shape)), 0):
            if x.shape[i] != 1:
                chunks[i] = x.chunks[i]
        return da.broadcast_to(x, tuple(shape), chunks=tuple(chunks))

    def repeat(self, x: Array, repeats: Any, /, *, axis: int | None = None) -> Array:
        if not isinstance(repeats, int):
            raise NotImplementedError(f"backend 'dask' cannot do repeat by an array: {DATA_DEPENDENT}")
        flat, axis = (self.reshape(x, (-1,)), 0) if axis is None else (x, axis)
        return self.library.repeat(flat, repeats, axis=axis)

    def eye(
        self, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
    ) -> Array:
        """dask's own version supports square chunks only; for others its graph has wrong keys."""
        return (self._diagonals(n_rows, n_rows if n_cols is None else n_cols) == k).astype(dtype or np.float64)

    def tril(self, x: Array, /, *, k: int = 0) -> Array:
        return self.mask(x, self._diagonals(*x.shape[-2:]) <= k)

    def triu(self, x: Array, /, *, k: int = 0) -> Array:
        return self.mask(x, self._diagonals(*x.shape[-2:]) >= k)

    def _diagonals(self, n_rows: int, n_cols: int) -> Array:
        """For each element of a matrix, the number of its diagonal."""
        return self.arange(n_cols)[None, :] - self.arange(n_rows)[:, None]

    # --- reductions ---

    def tensordot(self, x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
        """dask's own version miscounts negative axes."""
        if not isinstance(axes, int):
            axes = tuple(tuple(a % x.ndim for a in part) for part, x in zip(axes, (x1, x2), strict=True))
        return self.library.tensordot(x1, x2, axes=axes)

    def matmul(self, x1: Array, x2: Array, /) -> Array:
        """If the summed axis is one chunk: one task for each block of the result. dask's own version makes three layers."""
        in_one_chunk = x1.ndim == x2.ndim == 2 and len(x1.chunks[1]) == len(x2.chunks[0]) == 1
        if not in_one_chunk or x1.shape[1] != x2.shape[0]:
            return self.library.matmul(x1, x2)
        dtype = np.result_type(x1.dtype, x2.dtype)
        hollow = np.empty((0, 0), dtype)
        return da.blockwise(np.matmul, "ij", x1, "ik", x2, "kj", concatenate=True, dtype=dtype, meta=hollow)

    def max(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        return self._extreme("max", x, axis=axis, keepdims=keepdims)

    def min(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        return self._extreme("min", x, axis=axis, keepdims=keepdims)

    def sort(self, x: Array, /, *, axis: int = -1, **options: Any) -> Array:
        return self.library.sort(x.rechunk({axis % x.ndim: -1}), axis=axis, **options)

    def argsort(self, x: Array, /, *, axis: int = -1, **options: Any) -> Array:
        return self.library.argsort(x.rechunk({axis % x.ndim: -1}), axis=axis, **options)

    def _extreme(self, name: str, x: Array, **options: Any) -> Array:
        """dask's own version refuses every array without elements. NumPy decides between an empty result and an error."""
        if 0 in x.shape:
            return self.asarray(getattr(np, name)(np.empty(x.shape, x.dtype), **options))
        return getattr(self.library, name)(x, **options)

    # --- indices ---

    def getitem(self, x: Array, key: Any) -> Array:
        parts, arrays = taken_apart(key)
        if any(array.dtype == bool for array in arrays.values()):
            raise NotImplementedError(
                f"backend 'dask' cannot do indexing by a mask: {DATA_DEPENDENT}; xgrad.where keeps it"
            )
        if not arrays:
            return x[key]
        (first, *more), others = arrays.values(), (part for i, part in enumerate(parts) if i not in arrays)
        if not more and first.ndim == 1 and first.size != 1 and all(p is ... or isinstance(p, slice) for p in others):
            # Beside other parts of a key, or for a single index, dask does not always give the right shape. It also tries
            # functions on an empty array, where complex numbers become real ones with a warning.
            with warnings.catch_warnings(action="ignore") if x.dtype.kind == "c" else nullcontext():
                return x[checked(key, x.shape)]
        hollow = np.broadcast_to(np.int8(0), x.shape)
        shape = hollow[filled(parts, arrays, [np.zeros(array.shape, int) for array in arrays.values()])].shape
        return in_one_block(read, shape, x, *arrays.values(), parts=parts, places=tuple(arrays))

    def take(self, x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
        return self.getitem(x, (slice(None),) * ((axis or 0) % x.ndim) + (indices,))

    def setitem(self, x: Array, value: Any, key: Any) -> Array:
        parts, arrays = taken_apart(key)
        if arrays:
            value = da.asarray(value, dtype=x.dtype)
            mask = arrays.get(0)
            if not value.ndim and mask is not None and mask.dtype == bool and mask.shape == x.shape:
                return da.where(mask, value, x)
            return in_one_block(write, Dask.shape_of(x), x, value, *arrays.values(), parts=parts, places=tuple(arrays))
        return super().setitem(x, value, key) if x[key].size else x

    def scatter(self, x: Array, key: Any, shape: Any) -> Array:
        parts, arrays = taken_apart(key)
        if arrays:
            options = {"parts": parts, "places": tuple(arrays), "target": tuple(shape)}
            return in_one_block(add, shape, x, *arrays.values(), **options)
        return super().scatter(x, key, shape) if x.size else self.zeros(shape, dtype=x.dtype)

    def take_along_axis(self, x: Array, indices: Array, /, *, axis: int = -1) -> Array:
        if not (x.size and indices.size):
            return self.asarray(np.take_along_axis(np.empty(x.shape, x.dtype), np.zeros(indices.shape, int), axis=axis))
        return whole(take_in_rows, "(n),(m)->(m)", x, indices, axes=[(axis,)] * 3)


def _are_alike(g: Any, x: Any, y: Any) -> bool:
    """Whether these are arrays of one shape and of one wide dtype."""
    same = all(isinstance(array, da.Array) and array.dtype == x.dtype and array.shape == x.shape for array in (g, y))
    return same and x.dtype.char in "fd"


class Dask(Backend):
    name = "dask"
    install = "pip install 'xgrad[dask]'"
    array_types: ClassVar[tuple[type, ...]] = (da.Array,) if da else ()
    raw_class = DaskRaw
    bind_device = False
    defers = True
    checks_indices = False  # an index out of range raises when the array is computed
    cannot: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("nonzero", "unique_all", "unique_counts", "unique_inverse", "unique_values"), DATA_DEPENDENT
    )

    @classmethod
    def namespace(cls) -> Any:
        import array_api_compat.dask.array as xp

        return xp

    @classmethod
    def version(cls) -> str:
        return str(import_module("dask").__version__)

    @classmethod
    def devices(cls) -> list[str]:
        if da is None:
            raise cls.not_installed(missing or ImportError())
        return ["cpu"]

    @staticmethod
    def shape_of(array: Array) -> Shape:
        shape = Shape(array.shape)
        shape.chunks = array.chunks
        return shape

    def copy(self, array: Array) -> Array:
        """A new array on the same graph. No copy is needed: chunks are never written to."""
        return array.copy()

    def fused(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        return InOneTask(rule)

    def persist(self, arrays: list[Array]) -> list[Array]:
        """Compute the arrays together. On a cluster, wait for them: tasks of the next step would keep their chunks in memory."""
        waiting = {id(array): array for array in arrays if values(array) is None}
        if not waiting:
            return arrays
        computed = import_module("dask").persist(*waiting.values(), traverse=False)
        distributed = sys.modules.get("distributed")
        if distributed is not None and (futures := distributed.futures_of(list(computed))):
            distributed.wait(futures)
            for future in futures:
                if future.status == "error":
                    future.result()  # raises it
        found = dict(zip(waiting, computed, strict=True))
        return [found.get(id(array), array) for array in arrays]

    def look_at(self, array: Array) -> None:
        if values(array) is None:
            look(array.dask.layers)

    @property
    def on_host(self) -> bool:
        """np.asarray computes the array, as for dask's own arrays."""
        return True

    def to_numpy(self, array: Array) -> Any:
        found = values(array)
        if found is not None and len(found) == 1:
            return np.array(found[0])
        self.look_at(array)
        return np.array(array.compute())


BACKEND = Dask
