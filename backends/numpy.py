"""NumPy, on the CPU. Functions that replace those of Raw do so for speed; each says what it saves."""

from __future__ import annotations

import operator
import os
from collections.abc import Set
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy._typing import ArrayLike

from xgrad.backends import array_bytes, gelu_blocks, normalization, numpy_attention, numpy_halves, numpy_lstm, rows
from xgrad.backends.base import Backend
from xgrad.backends.numpy_halves import NARROW, widened
from xgrad.backends.numpy_windows import NumPyWindows
from xgrad.backends.powers import power
from xgrad.backends.raw import IndexingRaw
from xgrad.backends.references import held_once, held_once_through, held_only_by_views, lend
from xgrad.backends.refusal import add
from xgrad.backends.special import SciPySpecial
from xgrad.backends.squares import gap, hypot, over_squares

_add_reduce: Any = np.add.reduce  # (Any, because NumPy's stubs do not accept a variable for keepdims)
_max_reduce: Any = np.maximum.reduce
_min_reduce: Any = np.minimum.reduce


class NumPySpecial(SciPySpecial):
    """scipy.special, without NumPy's floating-point warnings, as SciPy's own functions are."""

    @staticmethod
    def silently() -> Any:
        return np.errstate(all="ignore")

    def _functions(self, name: str) -> Any:
        """SciPy knows no bfloat16, and gives float64."""
        return numpy_halves.Widened(super()._functions(name))


class NumPyRaw(NumPyWindows, IndexingRaw):
    """array_api_compat.numpy, with faster versions of some functions."""

    _waits_for_inverses = True

    # For arrays, an operator is 10% faster than the function of the same name.
    add = staticmethod(operator.add)
    subtract = staticmethod(operator.sub)
    multiply = staticmethod(operator.mul)
    divide = staticmethod(operator.truediv)
    negative = staticmethod(operator.neg)
    sign = staticmethod(np.sign)  # array_api_compat's version divides 0 by 0 for a complex 0
    pow = staticmethod(power)
    hypot = staticmethod(hypot)
    over_squares = staticmethod(over_squares)
    gap = staticmethod(gap)

    def sigmoid(self, x: Any) -> Any:
        """exp(x) / (1 + exp(x)), in place, with 0-d arrays for numbers. x is clipped to a bound where the value is already 1."""
        numbers = _of_sigmoid.get(x.dtype)
        if numbers is None:
            return super().sigmoid(x)
        bound, one = numbers
        y = np.asarray(np.minimum(x, bound))
        np.exp(y, out=y)
        y /= y + one
        return y

    gelu, gelu_gradient = gelu_blocks.gelu, gelu_blocks.gelu_gradient
    silu, silu_gradient = gelu_blocks.silu, gelu_blocks.silu_gradient

    def matmul(self, a: Any, b: Any) -> Any:
        """For two matrices `dot` is 10% faster than `matmul`, and six times faster if the summed axis has length 1."""
        if a.itemsize == 2:
            return numpy_halves.matmul(a, b)
        return a.dot(b) if a.ndim == b.ndim == 2 else np.matmul(a, b)

    def divide_into(self, x1: Any, x2: Any) -> Any:
        """In place: twice as fast for large arrays, because new memory costs more than the division."""
        return np.divide(x1, x2, out=x2) if x1.dtype == x2.dtype and x1.shape == x2.shape != () else x1 / x2

    def linear(self, x: Any, weight: Any, bias: Any = None) -> Any:
        """As in Raw, with fewer calls."""
        if bias is None or x.ndim != 2 or not x.dtype == weight.dtype == bias.dtype:
            return super().linear(x, weight, bias)
        if x.itemsize == 2:
            return numpy_halves.linear(x, weight, bias)
        y = x.dot(weight.T)
        y += bias
        return y

    def weight_gradient(self, g: Any, x: Any, weight: Any = None) -> Any:
        """In the weight's memory order, so that the optimizer's update reads both in the same order."""
        if x.itemsize == 2:
            return numpy_halves.matmul(g.T, x)
        return g.T.dot(x) if weight is None or weight.flags.c_contiguous else x.T.dot(g).T

    # If the largest element is infinite, the results of these are nan or infinite, without a warning.

    def logsumexp(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if x.dtype.char not in _WIDE or not x.size:
            return super().logsumexp(x, axis, keepdims)
        peak = _max_reduce(x, axis=axis, keepdims=True)
        with np.errstate(divide="ignore"):
            total = np.log(_add_reduce(np.exp(x - np.where(np.isfinite(peak), peak, 0)), axis=axis, keepdims=True))
        total += peak
        return total if keepdims else np.squeeze(total, axis=axis)

    def softmax(self, x: Any, axis: int) -> Any:
        if x.dtype.char not in _WIDE or not x.size:
            return super().softmax(x, axis)
        with np.errstate(invalid="ignore"):
            y = x - _max_reduce(x, axis=axis, keepdims=True)
        np.exp(y, out=y)
        y /= _add_reduce(y, axis=axis, keepdims=True)
        return y

    def log_softmax(self, x: Any, axis: int) -> Any:
        """As in Raw, with one temporary array."""
        if x.dtype.char not in _WIDE or not x.size:
            return super().log_softmax(x, axis)
        with np.errstate(invalid="ignore"):
            y = x - _max_reduce(x, axis=axis, keepdims=True)
        y -= np.log(_add_reduce(np.exp(y), axis=axis, keepdims=True))
        return y

    def softmax_cross_entropy(self, x: Any, number: Any, axis: int = -1, ignore_index: int = -100) -> Any:
        """As in Raw, but by plain indexing if all numbers are classes."""
        if x.ndim != 2 or axis % 2 != 1 or not number.size or ignore_index >= 0 or np.minimum.reduce(number) < 0:
            return super().softmax_cross_entropy(x, number, axis, ignore_index)
        return -self.log_softmax(x, axis)[np.arange(len(x)), number]

    tensordot = widened(lambda self, x1, x2, *, axes=2: np.tensordot(x1, x2, axes=axes))

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        """By the method. A number that is too large for half precision becomes infinite without a warning."""
        if dtype in NARROW:
            return numpy_halves.halved(x, dtype, copy)
        return self.library.astype(x, dtype, copy=copy)

    _clip_of_any_dtype = numpy_halves.in_float32("clip")
    leaky_relu = widened(IndexingRaw.leaky_relu)

    @widened
    def attention(self, *inputs: Any, scale: float, is_causal: bool = False) -> Any:
        """With few temporary arrays. See numpy_attention.py."""
        inputs += (None,) * (5 - len(inputs))
        if numpy_attention.takes(inputs):
            return numpy_attention.forward(inputs, scale, is_causal)
        return super().attention(*inputs, scale=scale, is_causal=is_causal)

    def _attention_gradients(self, g: Any, inputs: Any, outputs: Any, scale: float, moving: Any) -> list[Any]:
        g, inputs, outputs = numpy_halves.wide(g), numpy_halves.wide(inputs), numpy_halves.wide(outputs)
        if g[0] is not None and g[1] is None and numpy_attention.takes(inputs):
            return numpy_attention.gradients(g, inputs, outputs, scale, moving)
        return super()._attention_gradients(g, inputs, outputs, scale, moving)

    @widened
    def recurrent(self, *inputs: Any, mode: str, reverse: bool = False) -> Any:
        """An LSTM with few temporary arrays. See numpy_lstm.py."""
        inputs += (None,) * (8 - len(inputs))
        if mode == "LSTM" and numpy_lstm.takes(inputs):
            return numpy_lstm.forward(inputs, reverse)
        return super().recurrent(*inputs, mode=mode, reverse=reverse)

    def _recurrent_gradients(
        self, g: Any, inputs: Any, outputs: Any, mode: str, reverse: bool, moving: Any
    ) -> list[Any]:
        g, inputs, outputs = numpy_halves.wide(g), numpy_halves.wide(inputs), numpy_halves.wide(outputs)
        if mode == "LSTM" and numpy_lstm.takes(inputs):
            return numpy_lstm.gradients(g, inputs, outputs, reverse, moving)
        return super()._recurrent_gradients(g, inputs, outputs, mode, reverse, moving)

    def scatter(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        """A key of integers and slices reads no element twice, so that x is written."""
        if type(key) is int or type(key) is slice or (type(key) is tuple and _SINGLE.issuperset(map(type, key))):
            y = np.zeros(shape, x.dtype)
            y[key] = x
            return y
        return super().scatter(x, key, shape)

    def clip(self, x: Any, min: Any = None, max: Any = None) -> Any:
        """By two ufuncs, in a tenth of the time of array_api_compat's function, which is for bounds of any dtype."""
        if x.dtype.char not in _WIDE or min is max is None or not _NUMBERS.issuperset((type(min), type(max))):
            return self._clip_of_any_dtype(x, min, max)
        y = x if min is None else np.maximum(x, min)
        return y if max is None else np.minimum(y, max)

    def scatter_take(self, x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
        """Rows are added element by element: `add.at` of a flat array is six times as fast as that of rows."""
        added = rows.scatter_rows(x, indices, shape) if axis == 0 and x.ndim == 2 else None
        return super().scatter_take(x, indices, shape, axis) if added is None else added

    def scatter_along_axis(self, x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
        """For a single index along the axis nothing repeats, so values are written instead of added. NumPy adds at positions in
        the flat array eight times as fast as at indices for each axis.
        """
        if indices.shape[axis] == 1 and indices.ndim == 2 and axis % 2 == 1:
            y = np.zeros(shape, dtype=x.dtype)
            y[np.arange(shape[0]), indices[:, 0]] = x[:, 0]
            return y
        at: Any = 0
        indices = indices.astype(np.intp, copy=False)  # uint64 beside int64 would become float64
        for i, n in enumerate(shape):
            others = np.arange(n).reshape((n, *[1] * (len(shape) - i - 1)))
            at = at * n + (np.where(indices < 0, indices + n, indices) if i == axis % len(shape) else others)
        at = np.broadcast_to(at, x.shape).reshape(-1)
        return self._scatter_indices(x.reshape(-1), at, (prod(shape),)).reshape(shape)

    def _put(self, y: Any, value: Any, key: Any) -> Any:
        y[key] = value
        return y

    def stack(self, arrays: Any, /, *, axis: int = 0) -> Any:
        """0-d arrays become a vector without np.stack, in a third of the time."""
        first = arrays[0]
        if first.ndim == 0 and first.dtype.char in _WIDE and all([x.dtype is first.dtype for x in arrays]):  # noqa: C419
            return np.array([x[()] for x in arrays], first.dtype)
        return self.library.stack(arrays, axis=axis)

    matrix_transpose = staticmethod(operator.attrgetter("mT"))

    def permute_dims(self, x: Any, axes: tuple[int, ...]) -> Any:
        """By the method, in a fifth of the time."""
        return x.transpose(axes)

    _special = NumPySpecial

    def sum(self, x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        """BLAS sums rows and columns three times as fast; otherwise np.add.reduce, without np.sum's wrappers.

        The sum of everything is an array too, not a NumPy scalar.
        """
        if axis is None is dtype and not keepdims and x.dtype.char in _WIDE:
            return np.asarray(_add_reduce(x, None))
        if dtype is not None or x.dtype.char not in _WIDE:
            return self._wide("sum", x, axis=axis, dtype=dtype, keepdims=keepdims)
        if axis in (0, (0,)) and x.ndim == 2 and 0 < x.shape[0] <= _BLOCK:
            total = rows.ones(x.shape[0], x.dtype).dot(x)
            return total[None, :] if keepdims else total
        if axis is not None and (total := rows.sum_by_blas(x, axis, keepdims)) is not None:
            return total
        total = _add_reduce(x, axis=axis, keepdims=keepdims)
        return total if type(total) is np.ndarray else np.asarray(total)

    def mean(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        if x.dtype in NARROW:
            return self._in_float32(self.library.mean, x, axis=axis, keepdims=keepdims)
        if x.dtype.kind != "f" or not x.size:
            return self.library.mean(x, axis=axis, keepdims=keepdims)
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / x.dtype.type(x.size / max(total.size, 1))

    def standardize(self, x: Any, axis: Any, eps: float, centered: bool = True) -> Any:
        """As in normalization.py, in place."""
        return rows.standardize(self, x, axis, eps, centered)

    def sum_of_products(self, x1: Any, x2: Any, axis: Any, keepdims: bool = False) -> Any:
        """Without the array of products where the axes allow it."""
        total = rows.sum_of_products(x1, x2, axis, keepdims)
        return normalization.sum_of_products(self, x1, x2, axis, keepdims) if total is None else total

    def _wide(self, name: str, x: Any, *, dtype: Any = None, **options: Any) -> Any:
        """NumPy's function in float32 for half-precision arrays: in float16, a sum of ones would stop at 2,048."""
        function = getattr(self.library, name)
        if x.dtype not in NARROW or dtype not in (None, x.dtype):
            return function(x, dtype=dtype, **options)
        return numpy_halves.halved(np.asarray(function(x, dtype=np.float32, **options)), x.dtype, False)

    def prod(self, x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return self._wide("prod", x, axis=axis, dtype=dtype, keepdims=keepdims)

    def cumulative_sum(self, x: Any, **options: Any) -> Any:
        return self._wide("cumulative_sum", x, **options)

    def cumulative_prod(self, x: Any, **options: Any) -> Any:
        return self._wide("cumulative_prod", x, **options)

    def var(self, x: Any, **options: Any) -> Any:
        function = self.library.var
        return self._in_float32(function, x, **options) if x.dtype in NARROW else function(x, **options)

    def std(self, x: Any, **options: Any) -> Any:
        function = self.library.std
        return self._in_float32(function, x, **options) if x.dtype in NARROW else function(x, **options)

    def max(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        return _max_reduce(x, axis=axis, keepdims=keepdims)

    def min(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        return _min_reduce(x, axis=axis, keepdims=keepdims)

    def broadcast_to(self, x: Any, shape: tuple[int, ...]) -> Any:
        """For a 0-d array, such as the gradient of a sum, a view is made directly, in a quarter of the time."""
        if x.ndim:
            return np.broadcast_to(x, shape)
        view: Any = np.ndarray(shape, x.dtype, np.asarray(x), 0, (0,) * len(shape))
        view.flags.writeable = False
        return view

    def relu(self, x: Any) -> Any:
        """With an array of zeros: `maximum` is fast for two arrays of one shape, and slow for an array and a number."""
        shape = x.shape
        zeros = _zeros.get((shape, x.dtype))
        return np.maximum(x, _zero_view(shape, x.dtype) if zeros is None else zeros)

    def from_parts(self, x1: Any, x2: Any) -> Any:
        """The real and the imaginary part are written separately, in one pass each."""
        y = np.empty(np.broadcast_shapes(x1.shape, x2.shape), dtype=np.result_type(x1.dtype, np.complex64))
        y.real, y.imag = x1, x2
        return y

    def mask(self, x: Any, condition: Any) -> Any:
        """Bit patterns, as integers, times 0 or 1: a quarter of the time of np.where, and exact for nan and inf too."""
        if x.ndim == 0 and not condition.ndim:
            return np.array(x) if condition else np.zeros((), x.dtype)  # the result must not be x itself
        integer = _BITS.get(x.dtype)
        if integer is None:
            return np.where(condition, x, x.dtype.type(0))
        return np.multiply(x.view(integer), condition).view(x.dtype)

    def _scatter_indices(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        y = np.zeros(shape, dtype=np.float32 if x.dtype in NARROW else x.dtype)
        np.add.at(y, key, x)
        return y.astype(x.dtype, copy=False)

    def _vector_norm(self, plain: Any, x: Any, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
        """As in Raw, without warnings from a first attempt that is repeated, and without NumPy's wrappers for the 2-norm."""
        with np.errstate(all="ignore"):
            if axis is None and ord == 2 and not keepdims and x.dtype.char in "fd":
                flat = x.ravel(order="K")
                norm = np.sqrt(flat.dot(flat))
                if self._is_ordinary(norm, 2):
                    return norm
            return super()._vector_norm(plain, x, axis=axis, keepdims=keepdims, ord=ord)

    def _std(self, plain: Any, x: Any, **options: Any) -> Any:
        """As in Raw, without warnings from a first attempt that is repeated."""
        with np.errstate(over="ignore", under="ignore"):
            return super()._std(plain, x, **options)

    def _can_look(self, x: Any) -> bool:
        return True


BLOCK_BYTES = 1 << 19  # of each array that an optimizer updates; about six of these are in use together
LARGE_BYTES = 1 << 22  # arrays from here on are updated in blocks; six smaller ones fit in the cache as they are
_WIDE = "fdg"  # the codes of the real floating dtypes that are wide enough for the sum of many numbers
_of_sigmoid = {np.dtype(kind): (np.array(40, dtype=kind), np.array(1, dtype=kind)) for kind in (np.float32, np.float64)}
_BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}
_BLOCK = 1 << 16
_blocks: dict[tuple[float, Any], Any] = {}


_SINGLE = frozenset((int, slice, type(...)))
_NUMBERS = frozenset((float, int, type(None)))
_zeros: dict[tuple[tuple[int, ...], Any], Any] = {}


def _zero_view(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros of a shape that broadcasts against `shape`: a view of a cached block."""
    size = prod(shape)
    if size > _BLOCK and shape[-1] <= _BLOCK:
        shape, size = shape[-1:], shape[-1]
    elif size > _BLOCK:
        shape, size = (), 1
    if len(_zeros) > 1000:
        _zeros.clear()
    zeros = _zeros[shape, dtype] = _block(0.0, dtype)[:size].reshape(shape)
    return zeros


def _block(value: float, dtype: Any) -> Any:
    """A read-only row of _BLOCK equal numbers. Callers slice it."""
    block = _blocks.get((value, dtype))
    if block is None:
        block = _blocks[value, dtype] = np.full(_BLOCK, value, dtype=dtype)
        block.flags.writeable = False
    return block


class NumPy(Backend):
    name = "numpy"
    asks_operands = True
    arrays_are_plain = True
    install = "pip install numpy"
    array_types: ClassVar[tuple[type, ...]] = (np.ndarray,)
    raw_class = NumPyRaw
    bind_device = False
    holds_host_data = True
    widens_by_numbers = True

    @classmethod
    def namespace(cls) -> Any:
        return numpy_halves.library()

    def _find_narrow_dtypes(self) -> Set[Any]:
        return NARROW

    def __init__(self, name: str, device: Any) -> None:
        super().__init__(name, device)
        self.general_dtypes = numpy_halves.GENERAL
        numpy_halves.GENERAL.update(self.complex_dtypes)
        # Since NumPy 2 it tells vectors from stacks of matrices as the standard does. array_api_compat's imports in each call.
        add(self.xp, "linalg.solve", np.linalg.solve)

    @classmethod
    def device_of(cls, array: Any) -> Any:
        return "cpu"

    def as_array(self, y: Any) -> Any:
        """Without a search for the dtype, which a NumPy scalar has."""
        return np.asarray(y)

    def memory(self) -> str:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return f"{pages / 2**30:.1f} GiB in all"

    def scalar_operand(self, value: float, like: Any, layout: Any = None) -> Any:
        """A 0-d array of the same dtype: `1 - a` takes twice as long as `one - a`."""
        if layout is None or value == 0 or value != value:  # not for 0, because 0.0 == -0.0 as a key
            return value if like.dtype.kind != "V" else np.array(value, dtype=like.dtype)
        constant = np.array(value, dtype=like.dtype)
        constant.flags.writeable = False
        if len(layout.constants) > 100:
            layout.constants.clear()
        layout.constants[value] = constant
        return constant

    def beside_numbers(self, operands: list[Any]) -> list[Any]:
        return numpy_halves.beside_numbers(operands)

    @property
    def on_host(self) -> bool:
        return True

    def to_numpy(self, array: ArrayLike) -> Any:
        return np.array(array)

    def host_view(self, array: Any) -> Any:
        return array

    def in_order(self, array: Any, order: list[int]) -> Any:
        return array_bytes.in_order(array, order)

    def copy(self, array: Any) -> Any:
        return np.array(array)  # in the array's memory order: a weight that is used transposed may be stored transposed

    def block_length(self, array: Any) -> int:
        """An operation on a block reads and writes the cache. On a large array, each one would read and write main memory."""
        length: int = BLOCK_BYTES // array.dtype.itemsize if array.nbytes >= LARGE_BYTES else 0
        return length

    def flat(self, arrays: list[Any]) -> list[Any] | None:
        for order in ("C", "F"):
            if all(array.flags[order] for array in arrays):
                return [array.reshape(-1, order=order) for array in arrays]
        return None

    def owned(self, array: Any, fresh: bool) -> Any:
        if fresh and type(array) is np.ndarray and (array.base is None or _is_whole_view(array)):
            return array
        return np.array(array)

    def is_read_only(self, array: Any) -> bool:
        return not array.flags.writeable

    def exclusive(self, array: Any) -> bool:
        return array.base is None and array.flags.writeable and held_once(array)

    def exclusive_together(self, arrays: list[Any]) -> bool:
        return arrays[0].flags.writeable and held_only_by_views(arrays)

    def lend(self, arrays: list[Any]) -> Any:
        return lend(arrays) if type(arrays[0]) is np.ndarray and arrays[0].flags.writeable else None


def _is_whole_view(array: Any) -> bool:
    """Whether the array is a view of a whole array that nothing else refers to, such as the transpose of a product."""
    base = array.base
    is_whole = type(base) is np.ndarray and base.base is None and base.size == array.size
    return is_whole and held_once_through(array, "base")


BACKEND = NumPy
