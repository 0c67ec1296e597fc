"""The namespace of NumPy and SciPy in which a program's values are computed.

`exact` gives NumPy's dtypes; otherwise all is in double precision, for differences.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.special
from array_api_compat import numpy as _standard

from tests.fuzz.program import Slices

standard: Any = _standard


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False, b: Any = None) -> Any:
    weights = np.exp(x) if b is None else b * np.exp(x)
    return np.log(np.sum(weights, axis=axis, keepdims=keepdims))


def _softmax(x: Any, axis: Any = -1) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


def _cross_entropy_each(x: Any, number: Any, axis: int = -1, ignore_index: int = -100) -> Any:
    log_p = x - _logsumexp(x, axis=axis, keepdims=True)
    safe = np.where(number == ignore_index, 0, number)
    picked = np.take_along_axis(log_p, np.expand_dims(safe, axis), axis=axis)
    return np.where(number == ignore_index, 0, -np.squeeze(picked, axis=axis)).astype(x.dtype)


def _scattered(x: Any, key: Any, shape: Any) -> Any:
    return _added(np.zeros(shape, dtype=x.dtype), key, x)


def _scatter_take(x: Any, indices: Any, shape: Any, axis: int) -> Any:
    return _scattered(x, (*(slice(None),) * axis, indices), shape)


def _scatter_along_axis(x: Any, indices: Any, shape: Any, axis: int) -> Any:
    grid = list(np.indices(indices.shape))
    grid[axis] = indices
    return _scattered(x, tuple(grid), shape)


def _written(x: Any, key: Any, value: Any) -> Any:
    y = np.array(x)
    y[key] = value
    return y


def _added(x: Any, key: Any, value: Any) -> Any:
    """By np.bincount: np.add.at goes wrong where the value broadcasts along an array of several axes (NumPy 2.4)."""
    at = np.arange(x.size).reshape(x.shape)[key]
    values = np.broadcast_to(np.asarray(value, dtype=x.dtype), np.shape(at)).reshape(-1)
    flat = np.asarray(at).reshape(-1)
    parts = [np.bincount(flat, part, x.size) for part in (values.real, values.imag)]
    added = parts[0] + 1j * parts[1] if np.iscomplexobj(x) else parts[0]
    return (x + added.reshape(x.shape)).astype(x.dtype)


def _reduced(each: Any, reduction: str) -> Any:
    return {"none": lambda: each, "sum": lambda: np.sum(each), "mean": lambda: np.mean(each)}[reduction]()


def _cross_entropy(
    x: Any, target: Any, weight: Any = None, reduction: str = "mean", label_smoothing: float = 0.0
) -> Any:
    """Of (N, C) or (C,) scores, against class numbers."""
    log_p = x - _logsumexp(x, axis=-1, keepdims=True)
    w = np.ones(x.shape[-1], dtype=x.dtype) if weight is None else weight
    picked = -np.squeeze(np.take_along_axis(log_p, np.expand_dims(target, -1), axis=-1), -1) * w[target]
    smooth = -np.sum(log_p * w, axis=-1) / x.shape[-1]
    each = ((1 - label_smoothing) * picked + label_smoothing * smooth).astype(x.dtype)
    return np.sum(each) / np.sum(w[target]) if reduction == "mean" else _reduced(each, reduction)


def _bce(x: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> Any:
    p = 1 if pos_weight is None else pos_weight
    each = (1 - target) * x + (1 + (p - 1) * target) * np.logaddexp(0, -x).astype(x.dtype)
    return _reduced(each if weight is None else each * weight, reduction)


def _huber(x: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    d = np.abs(x - target)
    return _reduced(np.where(d <= delta, d * d / 2, delta * (d - delta / 2)), reduction)


EXTRA: dict[str, Any] = {
    "cast": lambda x, dtype: x.astype(dtype),
    "divide_into": lambda a, b: np.divide(a, b),
    "getitem": lambda x, key: x[key],
    "setitem": lambda x, value, key: _written(x, key, value),
    "scatter": _scattered,
    "scatter_take": _scatter_take,
    "scatter_along_axis": _scatter_along_axis,
    "linear": lambda x, w, b=None: x @ w.T if b is None else x @ w.T + b,
    "weight_gradient": lambda g, x, w: g.T @ x,
    "mask": lambda x, condition: np.where(condition, x, np.zeros((), dtype=x.dtype)),
    "gap": lambda a, b: a - b,
    "over_squares": lambda g, a, b: g / (a * a + b * b),
    "sigmoid_cross_entropy": lambda x, t: _bce(x, t, reduction="none"),
    "sigmoid": scipy.special.expit,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x, slope=0.01: np.where(x > 0, x, x * slope),
    "softplus": lambda x: np.logaddexp(0, x).astype(x.dtype),
    "softmax": _softmax,
    "log_softmax": lambda x, axis=-1: x - _logsumexp(x, axis=axis, keepdims=True),
    "logsumexp": _logsumexp,
    "softmax_cross_entropy": _cross_entropy_each,
    "vecdot": standard.linalg.vecdot,
}

FUNCTIONAL: dict[str, Any] = {
    "binary_cross_entropy_with_logits": _bce,
    "cross_entropy": _cross_entropy,
    "nll_loss": lambda x, target, reduction="mean": _reduced(
        -np.squeeze(np.take_along_axis(x, np.expand_dims(target, -1), axis=-1), -1), reduction
    ),
    "flatten": lambda x, start_dim=0, end_dim=-1: x.reshape(
        (*x.shape[:start_dim], -1, *x.shape[len(x.shape) + end_dim + 1 :])
    ),
    "huber_loss": _huber,
    "l1_loss": lambda x, t, reduction="mean": _reduced(np.abs(x - t), reduction),
    "mse_loss": lambda x, t, reduction="mean": _reduced((x - t) ** 2, reduction),
    "leaky_relu": EXTRA["leaky_relu"],
    "linear": EXTRA["linear"],
    "log_softmax": lambda x, dim: EXTRA["log_softmax"](x, dim),
    "softmax": lambda x, dim: _softmax(x, dim),
    "logsigmoid": lambda x: -np.logaddexp(0, -x).astype(x.dtype),
    "relu": EXTRA["relu"],
    "sigmoid": EXTRA["sigmoid"],
    "softplus": lambda x, beta=1.0: (np.logaddexp(0, beta * x) / beta).astype(x.dtype),
    "tanh": np.tanh,
}


def _special() -> SimpleNamespace:
    """SciPy's functions, which give float64 for some of float32: so the result is cast back."""

    def of(name: str) -> Any:
        def function(*args: Any, **options: Any) -> Any:
            dtype = np.result_type(*(a for a in args if hasattr(a, "dtype")))
            result = getattr(scipy.special, name)(*args, **options)
            return np.asarray(result).astype(dtype)[()]

        return function

    names = (
        "betainc betaln binom digamma entr erf erfc erfcx erfinv expit fdtr fdtrc gamma gammainc gammaincc gammaln i0 i0e i1 "
        "i1e j0 j1 kl_div log_expit log_ndtr log_softmax logit logsumexp ndtr ndtri polygamma psi rel_entr softmax xlog1py xlogy"
    )
    return SimpleNamespace(**{name: of(name) for name in names.split()})


class _Namespace(SimpleNamespace):
    """`xp`: the standard's functions, and what xgrad has besides."""

    def __getattr__(self, name: str) -> Any:
        return getattr(standard, name)


class _Double(_Namespace):
    """The same, but for the precision that a program may ask for."""

    float32 = np.float64
    complex64 = np.complex128


@cache
def _names(exact: bool) -> dict[str, Any]:
    kind = _Namespace if exact else _Double
    return {
        "np": np,
        "xp": kind(special=_special(), **EXTRA),
        "F": SimpleNamespace(**FUNCTIONAL),
        "S": Slices(),
        "read": lambda x, key: x[key],
        "write": _written,
        "add_at": _added,
    }


def names(*, exact: bool) -> dict[str, Any]:
    """What the text of a program may name, in NumPy."""
    return dict(_names(exact))


def run(program: Any, inputs: Any) -> list[Any]:
    """The program's outputs in double precision."""
    f = program.bind(names(exact=False), plain=True)
    with np.errstate(all="ignore"):
        return [np.asarray(y) for y in f(*(in_double(x) for x in inputs))]


def run_exact(program: Any, inputs: Any) -> list[Any]:
    """The program's outputs in the precision that it is written in."""
    f = program.bind(names(exact=True), plain=True)
    with np.errstate(all="ignore"):
        return [np.asarray(y) for y in f(*inputs)]


def in_double(x: Any) -> Any:
    return x.astype({"float32": "float64", "complex64": "complex128"}.get(x.dtype.name, x.dtype))
