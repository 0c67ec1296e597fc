"""The methods of a tensor: functions of the namespace under the names that they have in NumPy or PyTorch.

The standard defines no methods. A tensor has those on which NumPy and PyTorch agree, and those that only one of them has. Where a
name means different things in the two, the method follows the standard (`x.max(axis)` returns values only, `x.std()` divides by
n); where the standard has no such function, the name raises an error (see missing.py). Arguments have NumPy's names or PyTorch's:
`axis` or `dim`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from xgrad.engine.integers import integer
from xgrad.engine.registry import FUNCTIONS
from xgrad.engine.tensor import Tensor
from xgrad.engine.views import contiguous, layout_of
from xgrad.rules import complex_numbers, linalg, manipulation, parts, searching
from xgrad.rules import elementwise as e
from xgrad.rules.conversions import CONVERSIONS
from xgrad.rules.creation import asarray, tril, triu
from xgrad.rules.data_type import cast as cast_to
from xgrad.rules.filled import zeros_like
from xgrad.rules.indexing import getitem
from xgrad.rules.linear_algebra import matmul
from xgrad.rules.reductions import REDUCTIONS, no_out, one_of
from xgrad.rules.shapes import normalize_axes
from xgrad.rules.taking import take
from xgrad.rules.writing import write

Method = Callable[..., Any]


def numbers(given: tuple[Any, ...]) -> Any:
    """Several numbers as a sequence: `t.reshape(2, 3)` is `t.reshape((2, 3))`."""
    return given[0] if len(given) == 1 else given


# --- shapes -------------------------------------------------------------------------------------------------


def reshape(self: Tensor, *shape: Any, order: str = "C") -> Tensor:
    """The elements, row by row, in another shape: a tuple, or several integers. A view where no copy is needed."""
    if order != "C":
        raise ValueError(f"reshape: only order='C' (row by row) is supported, not {order!r}")
    return manipulation.reshape(self, numbers(shape))


def view(self: Tensor, *shape: Any) -> Tensor:
    """As `reshape`, which gives a view wherever PyTorch's `view` succeeds."""
    for n in numbers(shape) if isinstance(numbers(shape), Iterable) else shape:
        integer("view", n, "shape", "hold integers only (to convert to another dtype, write x.astype(dtype))")
    return manipulation.reshape(self, numbers(shape))


def flatten(self: Tensor, start_dim: Any = None, end_dim: int = -1, *, order: str = "C") -> Tensor:
    """A copy with all elements along one axis; or a view in which the axes from `start_dim` to `end_dim` are one."""
    if order != "C" or isinstance(start_dim, str):
        raise ValueError("flatten: only order='C' (row by row) is supported")
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
    """All elements along one axis, row by row. A view where no copy is needed."""
    return reshape(self, -1, order=order)


def squeeze(self: Tensor, axis: Any = None, *, dim: Any = None) -> Tensor:
    """Without the given axes, which have length 1; by default, without all axes of length 1."""
    axis = one_of("squeeze", axis, dim)
    if axis is None:
        axis = tuple(i for i, n in enumerate(self.shape) if n == 1)
    return manipulation.squeeze(self, axis) if axis != () else self


def unsqueeze(self: Tensor, dim: int) -> Tensor:
    """With a new axis of length 1 at `dim`."""
    return manipulation.expand_dims(self, dim)


def transpose(self: Tensor, *axes: Any) -> Tensor:
    """The axes in another order; in reverse without arguments. `x.transpose(a, b)` swaps two of more than two axes.

    Of a matrix, `x.transpose(0, 1)` is the matrix itself in NumPy and its transpose in PyTorch: here it raises TypeError.
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
    """The transpose of a matrix; a vector unchanged."""
    return self if self.ndim < 2 else self.T


def expand(self: Tensor, *shape: Any) -> Tensor:
    """Broadcast to a shape, in which -1 keeps the length of an axis. The result is a read-only view, as of broadcast_to."""
    wanted = tuple(numbers(shape)) if isinstance(numbers(shape), Iterable) else shape
    before = (None,) * (len(wanted) - self.ndim) + self.shape
    return manipulation.broadcast_to(
        self, tuple(old if n == -1 and old is not None else n for n, old in zip(wanted, before, strict=True))
    )


def is_contiguous(self: Tensor) -> bool:
    """Whether the elements lie row by row. Only the views of xgrad count, not the strides of the raw array."""
    return layout_of(self)[1] == contiguous(self.shape)


def made_contiguous(self: Tensor) -> Tensor:
    """The tensor, or a copy whose elements lie row by row."""
    return self if is_contiguous(self) else asarray(self, copy=True)


def split(self: Tensor, split_size: Any, dim: int | None = None, *, axis: int | None = None) -> tuple[Tensor, ...]:
    """Views of length `split_size` along an axis, the last of which may be shorter; or views of the lengths in a list."""
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
    """At most `chunks` views along an axis. All but the last have the same length."""
    where = one_of("chunk", axis, dim) or 0
    (place,) = normalize_axes("chunk", where, self.ndim)
    return split(self, max(-(-self.shape[place] // integer("chunk", chunks, "chunks")), 1), axis=place)


def unbind(self: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis."""
    return parts.unstack(self, axis=dim)


def diagonal(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices along two axes, by default the first two, as in NumPy and PyTorch."""
    return linalg.diagonal(manipulation.moveaxis(self, (axis1, axis2), (-2, -1)), offset=offset)


def trace(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sums of the diagonals of the matrices along two axes, by default the first two."""
    return linalg.trace(manipulation.moveaxis(self, (axis1, axis2), (-2, -1)), offset=offset)


# --- elements -----------------------------------------------------------------------------------------------


def taken(self: Tensor, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Tensor:
    """The elements at the indices along an axis; by default, of all elements row by row."""
    no_out("take", out)
    if mode != "raise":
        raise ValueError(f"take: only mode='raise' is supported, not {mode!r}")
    return take(manipulation.reshape(self, (-1,)), indices, axis=0) if axis is None else take(self, indices, axis=axis)


def index_select(self: Tensor, dim: int, index: Any) -> Tensor:
    """The elements at the indices along an axis."""
    return take(self, index, axis=dim)


def clip(self: Tensor, min: Any = None, max: Any = None, out: None = None) -> Tensor:
    """The elements, but no less than `min` and no more than `max`."""
    no_out("clip", out)
    return e.clip(self, min, max)


def rounded(self: Tensor, decimals: int = 0, out: None = None) -> Tensor:
    """The elements, rounded to a number of decimals. Halves go to the even neighbour."""
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
    """The inner product of vectors, or the matrix product of arrays with at most two axes."""
    axes = len(getattr(other, "shape", ()))
    if self.ndim == 0 or axes == 0:
        product: Tensor = self * other
        return product
    if max(self.ndim, axes) > 2:
        raise ValueError("dot: with more than two axes NumPy's dot is not x @ y; write x @ y, or xgrad.tensordot")
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
    return complex_numbers.real(self) if self.dtype in self.backend.complex_dtypes else self


def imag(self: Tensor) -> Tensor:
    """The imaginary part; zeros for a real tensor, as in NumPy."""
    part: Tensor = complex_numbers.imag(self) if self.dtype in self.backend.complex_dtypes else zeros_like(self)
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

# Methods that are functions of the namespace: of one array, of two arrays, and those under another name.
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
