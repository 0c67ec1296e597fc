"""dpnp, on SYCL devices: Intel's GPUs, and any CPU through OpenCL.

Work is queued on the device. Only `to_numpy`, `synchronize`, and `cut_off` of an array of another queue wait for it. All of
xgrad's arrays of one device are on dpctl's queue of that device.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Set
from functools import cached_property, wraps
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files
from typing import Any, ClassVar

from xgrad.backends.base import Backend
from xgrad.backends.host import as_numbers, as_plain
from xgrad.backends.host_data import is_host_data
from xgrad.backends.layout import arrays_first, numpys_order
from xgrad.backends.narrow import widened
from xgrad.backends.raw import IndexingRaw
from xgrad.backends.references import held_once, held_once_through
from xgrad.backends.refusal import Extension
from xgrad.backends.scatter import holds_integers, scatter_sorted, settle
from xgrad.backends.special import OF_ANY_ORDER, OF_GAMMA, OF_THE_SECOND_KIND, DpnpSpecial
from xgrad.backends.yielding import yield_to_others

OPENCL_DRIVERS = "OCL_ICD_FILENAMES"  # OpenCL's loader reads this variable when a program first asks for devices
CPU_DRIVER = "libintelocl.so"


def _add_cpu_driver() -> str:
    """Point OpenCL's loader to intel-opencl-rt's driver for CPUs, unless the variable is set. Returns the value that was set."""
    if OPENCL_DRIVERS in os.environ:
        return ""
    try:
        installed = files("intel-opencl-rt") or []
    except PackageNotFoundError:
        return ""
    for file in installed:
        if file.name == CPU_DRIVER:
            os.environ[OPENCL_DRIVERS] = os.path.realpath(str(file.locate()))
            return os.environ[OPENCL_DRIVERS]
    return ""


_cpu_driver = _add_cpu_driver()
dpnp: Any
dpctl: Any
try:
    dpnp, dpctl = import_module("dpnp"), import_module("dpctl")
    _missing: Exception | None = None
except ImportError as error:
    dpnp, dpctl, _missing = None, None, error
if dpnp:  # NumPy's scalars have a namespace too, and dpnp itself divides by some
    yield_to_others(dpnp.ndarray, dpnp.tensor.usm_ndarray, import_module("numpy").generic)


class DpnpRaw(IndexingRaw):
    """dpnp's namespace, corrected where it differs from the standard."""

    _special = DpnpSpecial

    @cached_property
    def linalg(self) -> Any:
        return LinearAlgebra(self.library.linalg)

    @cached_property
    def fft(self) -> Any:
        return Transforms(self.library.fft)

    def matmul(self, x1: Any, x2: Any, /) -> Any:
        return dpnp.matmul(spread_out(x1), spread_out(x2))

    def vecdot(self, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
        return dpnp.vecdot(spread_out(x1), spread_out(x2), axis=axis)

    def tensordot(self, x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
        return dpnp.tensordot(spread_out(x1), spread_out(x2), axes=axes)

    sum, prod, mean = widened("sum"), widened("prod"), widened("mean")
    var, std = widened("var"), widened("std")
    cumulative_sum, cumulative_prod = widened("cumulative_sum"), widened("cumulative_prod")

    def where(self, condition: Any, x1: Any, x2: Any, /) -> Any:
        return dpnp.where(*(forwards(x) for x in (condition, x1, x2)))

    def getitem(self, x: Any, key: Any) -> Any:
        order = numpys_order(key, x.ndim)
        x, key = self._with_neighbours(x, signed(key))
        return x[key] if order is None else dpnp.permute_dims(x[key], order)

    def _put(self, y: Any, value: Any, key: Any) -> Any:
        """For repeated indices the last value is written, as in NumPy. Threads would write in any order."""
        key = signed(key)
        if getattr(value, "ndim", 0):
            if holds_integers(self, key):
                value = settle(self, self.astype(value, y.dtype, copy=False), key, y.shape)
            if (order := numpys_order(key, y.ndim)) is not None:
                value = self.broadcast_to(value, self.getitem(y, key).shape)
                value = dpnp.permute_dims(value, [order.index(i) for i in range(len(order))])
        part, key = self._with_neighbours(y, key)
        part[key] = value
        return y

    def _with_neighbours(self, x: Any, key: Any) -> tuple[Any, Any]:
        """The array with its axes reordered, and the key: dpnp needs the arrays in a key to be next to each other."""
        found = arrays_first(key, x.ndim)
        return (x, key) if found is None else (dpnp.permute_dims(x, found[0]), found[1])

    def _scatter_indices(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        """By sorting: dpnp has no function that adds at indices."""
        return scatter_sorted(self, x, key, shape)


def spread_out(x: Any) -> Any:
    """The array, or a copy if it has a stride of 0 (after broadcasting): dpnp cannot multiply such matrices."""
    return x.copy() if 0 in x.strides and x.size > 1 else x


def signed(key: Any) -> Any:
    """The key, with uint64 indices made int64 beside other arrays: dpnp has no common dtype for them."""
    if type(key) is not tuple or sum(hasattr(part, "dtype") for part in key) < 2:
        return key
    return tuple(part.astype(dpnp.int64) if getattr(part, "dtype", None) == dpnp.uint64 else part for part in key)


def forwards(x: Any) -> Any:
    """The array, or a copy if it has negative strides: dpnp's `where` gives a wrong order for several such arrays."""
    return x.copy(order="C") if hasattr(x, "strides") and min(x.strides, default=0) < 0 else x


class LinearAlgebra(Extension):
    """dpnp.linalg, for operands that may have strides of 0."""

    def __getattr__(self, name: str) -> Any:
        function = super().__getattr__(name)
        if name in ("matmul", "vecdot", "tensordot"):
            function = self.__dict__[name] = _of_spread_out(function)
        return function


def _of_spread_out(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(x1: Any, x2: Any, /, **options: Any) -> Any:
        return function(spread_out(x1), spread_out(x2), **options)

    return wrapped


class Transforms(Extension):
    """dpnp.fft, without two faults: it writes into an argument that it truncates, and it raises for an array without elements."""

    def __getattr__(self, name: str) -> Any:
        function = super().__getattr__(name)
        if name.endswith(("fft", "fftn")):
            function = self.__dict__[name] = _safe_transform(function)
        return function


def _safe_transform(function: Callable[..., Any]) -> Callable[..., Any]:
    is_of_all_axes = function.__name__.endswith("n")

    @wraps(function)
    def transform(x: Any, /, **options: Any) -> Any:
        if options.get("n", options.get("s")) is not None:
            x = x.copy()
        if 0 not in x.shape:
            return function(x, **options)
        axes = options.get("axes") if is_of_all_axes else options.get("axis", -1)
        return _of_nothing(function, x, axes, options)

    return transform


def _of_nothing(function: Callable[..., Any], x: Any, axes: Any, options: Any) -> Any:
    """The empty result for an array without elements: that of zeros with axes of length 1, cut to length 0."""
    over = range(x.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
    transformed = {axis % x.ndim for axis in over}
    empty = [n == 0 and i not in transformed for i, n in enumerate(x.shape)]
    shape = tuple(1 if is_empty else n for is_empty, n in zip(empty, x.shape, strict=True))
    y = function(dpnp.zeros(shape, dtype=x.dtype, sycl_queue=x.sycl_queue), **options)
    return y[tuple(slice(0) if is_empty else slice(None) for is_empty in empty)]


_ON_HOST = "dpnp computes it on the host, with NumPy"
_NO_GAMMA = "dpnp has no gamma function"


class Dpnp(Backend):
    name = "dpnp"
    install = "pip install 'xgrad[dpnp]'"
    array_types: ClassVar[tuple[type, ...]] = (dpnp.ndarray,) if dpnp else ()
    raw_class = DpnpRaw
    checks_indices = False  # dpnp clips an index to the nearest element
    cannot: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("linalg.eig", "linalg.eigvals"), _ON_HOST),
        **dict.fromkeys((f"special.{name}" for name in OF_GAMMA), _NO_GAMMA),
        **OF_ANY_ORDER,
        **OF_THE_SECOND_KIND,
    }

    def __init__(self, name: str, device: Any) -> None:
        self.queue = device.sycl_queue
        self._numbers: dict[Any, Any] = {}  # numbers as 0-d arrays on the device
        super().__init__(name, device)

    def _find_narrow_dtypes(self) -> Set[Any]:
        return super()._find_narrow_dtypes() if self.device.sycl_device.has_aspect_fp16 else frozenset()

    @classmethod
    def namespace(cls) -> Any:
        return dpnp

    @classmethod
    def remark(cls) -> str:
        return f"OpenCL's driver for the CPU: {_cpu_driver} ({OPENCL_DRIVERS} was not set)" if _cpu_driver else ""

    # --- devices, named by dpctl's filter strings (backend:type:number), such as `level_zero:gpu:0`, `gpu` or `cpu:0`

    @classmethod
    def devices(cls) -> list[str]:
        if dpnp is None:
            raise cls.not_installed(_missing or ImportError())
        found = [str(device.filter_string) for device in dpctl.get_devices()]
        if not found:
            said = "dpnp is installed, but finds no SYCL device (for a CPU, intel-opencl-rt brings the driver)"
            raise cls.not_installed(RuntimeError(said))
        return found

    @classmethod
    def find_device(cls, device: Any) -> Any:
        """dpctl's device for a filter string, or for one of dpctl's own objects."""
        try:
            found = dpnp.tensor.Device.create_device(device)
            return dpnp.tensor.Device.create_device(found.sycl_device)  # on dpctl's own queue
        except (dpctl.SyclDeviceCreationError, TypeError, ValueError):
            raise cls.no_device(device) from None

    @classmethod
    def device_of(cls, array: Any) -> Any:
        device = array.device  # dpnp calls a queue a device
        found = _devices.get(device)
        if found is None:
            found = _devices[device] = cls.find_device(device)
        return found

    @property
    def device_name(self) -> str:
        return str(self.device.sycl_device.filter_string)

    def synchronize(self) -> None:
        self.queue.wait()

    def memory(self) -> str:
        return f"{self.device.sycl_device.global_mem_size / 2**30:.1f} GiB in all"

    # --- arrays ---

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        if self.owns(obj):
            return self.xp.asarray(self.cut_off(obj), dtype=dtype, copy=copy)
        kind = getattr(obj, "dtype", None)
        if dtype is None and str(kind) in ("float64", "complex128") and not self.device.sycl_device.has_aspect_fp64:
            warnings.warn(
                f"dpnp converted an array of {kind} to single precision: device {self.device_name} has no 64-bit numbers. "
                "Pass dtype=xgrad.float32.",
                stacklevel=3,
            )
        if is_host_data(obj):
            obj = as_plain(obj)
        try:
            return self.xp.asarray(obj, dtype=dtype, copy=copy)
        except TypeError:
            if dtype is None or not isinstance(obj, list | tuple):
                raise
            return self.xp.asarray(as_numbers(obj, dtype), copy=copy)

    def cut_off(self, array: Any) -> Any:
        """Move an array of another queue of this device to our queue, in the same memory, after waiting for its work."""
        if array.sycl_queue != self.queue and self.device_of(array) == self.device:
            array.sycl_queue.wait()
            return array.to_device(self.queue)
        return array

    def to_numpy(self, array: Any) -> Any:
        """Copy a view first: dpnp would bring the whole memory of its base to the host."""
        whole = array if _is_all_of_its_memory(array) else array.copy()
        return dpnp.tensor.asnumpy(whole.get_array())

    def copy(self, array: Any) -> Any:
        return array.copy(order="C")

    def scalar_operand(self, value: float, like: Any, layout: Any = None) -> Any:
        """A cached 0-d array of the same dtype: for a number, dpnp would copy one to the device in each operation, and wait."""
        if value != value or like.dtype in self.narrow_dtypes or not self.is_inexact(like.dtype):
            return value
        key = value or str(value), like.dtype  # 0.0 == -0.0
        constant = self._numbers.get(key)
        if constant is None:
            if len(self._numbers) > 1000:
                self._numbers.clear()
            constant = self._numbers[key] = self.xp.full((), value, dtype=like.dtype)
        return constant

    def owned(self, array: Any, fresh: bool) -> Any:
        usm = array.get_array()
        return (
            array if fresh and held_once_through(usm, "usm_data") and _is_all_of_its_memory(array) else self.copy(array)
        )

    def exclusive(self, array: Any) -> bool:
        return held_once(array) and _holds_its_memory_alone(array)

    # --- errors ---

    def kind_of(self, error: Exception) -> type[Exception]:
        if isinstance(error, dpctl.memory.USMAllocationError):
            return MemoryError
        if isinstance(error, dpnp.tensor.ExecutionPlacementError):
            return ValueError
        if isinstance(error, ValueError) and "does not support input type" in str(error):
            return TypeError
        return super().kind_of(error)

    def in_words(self, error: Exception) -> str:
        if not isinstance(error, dpctl.memory.USMAllocationError):
            return super().in_words(error)
        device = self.device.sycl_device
        return (
            f"{error}: device {self.device_name} has {device.global_mem_size:,} bytes in all, and one array may have "
            f"{device.max_mem_alloc_size:,}. No parameter, gradient or optimizer state was left half written. Free arrays "
            "(del t, optimizer.zero_grad()), or use a smaller batch or xgrad.checkpoint, and repeat the step."
        )


_devices: dict[Any, Any] = {}  # by dpnp's device on any queue: the device on dpctl's own queue


def _is_all_of_its_memory(array: Any) -> bool:
    return bool(array.get_array().usm_data.nbytes == array.nbytes)


def _holds_its_memory_alone(array: Any) -> bool:
    """Whether the array's memory is dpnp's own, is writable, and holds no other array."""
    usm = array.get_array()
    memory = usm.usm_data
    return bool(
        memory.reference_obj is None
        and memory.nbytes == array.nbytes
        and array.flags.writable
        and held_once_through(array, "_array_obj")
        and held_once_through(usm, "usm_data")
    )


BACKEND = Dpnp
