"""Data types: conversion, which is differentiable, and questions about dtypes, which are the backend's to answer."""

from __future__ import annotations

from typing import Any

from xgrad.backends import is_host_data
from xgrad.backends.data import is_scalar
from xgrad.backends.dtype_names import DTYPES
from xgrad.engine.arguments import backend_of
from xgrad.engine.dispatch import apply
from xgrad.engine.op import Multilinear
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.declare import of_backend

NOT_AN_ARRAY = "not differentiable: it is about dtypes"

_cast = Multilinear("cast", ("x",), (lambda xp, g: g,))  # cast back by the engine


@public("cast", "rule")
def cast(x: Any, /, dtype: Any) -> Tensor:
    """x in another dtype, always as a copy."""
    return apply(_cast, (x,), {"dtype": dtype})


@public("astype", "composition")
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """x in another dtype. The gradient comes back in the dtype of x; an integer result has none.

    >>> import xgrad as xg
    >>> xg.astype(xg.asarray([1.9]), xg.int64).numpy().tolist()
    [1]
    """
    if not copy and isinstance(x, Tensor) and x.dtype == x.backend.as_dtype(dtype):
        return x
    y = cast(x, dtype)
    return y if device is None else y.to_device(device)


@of_backend(NOT_AN_ARRAY)
def can_cast(backend: Any, from_: Any, to: Any, /) -> bool:
    """Whether one dtype can be converted to the other by the rules of type promotion."""
    owner_backend = _backend_of(backend, from_)
    return bool(owner_backend.xp.can_cast(_dtype(owner_backend, from_), owner_backend.as_dtype(to)))


@of_backend(NOT_AN_ARRAY)
def finfo(backend: Any, type: Any, /) -> Any:
    """The limits of a floating-point dtype: bits, eps, max, min, smallest_normal."""
    owner_backend = _backend_of(backend, type)
    return owner_backend.xp.finfo(_dtype(owner_backend, type))


@of_backend(NOT_AN_ARRAY)
def iinfo(backend: Any, type: Any, /) -> Any:
    """The limits of an integer dtype: bits, max, min."""
    owner_backend = _backend_of(backend, type)
    return owner_backend.xp.iinfo(_dtype(owner_backend, type))


@of_backend(NOT_AN_ARRAY)
def isdtype(backend: Any, dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: another dtype, a name such as 'real floating', or a tuple of these."""
    kinds = tuple(_kind(backend, each) for each in (kind if isinstance(kind, tuple) else (kind,)))
    return bool(backend.xp.isdtype(backend.as_dtype(dtype), kinds))


def _kind(backend: Any, kind: Any) -> Any:
    """A name such as 'real floating' as it is, and a dtype as the backend's."""
    return kind if isinstance(kind, str) and kind not in DTYPES else backend.as_dtype(kind)


@of_backend(NOT_AN_ARRAY)
def result_type(backend: Any, *arrays_and_dtypes: Any) -> Any:
    """The dtype that arrays, dtypes and numbers have together."""
    arrays = [a for a in arrays_and_dtypes if hasattr(a, "shape")]
    owner_backend = backend_of("result_type", arrays) if arrays else backend
    return owner_backend.xp.result_type(
        *(owner_backend.adopt(a).dtype if is_host_data(a) else _dtype(owner_backend, a) for a in arrays_and_dtypes)
    )


def _dtype(owner_backend: Any, value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.dtype
    return value if is_scalar(value) or hasattr(value, "shape") else owner_backend.as_dtype(value)


def _backend_of(backend: Any, value: Any) -> Any:
    return value.backend if isinstance(value, Tensor) else backend
