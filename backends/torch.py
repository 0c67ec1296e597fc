"""PyTorch as an array library. Its own autograd is not used."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

from xgrad.backends.base import Backend
from xgrad.backends.data import PYTHON_NUMBERS
from xgrad.backends.determinism import is_deterministic
from xgrad.backends.layout import numpys_order
from xgrad.backends.memory import in_bytes
from xgrad.backends.raw import IndexingRaw
from xgrad.backends.scatter import scatter_sorted
from xgrad.backends.special import OF_ANY_ORDER, OF_THE_SECOND_KIND, TorchSpecial
from xgrad.backends.torch_windows import TorchWindows
from xgrad.backends.turned import Turned, runs_backwards

torch: Any
try:
    torch = import_module("torch")
    _missing: Exception | None = None
except ImportError as error:
    torch, _missing = None, error


class TorchRaw(TorchWindows, IndexingRaw):
    """array_api_compat.torch, with PyTorch's own versions of the extension functions."""

    _special = TorchSpecial
    _waits_for_inverses = True

    def sigmoid(self, x: Any) -> Any:
        return torch.sigmoid(x)

    def relu(self, x: Any) -> Any:
        return torch.relu(x)

    def softplus(self, x: Any) -> Any:
        return torch.logaddexp(x, torch.zeros((), dtype=x.dtype, device=x.device))

    def gelu(self, x: Any, approximate: str = "none") -> Any:
        return torch.nn.functional.gelu(x, approximate=approximate)

    def gelu_gradient(self, g: Any, x: Any, y: Any, approximate: str = "none") -> Any:
        return torch.ops.aten.gelu_backward(g, x, approximate=approximate)

    def silu(self, x: Any) -> Any:
        return torch.nn.functional.silu(x)

    def silu_gradient(self, g: Any, x: Any, y: Any) -> Any:
        return torch.ops.aten.silu_backward(g, x)

    def mish(self, x: Any) -> Any:
        return torch.nn.functional.mish(x)

    # For infinities PyTorch gives nan without a warning; it is overwritten.

    def gap(self, x1: Any, x2: Any) -> Any:
        return (x1 - x2).masked_fill_(x1 == x2, 0)

    def hypot(self, x1: Any, x2: Any) -> Any:
        """Also for an array and a number, which PyTorch refuses and array_api_compat converts slowly."""
        if type(x2) is float and isinstance(x1, torch.Tensor) and x1.is_floating_point():
            return torch.hypot(x1, torch.full((), x2, dtype=x1.dtype, device=x1.device))
        return self.library.hypot(x1, x2)

    def minimum(self, x1: Any, x2: Any) -> Any:
        """Also for an array and a number, without making the number an array."""
        return x1.clamp(max=x2) if type(x2) is float else self.library.minimum(x1, x2)

    def over_squares(self, g: Any, x1: Any, x2: Any) -> Any:
        if type(x2) is float and x2 == 1:  # the quotient is 0 if the square overflows
            return g / (x1 * x1 + 1)
        size = self.hypot(x1, x2)
        return (g / size).div_(size).masked_fill_(size == math.inf, 0)

    def sigmoid_cross_entropy(self, x1: Any, x2: Any) -> Any:
        slope = (x1 > 0).to(x1.dtype) - x2
        line = (slope * x1).masked_fill_(slope == 0, 0)
        return line + x1.abs().neg_().exp_().log1p_()

    def mask(self, x: Any, condition: Any) -> Any:
        return torch.where(condition, x, 0)

    def from_parts(self, x1: Any, x2: Any) -> Any:
        return torch.complex(x1, x2)

    def softmax(self, x: Any, axis: int) -> Any:
        return torch.softmax(x, dim=axis, dtype=_wide(x)).to(x.dtype)

    def log_softmax(self, x: Any, axis: int) -> Any:
        return torch.log_softmax(x, dim=axis, dtype=_wide(x)).to(x.dtype)

    def _can_look(self, x: Any) -> bool:
        return bool(x.device.type == "cpu")

    # --- reductions

    def sum(self, x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        if not x.is_floating_point():
            return self._reduced("sum", x, dtype, axis=axis, keepdims=keepdims)
        if axis is None and not keepdims:
            return torch.sum(x, dtype=dtype)
        return self.library.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return self._reduced("prod", x, dtype, axis=axis, keepdims=keepdims)

    def cumulative_sum(self, x: Any, /, *, dtype: Any = None, **options: Any) -> Any:
        return self._reduced("cumulative_sum", x, dtype, **options)

    def cumulative_prod(self, x: Any, /, *, dtype: Any = None, **options: Any) -> Any:
        return self._reduced("cumulative_prod", x, dtype, **options)

    def _reduced(self, name: str, x: Any, dtype: Any, **options: Any) -> Any:
        """A reduction in the standard's dtypes. PyTorch sums unsigned integers as int64 or not at all, and multiplies float16 in
        float16. Modulo 2**64, unsigned arithmetic equals that of int64.
        """
        function = getattr(self.library, name)
        if x.dtype in _UNSIGNED:
            y = function(x.view(torch.int64) if x.dtype == torch.uint64 else x.to(torch.int64), **options)
            return y.view(torch.uint64) if dtype is None else y.view(torch.uint64).to(dtype)
        if x.dtype == torch.bool:
            return function(x.to(torch.int64), dtype=dtype, **options)
        if _wide(x) != x.dtype and dtype in (None, x.dtype):
            return function(x, dtype=torch.float32, **options).to(x.dtype)
        return function(x, dtype=dtype, **options)

    def count_nonzero(self, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        """With axis=None for all axes, which PyTorch's function lacks."""
        if axis == ():
            return (x != 0).to(torch.int64)
        return self.library.count_nonzero(x, axis=axis, keepdims=keepdims)

    def searchsorted(self, x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
        """On contiguous copies, because PyTorch warns about other arrays."""
        return self.library.searchsorted(x1.contiguous(), x2.contiguous(), side=side, sorter=sorter)

    def take_along_axis(self, x: Any, indices: Any, /, *, axis: int = -1) -> Any:
        """By `gather`, which raises for an index out of range. (`take_along_dim` wraps around.)"""
        axis %= x.ndim
        n, indices = x.shape[axis], as_places(indices)
        others = [(*array.shape[:axis], 1, *array.shape[axis + 1 :]) for array in (x, indices)]
        shape = torch.broadcast_shapes(*others)
        from_start = torch.where(indices < 0, indices + n, indices).to(torch.int64)
        lengths = (n, indices.shape[axis])
        x, places = (
            array.expand(*shape[:axis], length, *shape[axis + 1 :])
            for array, length in zip((x, from_start), lengths, strict=True)
        )
        return torch.gather(x, axis, places)

    def take(self, x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
        return self.library.take(x, as_places(indices), axis=axis)

    def getitem(self, x: Any, key: Any) -> Any:
        key = as_places(key)
        found = x[key] if not runs_backwards(key) else Turned(x, key).get()
        order = numpys_order(key, x.ndim)
        return found if order is None else found.permute(order)

    def _put(self, y: Any, value: Any, key: Any) -> Any:
        """Casts the value first: at a mask or arrays of integers, PyTorch writes only values of the same dtype."""
        key = as_places(key)
        if isinstance(value, torch.Tensor) and value.dtype != y.dtype and value.is_complex() <= y.is_complex():
            value = value.to(y.dtype)
        if getattr(value, "ndim", 0) and (order := numpys_order(key, y.ndim)) is not None:
            value = value.expand(self.getitem(y, key).shape).permute([order.index(i) for i in range(len(order))])
        if runs_backwards(key):
            Turned(y, key).put(value)
        else:
            y[key] = value
        return y

    def _scatter_indices(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        if x.device.type != "cpu" and is_deterministic():  # otherwise a GPU adds by atomics, in any order
            return scatter_sorted(self, x, key, shape)
        y = torch.zeros(shape, dtype=_wide(x), device=x.device)
        count = y.numel()
        places = self.getitem(torch.arange(count, device=x.device).reshape(shape), key)
        y.view(-1).index_add_(0, places.reshape(-1), x.expand(places.shape).reshape(-1).to(y.dtype))
        return y.to(x.dtype)


def as_places(key: Any) -> Any:
    """The key, with integer arrays as int64: PyTorch would treat uint8 as a mask, and it refuses other dtypes."""
    if isinstance(key, torch.Tensor):
        return key.to(torch.int64) if key.dtype in _NO_PLACES else key
    if type(key) is tuple:
        for part in key:
            if isinstance(part, torch.Tensor) and part.dtype in _NO_PLACES:
                return tuple(map(as_places, key))
    return key


def _wide(x: Any) -> Any:
    """The dtype for a sum of many elements of x: float32 for half precision."""
    return torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype


_NO_PLACES = (torch.int8, torch.int16, torch.uint8, torch.uint16, torch.uint32, torch.uint64) if torch else ()
_UNSIGNED = (torch.uint8, torch.uint16, torch.uint32, torch.uint64) if torch else ()


def _from_host(obj: Any) -> Any:
    """NumPy's arrays and scalars as a PyTorch tensor on the host, sharing memory where PyTorch can.

    PyTorch refuses negative strides, warns about read-only memory, and does not convert and copy in one step. It would read a
    buffer of numbers as bytes, and a list of arrays number by number.
    """
    is_buffer = isinstance(obj, memoryview | bytearray | array)
    if not is_buffer and not (_holds_arrays(obj) if isinstance(obj, list | tuple) else _is_numpys(obj)):
        return obj
    import numpy as np

    host = np.asarray(obj)
    if not host.flags.writeable or min(host.strides, default=0) < 0:
        host = host.copy()
    if host.dtype.name == "bfloat16":  # of ml_dtypes, which PyTorch does not know
        return torch.asarray(host.astype(np.float32)).to(torch.bfloat16)
    return torch.asarray(host)


def _holds_arrays(obj: Any) -> bool:
    """Whether a nested list contains arrays that are not PyTorch's."""
    return not PYTHON_NUMBERS.issuperset(map(type, obj)) and any(
        _holds_arrays(part) if isinstance(part, list | tuple) else _is_numpys(part) for part in obj
    )


def _is_numpys(obj: Any) -> bool:
    return type(obj).__module__ == "numpy" and hasattr(obj, "dtype")


class Torch(Backend):
    name = "torch"
    librarys_default = None  # torch.set_default_dtype can change it
    install = "pip install torch"
    array_types: ClassVar[tuple[type, ...]] = (torch.Tensor,) if torch else ()
    raw_class = TorchRaw
    cannot: ClassVar[Mapping[str, str]] = {
        "unique_all": "PyTorch does not say where an element occurs first",
        **OF_ANY_ORDER,
        **OF_THE_SECOND_KIND,
    }

    @classmethod
    def namespace(cls) -> Any:
        import array_api_compat.torch as xp

        return xp

    @classmethod
    def version(cls) -> str:
        return str(torch.__version__)

    @classmethod
    def devices(cls) -> list[str]:
        if torch is None:
            raise cls.not_installed(_missing or ImportError())
        return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]

    @classmethod
    def find_device(cls, device: Any) -> Any:
        try:
            found = torch.device("cpu" if device is None else str(device))
        except RuntimeError:
            raise cls.no_device(device) from None
        if found.type == "cuda" and found.index is None:
            found = torch.device("cuda", torch.cuda.current_device())
        if str(found) not in cls.devices():
            raise cls.no_device(device)
        return found

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        if copy is not False:
            obj = _from_host(obj)
        return self.xp.asarray(self.cut_off(obj), dtype=dtype, copy=copy)

    def cut_off(self, array: Any) -> Any:
        """Detach the array from PyTorch's own autograd, whose graph would be kept beside xgrad's tape."""
        return array.detach() if isinstance(array, torch.Tensor) and array.requires_grad else array

    def copy(self, array: Any) -> Any:
        return array.clone(memory_format=torch.contiguous_format)

    @property
    def on_host(self) -> bool:
        return bool(self.device.type == "cpu")

    def host(self) -> Backend:
        return self.on_device("cpu")

    def to_numpy(self, array: Any) -> Any:
        if array.dtype == torch.bfloat16:
            from xgrad.backends.array_bytes import as_bfloat16

            return as_bfloat16(array.float().numpy(force=True))
        return array.numpy(force=True).copy()  # which also resolves a lazy conjugate

    def host_view(self, array: Any) -> Any:
        if array.dtype == torch.bfloat16:  # NumPy has none
            array = array.view(torch.int16)
        return array.numpy(force=True)

    def from_buffer(self, buffer: Any, offset: int, shape: tuple[int, ...], dtype: str) -> Any:
        """It reads bfloat16, too. Of a part of a buffer that PyTorch cannot use, it is a copy."""
        kind = getattr(torch, dtype)
        length = math.prod(shape) * kind.itemsize
        if length == 0:
            return torch.empty(shape, dtype=kind, device=self.device)
        part: Any = memoryview(buffer)[offset : offset + length]
        if part.readonly or offset % kind.itemsize:
            part = bytearray(part)
        return torch.frombuffer(part, dtype=kind).reshape(shape).to(self.device)

    def in_order(self, array: Any, order: list[int]) -> Any:
        return array.permute(order).contiguous().permute([order.index(i) for i in range(len(order))])

    def kind_of(self, error: Exception) -> type[Exception]:
        """PyTorch raises RuntimeError for shapes, for dtypes and for singular matrices: its message tells them apart."""
        if isinstance(error, torch.linalg.LinAlgError):
            return ValueError
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            return MemoryError
        if type(error) is not RuntimeError:
            return super().kind_of(error)
        if "out of bounds" in str(error):
            return IndexError
        of_dtypes = any(word in str(error) for word in ("dtype", "bool tensor", "not implemented for"))
        return TypeError if of_dtypes else ValueError

    def in_words(self, error: Exception) -> str:
        if not isinstance(error, torch.OutOfMemoryError):
            return super().in_words(error)
        used, held = torch.cuda.memory_allocated(self.device), torch.cuda.memory_reserved(self.device)
        return in_bytes(
            str(error), "PyTorch", used, held, torch.cuda.mem_get_info(self.device), "torch.cuda.empty_cache()"
        )

    def synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def memory(self) -> str:
        if self.device.type != "cuda":
            return "the host's"
        free, total = torch.cuda.mem_get_info(self.device)
        return f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


BACKEND = Torch
