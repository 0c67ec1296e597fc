"""Methods that PyTorch's tensors have and NumPy's arrays do not: new tensors like this one, parts, and writes in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.engine.integers import integer
from xgrad.engine.registry import FUNCTIONS
from xgrad.engine.tensor import Tensor
from xgrad.rules import manipulation, parts
from xgrad.rules.conversions import dim, numel
from xgrad.rules.indexing import getitem
from xgrad.rules.methods import METHODS, clip, masked_fill, numbers, saying
from xgrad.rules.shapes import normalize_axes
from xgrad.rules.writing import write

Method = Callable[..., Any]

# --- new tensors ----------------------------------------------------------------------------------------------


def _new(name: str) -> Method:
    """A method that makes a tensor of a given shape with the dtype and on the device of another."""

    def method(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        make = getattr(self.__array_namespace__(), name)
        made: Tensor = make(numbers(size), dtype=self.dtype if dtype is None else dtype, device=device)
        return made.requires_grad_(requires_grad)

    return saying(f"As xgrad.{name}, with the dtype and on the device of this tensor.", method)


def new_full(
    self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """As xgrad.full, with the dtype and on the device of this tensor."""
    make = self.__array_namespace__().full
    made: Tensor = make(size, fill_value, dtype=self.dtype if dtype is None else dtype, device=device)
    return made.requires_grad_(requires_grad)


def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor that holds a copy of the data, with the dtype and on the device of this tensor."""
    data = data.detach() if isinstance(data, Tensor) else data
    make = self.__array_namespace__().asarray
    made: Tensor = make(data, dtype=self.dtype if dtype is None else dtype, device=device, copy=True)
    return made.requires_grad_(requires_grad)


# --- parts ----------------------------------------------------------------------------------------------------


def narrow(self: Tensor, dim: int, start: int, length: int) -> Tensor:
    """The `length` elements from `start` on along an axis, as a view."""
    (axis,) = normalize_axes("narrow", integer("narrow", dim), self.ndim)
    n = self.shape[axis]
    first, count = integer("narrow", start, "start"), integer("narrow", length, "length")
    first += n if first < 0 else 0
    if not (0 <= first <= n and 0 <= count <= n - first):
        raise ValueError(f"narrow: {length} elements from {start} on are not within an axis of {n}")
    return getitem(self, (*(slice(None),) * axis, slice(first, first + count), ...))


def select(self: Tensor, dim: int, index: int) -> Tensor:
    """The slice at an index of an axis, without that axis, as a view."""
    (axis,) = normalize_axes("select", integer("select", dim), self.ndim)
    return getitem(self, (*(slice(None),) * axis, integer("select", index, "index"), ...))


def unflatten(self: Tensor, dim: int, sizes: Any) -> Tensor:
    """With several axes in place of one. One of the sizes may be -1."""
    (axis,) = normalize_axes("unflatten", integer("unflatten", dim), self.ndim)
    lengths = list(sizes)
    if lengths.count(-1) == 1:
        known = 1
        for n in lengths:
            known *= n if n != -1 else 1
        lengths[lengths.index(-1)] = self.shape[axis] // known if known else 0
    return manipulation.reshape(self, (*self.shape[:axis], *lengths, *self.shape[axis + 1 :]))


def repeat_interleave(self: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Each element several times in a row, as xgrad.repeat."""
    repeated: Tensor = parts.repeat(self, repeats, axis=dim)
    return repeated


def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """As xgrad.reshape, to the shape of another tensor."""
    return manipulation.reshape(self, other.shape)


def rsqrt(self: Tensor) -> Tensor:
    """1 / sqrt(x), for each element."""
    root: Tensor = FUNCTIONS["reciprocal"](FUNCTIONS["sqrt"](self))
    return root


def is_floating_point(self: Tensor) -> bool:
    """Whether the dtype is a real floating-point one."""
    return self.backend.is_inexact(self.dtype) and self.dtype not in self.backend.complex_dtypes


def is_complex(self: Tensor) -> bool:
    """Whether the dtype is a complex one."""
    return self.dtype in self.backend.complex_dtypes


# --- in place -------------------------------------------------------------------------------------------------


def _written(name: str, method: Method) -> Method:
    """The method that writes what another returns, and returns the tensor."""

    def in_place(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        write(self, ..., method(self, *args, **kwargs))
        return self

    return saying(f"Write what x.{name}(...) is to the tensor, and return it.", in_place)


UNARY = "abs ceil cos exp floor log neg reciprocal relu round sigmoid sin sqrt square tanh trunc"
PYTORCH: dict[str, Method] = {
    **{f"{name}_": _written(name, METHODS[name]) for name in UNARY.split()},
    "clamp_": _written("clamp", clip),
    "clip_": _written("clip", clip),
    "is_complex": is_complex,
    "is_floating_point": is_floating_point,
    "masked_fill_": _written("masked_fill", masked_fill),
    "narrow": narrow,
    "ndimension": dim,
    "nelement": numel,
    "new_empty": _new("empty"),
    "new_full": new_full,
    "new_ones": _new("ones"),
    "new_tensor": new_tensor,
    "new_zeros": _new("zeros"),
    "pow_": _written("pow", METHODS["pow"]),
    "repeat_interleave": repeat_interleave,
    "reshape_as": reshape_as,
    "rsqrt": rsqrt,
    "rsqrt_": _written("rsqrt", rsqrt),
    "select": select,
    "unflatten": unflatten,
}
