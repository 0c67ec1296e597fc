"""The methods of a tensor: each stands for a function of the namespace, under the name that NumPy or PyTorch has for it.

The standard has no methods. There are those on which NumPy and PyTorch agree, and those that only one of them has. Where both
have a name and mean different things by it, the standard decides (`x.max(axis)` gives values only, `x.std()` divides by n); where
it has no say, there is an error (see missing.py). Arguments may have NumPy's words or PyTorch's, `axis` or `dim`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from xgrad.engine.integers import integer
from xgrad.engine.registry import FUNCTIONS
from xgrad.engine.tensor import Tensor
from xgrad.engine.views import contiguous, layout_of
from xgrad.rules import elementwise as e
from xgrad.rules import linalg, manipulation, parts, searching
from xgrad.rules.conversions import CONVERSIONS
from xgrad.rules.creation import asarray, tril, triu, zeros_like
from xgrad.rules.data_type import cast as cast_to
from xgrad.rules.indexing import getitem, take
from xgrad.rules.linear_algebra import matmul
from xgrad.rules.reductions import REDUCTIONS, no_out, one_of
from xgrad.rules.shapes import normalize_axes
from xgrad.rules.writing import write

Method = Callable[..., Any]


def numbers(given: tuple[Any, ...]) -> Any:
    """Numbers, or one sequence of them, as one: `t.reshape(2, 3)` is `t.reshape((2, 3))`."""
    return given[0] if len(given) == 1 else given


# --- shapes -------------------------------------------------------------------------------------------------


def reshape(self: Tensor, *shape: Any, order: str = "C") -> Tensor:
    """The elements, row by row, in another shape, which is a tuple or numbers. A view where the elements lie so."""
    if order != "C":
        raise ValueError(f"reshape: the elements are taken row by row, which is order='C', not {order!r}")
    return manipulation.reshape(self, numbers(shape))


def view(self: Tensor, *shape: Any) -> Tensor:
    """As `reshape`, which gives a view wherever PyTorch's `view` does not raise."""
    for n in numbers(shape) if isinstance(numbers(shape), Iterable) else shape:
        integer("view", n, "shape", "hold integers only (to convert to another dtype, write x.astype(dtype))")
    return manipulation.reshape(self, numbers(shape))


def flatten(self: Tensor, start_dim: Any = None, end_dim: int = -1, *, order: str = "C") -> Tensor:
    """All elements in one axis, as a copy; or the axes from `start_dim` to `end_dim` as one, as a view."""
    if order != "C" or isinstance(start_dim, str):
        raise ValueError("flatten: the elements are taken row by row, which is order='C'")
    if start_dim is None and end_dim == -1:
        return manipulation.reshape(asarray(self, copy=True), (-1,))
    if self.ndim == 0:
        return manipulation.reshape(self, (-1,))
    (first,), (last,) = (normalize_axes("flatten", axis, self.ndim) for axis in (start_dim or 0, end_dim))
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    length = 1
    for n in self.shape[first : last + 1]:
        length *= n
    return manipulation.reshape(self, (*self.shape[:first], length, *self.shape[last + 1 :]))


def ravel(self: Tensor, order: str = "C") -> Tensor:
    """All elements in one axis, row by row: a view where they lie so."""
    return reshape(self, -1, order=order)


def squeeze(self: Tensor, axis: Any = None, *, dim: Any = None) -> Tensor:
    """Without the axes named, or all axes, of length 1."""
    axis = one_of("squeeze", axis, dim)
    if axis is None:
        axis = tuple(i for i, n in enumerate(self.shape) if n == 1)
    return manipulation.squeeze(self, axis) if axis != () else self


def unsqueeze(self: Tensor, dim: int) -> Tensor:
    """With a new axis of length 1 at that place."""
    return manipulation.expand_dims(self, dim)


def transpose(self: Tensor, *axes: Any) -> Tensor:
    """The axes in another order; in reverse without arguments. `x.transpose(a, b)` swaps two of more than two axes.

    Of a matrix, `x.transpose(0, 1)` is the matrix itself in NumPy and its transpose in PyTorch: that is an error.
    """
    if not axes or axes == (None,):
        return manipulation.permute_dims(self, tuple(range(self.ndim))[::-1])
    if len(axes) != 2:
        return manipulation.permute_dims(self, numbers(axes))
    if self.ndim == 2 and normalize_axes("transpose", axes, 2) == (0, 1):
        raise TypeError(
            f"transpose{axes} of a matrix: NumPy leaves it as it is, and PyTorch transposes it. Write x.T or x.mT for the "
            "transpose, or x.permute(axes)"
        )
    return swapaxes(self, *axes)


def swapaxes(self: Tensor, axis1: int, axis2: int) -> Tensor:
    """With two axes exchanged."""
    order = list(range(self.ndim))
    (a,), (b,) = (normalize_axes("swapaxes", integer("swapaxes", axis), self.ndim) for axis in (axis1, axis2))
    order[a], order[b] = order[b], order[a]
    return manipulation.permute_dims(self, tuple(order))


def permute(self: Tensor, *dims: Any) -> Tensor:
    """The axes in another order: axis i of the result is axis `dims[i]`."""
    return manipulation.permute_dims(self, numbers(dims))


def t(self: Tensor) -> Tensor:
    """The transpose of a matrix; a vector as it is."""
    return self if self.ndim < 2 else self.T


def expand(self: Tensor, *shape: Any) -> Tensor:
    """Broadcast to a shape, in which -1 leaves an axis as it is. Read-only, as of broadcast_to."""
    wanted = tuple(numbers(shape)) if isinstance(numbers(shape), Iterable) else shape
    before = (None,) * (len(wanted) - self.ndim) + self.shape
    return manipulation.broadcast_to(
        self, tuple(old if n == -1 and old is not None else n for n, old in zip(wanted, before, strict=True))
    )


def is_contiguous(self: Tensor) -> bool:
    """Whether the elements lie row by row, as far as views can change that."""
    return layout_of(self)[1] == contiguous(self.shape)


def made_contiguous(self: Tensor) -> Tensor:
    """The tensor, or a copy whose elements lie row by row."""
    return self if is_contiguous(self) else asarray(self, copy=True)


def split(self: Tensor, split_size: Any, dim: int | None = None, *, axis: int | None = None) -> tuple[Tensor, ...]:
    """Views of that length along an axis, the last one of what remains; or of the lengths in a list."""
    (axis,) = normalize_axes("split", one_of("split", axis, dim) or 0, self.ndim)
    n = self.shape[axis]
    if isinstance(split_size, list | tuple):
        lengths = [integer("split", length, "split_size") for length in split_size]
        if sum(lengths) != n:
            raise ValueError(f"split: the lengths {lengths} do not add up to {n}, the length of axis {axis}")
    else:
        step = integer("split", split_size, "split_size")
        if step < 1:
            raise ValueError(f"split: split_size must be 1 or more, not {step}")
        lengths = [min(step, n - start) for start in range(0, n, step)] or [0]
    parts, start = [], 0
    for length in lengths:
        parts.append(getitem(self, (*(slice(None),) * axis, slice(start, start + length), ...)))
        start += length
    return tuple(parts)


def chunk(self: Tensor, chunks: int, dim: int | None = None, *, axis: int | None = None) -> tuple[Tensor, ...]:
    """At most so many views along an axis, of one length but for the last."""
    where = one_of("chunk", axis, dim) or 0
    (place,) = normalize_axes("chunk", where, self.ndim)
    return split(self, max(-(-self.shape[place] // integer("chunk", chunks, "chunks")), 1), axis=place)


def unbind(self: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts along an axis, without it."""
    return parts.unstack(self, axis=dim)


def diagonal(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of the matrices in two axes, which are the first two, as NumPy and PyTorch have it."""
    return linalg.diagonal(manipulation.moveaxis(self, (axis1, axis2), (-2, -1)), offset=offset)


def trace(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the diagonal of the matrices in two axes, which are the first two."""
    return linalg.trace(manipulation.moveaxis(self, (axis1, axis2), (-2, -1)), offset=offset)


# --- elements -----------------------------------------------------------------------------------------------


def taken(self: Tensor, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Tensor:
    """The elements at the indices along an axis; without one, of all elements row by row."""
    no_out("take", out)
    if mode != "raise":
        raise ValueError(f"take: an index out of range is an error, mode='raise', not {mode!r}")
    return take(manipulation.reshape(self, (-1,)), indices, axis=0) if axis is None else take(self, indices, axis=axis)


def index_select(self: Tensor, dim: int, index: Any) -> Tensor:
    """The elements at the indices along an axis."""
    return take(self, index, axis=dim)


def clip(self: Tensor, min: Any = None, max: Any = None, out: None = None) -> Tensor:
    """The elements, none below `min` or above `max`."""
    no_out("clip", out)
    return e.clip(self, min, max)


def rounded(self: Tensor, decimals: int = 0, out: None = None) -> Tensor:
    """The elements, rounded to so many decimals, halves to even."""
    no_out("round", out)
    if decimals == 0 or (decimals > 0 and not self.backend.is_inexact(self.dtype)):
        return e.round(self)
    scale = 10.0 ** abs(decimals)
    return e.round(self * scale) / scale if decimals > 0 else cast_to(e.round(self / scale) * scale, self.dtype)


def masked_fill(self: Tensor, mask: Any, value: Any) -> Tensor:
    """A copy with `value` where the mask holds. The mask is broadcast to the shape of the tensor."""
    if value is not None and getattr(value, "shape", ()) != ():
        raise ValueError(f"masked_fill: the value must be one number, not of shape {value.shape}; see xgrad.where")
    y = searching.where(mask, value, self)
    if y.shape != self.shape:
        raise ValueError(f"masked_fill: a mask of shape {tuple(mask.shape)} does not broadcast to {self.shape}")
    return y if y.dtype == self.dtype else cast_to(y, self.dtype)


def where(self: Tensor, condition: Any, other: Any) -> Tensor:
    """The elements where the condition holds, those of `other` elsewhere."""
    return searching.where(condition, self, other)


def dot(self: Tensor, other: Any) -> Tensor:
    """The inner product of vectors; the matrix product of what has no more than two axes."""
    axes = len(getattr(other, "shape", ()))
    if self.ndim == 0 or axes == 0:
        product: Tensor = self * other
        return product
    if max(self.ndim, axes) > 2:
        raise ValueError("dot: of more than two axes it is not what @ is; write x @ y, or xgrad.tensordot")
    return matmul(self, other)


def saying(text: str, method: Method) -> Method:
    """The method, with that text as its docstring."""
    method.__doc__ = text
    return method


def scaled(function: Method) -> Method:
    """`x.add(y, alpha=a)` is x + a * y."""

    def method(self: Tensor, other: Any, *, alpha: Any = None) -> Tensor:
        y: Tensor = function(self, other if alpha is None else other * alpha)
        return y

    return saying(f"As xgrad.{function.__name__}, with `other` multiplied by `alpha` first.", method)


def real(self: Tensor) -> Tensor:
    """The real part, as a view; of a real tensor the tensor itself."""
    return e.real(self) if self.dtype in self.backend.complex_dtypes else self


def imag(self: Tensor) -> Tensor:
    """The imaginary part; of a real tensor zeros, as NumPy has it."""
    part: Tensor = e.imag(self) if self.dtype in self.backend.complex_dtypes else zeros_like(self)
    return part


# --- in place -----------------------------------------------------------------------------------------------


def filled(self: Tensor, value: Any) -> Tensor:
    """Write one value everywhere, or other values that broadcast to the shape. Returns the tensor."""
    write(self, ..., value)
    return self


def zeroed(self: Tensor) -> Tensor:
    """Write zeros everywhere. Returns the tensor."""
    return filled(self, 0)


def fill(self: Tensor, value: Any) -> None:
    """Write one value everywhere."""
    write(self, ..., value)


def augmented(operator: str, symbol: str) -> Method:
    """`x.add_(y, alpha=a)` is x += a * y."""

    def method(self: Tensor, other: Any, *, alpha: Any = None) -> Tensor:
        written: Tensor = getattr(self, operator)(other if alpha is None else other * alpha)
        return written

    return saying(
        f"As `{symbol}`, with `other` multiplied by `alpha` first. Writes to the tensor and returns it.", method
    )


# --- the table ----------------------------------------------------------------------------------------------

# Functions of the namespace as they are: those of one array, those of two, and those that PyTorch calls otherwise.
UNARY = """
    abs acos acosh asin asinh atan atanh ceil conj cos cosh exp expm1 floor isfinite isinf isnan log log10 log1p log2
    logical_not reciprocal relu sigmoid sign sin sinh sqrt square tan tanh trunc
"""
BINARY = """
    atan2 divide floor_divide greater greater_equal hypot less less_equal logical_and logical_or matmul maximum minimum moveaxis
    multiply not_equal pow remainder
"""
RENAMED = {
    "absolute": "abs",
    "arctan2": "atan2",
    "bmm": "matmul",
    "conjugate": "conj",
    "div": "divide",
    "eq": "equal",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "mm": "matmul",
    "movedim": "moveaxis",
    "mul": "multiply",
    "mv": "matmul",
    "ne": "not_equal",
    "neg": "negative",
}
METHODS: dict[str, Method] = {
    **{name: FUNCTIONS[name] for name in (UNARY + BINARY).split()},
    **{name: FUNCTIONS[function] for name, function in RENAMED.items()},
    **REDUCTIONS,
    **CONVERSIONS,
    "add": scaled(e.add),
    "add_": augmented("__iadd__", "+="),
    "broadcast_to": saying(
        "As xgrad.broadcast_to. The shape is a tuple or numbers.",
        lambda self, *shape: manipulation.broadcast_to(self, numbers(shape)),
    ),
    "chunk": chunk,
    "clamp": clip,
    "clip": clip,
    "contiguous": made_contiguous,
    "copy_": filled,
    "diagonal": diagonal,
    "div_": augmented("__itruediv__", "/="),
    "dot": dot,
    "expand": expand,
    "expand_as": saying(
        "As xgrad.broadcast_to, to the shape of another tensor.",
        lambda self, other: manipulation.broadcast_to(self, other.shape),
    ),
    "fill": fill,
    "fill_": filled,
    "flatten": flatten,
    "flip": saying(
        "As xgrad.flip. The axes are a tuple or numbers.",
        lambda self, *dims: manipulation.flip(self, axis=numbers(dims)),
    ),
    "index_select": index_select,
    "is_contiguous": is_contiguous,
    "masked_fill": masked_fill,
    "mul_": augmented("__imul__", "*="),
    "permute": permute,
    "ravel": ravel,
    "reshape": reshape,
    "roll": saying(
        "As xgrad.roll. The axes are called `dims`.",
        lambda self, shifts, dims=None: manipulation.roll(self, shifts, axis=dims),
    ),
    "round": rounded,
    "split": split,
    "squeeze": squeeze,
    "sub": scaled(e.subtract),
    "sub_": augmented("__isub__", "-="),
    "subtract": scaled(e.subtract),
    "swapaxes": swapaxes,
    "t": t,
    "take": taken,
    "tile": saying(
        "As xgrad.tile. The repetitions are a tuple or numbers.", lambda self, *dims: parts.tile(self, numbers(dims))
    ),
    "trace": trace,
    "transpose": transpose,
    "tril": saying("As xgrad.tril. `k` is called `diagonal`.", lambda self, diagonal=0: tril(self, k=diagonal)),
    "triu": saying("As xgrad.triu. `k` is called `diagonal`.", lambda self, diagonal=0: triu(self, k=diagonal)),
    "unbind": unbind,
    "unsqueeze": unsqueeze,
    "view": view,
    "view_as": saying(
        "As xgrad.reshape, to the shape of another tensor.", lambda self, other: manipulation.reshape(self, other.shape)
    ),
    "where": where,
    "zero_": zeroed,
}
PROPERTIES: dict[str, Method] = {"real": real, "imag": imag}
