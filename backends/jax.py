"""JAX as an array library on concrete arrays. Its own gradients, tracing and `jit` are not used.

JAX's arrays cannot be written to, but tensors can: a write makes a new array. JAX has 64-bit numbers only with its setting
`jax_enable_x64`, which is off by default. Without it new arrays are float32, and a request for float64 gives float32 and a
warning. JAX_ENABLE_X64=1 in the environment, or jax.config.update("jax_enable_x64", True), turns it on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from importlib import import_module
from numbers import Integral
from typing import Any, ClassVar

from xgrad.backends.base import Backend
from xgrad.backends.jax_windows import JAXWindows
from xgrad.backends.raw import IndexingRaw
from xgrad.backends.refusal import Extension
from xgrad.backends.special import OF_ANY_ORDER, OF_THE_SECOND_KIND, JAXSpecial

jax: Any
try:
    jax = import_module("jax")
    _missing: Exception | None = None
except ImportError as error:
    jax, _missing = None, error


class JAXRaw(JAXWindows, IndexingRaw):
    """jax.numpy, with JAX's functional updates where other libraries write in place.

    For an index beyond the end JAX reads the last element, and drops a write. For a number in a key that is an error here, as in
    other libraries. Arrays of indices are not checked, because that would wait for the device.
    """

    _special = JAXSpecial
    _waits_for_inverses = True

    @cached_property
    def linalg(self) -> Any:
        return LinearAlgebra(self.library.linalg)

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
        """With copy=True, a copy even if the dtype stays, as the standard requires."""
        return self.library.astype(x, dtype, copy=copy, device=device)

    def permute_dims(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Axes may be negative, as in other libraries."""
        return self.library.permute_dims(x, tuple(axis % x.ndim for axis in axes))

    def linear(self, x: Any, weight: Any, bias: Any = None) -> Any:
        """For matrices one contraction, without a transpose, which XLA would copy."""
        if not x.ndim == weight.ndim == 2 or x.dtype != weight.dtype:
            return super().linear(x, weight, bias)
        y = jax.lax.dot_general(x, weight, (((1,), (1,)), ((), ())))
        return y if bias is None else y + bias

    def weight_gradient(self, g: Any, x: Any, weight: Any = None) -> Any:
        """As `linear`."""
        if not g.ndim == x.ndim == 2 or g.dtype != x.dtype:
            return super().weight_gradient(g, x, weight)
        return jax.lax.dot_general(g, x, (((0,), (0,)), ((), ())))

    def gap(self, x1: Any, x2: Any) -> Any:
        """In fewer calls than Raw's version: JAX subtracts equal infinities without a warning; `where` then gives 0."""
        return jax.numpy.where(x1 == x2, 0, x1 - x2)

    def sigmoid(self, x: Any) -> Any:
        """In one call instead of several."""
        return jax.nn.sigmoid(x)

    def gelu(self, x: Any, approximate: str = "none") -> Any:
        return jax.nn.gelu(x, approximate=approximate == "tanh")

    def silu(self, x: Any) -> Any:
        return jax.nn.silu(x)

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
    """The key. Raises IndexError for a number in it that is out of range of its axis."""
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
    """How many axes of the array a part of a key indexes: one, or the number of a mask's axes."""
    return part.ndim if str(getattr(part, "dtype", "")) == "bool" else 1


class UncheckedLinearAlgebra(Extension):
    """jax.numpy.linalg. JAX returns nan for a matrix that it cannot use, such as a singular one."""

    def matrix_rank(self, x: Any, /, *, rtol: Any = None) -> Any:
        """With `rtol` relative to the largest singular value, as in the standard. (JAX takes it as an absolute value.)"""
        values = self.svdvals(x)
        largest = values.max(axis=-1, initial=0)
        if rtol is None:
            rtol = max(x.shape[-2:]) * jax.numpy.finfo(values.dtype).eps
        return (values > (largest * rtol)[..., None]).sum(axis=-1)


class LinearAlgebra(UncheckedLinearAlgebra):
    """It raises for a matrix that JAX cannot use. The check waits for the device."""

    def __getattr__(self, name: str) -> Any:
        function = super().__getattr__(name)
        said = {"inv": "singular", "solve": "singular", "cholesky": "not positive definite"}.get(name)
        if said:
            function = self.__dict__[name] = _checked(function, f"the matrix is {said}")
        return function


def _checked(function: Callable[..., Any], said: str) -> Callable[..., Any]:
    """The function, with a ValueError if its result is not finite although its arguments are."""
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
    librarys_default = None  # a setting can change it
    checks_indices = False  # arrays of indices are not checked; see JAXRaw
    cannot: ClassVar[Mapping[str, str]] = {**OF_ANY_ORDER, **OF_THE_SECOND_KIND}

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
        """The devices of the platform that JAX prefers, and the CPU."""
        return list(dict.fromkeys([*jax.local_devices(), *jax.local_devices(backend="cpu")]))

    @classmethod
    def find_device(cls, device: Any) -> Any:
        """The device named, as `cpu:0` or `cuda:1`. A name without a number is the first such device."""
        found = cls._devices()
        if device is None:
            return jax.numpy.zeros(()).device  # JAX's setting jax_default_device decides
        for each in found:
            if str(device) in (str(each), str(each).partition(":")[0]):
                return each
        raise cls.no_device(device)

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        array = self.xp.asarray(self.cut_off(obj), dtype=dtype, copy=copy)
        if array.weak_type:  # JAX made it from a Python number: in an operation it would take the other operand's dtype
            array = self.xp.asarray(array, dtype=array.dtype)
        if dtype is None and str(getattr(obj, "dtype", "")) in ("float64", "complex128") and obj.dtype != array.dtype:
            warnings.warn(
                f"JAX converted an array of {obj.dtype} to {array.dtype}: it has no 64-bit numbers without its setting "
                "jax_enable_x64. Turn it on (JAX_ENABLE_X64=1 in the environment), or pass dtype=xgrad.float32.",
                stacklevel=3,
            )
        return array

    def _find_complex_dtypes(self) -> frozenset[Any]:
        """complex64 and complex128, also without jax_enable_x64, because a program may turn it on later."""
        return frozenset(jax.numpy.dtype(kind) for kind in (jax.numpy.complex64, jax.numpy.complex128))

    @property
    def default_dtype(self) -> Any:
        if jax.config.jax_enable_x64 != self._had_x64:  # a program may turn it on at any time
            self.forget_default()
            self._had_x64 = jax.config.jax_enable_x64
        return super().default_dtype

    _had_x64: bool | None = None

    def prepare_dtype(self, name: str) -> None:
        """Turn jax_enable_x64 on for a 64-bit dtype."""
        if name == "float64":
            jax.config.update("jax_enable_x64", True)
            self._had_x64 = True

    def cut_off(self, array: Any) -> Any:
        """The array. Raises TypeError for a tracer, which stands for an array while JAX traces a function."""
        if isinstance(array, jax.core.Tracer):
            raise TypeError(
                "an array that JAX is tracing was passed to xgrad, which works on concrete arrays and has its own gradients: "
                "call xgrad outside of jax.jit, jax.grad and jax.vmap"
            )
        return array

    @property
    def on_host(self) -> bool:
        return self.device_name.startswith("cpu")

    def to_numpy(self, array: Any) -> Any:
        import numpy as np

        return np.array(array)

    def kind_of(self, error: Exception) -> type[Exception]:
        """JAX raises TypeError for shapes that do not match: it becomes ValueError."""
        of_shapes = isinstance(error, TypeError) and any(word in str(error) for word in ("shape", "size"))
        return ValueError if of_shapes else super().kind_of(error)

    def synchronize(self) -> None:
        self.xp.zeros(()).block_until_ready()  # a device works in order, so this waits for all earlier work

    def memory(self) -> str:
        stats = self.device.memory_stats()
        if not stats:
            return "the host's"
        free, total = stats["bytes_limit"] - stats["bytes_in_use"], stats["bytes_limit"]
        return f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


BACKEND = JAX
