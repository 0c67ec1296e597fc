"""JAX, as an array library on concrete arrays: its own gradients, tracing and `jit` stay off.

Its arrays cannot be written to; tensors can, since a write makes a new value anyway. JAX's setting `jax_enable_x64` decides
whether there are 64-bit numbers: without it, which is JAX's default, new arrays are of float32, and who asks for float64 gets
float32 and a warning. (JAX_ENABLE_X64=1 in the environment, or jax.config.update("jax_enable_x64", True), turns it on.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property, wraps
from importlib import import_module
from numbers import Integral
from typing import Any, ClassVar

from xgrad.backends.base import Backend
from xgrad.backends.raw import IndexingRaw
from xgrad.backends.refusal import Extension
from xgrad.backends.special import JAXSpecial

jax: Any
try:
    jax = import_module("jax")
    _missing: Exception | None = None
except ImportError as error:
    jax, _missing = None, error


class JAXRaw(IndexingRaw):
    """jax.numpy, with JAX's functions for what other libraries write in place.

    JAX reads the last element where an index is beyond the end, and leaves out what would be written there. For numbers in a
    key that is an error here, as in other libraries; to look into an array of indices would wait for the device.
    """

    _special = JAXSpecial
    _waits_for_inverses = True

    @cached_property
    def linalg(self) -> Any:
        return LinearAlgebra(self.library.linalg)

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
        """A copy also where the dtype stays, as the standard has it."""
        return self.library.astype(x, dtype, copy=copy, device=device)

    def permute_dims(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Axes may count from the end, as in other libraries."""
        return self.library.permute_dims(x, tuple(axis % x.ndim for axis in axes))

    def gap(self, x1: Any, x2: Any) -> Any:
        """In fewer calls: JAX makes nan of equal infinities without a warning."""
        return jax.numpy.where(x1 == x2, 0, x1 - x2)

    def sigmoid(self, x: Any) -> Any:
        """In one call."""
        return jax.nn.sigmoid(x)

    def from_parts(self, x1: Any, x2: Any) -> Any:
        return jax.lax.complex(*jax.numpy.broadcast_arrays(x1, x2))

    def getitem(self, x: Any, key: Any) -> Any:
        return x[within(key, x.shape)]

    def setitem(self, x: Any, value: Any, key: Any) -> Any:
        return x.at[within(key, x.shape)].set(self.asarray(value, dtype=x.dtype))

    def scatter(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        return self._scatter_indices(x, key, shape)

    def _scatter_indices(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        return self.zeros(shape, dtype=x.dtype).at[within(key, shape)].add(x)


def within(key: Any, shape: tuple[int, ...]) -> Any:
    """The key. Raises IndexError for a number in it that is beyond its axis."""
    parts = key if isinstance(key, tuple) else (key,)
    taken = [0 if part is None or part is ... else _axes_of_mask(part) for part in parts]
    axis = 0
    for part, axes in zip(parts, taken, strict=True):
        is_number = isinstance(part, Integral) and not isinstance(part, bool) and axis < len(shape)
        if is_number and not -shape[axis] <= int(part) < shape[axis]:
            raise IndexError(f"index {part} is out of range for axis {axis} of shape {shape}")
        axis += len(shape) - sum(taken) if part is ... else axes
    return key


def _axes_of_mask(part: Any) -> int:
    """How many axes of an array a part of a key stands for: one, unless it is a mask."""
    return part.ndim if str(getattr(part, "dtype", "")) == "bool" else 1


class LinearAlgebra(Extension):
    """jax.numpy.linalg, where a matrix that will not do (a singular one, say) raises, as in other libraries; JAX gives nan.

    To see it waits for the device.
    """

    def __getattr__(self, name: str) -> Any:
        function = super().__getattr__(name)
        said = {"inv": "singular", "solve": "singular", "cholesky": "not positive definite"}.get(name)
        if said:
            function = self.__dict__[name] = _checked(function, f"the matrix is {said}")
        return function

    def matrix_rank(self, x: Any, /, *, rtol: Any = None) -> Any:
        """As the standard has it: `rtol` is relative to the largest singular value. (JAX takes it as it is.)"""
        values = self.svdvals(x)
        largest = values.max(axis=-1, initial=0)
        if rtol is None:
            rtol = max(x.shape[-2:]) * jax.numpy.finfo(values.dtype).eps
        return (values > (largest * rtol)[..., None]).sum(axis=-1)


def _checked(function: Callable[..., Any], said: str) -> Callable[..., Any]:
    """The function, raising where something is not finite in its result but not in its arguments."""
    finite = jax.numpy.isfinite

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if not finite(result).all() and all(finite(arg).all() for arg in args):
            raise ValueError(said)
        return result

    return checked


class JAX(Backend):
    name = "jax"
    install = "pip install 'xgrad[jax]'"
    array_types: ClassVar[tuple[type, ...]] = (jax.Array,) if jax else ()
    raw_class = JAXRaw
    librarys_default = None  # it depends on a setting
    checks_indices = False  # of arrays of indices; see JAXRaw

    @classmethod
    def namespace(cls) -> Any:
        return jax.numpy

    @classmethod
    def version(cls) -> str:
        return str(jax.__version__)

    @classmethod
    def devices(cls) -> list[str]:
        if jax is None:
            raise cls.not_installed(_missing or ImportError())
        return [str(device) for device in cls._devices()]

    @staticmethod
    def _devices() -> list[Any]:
        """Those of the platform that JAX prefers, and the CPU's."""
        return list(dict.fromkeys([*jax.local_devices(), *jax.local_devices(backend="cpu")]))

    @classmethod
    def find_device(cls, device: Any) -> Any:
        """`cpu:0`, `cuda:1`; the first one for a name without a number."""
        found = cls._devices()
        if device is None:
            return jax.numpy.zeros(()).device  # as jax_default_device says
        for each in found:
            if str(device) in (str(each), str(each).partition(":")[0]):
                return each
        raise cls.no_device(device)

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        array = self.xp.asarray(self.cut_off(obj), dtype=dtype, copy=copy)
        if array.weak_type:  # made of a Python number: it would take the dtype of what it meets
            array = self.xp.asarray(array, dtype=array.dtype)
        if dtype is None and str(getattr(obj, "dtype", "")) in ("float64", "complex128") and obj.dtype != array.dtype:
            warnings.warn(
                f"JAX made {array.dtype} of an array of {obj.dtype}: without its setting jax_enable_x64 it has no 64-bit "
                "numbers. Turn it on (JAX_ENABLE_X64=1 in the environment), or say dtype=xgrad.float32.",
                stacklevel=3,
            )
        return array

    def _find_complex_dtypes(self) -> frozenset[Any]:
        """Both, whatever the setting jax_enable_x64: it may be turned on later."""
        return frozenset(jax.numpy.dtype(kind) for kind in (jax.numpy.complex64, jax.numpy.complex128))

    @property
    def default_dtype(self) -> Any:
        if jax.config.jax_enable_x64 != self._had_x64:  # a program may turn it on at any time
            self.forget_default()
            self._had_x64 = jax.config.jax_enable_x64
        return super().default_dtype

    _had_x64: bool | None = None

    def prepare_dtype(self, name: str) -> None:
        """JAX has 64-bit numbers once its setting jax_enable_x64 is on."""
        if name == "float64":
            jax.config.update("jax_enable_x64", True)
            self._had_x64 = True

    def cut_off(self, array: Any) -> Any:
        """The array. Raises TypeError for what stands for one while JAX traces a function."""
        if isinstance(array, jax.core.Tracer):
            raise TypeError(
                "an array that JAX is tracing met xgrad, which differentiates by itself and on concrete arrays: "
                "call it outside of jax.jit, jax.grad and jax.vmap"
            )
        return array

    @property
    def on_host(self) -> bool:
        return self.device_name.startswith("cpu")

    def to_numpy(self, array: Any) -> Any:
        import numpy as np

        return np.array(array)

    def kind_of(self, error: Exception) -> type[Exception]:
        """JAX says TypeError to shapes that do not fit."""
        of_shapes = isinstance(error, TypeError) and any(word in str(error) for word in ("shape", "size"))
        return ValueError if of_shapes else super().kind_of(error)

    def synchronize(self) -> None:
        self.xp.zeros(()).block_until_ready()  # a device does what it is asked to in order

    def memory(self) -> str:
        stats = self.device.memory_stats()
        if not stats:
            return "the host's"
        free, total = stats["bytes_limit"] - stats["bytes_in_use"], stats["bytes_limit"]
        return f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


BACKEND = JAX
