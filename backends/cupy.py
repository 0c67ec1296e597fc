"""CuPy, on a CUDA device. It can be imported without a driver, so `devices` asks whether there is a device.

Written from the documentation and the sources of CuPy 14. Work is queued on the device: only `to_numpy` and `synchronize` wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, wraps
from importlib import import_module
from typing import Any, ClassVar

from xgrad.backends.base import Backend
from xgrad.backends.cupy_rules import fused
from xgrad.backends.cupy_windows import CuPyWindows
from xgrad.backends.determinism import is_deterministic
from xgrad.backends.gelu import DENSITY, gelu, gelu_gradient, silu
from xgrad.backends.guarded import Guarded
from xgrad.backends.memory import in_bytes
from xgrad.backends.narrow import widened
from xgrad.backends.raw import IndexingRaw
from xgrad.backends.references import held_once
from xgrad.backends.scatter import holds_integers, scatter_sorted, settle
from xgrad.backends.special import OF_ANY_ORDER, CuPySpecial

cupy: Any
try:
    cupy = import_module("cupy")
    _missing: Exception | None = None
except ImportError as error:
    cupy, _missing = None, error


_cumulative_sum, _cumulative_prod = widened("cumulative_sum"), widened("cumulative_prod")


class CuPyRaw(CuPyWindows, IndexingRaw):
    """array_api_compat.cupy, with CuPy's scatter for the gradients of integer indexing."""

    _special = CuPySpecial
    _waits_for_inverses = True

    @cached_property
    def linalg(self) -> Any:
        return Checked(self.library.linalg)

    # The kernels take real floating-point arrays of one dtype. Other arguments use the compositions of Raw.

    def sigmoid(self, x: Any) -> Any:
        if x.dtype.kind != "f":
            return super().sigmoid(x)
        return _kernel("sigmoid", "T x", "T y", "T z = exp(-abs(x)); y = (x < T(0) ? z : T(1)) / (z + T(1))")(x)

    def softplus(self, x: Any) -> Any:
        if x.dtype.kind != "f":
            return super().softplus(x)
        return _kernel("softplus", "T x", "T y", "y = max(x, T(0)) + log1p(exp(-abs(x)))")(x)

    def gelu(self, x: Any, approximate: str = "none") -> Any:
        if approximate == "tanh" or x.dtype.char not in "fd":
            return gelu(self, x, approximate)
        return _kernel("gelu", "T x", "T y", "y = x * normcdf(x)")(x)

    def gelu_gradient(self, g: Any, x: Any, y: Any, approximate: str = "none") -> Any:
        if approximate == "tanh" or x.dtype.char not in "fd" or not _are_of_one_dtype(g, x):
            return gelu_gradient(self, g, x, y, approximate)
        body = f"y = g * (normcdf(x) + x * T({DENSITY!r}) * exp(x * x * T(-0.5)))"
        return _kernel("gelu_gradient", "T g, T x", "T y", body)(g, x)

    def silu(self, x: Any) -> Any:
        if x.dtype.kind != "f":
            return silu(self, x)
        return _kernel("silu", "T x", "T y", "T z = exp(-abs(x)); y = x * ((x < T(0) ? z : T(1)) / (z + T(1)))")(x)

    def sigmoid_cross_entropy(self, x1: Any, x2: Any) -> Any:
        if not _are_of_one_dtype(x1, x2):
            return super().sigmoid_cross_entropy(x1, x2)
        line = "T s = T(x1 > T(0)) - x2; y = (s == T(0) ? T(0) : s * x1)"
        return _kernel("sigmoid_cross_entropy", "T x1, T x2", "T y", f"{line} + log1p(exp(-abs(x1)))")(x1, x2)

    def gap(self, x1: Any, x2: Any) -> Any:
        if not _are_of_one_dtype(x1, x2):
            return super().gap(x1, x2)
        return _kernel("gap", "T x1, T x2", "T y", "y = x1 == x2 ? T(0) : x1 - x2")(x1, x2)

    def over_squares(self, g: Any, x1: Any, x2: Any) -> Any:
        x1, x2 = (g.dtype.type(x) if isinstance(x, float) else x for x in (x1, x2))
        if not _are_of_one_dtype(g, x1, x2):
            return super().over_squares(g, x1, x2)
        body = "T size = hypot(x1, x2); y = isinf(size) ? T(0) : g / size / size"
        return _kernel("over_squares", "T g, T x1, T x2", "T y", body)(g, x1, x2)

    def relu(self, x: Any) -> Any:
        return cupy.maximum(x, 0)

    def sign(self, x: Any) -> Any:
        """In operations that can be fused. For nan it is nan."""
        return self.library.sign(x) if x.dtype.kind != "f" else cupy.where(x != x, x, cupy.sign(x))

    def leaky_relu(self, x: Any, negative_slope: float) -> Any:
        if x.dtype.kind != "f":
            return super().leaky_relu(x, negative_slope)
        return _kernel("leaky_relu", "T x, T slope", "T y", "y = x > T(0) ? x : x * slope")(
            x, x.dtype.type(negative_slope)
        )

    def mask(self, x: Any, condition: Any) -> Any:
        return cupy.where(condition, x, x.dtype.type(0))

    def concat(self, arrays: Any, /, *, axis: int | None = 0) -> Any:
        """Join eight arrays at a time: for more, CuPy copies a table of addresses to the device."""
        while len(arrays) > _TOGETHER:
            groups = [arrays[i : i + _TOGETHER] for i in range(0, len(arrays), _TOGETHER)]
            arrays = [self.library.concat(group, axis=axis) for group in groups]
        return self.library.concat(arrays, axis=axis)

    def stack(self, arrays: Any, /, *, axis: int = 0) -> Any:
        if len(arrays) <= _TOGETHER:
            return self.library.stack(arrays, axis=axis)
        return self.concat([cupy.expand_dims(array, axis) for array in arrays], axis=axis)

    # CuPy sums half precision in float32, but it rounds the mean before subtracting it, and each partial sum of a scan.
    var, std = widened("var"), widened("std")

    def cumulative_sum(self, x: Any, /, **options: Any) -> Any:
        with _same_each_time():
            return _cumulative_sum(self, x, **options)

    def cumulative_prod(self, x: Any, /, **options: Any) -> Any:
        with _same_each_time():
            return _cumulative_prod(self, x, **options)

    def _scatter_indices(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        """By atomics, whose order and last bit may differ from run to run; sorted first under use_deterministic."""
        if is_deterministic() or x.dtype.char not in _ATOMIC:
            return scatter_sorted(self, x, key, shape)
        y = cupy.zeros(shape, dtype=x.dtype)
        cupy.add.at(y, key, x)
        return y

    def _put(self, y: Any, value: Any, key: Any) -> Any:
        """For repeated indices the last value is written, as in NumPy. In CuPy itself the threads' order decides, which may
        differ between forward and backward."""
        if getattr(value, "ndim", 0) and holds_integers(self, key):
            value = settle(self, self.asarray(value, dtype=y.dtype), key, y.shape)
        return super()._put(y, value, key)


class Checked:
    """cupy.linalg, which raises for a matrix that it cannot use, such as a singular one. CuPy itself would return nan."""

    def __init__(self, library: Any) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self.library, name)
        errstate = import_module("cupyx").errstate

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            with errstate(linalg="raise"):  # this waits for the device
                return function(*args, **kwargs)

        self.__dict__[name] = checked
        return checked


@contextmanager
def _same_each_time() -> Iterator[None]:
    """Under use_deterministic, switch CUB off: the order of additions in its scans varies. (That of its sums does not.)"""
    if not is_deterministic():
        yield
        return
    core = import_module("cupy._core")
    before = core.get_routine_accelerators()
    core.set_routine_accelerators([])
    try:
        yield
    finally:
        core.set_routine_accelerators(before)


_TOGETHER = 8
_ATOMIC = frozenset("iILQefd")  # the dtypes that every CuPy 14 adds by atomics: neither int64 nor complex
_kernels: dict[str, Any] = {}


def _kernel(name: str, arguments: str, result: str, body: str) -> Any:
    """One kernel in place of the several that a composition would launch. CuPy compiles it for each dtype on first use."""
    kernel = _kernels.get(name)
    if kernel is None:
        kernel = _kernels[name] = cupy.ElementwiseKernel(arguments, result, body, f"xgrad_{name}")
    return kernel


def _are_of_one_dtype(*arrays: Any) -> bool:
    """Whether all are of one real floating dtype."""
    dtypes = {getattr(array, "dtype", None) for array in arrays}
    return len(dtypes) == 1 and getattr(dtypes.pop(), "kind", "") == "f"


class CuPy(Backend):
    name = "cupy"
    asks_operands = True
    install = "pip install 'xgrad[cuda12]' (for CUDA 12) or pip install 'xgrad[cuda13]' (for CUDA 13)"
    array_types: ClassVar[tuple[type, ...]] = (cupy.ndarray,) if cupy else ()
    raw_class = CuPyRaw
    checks_indices = False  # indices out of range wrap around
    cannot: ClassVar[Mapping[str, str]] = OF_ANY_ORDER

    def __init__(self, name: str, device: Any) -> None:
        super().__init__(name, device)
        if len(self.devices()) > 1:  # CuPy runs a function on the current device, wherever its arrays are
            self.guard = self.device
            self.xp: Any = Guarded(self.xp, self.device)

    @classmethod
    def namespace(cls) -> Any:
        import array_api_compat.cupy as xp

        return xp

    @classmethod
    def version(cls) -> str:
        return str(cupy.__version__)

    @classmethod
    def devices(cls) -> list[str]:
        if cupy is None:
            raise cls.not_installed(_missing or ImportError())
        if not cupy.cuda.is_available():
            raise cls.not_installed(RuntimeError("CuPy is installed, but finds no CUDA device (is there a driver?)"))
        return [str(i) for i in range(cupy.cuda.runtime.getDeviceCount())]

    @classmethod
    def find_device(cls, device: Any) -> Any:
        if isinstance(device, cupy.cuda.Device):
            return device
        name = str(cupy.cuda.runtime.getDevice() if device is None else device)
        if name not in cls.devices():
            raise cls.no_device(device)
        return cupy.cuda.Device(int(name))

    @property
    def device_name(self) -> str:
        return str(self.device.id)

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self.device:
            yield

    def make_current(self) -> None:
        self.device.use()

    @property
    def walking(self) -> Any:
        return self._between_streams()

    @contextmanager
    def _between_streams(self) -> Iterator[None]:
        """Order the reverse pass after the work that is queued on the device's other streams, and before their next work."""
        with self.guard:
            self._meet()
            try:
                yield
            finally:
                self._meet()

    def _meet(self) -> None:
        """Make the default stream wait for the current one. All streams but `non_blocking=True` ones wait for the default one."""
        current = cupy.cuda.get_current_stream()
        if current.ptr != cupy.cuda.Stream.null.ptr and not current.is_capturing():
            cupy.cuda.Stream.null.wait_event(current.record())

    def to_numpy(self, array: Any) -> Any:
        with self.guard:
            return cupy.asnumpy(array)

    def copy(self, array: Any) -> Any:
        with self.guard:
            return array.copy()

    def fused(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        return fused(rule)

    def owned(self, array: Any, fresh: bool) -> Any:
        return array if fresh and array.base is None else self.copy(array)

    def exclusive(self, array: Any) -> bool:
        return array.base is None and held_once(array)

    def in_words(self, error: Exception) -> str:
        if not isinstance(error, cupy.cuda.memory.OutOfMemoryError):
            return str(error)
        pool = cupy.get_default_memory_pool()
        with self.device:
            used, held = pool.used_bytes(), pool.total_bytes()
        give_back = "cupy.get_default_memory_pool().free_all_blocks()"
        return in_bytes(str(error), "CuPy", used, held, self.device.mem_info, give_back)

    def synchronize(self) -> None:
        self.device.synchronize()

    def memory(self) -> str:
        free, total = self.device.mem_info
        return f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


BACKEND = CuPy
