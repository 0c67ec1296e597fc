"""Data types: conversion, which is differentiable, and questions about dtypes, which the backend answers."""

from __future__ import annotations

from typing import Any

from xgrad.backends import is_host_data
from xgrad.backends.data import INTEGRAL, is_scalar
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
    """x in another dtype, always as a copy.

    >>> import xgrad as xg
    >>> xg.cast(xg.asarray([1.9, -1.9]), xg.int64).tolist()
    [1, -1]

    Args:
        dtype: the dtype of the result: the backend's own object, xgrad's, or a name; None means that of x.

    Returns:
        A tensor of the shape of x. Numbers become integers by dropping the fraction. Of complex numbers, a real dtype keeps the
        real part.

    Derivative:
        The cotangent comes back in the dtype of x. None comes back through integers and booleans.

    https://data-apis.org/array-api/latest/API_specification/generated/array_api.astype.html
    """
    return apply(_cast, (x,), {"dtype": dtype})


@public("astype", "composition")
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """x in another dtype.

    >>> import xgrad as xg
    >>> xg.astype(xg.asarray([1.9]), xg.int64).tolist()
    [1]

    Args:
        dtype: the dtype of the result: the backend's own object, xgrad's, or a name.
        copy: whether the result is a copy also where x has that dtype already; if False, it is then x itself.

    Returns:
        A tensor of the shape of x. Numbers become integers by dropping the fraction. Of complex numbers, a real dtype keeps the
        real part.

    Derivative:
        The cotangent comes back in the dtype of x. None comes back through integers and booleans.
    """
    if not copy and isinstance(x, Tensor) and x.dtype == x.backend.as_dtype(dtype):
        return x
    y = cast(x, dtype)
    return y if device is None else y.to_device(device)


@of_backend(NOT_AN_ARRAY)
def can_cast(backend: Any, from_: Any, to: Any, /) -> bool:
    """Whether one dtype can be converted to another by the rules of type promotion.

    The library of the backend answers. PyTorch also allows to narrow a dtype within its kind, as from float64 to float32.

    >>> import xgrad as xg
    >>> xg.can_cast(xg.int8, xg.int16), xg.can_cast(xg.float32, xg.int32)
    (True, False)

    Args:
        from_: a dtype, or an array, whose dtype it then is.
        to: a dtype.

    Returns:
        A bool of Python's.

    Raises:
        TypeError: for the name of a dtype that the backend does not have.
    """
    owner_backend = _backend_of(backend, from_)
    return bool(owner_backend.xp.can_cast(_dtype(owner_backend, from_), owner_backend.as_dtype(to)))


@of_backend(NOT_AN_ARRAY)
def finfo(backend: Any, type: Any, /) -> Any:
    """The limits of a floating-point dtype.

    >>> import xgrad as xg
    >>> xg.finfo(xg.float32).bits, float(xg.finfo(xg.float64).eps)
    (32, 2.220446049250313e-16)

    Args:
        type: a real or complex floating-point dtype, or a tensor of one. For a complex dtype, the limits are those of its parts.

    Returns:
        The object that the library has for it, with the attributes bits, eps, max, min, smallest_normal and dtype.

    Raises:
        TypeError: for the name of a dtype that the backend does not have.
        ValueError: for integers and booleans.
    """
    owner_backend = _backend_of(backend, type)
    dtype = _dtype_of(owner_backend, type)
    if not owner_backend.is_inexact(dtype):
        raise ValueError(f"finfo: expected a floating-point dtype, not {dtype}; iinfo is of integers")
    return owner_backend.xp.finfo(dtype)


@of_backend(NOT_AN_ARRAY)
def iinfo(backend: Any, type: Any, /) -> Any:
    """The limits of an integer dtype.

    >>> import xgrad as xg
    >>> int(xg.iinfo(xg.int8).max)
    127

    Args:
        type: an integer dtype, or a tensor of one.

    Returns:
        The object that the library has for it, with the attributes bits, max, min and dtype.

    Raises:
        TypeError: for the name of a dtype that the backend does not have.
        ValueError: for other dtypes.
    """
    owner_backend = _backend_of(backend, type)
    dtype = _dtype_of(owner_backend, type)
    if owner_backend.rank(dtype) != INTEGRAL:
        raise ValueError(f"iinfo: expected an integer dtype, not {dtype}; finfo is of floating-point numbers")
    return owner_backend.xp.iinfo(dtype)


@of_backend(NOT_AN_ARRAY)
def isdtype(backend: Any, dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind.

    >>> import xgrad as xg
    >>> xg.isdtype(xg.float32, "real floating"), xg.isdtype(xg.float32, ("integral", "bool"))
    (True, False)

    Args:
        dtype: a dtype of the backend, or its name.
        kind: another dtype; or one of the names bool, signed integer, unsigned integer, integral, real floating, complex floating
            and numeric; or a tuple of these, of which one has to fit.

    Returns:
        A bool of Python's.

    Raises:
        TypeError: for the name of a dtype that the backend does not have.
        ValueError: for a kind of another name.
    """
    kinds = tuple(_kind(backend, each) for each in (kind if isinstance(kind, tuple) else (kind,)))
    return bool(backend.xp.isdtype(backend.as_dtype(dtype), kinds))


def _kind(backend: Any, kind: Any) -> Any:
    """The name of a kind unchanged; a dtype as the backend's own object."""
    return kind if isinstance(kind, str) and kind not in DTYPES else backend.as_dtype(kind)


@of_backend(NOT_AN_ARRAY)
def result_type(backend: Any, *arrays_and_dtypes: Any) -> Any:
    """The dtype that arrays, dtypes and numbers promote to.

    A number takes the dtype of the arrays and dtypes that it stands with. What the standard leaves open (integers with floats,
    say), the library decides.

    >>> import xgrad as xg
    >>> xg.result_type(xg.int8, xg.int16) == xg.int16, xg.result_type(xg.asarray(1.0, dtype=xg.float32), 2.5) == xg.float32
    (True, True)

    Args:
        arrays_and_dtypes: arrays, dtypes and numbers; one of them at least.

    Returns:
        A dtype of the backend.

    Raises:
        TypeError: for the name of a dtype that the backend does not have; for dtypes without a common one (RuntimeError in
            PyTorch).
        ValueError: without arguments.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    arrays = [a for a in arrays_and_dtypes if hasattr(a, "shape")]
    owner_backend = backend_of("result_type", arrays) if arrays else backend
    return owner_backend.xp.result_type(
        *(owner_backend.adopt(a).dtype if is_host_data(a) else _dtype(owner_backend, a) for a in arrays_and_dtypes)
    )


def _dtype(owner_backend: Any, value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.dtype
    return value if is_scalar(value) or hasattr(value, "shape") else owner_backend.as_dtype(value)


def _dtype_of(owner_backend: Any, value: Any) -> Any:
    """The dtype of an array, or a dtype as the backend's."""
    is_array = hasattr(value, "dtype") and not isinstance(value, type)  # a dtype may be a class: numpy.float64
    return value.dtype if is_array else owner_backend.as_dtype(value)


def _backend_of(backend: Any, value: Any) -> Any:
    return value.backend if isinstance(value, Tensor) else backend
