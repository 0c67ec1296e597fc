"""Functions that make an array. NumPy's give a tensor no chance to be seen, so that these look for one first.

Without a tensor among its arguments each of them is NumPy's: the same result, error and docstring.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy

from xgrad.engine.plain import plain_types
from xgrad.rules.creation import asarray as to_tensor
from xgrad.rules.numpy_functions import exact
from xgrad.rules.numpy_functions.face import Functions, has_tensor, not_given, on_their_backend

xp = Functions()
PLAIN = (numpy.ndarray, int, float)  # what holds no tensor
WITHOUT_TENSORS = frozenset(("dtype", "copy", "order", "subok", "ndmin"))  # options that hold none
F = TypeVar("F", bound=Callable[..., Any])


def on_tensors(function: F) -> F:
    """A decorator: NumPy's function of that name, or this one where a tensor is among the arguments or in their lists."""
    numpys = getattr(numpy, function.__name__)

    @functools.wraps(numpys)
    def call(*args: Any, **options: Any) -> Any:
        if len(args) == 1:  # the most common calls, in fewer steps
            if isinstance(args[0], PLAIN) and WITHOUT_TENSORS.issuperset(options):
                return numpys(args[0], **options)
            if type(args[0]) is list and args[0] and not options and plain_types.issuperset(map(type, args[0])):
                return function(args[0])
        given = (*args, *options.values())
        if not has_tensor(given):
            return numpys(*args, **options)
        with on_their_backend(given):
            return function(*args, **options)

    return call  # type: ignore[return-value]


@on_tensors
def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: str = "K",
    subok: bool = False,
    ndmin: int = 0,
    ndmax: int = 0,
    like: Any = None,
) -> Any:
    not_given("array", like=like, ndmax=ndmax or None)
    x = to_tensor(object, dtype=dtype, copy=copy)
    return x if x.ndim >= ndmin else x.reshape((1,) * (ndmin - x.ndim) + x.shape)


@on_tensors
def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, device: Any = None, copy: bool | None = None, like: Any = None
) -> Any:  # fmt: skip
    not_given("asarray", like=like, device=device)
    return to_tensor(a, dtype=dtype, copy=copy)


@on_tensors
def asanyarray(
    a: Any, dtype: Any = None, order: str | None = None, *, device: Any = None, copy: bool | None = None, like: Any = None
) -> Any:  # fmt: skip
    not_given("asanyarray", like=like, device=device)
    return to_tensor(a, dtype=dtype, copy=copy)


@on_tensors
def asarray_chkfinite(a: Any, dtype: Any = None, order: str | None = None) -> Any:
    x = to_tensor(a, dtype=dtype)
    if not bool(x.isfinite().all()):
        raise ValueError("array must not contain infs or NaNs")
    return x


@on_tensors
def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    not_given("ascontiguousarray", like=like)
    x = to_tensor(a, dtype=dtype)
    return x if x.ndim else x.reshape((1,))  # as NumPy's


@on_tensors
def asfortranarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    not_given("asfortranarray", like=like)
    x = to_tensor(a, dtype=dtype)
    return x if x.ndim else x.reshape((1,))


@on_tensors
def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Any:
    not_given("require", like=like)
    return to_tensor(a, dtype=dtype)


@on_tensors
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Any:  # fmt: skip
    not_given("full", like=like, device=device)
    value = to_tensor(fill_value, dtype=dtype)
    return xp.broadcast_to(value, shape if hasattr(shape, "__len__") else (shape,)) + xp.zeros_like(value)  # not a view


# NumPy sees a tensor that is given to these, but not one in a list.
zeros_like = on_tensors(exact.zeros_like)
ones_like = on_tensors(exact.ones_like)
empty_like = on_tensors(exact.empty_like)
full_like = on_tensors(exact.full_like)
