"""Functions that dask.array lacks, made of NumPy's functions on blocks. dask.py uses them. Nothing here computes.

`whole` applies a function to blocks that are whole along some axes; the other axes stay in chunks. Indexing by several arrays at
once brings its operands into one block.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any

from xgrad.backends.base import Backend
from xgrad.backends.special import Special

da: Any
np: Any
try:
    da, np = import_module("dask.array"), import_module("numpy")
    missing: Exception | None = None
except ImportError as error:
    da, np, missing = None, None, error

Array = Any

# The signatures of functions of vectors and matrices in the last axes. Each block has the whole of these; k = min(m, n).
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
    """The shape of an array, with its chunks. A gradient that is made in this shape gets the same chunks."""

    chunks: tuple[tuple[int, ...], ...]


def chunks_of(shape: Any) -> Any:
    """The chunks for a new array of that shape: those of the array whose `Shape` it is, otherwise dask's choice."""
    if isinstance(shape, int):
        return "auto"
    return getattr(shape, "chunks", tuple(shape) if 0 in shape else ("auto",) * len(shape))


def values(array: Array) -> list[Any] | None:
    """The blocks as NumPy arrays, if all are computed and in this process's memory; otherwise None."""
    layers = array.dask.layers
    layer = layers.get(array.name) if len(layers) == 1 else None
    mapping = getattr(layer, "mapping", None)
    if mapping is None or len(mapping) != array.npartitions:
        return None
    blocks = list(mapping.values())
    return blocks if all(isinstance(block, np.ndarray | np.generic) for block in blocks) else None


# --- whole axes and matrices ------------------------------------------------------------------------------


def whole(function: Callable[..., Any], signature: str, *arrays: Array, **options: Any) -> Any:
    """Apply NumPy's function to blocks that are whole along the signature's axes; see `dask.array.apply_gufunc`."""
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
    """array_api_compat.numpy.linalg on blocks of whole matrices, and dask.array's functions for chunked matrices."""

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
        return whole(function, signature, x, *others, sizes=sizes, **options)


def _power(function: Any, n: int, x: Any) -> Any:
    return function(x, n)


class FFT:
    """dask.array's transforms need whole axes: here the axes are rechunked first."""

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


class InBlocks(Special):
    """The special functions of NumPy's arrays, block by block."""

    library = "dask"

    def _found(self, name: str) -> Any:
        function = getattr(Backend.load("numpy", None).xp.special, name)
        # dask's elemwise does not pass the function's own keywords on
        return lambda *args, **options: da.core.elemwise(partial(function, **options) if options else function, *args)


def _in_blocks(name: str) -> Any:
    return lambda self, *args, **kwargs: self._found(name)(*args, **kwargs)


_BY_FORMULA = (
    *(
        "logit",
        "xlogy",
        "xlog1py",
        "entr",
        "rel_entr",
        "kl_div",
        "derivative",
        "polygamma",
        "gamma_slope",
        "beta_slope",
    ),
    *("gammaincln", "gammainccln", "betaincc", "betaincln", "betainccln", "stdtr", "stdtrit"),
)
for _name in _BY_FORMULA:
    setattr(InBlocks, _name, _in_blocks(_name))


def take_in_rows(x: Any, indices: Any) -> Any:
    return np.take_along_axis(x, indices, axis=-1)


# --- indexing by arrays, in one block -----------------------------------------------------------------------


def taken_apart(key: Any) -> tuple[tuple[Any, ...], dict[int, Array]]:
    """The parts of a key, and a dict of the arrays among them by their positions."""
    parts = key if isinstance(key, tuple) else (key,)
    arrays = {i: da.asarray(part) for i, part in enumerate(parts) if isinstance(part, list | np.ndarray | da.Array)}
    return tuple(None if i in arrays else part for i, part in enumerate(parts)), arrays


def checked(key: Any, shape: tuple[int, ...]) -> Any:
    """The key, with a check of its one array that raises at compute time. dask itself would leave out elements out of range."""
    parts, arrays = taken_apart(key)
    ((place, indices),) = arrays.items()
    axis = place - len(parts) if ... in parts[:place] else place
    return (*parts[:place], indices.map_blocks(_in_range, shape[axis], dtype=indices.dtype), *parts[place + 1 :])


def _in_range(indices: Any, n: int) -> Any:
    if indices.size and (indices.min() < -n or indices.max() >= n):
        raise IndexError(f"an index is out of range: it must lie in {-n} to {n - 1}")
    return indices


def filled(parts: tuple[Any, ...], places: Iterable[int], arrays: Iterable[Any]) -> tuple[Any, ...]:
    given = dict(zip(places, arrays, strict=True))
    return tuple(given.get(i, part) for i, part in enumerate(parts))


def in_one_block(
    function: Callable[..., Any], shape: tuple[int, ...], x: Array, *others: Array, **options: Any
) -> Array:
    """Apply the function to whole arrays, each rechunked into one block."""
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
    return made.rechunk(chunks_of(shape))


def read(x: Any, *arrays: Any, parts: Any, places: Any) -> Any:
    return x[filled(parts, places, arrays)]


def write(x: Any, value: Any, *arrays: Any, parts: Any, places: Any) -> Any:
    y = np.array(x)
    y[filled(parts, places, arrays)] = value
    return y


def add(x: Any, *arrays: Any, parts: Any, places: Any, target: tuple[int, ...]) -> Any:
    y = np.zeros(target, x.dtype)
    np.add.at(y, filled(parts, places, arrays), x)
    return y
