"""Special functions that are a few of the standard's functions each, on raw arrays of any library.

Like SciPy's, they do not warn at the ends of their domains: the library's warnings would be about intermediate values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, ClassVar, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def silent(function: F) -> F:
    """The method, with the library's floating-point warnings switched off."""

    @wraps(function)
    def quiet(self: Any, *args: Any, **kwargs: Any) -> Any:
        with self.silently():
            return function(self, *args, **kwargs)

    return quiet  # type: ignore[return-value]


class Elementary:
    """Logistic functions, entropies and logsumexp. `xp` is the raw namespace."""

    xp: Any
    silently: ClassVar[Callable[[], AbstractContextManager[Any]]] = nullcontext

    def expit(self, x: Any) -> Any:
        return self.xp.sigmoid(x)

    def log_expit(self, x: Any) -> Any:
        return -self.xp.softplus(-x)

    @silent
    def logit(self, x: Any) -> Any:
        """log(x / (1 - x)). Near 1/2, where the two logarithms would cancel, it is computed from x - 1/2."""
        xp = self.xp
        middle = (x > 0.3) & (x < 0.65)
        s = 2 * xp.where(middle, x, xp.full((), 0.5, dtype=x.dtype)) - 1
        return xp.where(middle, xp.log1p(s) - xp.log1p(-s), xp.log(x) - xp.log1p(-x))

    @silent
    def xlogy(self, x: Any, y: Any) -> Any:
        """x * log(y), and 0 where x is 0."""
        xp = self.xp
        zero = (x == 0) & ~xp.isnan(y)
        return xp.where(zero, xp.zeros((), dtype=x.dtype), x * xp.log(xp.where(zero, xp.ones((), dtype=y.dtype), y)))

    @silent
    def xlog1py(self, x: Any, y: Any) -> Any:
        """x * log1p(y), and 0 where x is 0."""
        xp = self.xp
        zero = (x == 0) & ~xp.isnan(y)
        nothing = xp.zeros((), dtype=x.dtype)
        return xp.where(zero, nothing, x * xp.log1p(xp.where(zero, nothing, y)))

    @silent
    def entr(self, x: Any) -> Any:
        """-x * log(x), 0 at 0, and -inf where x is negative."""
        xp = self.xp
        one = xp.ones((), dtype=x.dtype)
        y = xp.where(x == 0, 0 * one, -x * xp.log(xp.where(x <= 0, one, x)))
        return xp.where(x < 0, xp.full((), -math.inf, dtype=x.dtype), y)

    @silent
    def rel_entr(self, x: Any, y: Any) -> Any:
        """x * log(x / y), 0 where x is 0 and y is not negative, and inf outside of the domain."""
        xp = self.xp
        edge = xp.where((x == 0) & (y >= 0), xp.zeros((), dtype=x.dtype), _outside(xp, x, y))
        return xp.where((x > 0) & (y > 0), x * log_ratio(xp, x, y), edge)

    @silent
    def kl_div(self, x: Any, y: Any) -> Any:
        """x * log(x / y) - x + y, y where x is 0 and y is not negative, and inf outside of the domain."""
        xp = self.xp
        near = (y > 0.6 * x) & (y < 1.6 * x)
        d = (xp.where(near, y, x) - x) / x
        usual = xp.where(near, x * linear_minus_log1p(d), x * log_ratio(xp, x, y) - x + y)
        edge = xp.where((x == 0) & (y >= 0), y, _outside(xp, x, y))
        return xp.where((x > 0) & (y > 0), usual, edge)

    @silent
    def logsumexp(self, x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """log(sum(exp(x))). The largest elements are taken out first, so that what the others contribute is not rounded away."""
        xp = self.xp
        axes = range(x.ndim) if axis is None else [i % x.ndim for i in (axis if isinstance(axis, tuple) else (axis,))]
        if 0 in [x.shape[i] for i in axes]:
            shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
            left = shape if keepdims else [n for i, n in enumerate(shape) if i not in axes]
            return xp.full(tuple(left), -math.inf, dtype=x.dtype)
        peak = xp.max(x, axis=axis, keepdims=True)
        peak = xp.where(xp.isfinite(peak), peak, xp.zeros((), dtype=x.dtype))
        largest = x == peak
        count = xp.sum(xp.astype(largest, x.dtype), axis=axis, keepdims=True)
        rest = xp.sum(xp.where(largest, xp.zeros((), dtype=x.dtype), xp.exp(x - peak)), axis=axis, keepdims=True)
        one = xp.where(count > 0, count, xp.ones((), dtype=x.dtype))
        total = xp.where(count > 0, xp.log1p(rest / one) + xp.log(one), xp.log(rest)) + peak
        if keepdims:
            return total
        return xp.squeeze(total, axis=tuple(axes))


def _outside(xp: Any, x: Any, y: Any) -> Any:
    """inf, and nan where x or y is nan."""
    unknown = xp.isnan(x) | xp.isnan(y)
    return xp.where(unknown, xp.full((), math.nan, dtype=x.dtype), xp.full((), math.inf, dtype=x.dtype))


def log_ratio(xp: Any, x: Any, y: Any) -> Any:
    """log(x / y) of positive numbers, accurate where the ratio is near 1 and where it overflows or underflows."""
    ratio = x / y
    one = xp.ones((), dtype=ratio.dtype)
    near = (ratio > 0.5) & (ratio < 2)
    normal = (ratio >= float(xp.finfo(ratio.dtype).smallest_normal)) & ~xp.isinf(ratio)
    close = xp.log1p((xp.where(near, x, one) - xp.where(near, y, one)) / xp.where(near, y, one))
    apart = xp.log(xp.where(normal, one, x)) - xp.log(xp.where(normal, one, y))
    return xp.where(near, close, xp.where(normal, xp.log(xp.where(normal, ratio, one)), apart))


def linear_minus_log1p(d: Any) -> Any:
    """d - log1p(d) for -0.4 <= d <= 0.7, by the series of log1p in r = d / (2 + d), without its first term."""
    r = d / (d + 2)
    squared = r * r
    tail = squared * 0 + 1 / 29
    for k in range(27, 1, -2):
        tail = tail * squared + 1 / k
    return r * (d - 2 * squared * tail)
