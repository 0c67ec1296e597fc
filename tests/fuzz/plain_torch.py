"""The namespace of PyTorch in which a program's derivatives are computed, in double precision.

Where PyTorch has no derivative of a special function, SciPy's values and the derivative's formula are put together here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import cache
from importlib import import_module
from math import pi, sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.special

from tests.fuzz.program import Slices

Function = Callable[..., Any]


def to_torch(array: Any) -> Any:
    return import_module("torch").from_numpy(np.array(array, copy=True))


def to_host(value: Any) -> Any:
    if not hasattr(value, "detach"):
        return value
    if value._is_zerotensor():  # zeros without memory, which NumPy cannot read
        return np.zeros(tuple(value.shape), dtype=str(value.dtype).rpartition(".")[2])
    return value.detach().resolve_conj().resolve_neg().numpy()


# --- reading and writing, by the numbers of the elements --------------------------------------------------------


def _host_key(key: Any) -> Any:
    return tuple(to_host(k) for k in key) if isinstance(key, tuple) else to_host(key)


def _numbers(x: Any) -> Any:
    return np.arange(x.numel()).reshape(tuple(x.shape))


def _read(x: Any, key: Any) -> Any:
    at = _numbers(x)[_host_key(key)]
    return x.reshape(-1)[to_torch(np.asarray(at).reshape(-1))].reshape(np.shape(at))


def _write(x: Any, key: Any, value: Any) -> Any:
    """What is written to one place twice: the last of it stays, as in NumPy."""
    torch = import_module("torch")
    value = torch.as_tensor(value, dtype=x.dtype) if not hasattr(value, "detach") else value.to(x.dtype)
    key = _host_key(key)
    shape = np.shape(_numbers(x)[key])
    source = np.full(tuple(x.shape), -1)
    source[key] = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)
    flat = to_torch(source.reshape(-1))
    values = torch.broadcast_to(_without_ones(value, len(shape)), shape).reshape(-1)
    kept = x.reshape(-1)
    new = torch.cat([values, kept[:0] if values.numel() else kept.new_zeros(1)])[torch.clamp(flat, min=0)]
    return torch.where(flat >= 0, new, kept).reshape(x.shape)


def _without_ones(value: Any, ndim: int) -> Any:
    """NumPy lets a value have more axes than its place, if these are of length 1."""
    while value.ndim > ndim:
        value = value.reshape(value.shape[1:])
    return value


def _added(x: Any, key: Any, value: Any) -> Any:
    torch = import_module("torch")
    value = torch.as_tensor(value, dtype=x.dtype) if not hasattr(value, "detach") else value.to(x.dtype)
    at = _numbers(x)[_host_key(key)]
    values = torch.broadcast_to(value, np.shape(at)).reshape(-1)
    flat = to_torch(np.asarray(at).reshape(-1))
    return x.reshape(-1).index_add(0, flat, values).reshape(x.shape)


def _scattered(x: Any, key: Any, shape: Any) -> Any:
    return _added(x.new_zeros(shape), key, x)


def _scatter_along(x: Any, indices: Any, shape: Any, axis: int) -> Any:
    grid = list(np.indices(tuple(indices.shape)))
    grid[axis] = to_host(indices)
    return _scattered(x, tuple(grid), shape)


def _take_along(x: Any, indices: Any, axis: int = -1) -> Any:
    grid = list(np.indices(tuple(indices.shape)))
    grid[axis] = to_host(indices)
    return _read(x, tuple(grid))


# --- special functions ----------------------------------------------------------------------------------------------


@cache
def _from_scipy() -> Function:
    """A function that PyTorch does not have: its value by SciPy, its derivative as given."""
    torch: Any = import_module("torch")
    function: Any = torch.autograd.Function

    class FromSciPy(function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, value: Function, derivative: Function) -> Any:
            ctx.save_for_backward(x)
            ctx.derivative = derivative
            return torch.as_tensor(np.asarray(value(to_host(x))), dtype=x.dtype)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * ctx.derivative(x), None, None

    apply: Function = FromSciPy.apply
    return apply


def _by(value: Function, derivative: Function) -> Function:
    return lambda x: _from_scipy()(x, value, derivative)


def _polygamma(n: int, x: Any) -> Any:
    return _by(lambda a: scipy.special.polygamma(n, a), lambda a: _polygamma(n + 1, a))(x)


def _j(n: int, x: Any) -> Any:
    return _by(lambda a: scipy.special.jv(n, a), lambda a: (_j(n - 1, a) - _j(n + 1, a)) / 2)(x)


def _i(n: int, x: Any) -> Any:
    return _by(lambda a: scipy.special.iv(n, a), lambda a: (_i(n - 1, a) + _i(n + 1, a)) / 2)(x)


def _special(torch: Any) -> SimpleNamespace:
    s = scipy.special
    gamma = lambda x: torch.exp(torch.lgamma(x))  # noqa: E731
    betaln = lambda a, b: torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)  # noqa: E731
    j0, j1, i0, i1 = (functools.partial(bessel, n) for bessel in (_j, _i) for n in (0, 1))
    erfcx = _by(s.erfcx, lambda x: 2 * x * erfcx(x) - 2 / sqrt(pi))
    ndtr = lambda x: torch.erfc(-x / sqrt(2)) / 2  # noqa: E731
    ndtri = _by(s.ndtri, lambda p: sqrt(2 * pi) * torch.exp(ndtri(p) ** 2 / 2))
    log_ndtr = _by(s.log_ndtr, lambda x: torch.exp(-x * x / 2 - log_ndtr(x)) / sqrt(2 * pi))

    def gammainc(a: Any, x: Any) -> Any:
        a = float(a)
        slope = lambda t: torch.exp((a - 1) * torch.log(t) - t - s.gammaln(a))  # noqa: E731
        return _by(lambda t: s.gammainc(a, t), slope)(x)

    def betainc(a: float, b: float, x: Any) -> Any:
        slope = lambda t: torch.exp((a - 1) * torch.log(t) + (b - 1) * torch.log1p(-t) - s.betaln(a, b))  # noqa: E731
        return _by(lambda t: s.betainc(a, b, t), slope)(x)

    def logsumexp(x: Any, axis: Any = None, keepdims: bool = False, b: Any = None) -> Any:
        dims = tuple(range(x.ndim)) if axis is None else axis
        weights = torch.exp(x) if b is None else b * torch.exp(x)
        return torch.log(torch.sum(weights, dim=dims, keepdim=keepdims) if x.ndim else weights)

    def log_softmax(x: Any, axis: Any = None) -> Any:
        return x - logsumexp(x, axis, keepdims=True)

    return SimpleNamespace(
        digamma=lambda x: _polygamma(0, x),
        psi=lambda x: _polygamma(0, x),
        polygamma=_polygamma,
        gamma=gamma,
        gammaln=torch.lgamma,
        betaln=betaln,
        binom=lambda n, k: torch.exp(-torch.log1p(n) - betaln(n - k + 1, k + 1)),
        erf=torch.erf,
        erfc=torch.erfc,
        erfcx=erfcx,
        erfinv=torch.erfinv,
        entr=lambda x: -x * torch.log(x),
        expit=torch.sigmoid,
        log_expit=torch.nn.functional.logsigmoid,
        logit=torch.logit,
        i0=i0,
        i1=i1,
        i0e=lambda x: torch.exp(-torch.abs(x)) * i0(x),
        i1e=lambda x: torch.exp(-torch.abs(x)) * i1(x),
        j0=j0,
        j1=j1,
        ndtr=ndtr,
        ndtri=ndtri,
        log_ndtr=log_ndtr,
        kl_div=lambda x, y: x * torch.log(x / y) - x + y,
        rel_entr=lambda x, y: x * torch.log(x / y),
        xlogy=lambda x, y: x * torch.log(y),
        xlog1py=lambda x, y: x * torch.log1p(y),
        gammainc=gammainc,
        gammaincc=lambda a, x: 1 - gammainc(a, x),
        betainc=betainc,
        fdtr=lambda n, m, x: betainc(n / 2, m / 2, n * x / (m + n * x)),
        fdtrc=lambda n, m, x: 1 - betainc(n / 2, m / 2, n * x / (m + n * x)),
        softmax=lambda x, axis=None: torch.exp(log_softmax(x, axis)),
        log_softmax=log_softmax,
        logsumexp=logsumexp,
    )


# --- the namespace ---------------------------------------------------------------------------------------------------


def _cross_entropy_each(torch: Any, x: Any, number: Any, axis: int = -1, ignore_index: int = -100) -> Any:
    log_p = torch.log_softmax(x, dim=axis)
    safe = torch.where(number == ignore_index, 0, number)
    picked = torch.gather(log_p, axis, safe.unsqueeze(axis)).squeeze(axis)
    return torch.where(number == ignore_index, torch.zeros((), dtype=x.dtype), -picked)


def _of_one_dtype(torch: Any, a: Any, b: Any) -> tuple[Any, Any]:
    if not (hasattr(a, "dtype") and hasattr(b, "dtype")):
        return a, b
    dtype = torch.promote_types(a.dtype, b.dtype)
    return a.to(dtype), b.to(dtype)


@cache
def names() -> dict[str, Any]:
    """What the text of a program may name, in PyTorch."""
    torch = import_module("torch")
    standard = import_module("array_api_compat.torch")
    functional = torch.nn.functional

    def mapped(function: Function) -> Function:
        return lambda x, axis=-1: function(x, dim=axis)

    def unique(count: int) -> Function:
        def parts(x: Any) -> tuple[Any, ...]:
            """Of different elements, in order: all are values, each occurs once."""
            values, order = torch.sort(x.reshape(-1))
            inverse = torch.argsort(order).reshape(x.shape)
            found = {2: (values, inverse), 3: (values, torch.ones_like(order)), 4: (values, order, inverse)}
            return (*found[count], torch.ones_like(order)) if count == 4 else found[count]

        return parts

    def cumulative(name: str) -> Function:
        def running(x: Any, *, axis: Any = None, include_initial: bool = False) -> Any:
            axis = 0 if axis is None else axis
            y = getattr(torch, name)(x, dim=axis)
            shape = list(x.shape)
            shape[axis] = 1
            first = torch.full(shape, 0.0 if name == "cumsum" else 1.0, dtype=x.dtype)
            return torch.cat([first, y], dim=axis) if include_initial else y

        return running

    def deviation(name: str) -> Function:
        def spread(x: Any, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
            dims = tuple(range(x.ndim)) if axis is None else axis
            mean = torch.mean(x, dim=dims, keepdim=True)
            count = x.numel() / max(mean.numel(), 1)
            variance = torch.sum((x - mean) ** 2, dim=dims, keepdim=keepdims) / (count - correction)
            return torch.sqrt(variance) if name == "std" else variance

        return spread

    def asarray(x: Any, dtype: Any = None, copy: Any = None) -> Any:
        if not hasattr(x, "detach"):
            return torch.asarray(x, dtype=dtype)
        return x.clone() if dtype is None else x.to(dtype)

    extra: dict[str, Any] = {
        "abs": torch.abs,
        "asarray": asarray,
        "var": deviation("var"),
        "std": deviation("std"),
        "cumulative_sum": cumulative("cumsum"),
        "cumulative_prod": cumulative("cumprod"),
        "cast": lambda x, dtype: x.to(dtype),
        "divide_into": lambda a, b: a / b,
        "scatter": _scattered,
        "scatter_take": lambda x, i, shape, axis: _scattered(x, (*(slice(None),) * axis, i), shape),
        "scatter_along_axis": _scatter_along,
        "take": lambda x, i, axis=0: torch.index_select(x, axis, i % x.shape[axis]),
        "take_along_axis": _take_along,
        "setitem": lambda x, value, key: _write(x, key, value),
        "linear": functional.linear,
        "weight_gradient": lambda g, x, w: g.mT @ x,
        "mask": lambda x, condition: torch.where(condition, x, torch.zeros((), dtype=x.dtype)),
        "gap": lambda a, b: a - b,
        "over_squares": lambda g, a, b: g / (a * a + b * b),
        "sigmoid_cross_entropy": lambda x, t: functional.softplus(x) - x * t,
        "sigmoid": torch.sigmoid,
        "relu": torch.relu,
        "leaky_relu": lambda x, slope=0.01: functional.leaky_relu(x, slope),
        "softplus": functional.softplus,
        "softmax": mapped(torch.softmax),
        "log_softmax": mapped(torch.log_softmax),
        "logsumexp": lambda x, axis=None, keepdims=False: torch.logsumexp(
            x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims
        ),
        "softmax_cross_entropy": lambda x, number, **options: _cross_entropy_each(torch, x, number, **options),
        "vecdot": standard.vecdot,
        "imag": lambda x: torch.imag(x),
        "unique_values": lambda x: unique(2)(x)[0],
        "unique_inverse": unique(2),
        "unique_counts": unique(3),
        "unique_all": unique(4),
        "hypot": torch.hypot,
        "floor_divide": lambda a, b: torch.floor(a / b),
        "matmul": lambda a, b: torch.matmul(*_of_one_dtype(torch, a, b)),
        "full": lambda shape, x: x.expand(shape if isinstance(shape, tuple) else (shape,)),
        "full_like": lambda a, x: x.expand(a.shape),
        "where": lambda c, a, b: torch.where(c, *_of_one_dtype(torch, a, b)),
        "special": _special(torch),
        "float32": torch.float64,
        "complex64": torch.complex128,
    }

    class Functional:
        def __getattr__(self, name: str) -> Any:
            return torch.flatten if name == "flatten" else getattr(functional, name)

    class Namespace:
        def __getattr__(self, name: str) -> Any:
            return extra[name] if name in extra else getattr(standard, name)

    return {
        "xp": Namespace(),
        "F": Functional(),
        "S": Slices(),
        "read": _read,
        "write": _write,
        "add_at": _added,
    }
