"""Data types: conversion, which is differentiable, and questions about dtypes, which are the backend's to answer."""

from __future__ import annotations

from typing import Any

from xgrad.backends import get_backend
from xgrad.dispatch import apply, backend_of
from xgrad.op import Multilinear
from xgrad.registry import public
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


@public("can_cast", NOT_AN_ARRAY)
def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether one dtype can be converted to the other by the rules of type promotion."""
    if isinstance(from_, Tensor):
        from_ = from_.dtype
    return bool(get_backend().xp.can_cast(from_, to))


@public("finfo", NOT_AN_ARRAY)
def finfo(type: Any, /) -> Any:
    """The limits of a floating-point dtype: bits, eps, max, min, smallest_normal."""
    return _backend_of_dtype(type).xp.finfo(_dtype(type))


@public("iinfo", NOT_AN_ARRAY)
def iinfo(type: Any, /) -> Any:
    """The limits of an integer dtype: bits, max, min."""
    return _backend_of_dtype(type).xp.iinfo(_dtype(type))


@public("isdtype", NOT_AN_ARRAY)
def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: another dtype, a name such as 'real floating', or a tuple of these."""
    return bool(get_backend().xp.isdtype(dtype, kind))


@public("result_type", NOT_AN_ARRAY)
def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that arrays, dtypes and numbers have together."""
    backend = backend_of("result_type", [a for a in arrays_and_dtypes if isinstance(a, Tensor)])
    return backend.xp.result_type(*(a.data if isinstance(a, Tensor) else a for a in arrays_and_dtypes))


def _dtype(type: Any) -> Any:
    return type.dtype if isinstance(type, Tensor) else type


def _backend_of_dtype(type: Any) -> Any:
    return type.backend if isinstance(type, Tensor) else get_backend()
