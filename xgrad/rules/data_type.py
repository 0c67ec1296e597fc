"""Data types: conversion, which is differentiable, and questions about dtypes, which are the backend's to answer."""

from __future__ import annotations

from typing import Any

from xgrad.dispatch import apply, backend_of
from xgrad.op import Multilinear
from xgrad.registry import public
from xgrad.rules.creation import creation as of_backend
from xgrad.tensor import Tensor

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
    if not copy and isinstance(x, Tensor) and x.dtype == dtype:
        return x
    y = cast(x, dtype)
    return y if device is None else y.to_device(device)


@of_backend(NOT_AN_ARRAY)
def can_cast(backend: Any, from_: Any, to: Any, /) -> bool:
    """Whether one dtype can be converted to the other by the rules of type promotion."""
    return bool(_home(backend, from_).xp.can_cast(_dtype(from_), to))


@of_backend(NOT_AN_ARRAY)
def finfo(backend: Any, type: Any, /) -> Any:
    """The limits of a floating-point dtype: bits, eps, max, min, smallest_normal."""
    return _home(backend, type).xp.finfo(_dtype(type))


@of_backend(NOT_AN_ARRAY)
def iinfo(backend: Any, type: Any, /) -> Any:
    """The limits of an integer dtype: bits, max, min."""
    return _home(backend, type).xp.iinfo(_dtype(type))


@of_backend(NOT_AN_ARRAY)
def isdtype(backend: Any, dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: another dtype, a name such as 'real floating', or a tuple of these."""
    return bool(backend.xp.isdtype(dtype, kind))


@of_backend(NOT_AN_ARRAY)
def result_type(backend: Any, *arrays_and_dtypes: Any) -> Any:
    """The dtype that arrays, dtypes and numbers have together."""
    tensors = [a for a in arrays_and_dtypes if isinstance(a, Tensor)]
    home = backend_of("result_type", tensors) if tensors else backend
    return home.xp.result_type(*(_dtype(a) for a in arrays_and_dtypes))


def _dtype(value: Any) -> Any:
    return value.dtype if isinstance(value, Tensor) else value


def _home(backend: Any, value: Any) -> Any:
    return value.backend if isinstance(value, Tensor) else backend
