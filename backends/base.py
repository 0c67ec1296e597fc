"""What a backend must say of itself beyond the standard, with defaults that are pure Array API.

Two classes: `Raw`, the namespace that rules are given (the library's own functions, and the doors), and `Backend`, which
knows the library's arrays, devices and memory. A backend overrides what its library does otherwise, or faster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from math import prod
from operator import attrgetter
from typing import Any, ClassVar

from xgrad.backends import BackendError, load
from xgrad.backends.guarded import NO_GUARD
from xgrad.backends.refusal import refuse
from xgrad.backends.special import Special

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


class Raw:
    """A library's Array API namespace on raw arrays: creation lands on the backend's device, and the doors are there.

    The doors are the functions that the standard leaves out and rules or layers need: all those defined here. Each has a
    twin of the same name in xgrad's own namespace.
    """

    def __init__(self, library: Any, device: Any = None) -> None:
        self.library = library
        self.complex_dtypes: frozenset[Any] = frozenset()
        self.default_device = device

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.library, name)
        if name in CREATION and self.default_device is not None:
            value = partial(_on_device, value, self.default_device)
        self.__dict__[name] = value  # the next look-up is an ordinary one
        return value

    @cached_property
    def special(self) -> Special:
        """The library's special functions."""
        return Special(self.library.__name__)

    # --- doors: layers

    def linear(self, x: Any, weight: Any, bias: Any = None) -> Any:
        """x @ weight.T + bias."""
        y = self.matmul(x, self.matrix_transpose(weight))
        if bias is None:
            return y
        if bias.dtype != y.dtype:
            return y + bias
        y += bias
        return y

    def weight_gradient(self, g: Any, x: Any, weight: Any) -> Any:
        """g.T @ x, the gradient of linear's weight for matrices g and x."""
        return self.matmul(self.matrix_transpose(g), x)

    # --- doors: activations, stable for every finite argument ---

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(-x)), through tanh, which neither overflows nor underflows."""
        y = self.tanh(x * 0.5)
        y *= 0.5
        y += 0.5
        return y

    def softplus(self, x: Any) -> Any:
        """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))."""
        return self.relu(x) + self.log1p(self.exp(-self.abs(x)))

    def relu(self, x: Any) -> Any:
        return self.maximum(x, self.zeros((), dtype=x.dtype))

    def leaky_relu(self, x: Any, negative_slope: float) -> Any:
        return self.where(x > 0, x, x * negative_slope)

    def logsumexp(self, x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """log(sum(exp(x))), with the largest element taken out first."""
        peak = self.max(x, axis=axis, keepdims=True)
        peak = self.where(self.isfinite(peak), peak, self.zeros((), dtype=x.dtype))
        total = self.log(self.sum(self.exp(x - peak), axis=axis, keepdims=True)) + peak
        return total if keepdims else _drop(self, total, axis)

    def softmax(self, x: Any, axis: int) -> Any:
        y = self.exp(x - self.max(x, axis=axis, keepdims=True))
        y /= self.sum(y, axis=axis, keepdims=True)
        return y

    def log_softmax(self, x: Any, axis: int) -> Any:
        shifted = x - self.max(x, axis=axis, keepdims=True)
        return shifted - self.log(self.sum(self.exp(shifted), axis=axis, keepdims=True))

    def softmax_cross_entropy(self, x: Any, number: Any, axis: int = -1, ignore_index: int = -100) -> Any:
        """-log_softmax(x) at each class number; 0 for `ignore_index`, nan (or IndexError) for one that is no class."""
        ignored = number == ignore_index
        right = (number >= 0) & (number < x.shape[axis]) & ~ignored
        index = self.expand_dims(self.where(ignored, self.zeros_like(number), number), axis=axis)
        loss = -self.squeeze(self.take_along_axis(self.log_softmax(x, axis), index, axis=axis), axis=axis)
        zero, nan = (self.asarray(value, dtype=x.dtype) for value in (0.0, math.nan))
        return self.where(right, loss, self.where(ignored, zero, nan))

    # --- doors: selection, conversion and indexing ---

    def divide_into(self, x1: Any, x2: Any) -> Any:
        """x1 / x2, in the memory of x2 where the library can: x2 is an array of the caller's own, and is used up."""
        return x1 / x2

    def cast(self, x: Any, dtype: Any) -> Any:
        """`astype`, with arguments that may be named."""
        return self.astype(x, dtype)

    def mask(self, x: Any, condition: Any) -> Any:
        """x where the condition holds, 0 elsewhere (also where x is not finite)."""
        return self.where(condition, x, self.zeros((), dtype=x.dtype))

    def getitem(self, x: Any, key: Any) -> Any:
        return x[key]

    def setitem(self, x: Any, value: Any, key: Any) -> Any:
        """A copy of x with `value` written at `key`."""
        y = self.asarray(x, copy=True)
        y[key] = value
        return y

    def scatter(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        """Zeros of that shape with x added at `key`: the transpose of `getitem`. What is named twice is added twice."""
        parts = key if isinstance(key, tuple) else (key,)
        if any(hasattr(part, "dtype") and not self.isdtype(part.dtype, "bool") for part in parts):
            return self._scatter_indices(x, key, shape)
        y = self.zeros(shape, dtype=x.dtype)
        if any(part is None for part in parts):  # the standard has no new axes in what is written to
            key = tuple(part for part in parts if part is not None)
            x = self.reshape(x, y[key].shape)
        y[key] = x
        return y

    # The standard has no scatter: these multiply by a matrix of zeros and ones. A library that has one overrides them.

    def _scatter_indices(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        """`scatter` where the key holds arrays of integers."""
        places = self.reshape(self.arange(prod(shape)), shape)[key]
        hits = self.arange(prod(shape))[:, None] == self.reshape(places, (1, -1))
        flat = self.matmul(self.astype(hits, x.dtype), self.reshape(self.broadcast_to(x, places.shape), (-1,)))
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
    """For libraries that read and write at arrays of integers: `_scatter_indices` is their own, and serves the others."""

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


def _drop(xp: Any, x: Any, axis: int | tuple[int, ...] | None) -> Any:
    axes = tuple(range(x.ndim)) if axis is None else axis
    return xp.squeeze(x, axis=axes)


class Form:
    """What tensors of one shape, one real floating dtype and one backend have in common; see `xgrad.tensor.form_of`."""

    __slots__ = ("constants",)

    def __init__(self) -> None:
        self.constants: dict[float, Any] = {}


class Backend:
    """An array library on one of its devices. Get one with `xgrad.get_backend()`; there is one object for each device."""

    name: str
    install: ClassVar[str]  # what makes it usable, for error messages
    array_types: ClassVar[tuple[type, ...]] = ()
    raw_class: ClassVar[type[Raw]] = Raw
    checks_indices: ClassVar[bool] = True  # whether an index out of range is an error
    bind_device: ClassVar[bool] = True  # whether the library's creation functions must be told the device
    cannot: ClassVar[Mapping[str, str]] = {}  # functions ("linalg.eig") that it has no way to, each with the reason
    stays: ClassVar[bool] = False  # whether xgrad.asarray leaves its arrays here, whichever backend is the current one
    passing: ClassVar[bool] = False  # whether it is one of many that come and go, and nothing should be kept for it
    guard: Any = NO_GUARD  # entered around what is done with this device's arrays, where another may be the current one
    make_view: ClassVar[Callable[[Backend], Any]]  # set by xgrad.namespace

    def __init__(self, name: str, device: Any) -> None:
        self.name = name
        self.device = device
        self.library = self.namespace()
        self.xp = self.raw_class(self.library, device if self.bind_device else None)
        refuse(self.xp, name, self.cannot)
        kinds = self.library.__array_namespace_info__().dtypes(device=self.device, kind="complex floating").values()
        self.complex_dtypes = frozenset(self.xp.empty((0,), dtype=kind).dtype for kind in kinds)
        self.xp.complex_dtypes = self.complex_dtypes
        self._inexact: dict[Any, bool] = {}
        self._forms: dict[Any, Any] = {}
        self._ones: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"Backend({self.name}, {self.device_name})"

    def __reduce__(self) -> Any:
        return load, (self.name, self.device_name)

    # --- the library and its devices ---

    @classmethod
    def namespace(cls) -> Any:
        """The Array API namespace of the library."""
        raise NotImplementedError

    @classmethod
    def version(cls) -> str:
        return str(getattr(cls.namespace(), "__version__", "unknown"))

    @classmethod
    def devices(cls) -> list[str]:
        """The names of the usable devices. Raises BackendError where the library is missing or has none."""
        return ["cpu"]

    @classmethod
    def find_device(cls, device: Any) -> Any:
        """The library's device object for a name (or for one of its objects); None means the default device."""
        if device is None or str(device) == "cpu":
            return "cpu"
        raise cls.no_device(device)

    @classmethod
    def no_device(cls, device: Any) -> BackendError:
        return BackendError(f"backend {cls.name!r} has no device {str(device)!r}; it has {', '.join(cls.devices())}.")

    @classmethod
    def not_installed(cls, error: Exception) -> BackendError:
        return BackendError(f"backend {cls.name!r} is not usable: {error}. Install it with: {cls.install}.")

    @classmethod
    def device_of(cls, array: Any) -> Any:
        return getattr(array, "device", "cpu")

    @property
    def device_name(self) -> str:
        return str(self.device)

    def on(self, device: Any) -> Backend:
        """This library on another of its devices."""
        return load(self.name, device)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While the block runs, this device is the current one, where the library has such a thing."""
        yield

    def make_current(self) -> None:
        """As `entered`, for good."""

    @property
    def walking(self) -> Any:
        """Entered around a walk back over the tape."""
        return self.guard

    def memory(self) -> str:
        """The device's memory, in words."""
        return "unknown"

    # --- arrays ---

    @cached_property
    def view(self) -> Any:
        """xgrad's namespace, bound to this backend and device."""
        return Backend.make_view(self)

    def owns(self, value: Any) -> bool:
        """Whether this is an array of the library."""
        return isinstance(value, self.array_types)

    def accepts(self, value: Any) -> bool:
        """Whether `adopt` makes this an array of ours."""
        return self.owns(value)

    def join(self, other: Backend) -> Backend | None:
        """The backend on which arrays of both can be operands, once `take_in` has had them; None if there is none."""
        return None

    def here(self) -> Backend:
        """This backend as what runs now has it: inside of a vmap, perhaps. (Set by xgrad.batching.)"""
        return self

    def bare(self, array: Any) -> tuple[Backend, Any]:
        """The library's own array, with all that is hidden in it, and the backend it is on."""
        return self, array

    def home(self, array: Any) -> Backend:
        """The backend of an array that a walk from this one has come to: on another device, perhaps, or outside of a vmap."""
        known: Backend | None = getattr(array, "xgrad_backend", None)
        device = self.device_of(array)
        return known or (self if device == self.device else self.on(device))

    def take_in(self, tensor: Any) -> Any:
        """A tensor of another backend as one of this one, on the tape, where `join` says so."""
        raise NotImplementedError

    def asarray(self, obj: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        """A raw array on this device from a Python sequence or number, a NumPy array, or an array of the library."""
        return self.xp.asarray(obj, dtype=dtype, copy=copy)

    # The shape of an array, as rules are given it. Where arrays are in chunks it says which, so that gradients come in the same.
    shape_of: ClassVar[Any] = attrgetter("shape")

    def one(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """A one to start a backward from, kept for the next. It must not be written to."""
        found = self._ones.get((shape, dtype))
        if found is None:
            found = self._ones[shape, dtype] = self.xp.ones(shape, dtype=dtype)
        return found

    def weak(self, value: float, like: Any, form: Any = None) -> Any:
        """A Python number as an operand of `like`: itself, or what the library is quicker with. It must not be written to.

        What is the same each time may be left in `form.constants`.
        """
        return value

    def number(self, value: Any) -> Any:
        """A scalar that is not one of Python's as an operand: as one of those, if the library knows no better."""
        return value.item() if hasattr(value, "item") else float(value)

    def adopt(self, array: Any) -> Any:
        """A user's raw array as ours: itself, unless the library would record what is done with it."""
        return array

    def lift(self, value: Any, dtype: Any = None) -> Any:
        """A raw array from a number, a sequence of numbers or an array of this backend; TypeError for another library's."""
        if self.owns(value) or not hasattr(value, "dtype") or not getattr(value, "shape", ()):
            return self.asarray(value, dtype=None if self.owns(value) else dtype)
        raise TypeError(f"an array of {type(value).__module__} met backend {self}: move it with xgrad.asarray first")

    def to_numpy(self, array: Any) -> Any:
        """A copy on the host."""
        raise NotImplementedError

    def copy(self, array: Any) -> Any:
        """A copy, laid out row by row where the library has such layouts: two orders in one operation are slow."""
        return self.xp.asarray(array, copy=True)

    def owned(self, array: Any, fresh: bool) -> Any:
        """The array, if it is fresh and surely shares its memory with no other; else a copy."""
        return self.copy(array)

    def exclusive(self, array: Any) -> bool:
        """Whether nobody but the caller's one reference holds the array, so that it may be written in place."""
        return False

    def write(self, array: Any, value: Any, key: Any) -> Any:
        """The array with `value` written at `key`, in place. It is asked for only where the array is `exclusive`."""
        array[key] = value
        return array

    def fused(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """An optimizer's elementwise rule (see `xgrad.optim.state.Rule`), or what does the same in a single kernel."""
        return rule

    def kind_of(self, error: Exception) -> type[Exception]:
        """The built-in kind of an error of the library: ValueError for shapes that do not fit, TypeError for dtypes."""
        return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")

    def persist(self, arrays: list[Any]) -> list[Any]:
        """The same arrays, computed, where the library puts that off; all of them together."""
        return arrays

    def in_words(self, error: Exception) -> str:
        """What an error of the library says; of one about memory also how much there is, and what to do."""
        return str(error)

    def synchronize(self) -> None:
        """Wait until the device has done what it was asked to do."""

    def format(self, array: Any) -> str:
        """The values as text. This brings them to the host."""
        import numpy as np

        return np.array2string(self.to_numpy(array), separator=", ", threshold=60, edgeitems=3)

    def form(self, array: Any) -> Any:
        """One object for each shape and real floating dtype, for a quick comparison; None for 0-d arrays and other dtypes."""
        key = tuple(array.shape), array.dtype
        found = self._forms.get(key)
        if found is None and key[0] and self.library.isdtype(key[1], "real floating"):
            if len(self._forms) > 10_000:
                self._forms.clear()  # forms made before and after differ, which costs a comparison of shapes
            found = self._forms[key] = Form()
        return found

    # --- dtypes ---

    def is_inexact(self, dtype: Any) -> bool:
        """Whether the dtype is a real or complex floating-point one."""
        known = self._inexact.get(dtype)
        if known is None:
            known = self._inexact[dtype] = bool(self.library.isdtype(dtype, ("real floating", "complex floating")))
        return known
