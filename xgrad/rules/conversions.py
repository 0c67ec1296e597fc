"""Methods that convert a tensor to another dtype or device, or copy it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.backends import load
from xgrad.backends.dtype_names import DTYPES, name_of_dtype
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.creation import asarray
from xgrad.rules.data_type import astype as converted

Method = Callable[..., Any]

TYPES = (float, int, complex, bool)
# PyTorch's methods.
SHORT = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "bfloat16": "bfloat16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "bool": "bool",
}


def is_dtype(value: Any) -> bool:
    """Whether a value is a dtype of any library, the name of one, or a Python type of numbers."""
    return value in DTYPES if isinstance(value, str) else value in TYPES or name_of_dtype(value) in DTYPES


def astype(self: Tensor, dtype: Any, *, copy: bool = True) -> Tensor:
    """The tensor in another dtype: the library's, NumPy's, a name, or a Python type. It is differentiable."""
    return converted(self, dtype, copy=copy)


def to(self: Tensor, *where: Any, dtype: Any = None, device: Any = None, copy: bool = False, **options: Any) -> Tensor:
    """The tensor on another device of its library, in another dtype, or with the device and dtype of another tensor.

    It is differentiable. `to("cpu")` is `cpu()`. PyTorch's `non_blocking` and `memory_format` are accepted and have no effect.
    """
    if unknown := options.keys() - {"non_blocking", "memory_format"}:
        raise TypeError(f"to: unexpected argument {min(unknown)!r}; it takes a dtype, a device, or a tensor")
    for each in where:
        if isinstance(each, Tensor):
            dtype, device = each.dtype, each.device
        elif is_dtype(each):
            dtype = each
        else:
            device = each
    y = self
    if device is not None:
        y = cpu(y) if device == "cpu" else y.to_device(device)
    if dtype is not None:
        y = astype(y, dtype, copy=False)
    return copied(y) if copy and y is self else y


def cpu(self: Tensor) -> Tensor:
    """The tensor in the host's memory: itself if it is there, else on the CPU of its library, else a NumPy tensor of its values.

    Raises TypeError for a tensor that requires a gradient if its library has no CPU device: the gradient could not come back.
    """
    if self.backend.on_host:
        return self
    host = self.backend.host()
    if host is not None:
        return self.to_device(host.device)
    if self.requires_grad:
        raise TypeError(
            f"cpu(): {self.backend} has no CPU device, so the gradient could not come back. Call t.detach().cpu(), or "
            "t.numpy() for a copy of the values."
        )
    numpys = load("numpy", None)
    return wrap(numpys.asarray(self.numpy()), numpys)


def copied(self: Tensor) -> Tensor:
    """A copy. It is differentiable."""
    copy: Tensor = asarray(self, copy=True)
    return copy


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor that holds a copy of the data, as PyTorch's `tensor` makes one.

    >>> import xgrad as xg
    >>> xg.tensor([1.0, 2.0], requires_grad=True).requires_grad
    True

    Args:
        data: a number, a nested list or tuple of numbers, an array of NumPy or of the backend's library, or a tensor.
        dtype: the dtype of the result; None means that of the data, and for Python's numbers the default of their kind.
        device: the device of the result; None means that of the data, or else the current one.
        requires_grad: whether the result is a leaf, whose `.grad` backward() fills.

    Returns:
        A tensor of the shape of the data. No gradient goes back to a tensor that is the data: use `asarray` to stay connected.

    Raises:
        TypeError: for what holds no numbers; for parts of several shapes; for a dtype that the backend does not have; for
            `requires_grad` of integers or booleans.
        BackendError: for a device that the backend does not have.

    https://docs.pytorch.org/docs/stable/generated/torch.tensor.html
    """
    data = data.detach() if isinstance(data, Tensor) else data
    made: Tensor = asarray(data, dtype=dtype, device=device, copy=True, requires_grad=requires_grad)
    return made


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another."""
    return astype(self, other.dtype, copy=False)


def shortened(name: str) -> Method:
    """A method that converts to one dtype, as `x.double()` does."""

    def method(self: Tensor) -> Tensor:
        return astype(self, name, copy=False)

    method.__doc__ = f"The tensor as {name}."
    return method


def numel(self: Tensor) -> int:
    """The number of elements."""
    return int(self.size)


def dim(self: Tensor) -> int:
    """The number of axes."""
    return self.ndim


CONVERSIONS: dict[str, Method] = {
    **{short: shortened(name) for short, name in SHORT.items()},
    "astype": astype,
    "to": to,
    "type_as": type_as,
    "cpu": cpu,
    "copy": copied,
    "clone": copied,
    "numel": numel,
    "dim": dim,
}
