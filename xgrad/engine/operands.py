"""Operands for functions that look at shapes: numbers become tensors, and values that are not arrays are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xgrad.backends import is_host_data, owner
from xgrad.backends.data import REAL, is_scalar, rank_of_number
from xgrad.engine.arguments import as_scalar, backend_of, unfit
from xgrad.engine.plain import plain_types
from xgrad.engine.tape import is_recording
from xgrad.engine.tensor import Tensor, wrap


def operand(name: str, x: Any) -> Any:
    """x as an array with a shape: a number becomes a 0-d tensor, and a NumPy array a tensor on the current backend.

    Raises TypeError for anything that is no array and no number.
    """
    return x if isinstance(x, Tensor) else as_tensors(name, (x,))[0]


def beside(name: str, x: Any, value: Any) -> Any:
    """A value that belongs to x but has its own dtype, such as an index or a class number: a number becomes a 0-d tensor."""
    if not is_scalar(value):
        return operand(name, value)
    backend = backend_of(name, (x,))
    return wrap(backend.asarray(as_scalar(backend, value)), backend)


def together(name: str, *arrays: Any) -> tuple[Any, ...]:
    """The arguments of one call, with the NumPy arrays among them as tensors on the backend of the others."""
    if not any(is_host_data(array) for array in arrays):
        return arrays
    backend = backend_of(name, [array for array in arrays if array is not None])
    return tuple(wrap(backend.adopt(array), backend) if is_host_data(array) else array for array in arrays)


def own_indices(x: Any, indices: Any) -> Any:
    """Indices that are saved for backward: a copy of a raw array, which the caller may change."""
    if isinstance(indices, Tensor) or not getattr(x, "requires_grad", False) or not is_recording():
        return indices
    backend = None if is_scalar(indices) else owner(indices)
    return indices if backend is None else backend.copy(indices)


def as_tensors(name: str, arrays: Iterable[Any]) -> tuple[Any, ...]:
    """The arrays, with the numbers and NumPy arrays among them as tensors.

    A number takes the dtype of the others, as the standard says of Python scalars.
    """
    arrays = tuple(arrays)
    if plain_types.issuperset(map(type, arrays)):
        return arrays
    for array in arrays:
        if not (isinstance(array, Tensor) or is_scalar(array) or hasattr(array, "shape")):
            raise TypeError(unfit(name, array, backend_of(name, [a for a in arrays if hasattr(a, "shape")])))
    arrays = together(name, *arrays)
    if not any(is_scalar(array) for array in arrays):
        return arrays
    backend = backend_of(name, arrays)
    dtypes = [array.dtype for array in arrays if not is_scalar(array)]
    inexact = [dtype for dtype in dtypes if backend.is_inexact(dtype)]
    common = backend.library.result_type(*(inexact or dtypes)) if dtypes else None

    def tensor(number: Any) -> Tensor:
        return wrap(backend.asarray(number, dtype=_dtype_beside(backend, number, common)), backend)

    return tuple(tensor(as_scalar(backend, array)) if is_scalar(array) else array for array in arrays)


def _dtype_beside(backend: Any, number: Any, common: Any) -> Any:
    """The dtype that a number gets beside arrays of dtype `common`; None means the default of its kind."""
    if common is None:
        return None
    of_number, of_arrays = rank_of_number(number), backend.rank(common)
    if of_number <= of_arrays:
        return common
    return backend.library.result_type(common, backend.library.complex64) if of_arrays == REAL else None
