"""dask.array: arrays in chunks that are not computed until they are asked for, by threads or by the workers of a cluster.

Nothing here computes. What dask.array can do chunk by chunk it does; what it lacks runs on blocks that are whole along the axes
concerned (`_whole`), the other axes staying in chunks; indexing by several arrays at once brings its operands into one block.
"""

from __future__ import annotations

import itertools
import operator
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

from xgrad.backends.base import Backend, Raw
from xgrad.backends.special import SciPySpecial

da: Any
np: Any
try:
    da, np = import_module("dask.array"), import_module("numpy")
    _missing: Exception | None = None
except ImportError as error:
    da, np, _missing = None, None, error

Array = Any

DATA_DEPENDENT = "the shape of what it gives depends on the values, which are not computed"

# What works on vectors and matrices in the last axes. Of `n` each block has all; `k` is the smaller of m and n.
LINALG = {
    "cholesky": "(n,n)->(n,n)",
    "cross": "(n),(n)->(n)",
    "det": "(n,n)->()",
    "eig": "(n,n)->(n),(n,n)",
    "eigh": "(n,n)->(n),(n,n)",
    "eigvals": "(n,n)->(n)",
    "eigvalsh": "(n,n)->(n)",
    "inv": "(n,n)->(n,n)",
    "matrix_norm": "(m,n)->()",
    "matrix_power": "(n,n)->(n,n)",
    "matrix_rank": "(m,n)->()",
    "pinv": "(m,n)->(n,m)",
    "qr": "(m,n)->(m,k),(k,n)",
    "slogdet": "(n,n)->(),()",
    "solve": "(n,n),(n,k)->(n,k)",
    "svd": "(m,n)->(m,k),(k),(k,n)",
    "svdvals": "(m,n)->(k)",
}


class Shape(tuple[int, ...]):
    """The shape of an array, which also knows its chunks: a gradient that is given this shape again comes in these chunks."""

    chunks: tuple[tuple[int, ...], ...]


def _whole(function: Callable[..., Any], signature: str, *arrays: Array, **options: Any) -> Any:
    """NumPy's function on blocks that are whole along the axes in the signature; see `dask.array.apply_gufunc`."""
    axes, sizes = options.pop("axes", None), options.pop("sizes", None)
    cores = re.findall(r"\(([^)]*)\)", signature.partition("->")[0])
    samples = [
        np.eye(3, dtype=a.dtype) if "," in core else np.ones(3, a.dtype) for a, core in zip(arrays, cores, strict=True)
    ]
    sample = function(*samples, **options)
    several = isinstance(sample, tuple)
    metas = tuple(np.empty((0,), dtype=part.dtype) for part in (sample if several else (sample,)))
    found = da.apply_gufunc(
        function,
        signature,
        *arrays,
        axes=axes,
        output_sizes=sizes,
        meta=metas if several else metas[0],
        allow_rechunk=True,
        **options,
    )
    return type(sample)(*found) if several and hasattr(sample, "_fields") else found


class Linalg:
    """array_api_compat.numpy.linalg on blocks of whole matrices, and what dask.array has for chunked ones."""

    def __init__(self, library: Any) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Any:
        if name not in LINALG:
            return getattr(self.library, name)
        function = getattr(import_module("array_api_compat.numpy").linalg, name)
        found = self.__dict__[name] = partial(self._of_matrices, name, function)
        return found

    def _of_matrices(self, name: str, function: Any, x: Array, *others: Any, **options: Any) -> Any:
        signature, sizes = LINALG[name], {}
        if "n,n" not in signature and x.ndim > 1:
            sizes = {"k": min(x.shape[-2:])}
        if name == "svd" and options.get("full_matrices", True):
            signature = "(m,n)->(m,m),(k),(n,n)"
        elif name == "qr" and options.get("mode", "reduced") == "complete":
            signature = "(m,n)->(m,m),(m,n)"
        elif name == "solve" and others[0].ndim == 1:
            signature = "(n,n),(n)->(n)"
        elif name == "matrix_power":
            function, others = partial(_power, function, others[0]), ()
        elif name == "cross":
            axis = options.pop("axis", -1)
            options["axes"] = [(axis,)] * 3
        return _whole(function, signature, x, *others, sizes=sizes, **options)


def _power(function: Any, n: int, x: Any) -> Any:
    return function(x, n)


class FFT:
    """dask.array's transforms, which want whole axes, on axes in chunks."""

    def __init__(self, library: Any) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.library, name)
        if name.endswith(("freq", "shift")):
            return function
        found = self.__dict__[name] = partial(self._transform, function)
        return found

    @staticmethod
    def _transform(function: Any, x: Array, **options: Any) -> Any:
        last = range(-len(options.get("s") or x.shape), 0) if function.__name__.endswith("n") else (-1,)
        axes = options.get("axes") or ((options["axis"],) if "axis" in options else last)
        return function(x.rechunk({axis % x.ndim: -1 for axis in axes}), **options)


class InBlocks:
    """Elementwise functions of NumPy's arrays, block by block."""

    def __init__(self, functions: Any) -> None:
        self.functions = functions

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = partial(da.core.elemwise, getattr(self.functions, name))
        return found


class DaskRaw(Raw):
    """array_api_compat.dask.array, and what it lacks."""

    pow = staticmethod(operator.pow)  # NumPy squares what is raised to 2, and its function does not

    special: Any

    def __init__(self, library: Any, device: Any = None) -> None:
        super().__init__(library, device)
        self.linalg, self.fft, self.special = Linalg(library.linalg), FFT(library.fft), InBlocks(SciPySpecial("numpy"))

    def sign(self, x: Array, /) -> Array:
        return da.sign(x)  # array_api_compat's divides a complex 0 by 0

    def from_dlpack(self, x: Any, **options: Any) -> Array:
        return x.copy() if isinstance(x, da.Array) else da.from_array(np.from_dlpack(x, **options))

    # --- chunks ---

    def asarray(self, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Array:
        if isinstance(obj, da.Array) or copy is False:
            return self.library.asarray(obj, dtype=dtype, copy=copy)
        host = np.array(obj, dtype=dtype)
        return da.from_array(host, chunks=_chunks_of(host.shape))

    def full(self, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
        return self.library.full(shape, fill_value, dtype=dtype, chunks=_chunks_of(shape))

    def zeros(self, shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
        return self.library.zeros(shape, dtype=dtype, chunks=_chunks_of(shape))

    def ones(self, shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
        return self.library.ones(shape, dtype=dtype, chunks=_chunks_of(shape))

    def reshape(self, x: Array, shape: Any, *, copy: bool | None = None) -> Array:
        """dask's own can merge axes or split them; what does both goes by way of one axis."""
        if not x.size:
            return self.zeros(np.empty(x.shape).reshape(shape).shape, dtype=x.dtype)
        try:
            y = self.library.reshape(x, shape)
        except NotImplementedError:
            y = self.library.reshape(self.library.reshape(x, (-1,)), shape)
        return y.rechunk(shape.chunks) if isinstance(shape, Shape) else y

    def broadcast_to(self, x: Array, shape: Any) -> Array:
        """dask's own makes one chunk of every new axis, however long."""
        chunks = list(da.core.normalize_chunks(_chunks_of(shape), tuple(shape), dtype=x.dtype))
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
        """dask's own has square chunks only, and where it chooses others their keys are wrong."""
        return (self._diagonals(n_rows, n_cols or n_rows) == k).astype(dtype or np.float64)

    def tril(self, x: Array, /, *, k: int = 0) -> Array:
        return self.mask(x, self._diagonals(*x.shape[-2:]) <= k)

    def triu(self, x: Array, /, *, k: int = 0) -> Array:
        return self.mask(x, self._diagonals(*x.shape[-2:]) >= k)

    def _diagonals(self, n_rows: int, n_cols: int) -> Array:
        """For each element of a matrix the number of its diagonal."""
        return self.arange(n_cols)[None, :] - self.arange(n_rows)[:, None]

    # --- reductions ---

    def tensordot(self, x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
        """dask's own counts negative axes wrong."""
        if not isinstance(axes, int):
            axes = tuple(tuple(a % x.ndim for a in part) for part, x in zip(axes, (x1, x2), strict=True))
        return self.library.tensordot(x1, x2, axes=axes)

    def max(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        return self._extreme("max", x, axis=axis, keepdims=keepdims)

    def min(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        return self._extreme("min", x, axis=axis, keepdims=keepdims)

    def sort(self, x: Array, /, *, axis: int = -1, **options: Any) -> Array:
        return self.library.sort(x.rechunk({axis % x.ndim: -1}), axis=axis, **options)

    def argsort(self, x: Array, /, *, axis: int = -1, **options: Any) -> Array:
        return self.library.argsort(x.rechunk({axis % x.ndim: -1}), axis=axis, **options)

    def _extreme(self, name: str, x: Array, **options: Any) -> Array:
        """dask's own refuses every array without elements: there NumPy says what is an empty result and what an error."""
        if 0 in x.shape:
            return self.asarray(getattr(np, name)(np.empty(x.shape, x.dtype), **options))
        return getattr(self.library, name)(x, **options)

    # --- indices ---

    def getitem(self, x: Array, key: Any) -> Array:
        parts, arrays = _taken_apart(key)
        if any(array.dtype == bool for array in arrays.values()):
            raise NotImplementedError(
                f"backend 'dask' cannot do indexing by a mask: {DATA_DEPENDENT}; xgrad.where keeps it"
            )
        if not arrays:
            return x[key]
        (first, *more), others = arrays.values(), (part for i, part in enumerate(parts) if i not in arrays)
        if not more and first.ndim == 1 and first.size != 1 and all(p is ... or isinstance(p, slice) for p in others):
            # (beside other parts, and of a single index, dask does not always make the right shape)
            with warnings.catch_warnings():  # of complex numbers made real: dask tries it on an array without elements
                warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
                return x[_checked(key, x.shape)]
        hollow = np.broadcast_to(np.int8(0), x.shape)
        shape = hollow[_filled(parts, arrays, [np.zeros(array.shape, int) for array in arrays.values()])].shape
        return _in_one_block(_read, shape, x, *arrays.values(), parts=parts, places=tuple(arrays))

    def take(self, x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
        return self.getitem(x, (slice(None),) * ((axis or 0) % x.ndim) + (indices,))

    def setitem(self, x: Array, value: Any, key: Any) -> Array:
        parts, arrays = _taken_apart(key)
        if arrays:
            value = da.asarray(value, dtype=x.dtype)
            return _in_one_block(
                _write, Dask.shape_of(x), x, value, *arrays.values(), parts=parts, places=tuple(arrays)
            )
        return super().setitem(x, value, key) if x[key].size else x

    def scatter(self, x: Array, key: Any, shape: Any) -> Array:
        parts, arrays = _taken_apart(key)
        if arrays:
            options = {"parts": parts, "places": tuple(arrays), "target": tuple(shape)}
            return _in_one_block(_add, shape, x, *arrays.values(), **options)
        return super().scatter(x, key, shape) if x.size else self.zeros(shape, dtype=x.dtype)

    def take_along_axis(self, x: Array, indices: Array, /, *, axis: int = -1) -> Array:
        if not (x.size and indices.size):
            return self.asarray(np.take_along_axis(np.empty(x.shape, x.dtype), np.zeros(indices.shape, int), axis=axis))
        return _whole(_take_in_rows, "(n),(m)->(m)", x, indices, axes=[(axis,)] * 3)


def _chunks_of(shape: Any) -> Any:
    """The chunks for an array of that shape: those of the array that it is the shape of, or dask's choice."""
    if isinstance(shape, int):
        return "auto"
    return getattr(shape, "chunks", tuple(shape) if 0 in shape else ("auto",) * len(shape))


def _take_in_rows(x: Any, indices: Any) -> Any:
    return np.take_along_axis(x, indices, axis=-1)


# --- indexing by arrays, in one block -----------------------------------------------------------------------


def _taken_apart(key: Any) -> tuple[tuple[Any, ...], dict[int, Array]]:
    """The parts of a key, and those among them that are arrays, by their places."""
    parts = key if isinstance(key, tuple) else (key,)
    arrays = {i: da.asarray(part) for i, part in enumerate(parts) if isinstance(part, list) or hasattr(part, "dtype")}
    return tuple(None if i in arrays else part for i, part in enumerate(parts)), arrays


def _checked(key: Any, shape: tuple[int, ...]) -> Any:
    """The key, whose one array is an error where it turns out to be out of range: dask would leave such elements out."""
    parts, arrays = _taken_apart(key)
    ((place, indices),) = arrays.items()
    axis = place - len(parts) if ... in parts[:place] else place
    return (*parts[:place], indices.map_blocks(_in_range, shape[axis], dtype=indices.dtype), *parts[place + 1 :])


def _in_range(indices: Any, n: int) -> Any:
    if indices.size and (indices.min() < -n or indices.max() >= n):
        raise IndexError(f"an index is out of range: it must lie in {-n} to {n - 1}")
    return indices


def _filled(parts: tuple[Any, ...], places: Iterable[int], arrays: Iterable[Any]) -> tuple[Any, ...]:
    given = dict(zip(places, arrays, strict=True))
    return tuple(given.get(i, part) for i, part in enumerate(parts))


def _in_one_block(
    function: Callable[..., Any], shape: tuple[int, ...], x: Array, *others: Array, **options: Any
) -> Array:
    """The function of arrays that are brought together whole."""
    counted = itertools.count(len(shape))
    operands = [part for array in (x, *others) for part in (array, tuple(itertools.islice(counted, array.ndim)))]
    made = da.blockwise(
        function,
        tuple(range(len(shape))),
        *operands,
        new_axes=dict(enumerate(shape)),
        concatenate=True,
        align_arrays=False,
        meta=np.empty((0,) * len(shape), dtype=x.dtype),
        **options,
    )
    return made.rechunk(_chunks_of(shape))


def _read(x: Any, *arrays: Any, parts: Any, places: Any) -> Any:
    return x[_filled(parts, places, arrays)]


def _write(x: Any, value: Any, *arrays: Any, parts: Any, places: Any) -> Any:
    y = np.array(x)
    y[_filled(parts, places, arrays)] = value
    return y


def _add(x: Any, *arrays: Any, parts: Any, places: Any, target: tuple[int, ...]) -> Any:
    y = np.zeros(target, x.dtype)
    np.add.at(y, _filled(parts, places, arrays), x)
    return y


class Dask(Backend):
    name = "dask"
    install = "pip install 'xgrad[dask]'"
    array_types: ClassVar[tuple[type, ...]] = (da.Array,) if da else ()
    raw_class = DaskRaw
    bind_device = False
    checks_indices = False  # they are found out of range when they are computed
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
            raise cls.not_installed(_missing or ImportError())
        return ["cpu"]

    @staticmethod
    def shape_of(array: Array) -> Shape:
        shape = Shape(array.shape)
        shape.chunks = array.chunks
        return shape

    def copy(self, array: Array) -> Array:
        """Another array on the same graph: chunks are never written to."""
        return array.copy()

    def persist(self, arrays: list[Array]) -> list[Array]:
        """On a cluster this waits: the next step would ask for the same chunks, and they would be held until it comes to them."""
        computed = list(import_module("dask").persist(*arrays))
        distributed = sys.modules.get("distributed")
        if distributed is not None and (futures := distributed.futures_of(computed)):
            distributed.wait(futures)
            for future in futures:
                if future.status == "error":
                    future.result()  # raises it
        return computed

    def to_numpy(self, array: Array) -> Any:
        return np.array(array.compute())


BACKEND = Dask
