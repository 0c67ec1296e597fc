"""The raw namespace, which rules get as `xp`: a library's own functions, and the extension functions.

The extension functions are those that rules and layers need and the standard lacks. Here they are written with the standard's
functions. A backend overrides those that its library has, or computes differently or faster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set
from functools import cached_property, partial
from math import prod
from typing import Any, ClassVar

from xgrad.backends.layers import Layers
from xgrad.backends.refusal import ROWS
from xgrad.backends.special import Special
from xgrad.backends.windows import Windows

CREATION = frozenset(
    [
        "arange",
        "asarray",
        "empty",
        "empty_like",
        "eye",
        "from_dlpack",
        "full",
        "full_like",
        "linspace",
        "ones",
        "ones_like",
        "zeros",
        "zeros_like",
    ]
)


class Raw(Layers, Windows):
    """A library's Array API namespace on raw arrays, with the extension functions. New arrays are made on the backend's device.

    The extension functions are all public methods of this class and its bases. xgrad's own namespace has a function of the same
    name for each.
    """

    def __init__(self, library: Any, device: Any = None) -> None:
        self.library = library
        self.complex_dtypes: frozenset[Any] = frozenset()
        self.narrow_dtypes: Set[Any] = frozenset()  # float16 and bfloat16, too narrow for sums and counts
        self.default_device = device
        # By dtype and order: the range of norms for which no power overflows or underflows.
        self._ordinary: dict[Any, tuple[float, float]] = {}

    def __getattr__(self, name: str) -> Any:
        value = partial(ROWS[name], self) if name in ROWS else getattr(self.library, name)
        if name in CREATION and self.default_device is not None:
            value = partial(_on_device, value, self.default_device)
        self.__dict__[name] = value  # so that the next look-up does not come here
        return value

    _special: ClassVar[type[Special]] = Special

    @cached_property
    def special(self) -> Any:
        """The library's special functions, by SciPy's names."""
        return self._special(self)

    # --- extension functions: layers

    def linear(self, x: Any, weight: Any, bias: Any = None) -> Any:
        """x @ weight.T + bias."""
        y = self.matmul(x, self.matrix_transpose(weight))
        if bias is None:
            return y
        if bias.dtype != y.dtype:
            return y + bias
        y += bias
        return y

    def weight_gradient(self, g: Any, x: Any, weight: Any = None) -> Any:
        """g.T @ x for matrices g and x: the gradient of linear's weight, in its memory order if it is given."""
        return self.matmul(self.matrix_transpose(g), x)

    # --- extension functions: activations, stable for every finite argument ---

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(-x)), computed from exp(-|x|), which does not overflow and is accurate where the result is small."""
        if not self.isdtype(x.dtype, "real floating"):
            return self.tanh(x * 0.5) * 0.5 + 0.5
        tail = self.exp(-self.abs(x))
        return self.where(x < 0, tail, self.ones((), dtype=x.dtype)) / (tail + 1)

    def softplus(self, x: Any) -> Any:
        """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))."""
        return self.relu(x) + self.log1p(self.exp(-self.abs(x)))

    def sigmoid_cross_entropy(self, x1: Any, x2: Any) -> Any:
        """softplus(x1) - x1 * x2, as a sum: its asymptote for large |x1|, and the distance to it."""
        slope = self.astype(x1 > 0, x1.dtype) - x2
        line = slope * self.mask(x1, slope != 0)
        return line + self.log1p(self.exp(-self.abs(x1)))

    def relu(self, x: Any) -> Any:
        """max(x, 0)."""
        return self.maximum(x, self.zeros((), dtype=x.dtype))

    def leaky_relu(self, x: Any, negative_slope: float) -> Any:
        """x where it is positive, x * negative_slope elsewhere."""
        return self.where(x > 0, x, x * negative_slope)

    def logsumexp(self, x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """log(sum(exp(x))), with the largest element taken out first. If that element is infinite, it is the result."""
        if x.dtype in self.narrow_dtypes:
            return self._in_float32(self.logsumexp, x, axis=axis, keepdims=keepdims)
        if not count(x.shape, axis):
            return self.full(reduced(x.shape, axis, keepdims), -math.inf, dtype=x.dtype)
        peak = self.max(x, axis=axis, keepdims=True)
        finite = self.isfinite(peak)
        zero, one = (self.full((), value, dtype=x.dtype) for value in (0.0, 1.0))
        total = self.sum(self.exp(x - self.where(finite, peak, zero)), axis=axis, keepdims=True)
        total = self.log(self.where(finite, total, one)) + peak
        return total if keepdims else _drop(self, total, axis)

    def softmax(self, x: Any, axis: int) -> Any:
        """exp(x) / sum(exp(x)) along one axis, with the largest element subtracted first."""
        if x.dtype in self.narrow_dtypes:
            return self._in_float32(self.softmax, x, axis=axis)
        if not x.shape[axis]:
            return self.zeros(x.shape, dtype=x.dtype)
        y = self.exp(x - self._peak(x, axis))
        y /= self.sum(y, axis=axis, keepdims=True)
        return y

    def log_softmax(self, x: Any, axis: int) -> Any:
        """log(softmax(x)) along one axis, without computing the softmax."""
        if x.dtype in self.narrow_dtypes:
            return self._in_float32(self.log_softmax, x, axis=axis)
        if not x.shape[axis]:
            return self.zeros(x.shape, dtype=x.dtype)
        shifted = x - self._peak(x, axis)
        return shifted - self.log(self.sum(self.exp(shifted), axis=axis, keepdims=True))

    def _peak(self, x: Any, axis: int) -> Any:
        """The largest element, or nan if it is infinite: the softmax is then nan, without a warning."""
        peak = self.max(x, axis=axis, keepdims=True)
        return self.where(self.isfinite(peak), peak, self.full((), math.nan, dtype=x.dtype))

    def _in_float32(self, function: Callable[..., Any], x: Any, **options: Any) -> Any:
        """Apply the function to a half-precision array in float32, where sums do not overflow and counts are not rounded."""
        return self.astype(function(self.astype(x, self.float32), **options), x.dtype)

    def softmax_cross_entropy(self, x: Any, number: Any, axis: int = -1, ignore_index: int = -100) -> Any:
        """-log_softmax(x) at each class number; 0 for `ignore_index`, nan (or IndexError) for a number that is not a class."""
        ignored = number == ignore_index
        right = (number >= 0) & (number < x.shape[axis]) & ~ignored
        index = self.expand_dims(self.where(ignored, self.zeros_like(number), number), axis=axis)
        loss = -self.squeeze(self.take_along_axis(self.log_softmax(x, axis), index, axis=axis), axis=axis)
        zero, nan = (self.asarray(value, dtype=x.dtype) for value in (0.0, math.nan))
        return self.where(right, loss, self.where(ignored, zero, nan))

    # Whether `linalg.inv` waits for the device to check for singular matrices. Then a look at the determinants costs no more.
    _waits_for_inverses = False

    # --- norms ---

    def _vector_norm(
        self, plain: Callable[..., Any], x: Any, *, axis: Any = None, keepdims: bool = False, ord: float = 2
    ) -> Any:
        """The library's norm, `plain`. Where powers overflow or underflow, the array is first divided by its largest element."""
        if x.dtype in self.narrow_dtypes:
            return self._in_float32(partial(self._vector_norm, plain), x, axis=axis, keepdims=keepdims, ord=ord)
        if ord in (0, 1) or math.isinf(ord) or 0 in x.shape:
            return plain(x, axis=axis, keepdims=keepdims, ord=ord)
        if self._can_look(x):
            y = plain(x, axis=axis, keepdims=keepdims, ord=ord)
            if self._is_ordinary(y, ord):
                return y
        sizes = self.abs(x)
        scale = (self.max if ord > 0 else self.min)(sizes, axis=axis, keepdims=True)
        usable = self.isfinite(scale) & (scale > 0)
        scale = self.where(usable, scale, self.ones((), dtype=scale.dtype))
        y = plain(sizes / scale, axis=axis, keepdims=True, ord=ord) * scale
        return y if keepdims else _drop(self, y, axis)

    def _std(
        self, plain: Callable[..., Any], x: Any, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
    ) -> Any:
        """The library's standard deviation (`plain`). Where squares would overflow or underflow, the deviations are first divided
        by the largest one.
        """
        options = {"axis": axis, "correction": correction}
        if 0 in x.shape or x.dtype in self.narrow_dtypes:  # the library squares these in float32
            return plain(x, **options, keepdims=keepdims)
        if self._can_look(x):
            y = plain(x, **options, keepdims=keepdims)
            if self._is_ordinary(y, 2):
                return y
        x = x - self.mean(x, axis=axis, keepdims=True)
        scale = self.max(self.abs(x), axis=axis, keepdims=True)
        usable = self.isfinite(scale) & (scale > 0)
        scale = self.where(usable, scale, self.ones((), dtype=scale.dtype))
        y = plain(x / scale, **options, keepdims=True) * scale
        return y if keepdims else _drop(self, y, axis)

    def _can_look(self, x: Any) -> bool:
        """Whether reading a value is free: the array is computed, and on the host."""
        return False

    def _is_ordinary(self, norms: Any, ord: float) -> bool:
        """Whether the norms are in the range in which no power overflows, and none that matters underflows."""
        range_ = self._ordinary.get((norms.dtype, ord))
        if range_ is None:
            info = self.finfo(norms.dtype)
            low = (float(info.smallest_normal) / float(info.eps) ** 2) ** (1 / abs(ord))
            range_ = self._ordinary[norms.dtype, ord] = low, float(info.max) if ord > 0 else 1 / low
        low, high = range_
        return bool(low < norms < high if not norms.shape else low < self.min(norms) and self.max(norms) < high)

    # --- extension functions: arithmetic ---

    def gap(self, x1: Any, x2: Any) -> Any:
        """x1 - x2, and 0 where both are the same infinity."""
        apart = (x1 != x2) | self.isfinite(x1)
        return self.mask(x1, apart) - self.mask(x2, apart)

    def over_squares(self, g: Any, x1: Any, x2: Any) -> Any:
        """g / (x1 * x1 + x2 * x2) for real arrays, without overflow or underflow of the squares."""
        size = self.hypot(x1, x2)
        return self.mask(g, size != math.inf) / size / size

    # --- extension functions: selection, conversion and indexing ---

    def divide_into(self, x1: Any, x2: Any) -> Any:
        """x1 / x2. A library may overwrite x2: the caller passes an array of its own, and does not use it afterwards."""
        return x1 / x2

    def cast(self, x: Any, dtype: Any) -> Any:
        """`astype`, whose arguments can also be passed by name."""
        return self.astype(x, dtype)

    def from_parts(self, x1: Any, x2: Any) -> Any:
        """x1 + 1j * x2, with infinities and nan only in the part that they were in."""
        dtype = self.result_type(x1.dtype, self.complex64)
        y = self.astype(x2, dtype) * 1j
        for value in (math.inf, -math.inf, math.nan):  # 1j * inf is nan + infj
            there = self.isnan(x2) if value != value else x2 == value
            y = self.where(there, self.asarray(complex(0.0, value), dtype=dtype), y)
        return y + x1

    def mask(self, x: Any, condition: Any) -> Any:
        """x where the condition holds, 0 elsewhere (also where x is not finite)."""
        return self.where(condition, x, self.zeros((), dtype=x.dtype))

    def getitem(self, x: Any, key: Any) -> Any:
        """x[key]."""
        return x[key]

    def setitem(self, x: Any, value: Any, key: Any) -> Any:
        """A copy of x with `value` written at `key`."""
        return self._put(self.asarray(x, copy=True), value, key)

    def _put(self, y: Any, value: Any, key: Any) -> Any:
        """Write `value` at `key` into y in place, and return it. y is an array of the caller's own."""
        if key is None or (isinstance(key, tuple) and None in [part for part in key if not hasattr(part, "dtype")]):
            # The standard does not allow None in the key of a write.
            shape = self.getitem(y, key).shape
            key = tuple(part for part in key or () if part is not None) or ...
            if hasattr(value, "shape"):
                value = self.reshape(self.broadcast_to(value, shape), self.getitem(y, key).shape)
        if getattr(value, "dtype", y.dtype) != y.dtype:
            value = self.astype(value, y.dtype)
        y[key] = value
        return y

    def scatter(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        """Zeros of that shape with x added at `key`: the transpose of `getitem`. At a place that occurs twice both are added."""
        parts = key if isinstance(key, tuple) else (key,)
        if any(hasattr(part, "dtype") and not self.isdtype(part.dtype, "bool") for part in parts):
            return self._scatter_indices(x, key, shape)
        return self._put(self.zeros(shape, dtype=x.dtype), x, key)

    # The standard has no scatter: these compare every place with every index, in a matrix of truth values. Libraries that have a
    # scatter override them.

    def _scatter_indices(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        """`scatter` for a key that contains arrays of integers."""
        places = self.getitem(self.reshape(self.arange(prod(shape)), shape), key)
        hits = self.arange(prod(shape))[:, None] == self.reshape(places, (1, -1))
        values = self.reshape(self.broadcast_to(x, places.shape), (1, -1))
        found = self.mask(self.broadcast_to(values, hits.shape), hits)  # a product would turn inf into nan
        flat = self.sum(found, axis=1)
        return self.reshape(flat, shape)

    def scatter_take(self, x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
        """The transpose of `take`."""
        order = (axis, *(i for i in range(len(shape)) if i != axis))
        rows = self.reshape(
            self.permute_dims(x, order), (x.shape[axis], prod(shape) // shape[axis] if shape[axis] else 0)
        )
        indices = self.where(indices < 0, indices + shape[axis], indices)
        hits = self.astype(self.arange(shape[axis])[:, None] == self.reshape(indices, (1, -1)), x.dtype)
        summed = self.reshape(self.matmul(hits, rows), tuple(shape[i] for i in order))
        return self.permute_dims(summed, tuple(order.index(i) for i in range(len(shape))))

    def scatter_along_axis(self, x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
        """The transpose of `take_along_axis`."""
        indices = self.where(indices < 0, indices + shape[axis], indices)
        x, indices = (self.moveaxis(array, axis, -1)[..., None, :] for array in (x, indices))
        hits = indices == self.arange(shape[axis])[:, None]
        return self.moveaxis(self.sum(self.mask(x, hits), axis=-1), -1, axis)


class IndexingRaw(Raw):
    """For libraries that index with arrays of integers. They define `_scatter_indices`, and the other scatters use it."""

    def scatter_take(self, x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
        return self._scatter_indices(x, (slice(None),) * axis + (indices,), shape)

    def scatter_along_axis(self, x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
        along = [(1,) * i + (-1,) + (1,) * (len(shape) - i - 1) for i in range(len(shape))]
        key = tuple(
            indices if i == axis else self.reshape(self.arange(n), along[i]) for i, n in enumerate(indices.shape)
        )
        return self._scatter_indices(x, key, shape)


def _on_device(function: Callable[..., Any], default: Any, *args: Any, device: Any = None, **kwargs: Any) -> Any:
    return function(*args, device=default if device is None else device, **kwargs)


def count(shape: Sequence[int], axis: int | Sequence[int] | None) -> int:
    """The number of elements that a reduction over `axis` combines into one."""
    return prod(shape[a] for a in _over(axis, len(shape)))


def reduced(shape: Sequence[int], axis: int | Sequence[int] | None, keepdims: bool) -> tuple[int, ...]:
    """The shape of the result of a reduction over `axis`."""
    over = _over(axis, len(shape))
    return tuple(1 if i in over else n for i, n in enumerate(shape) if keepdims or i not in over)


def _over(axis: int | Sequence[int] | None, ndim: int) -> set[int]:
    """The axes as non-negative numbers. (The library raises for an axis that does not exist.)"""
    axes = range(ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return {int(a) % ndim for a in axes if -ndim <= a < ndim}


def _drop(xp: Any, x: Any, axis: int | tuple[int, ...] | None) -> Any:
    axes = tuple(range(x.ndim)) if axis is None else axis
    return xp.squeeze(x, axis=axes)
