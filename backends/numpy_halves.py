"""Half precision on NumPy: bfloat16, where ml_dtypes is installed, and products, which are computed in float32.

NumPy multiplies float16 matrices element by element: two matrices of 256 x 256 take 450 ms, and 1.4 ms by way of float32 and
BLAS. The sums in a product are then of float32, and are rounded once, as on GPUs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np

from xgrad.backends.lazily import compatible

# float16, and bfloat16 once such a dtype was seen. The backend, its namespaces and the rules share this set.
NARROW: set[Any] = {np.dtype(np.float16)}
# Complex dtypes, and bfloat16 likewise: beside a Python number it becomes float32 for NumPy, so the general way is needed.
GENERAL: set[Any] = set()


def _quietly() -> Any:
    """A block without warnings of overflow: a GradScaler looks for gradients that are infinite, and some are expected."""
    return np.errstate(over="ignore", invalid="ignore")


class Library:
    """array_api_compat's namespace of NumPy, and bfloat16: that of ml_dtypes, which is imported on first use."""

    def __init__(self) -> None:
        self._numpy = compatible("numpy")
        self.__name__ = self._numpy.__name__

    def __getattr__(self, name: str) -> Any:
        found = _bfloat16() if name == "bfloat16" else getattr(self._numpy, name)
        self.__dict__[name] = found
        return found

    def __dir__(self) -> list[str]:
        return dir(self._numpy)

    def isdtype(self, dtype: Any, kind: Any) -> bool:
        if not is_bfloat16(dtype):
            return bool(self._numpy.isdtype(dtype, kind))
        kinds = kind if isinstance(kind, tuple) else (kind,)
        return any(each in ("real floating", "numeric") if isinstance(each, str) else each == dtype for each in kinds)

    def finfo(self, type: Any) -> Any:
        dtype = getattr(type, "dtype", type)
        return import_module("ml_dtypes").finfo(dtype) if is_bfloat16(dtype) else self._numpy.finfo(type)


def _bfloat16() -> Any:
    try:
        dtype = np.dtype(import_module("ml_dtypes").bfloat16)
    except ImportError:
        raise AttributeError("NumPy has bfloat16 where ml_dtypes is installed") from None
    return _seen(dtype)


def _seen(dtype: Any) -> Any:
    NARROW.add(dtype)
    GENERAL.add(dtype)
    return dtype


def is_bfloat16(dtype: Any) -> bool:
    """Whether this is ml_dtypes' bfloat16: as a dtype of an array, or as the class that dtype objects are made of."""
    if getattr(dtype, "kind", "V") != "V" or getattr(dtype, "name", getattr(dtype, "__name__", "")) != "bfloat16":
        return False
    if dtype not in NARROW:
        _seen(np.dtype(dtype))
    return True


def library() -> Library:
    """The one library of this kind."""
    if not _libraries:
        _libraries.append(Library())
    return _libraries[0]


_libraries: list[Library] = []


def halved(x: Any, dtype: Any, copy: bool) -> Any:
    """The array in half precision."""
    if x.dtype.kind == "c":  # without a warning of the imaginary part, as array_api_compat does it
        x = x.real
    with _quietly():
        return x.astype(dtype, copy=copy)


def beside_numbers(operands: list[Any]) -> list[Any]:
    """The operands, with bfloat16 arrays in the place of numbers where all arrays are bfloat16.

    For NumPy, a Python number beside ml_dtypes' bfloat16 is a float32.
    """
    kinds = {each.dtype for each in operands if hasattr(each, "dtype") and each.dtype.kind != "b"}
    if len(kinds) != 1 or not is_bfloat16(dtype := kinds.pop()):
        return operands
    return [np.array(each, dtype=dtype) if type(each) in (float, int, bool) else each for each in operands]


def matmul(a: Any, b: Any) -> Any:
    """The matrix product of arrays whose elements have two bytes."""
    if a.dtype not in NARROW or b.dtype not in NARROW:  # int16, or promoted by NumPy
        return np.matmul(a, b)
    dtype = np.result_type(a.dtype, b.dtype)
    with _quietly():
        return np.matmul(_wide(a), _wide(b)).astype(dtype)


def linear(x: Any, weight: Any, bias: Any) -> Any:
    """x @ weight.T + bias of arrays of one dtype whose elements have two bytes."""
    if x.dtype not in NARROW:
        return np.matmul(x, weight.T) + bias
    with _quietly():
        return (np.matmul(_wide(x), _wide(weight).T) + bias).astype(x.dtype)


def wide(arrays: Sequence[Any]) -> Sequence[Any]:
    """The arrays of half precision in float32, and all else as it is."""
    return (
        [_wide(each) for each in arrays] if any(getattr(each, "dtype", None) in NARROW for each in arrays) else arrays
    )


def widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the raw namespace whose half-precision arrays are computed with in float32, and whose results are rounded.

    It looks at the first array, because an operation's arrays have one dtype; others are cast where they are of half precision.
    """

    @wraps(function)
    def computed(self: Any, x: Any, *others: Any, **options: Any) -> Any:
        if x.itemsize != 2 or x.dtype not in NARROW:
            return function(self, x, *others, **options)
        arrays = [x, *others]
        dtype = np.result_type(*(each.dtype for each in arrays if hasattr(each, "dtype") and each.dtype.kind != "b"))
        with _quietly():
            return _narrow(function(self, *map(_wide, arrays), **options), dtype)

    return computed


def in_float32(name: str) -> Callable[..., Any]:
    """A method for the raw namespace: the library's function of that name, computed in float32 for half-precision arrays."""

    def function(self: Any, x: Any, *others: Any, **options: Any) -> Any:
        return getattr(self.library, name)(x, *others, **options)

    return widened(function)


class Widened:
    """A module whose functions compute in float32 for bfloat16 arrays, and round their results."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._module, name)

        @wraps(function, updated=())
        def computed(*args: Any, **options: Any) -> Any:
            if len(NARROW) == 1 or not any(is_bfloat16(each.dtype) for each in args if hasattr(each, "dtype")):
                return function(*args, **options)
            dtype = np.result_type(*(each.dtype for each in args if hasattr(each, "dtype")))
            return _narrow(function(*map(_wide, args), **options), dtype)

        self.__dict__[name] = computed
        return computed


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if hasattr(x, "dtype") and x.dtype in NARROW else x


def _narrow(found: Any, dtype: Any) -> Any:
    if isinstance(found, tuple | list):
        return type(found)(_narrow(each, dtype) for each in found)
    return found.astype(dtype, copy=False) if hasattr(found, "dtype") and found.dtype.kind == "f" else found
