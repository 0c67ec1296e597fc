"""Reductions as methods. Their arguments have the names of NumPy or PyTorch: `axis` or `dim`, `keepdims` or `keepdim`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.rules import manipulation, network, norms, searching, statistical
from xgrad.rules.data_type import cast as cast_to

Method = Callable[..., Any]
Function = Callable[..., Tensor]


# --- arguments with two names --------------------------------------------------------------------------------


def one_of(name: str, axis: Any, dim: Any, word: str = "axis", other: str = "dim") -> Any:
    """An argument that may be given under either of two names. Raises TypeError if both are given."""
    if dim is None:
        return axis
    if axis is not None:
        raise TypeError(f"{name}: {word}= and {other}= are two names of one argument; give one of them")
    return dim


def no_out(name: str, out: Any) -> None:
    if out is not None:
        raise TypeError(f"{name}: out= is not supported; use the result, or write it with t[...] = result")


# --- reductions ---------------------------------------------------------------------------------------------


def with_dtype(function: Function) -> Method:
    """A reduction whose second argument is the dtype in NumPy, `keepdim` in PyTorch."""
    name = function.__name__

    def method(
        self: Tensor,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        *,
        dim: Any = None,
        keepdim: bool = False,
    ) -> Tensor:
        if dtype is None is out is dim and keepdim is keepdims is False:
            return function(self, axis=axis)
        if isinstance(dtype, bool):
            dtype, keepdims = None, dtype
        no_out(name, out)
        x = self if dtype is None else cast_to(self, dtype)
        return function(x, axis=one_of(name, axis, dim), keepdims=keepdims or keepdim)

    method.__doc__ = (
        f"As xgrad.{name}, with `dim` and `keepdim` as other names. x is converted to `dtype`; `out` must be None."
    )
    return method


def without_dtype(function: Function) -> Method:
    """A reduction that has no dtype."""
    name = function.__name__

    def method(
        self: Tensor,
        axis: Any = None,
        out: Any = None,
        keepdims: bool = False,
        *,
        dim: Any = None,
        keepdim: bool = False,
    ) -> Tensor:
        if isinstance(out, bool):
            out, keepdims = None, out
        no_out(name, out)
        return function(self, axis=one_of(name, axis, dim), keepdims=keepdims or keepdim)

    method.__doc__ = f"As xgrad.{name}, with `dim` and `keepdim` as other names. `out` must be None."
    return method


def spread(function: Function) -> Method:
    """A standard deviation or variance, with NumPy's and PyTorch's names for the correction."""
    name = function.__name__

    def method(
        self: Tensor,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        ddof: float | None = None,
        keepdims: bool = False,
        *,
        correction: float | None = None,
        unbiased: bool | None = None,
        dim: Any = None,
        keepdim: bool = False,
    ) -> Tensor:
        if isinstance(axis, bool) or isinstance(dtype, bool):
            raise TypeError(f"{name}: it is not clear what the bool is for; write keepdims= or correction=")
        no_out(name, out)
        x = self if dtype is None else cast_to(self, dtype)
        less = one_of(name, ddof, correction, "ddof", "correction")
        less = one_of(name, less, None if unbiased is None else int(unbiased), "correction", "unbiased")
        return function(x, axis=one_of(name, axis, dim), correction=less or 0, keepdims=keepdims or keepdim)

    method.__doc__ = (
        f"As xgrad.{name}, with `dim`, `keepdim`, and `ddof` or `unbiased` for `correction`, as other names. The correction is "
        "0 by default, as in the standard and unlike PyTorch's. x is converted to `dtype` first; `out` must be None."
    )
    return method


def cumulative(function: Function) -> Method:
    name = function.__name__

    def method(self: Tensor, axis: Any = None, dtype: Any = None, out: None = None, *, dim: Any = None) -> Tensor:
        no_out(name, out)
        axis = one_of(name, axis, dim)
        x = manipulation.reshape(self, (-1,)) if axis is None and self.ndim != 1 else self
        return function(x, axis=axis, dtype=dtype)

    method.__doc__ = (
        f"As xgrad.{name} along `axis` or `dim`; without one, over all elements, row by row. `out` must be None."
    )
    return method


def argsort(
    self: Tensor,
    axis: int | None = None,
    kind: None = None,
    order: None = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
    dim: int | None = None,
) -> Tensor:
    """The indices that sort along the axis, the last one by default."""
    axis = one_of("argsort", axis, dim)
    return searching.argsort(self, axis=-1 if axis is None else axis, descending=descending, stable=stable is not False)


def norm(self: Tensor, p: Any = None, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Tensor:
    """The p-norm of the elements, 2 by default, over the axes (all of them by default)."""
    ord = 2 if p is None or p == "fro" else p
    return norms.vector_norm(self, axis=one_of("norm", axis, dim), ord=ord, keepdims=keepdim)


def over_axis(function: Function) -> Method:
    """softmax or log_softmax. The axis is the last one by default; PyTorch requires it."""
    name = function.__name__

    def method(self: Tensor, dim: Any = None, *, axis: Any = None, **options: Any) -> Tensor:
        axis = one_of(name, axis, dim)
        return function(self, axis=-1 if axis is None else axis, **options)

    method.__doc__ = f"As xgrad.{name}, along `dim` or `axis`; along the last axis by default."
    return method


def logsumexp(
    self: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False
) -> Tensor:
    """log(sum(exp(x))) over the axes (all of them by default)."""
    return network.logsumexp(self, axis=one_of("logsumexp", axis, dim), keepdims=keepdims or keepdim)


REDUCTIONS: dict[str, Method] = {
    **{name: with_dtype(getattr(statistical, name)) for name in ("sum", "mean", "prod")},
    **{name: without_dtype(getattr(statistical, name)) for name in ("max", "min")},
    **{name: without_dtype(getattr(searching, name)) for name in ("all", "any", "argmax", "argmin", "count_nonzero")},
    **{name: spread(getattr(statistical, name)) for name in ("std", "var")},
    "cumsum": cumulative(statistical.cumulative_sum),
    "cumprod": cumulative(statistical.cumulative_prod),
    "softmax": over_axis(network.softmax),
    "log_softmax": over_axis(network.log_softmax),
    "amax": without_dtype(statistical.max),
    "amin": without_dtype(statistical.min),
    "argsort": argsort,
    "norm": norm,
    "logsumexp": logsumexp,
}
