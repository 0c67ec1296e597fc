"""How each function of the namespace works on arrays with hidden axes. `KINDS` and `TABLE` list them.

A function here gets the library's own function as its first argument, and calls it for all examples at once. No loop runs over
the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import prod
from typing import Any

from xgrad.backends.raw import CREATION, Raw
from xgrad.backends.refusal import ROWS
from xgrad.engine.registry import ELEMENTWISE
from xgrad.rules.shapes import normalize_axes
from xgrad.transforms.batching.array import Batched, apply_elementwise, full, merged
from xgrad.transforms.batching.indexing import (
    getitem,
    scatter,
    scatter_along_axis,
    scatter_take,
    setitem,
    take,
    take_along_axis,
)
from xgrad.transforms.batching.windows import TABLE as WINDOWS

Function = Callable[..., Any]

# --- kinds --------------------------------------------------------------------------------------------------


def reduction(function: Function, x: Batched, /, *, axis: Any = None, **static: Any) -> Batched:
    """A reduction over some axes, by default over all."""
    axes = normalize_axes(_name(function), axis, x.ndim)
    if not axes:  # a reduction of each element by itself
        return x.like(function(x.value[..., None], axis=-1, **{**static, "keepdims": False}))
    return x.like(function(x.value, axis=_behind(x, axes), **static))


def position(function: Function, x: Batched, /, *, axis: int | None = None, keepdims: bool = False) -> Batched:
    """A position along an axis, or in the flattened array."""
    if axis is not None:
        return along(function, x, axis=axis, keepdims=keepdims)
    xp = x.backend.base.xp
    found = function(xp.reshape(x.value, (*x.hidden, prod(x.shape))), axis=-1)
    return x.like(xp.reshape(found, (*x.hidden, *(1,) * x.ndim)) if keepdims else found)


def along(function: Function, x: Batched, /, axis: int = -1, **static: Any) -> Batched:
    """A function along one axis."""
    (axis,) = normalize_axes(_name(function), axis, x.ndim)
    return x.like(function(x.value, axis=axis + len(x.axes), **static))


def over(function: Function, x: Batched, /, *, axes: Any = None, **static: Any) -> Batched:
    """A transform over several axes at once, by default over all."""
    return x.like(function(x.value, axes=_behind(x, normalize_axes("fft", axes, x.ndim)), **static))


def stacked(function: Function, x: Batched, /, **static: Any) -> Any:
    """A function of the matrices in the last two axes, with one result or several."""
    if x.ndim < 2:
        raise ValueError(f"{_name(function)} needs matrices, but the shape of an example is {x.shape}")
    axes = merged(x.axes, *(option.axes for option in static.values() if isinstance(option, Batched)))
    value = x.value if axes == x.axes else full(x, axes)
    options = {k: v.spread(axes, x.ndim - 2) if isinstance(v, Batched) else v for k, v in static.items()}
    found = function(value, **options)
    return tuple(x.like(y, axes) for y in found) if isinstance(found, tuple) else x.like(found, axes)


def _name(function: Function) -> str:
    return getattr(function, "__name__", "vmap")


def _behind(x: Batched, axes: Sequence[int]) -> tuple[int, ...]:
    """The axes of x.value that are these axes of x. They come after the hidden ones."""
    return tuple(axis + len(x.axes) for axis in axes)


# --- shapes -------------------------------------------------------------------------------------------------


def reshape(function: Function, x: Batched, /, shape: Sequence[int], **static: Any) -> Batched:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    known = prod(n for n in shape if n != -1)
    if -1 in shape and known:
        shape = tuple(prod(x.shape) // known if n == -1 else n for n in shape)
    return x.like(function(x.value, (*x.hidden, *shape), **static))


def squeeze(function: Function, x: Batched, /, axis: Any) -> Batched:
    return x.like(function(x.value, axis=_behind(x, normalize_axes("squeeze", axis, x.ndim))))


def expand_dims(function: Function, x: Batched, /, *, axis: int = 0) -> Batched:
    (axis,) = normalize_axes("expand_dims", axis, x.ndim + 1)
    return x.like(function(x.value, axis=axis + len(x.axes)))


def permute_dims(function: Function, x: Batched, /, axes: Sequence[int]) -> Batched:
    order = _behind(x, normalize_axes("permute_dims", tuple(axes), x.ndim))
    return x.like(function(x.value, (*range(len(x.axes)), *order)))


def moveaxis(function: Function, x: Batched, source: Any, destination: Any, /) -> Batched:
    from_, to = (_behind(x, normalize_axes("moveaxis", axes, x.ndim)) for axes in (source, destination))
    return x.like(function(x.value, from_, to))


def flip(function: Function, x: Batched, /, *, axis: Any = None) -> Batched:
    axes = normalize_axes("flip", axis, x.ndim)
    return x.like(function(x.value, axis=_behind(x, axes))) if axes else x


def roll(function: Function, x: Batched, /, shift: Any, *, axis: Any = None) -> Batched:
    if axis is not None:
        return x.like(function(x.value, shift, axis=_behind_one_or_more(x, axis)))
    xp = x.backend.base.xp
    flat = function(xp.reshape(x.value, (*x.hidden, prod(x.shape))), shift, axis=-1)
    return x.like(xp.reshape(flat, x.value.shape))


def _behind_one_or_more(x: Batched, axis: Any) -> Any:
    axes = _behind(x, normalize_axes("roll", axis, x.ndim))
    return axes[0] if isinstance(axis, int) else axes


def broadcast_to(function: Function, x: Batched, /, shape: Sequence[int]) -> Batched:
    return x.like(function(x.spread(x.axes, len(shape)), (*x.hidden, *shape)))


def concat(function: Function, arrays: Sequence[Batched], /, *, axis: int | None = 0) -> Batched:
    axes = merged(*(x.axes for x in arrays))
    values = [full(x, axes) for x in arrays]
    if axis is None:
        xp = arrays[0].backend.base.xp
        values = [xp.reshape(v, (*v.shape[: len(axes)], prod(x.shape))) for v, x in zip(values, arrays, strict=True)]
        axis = -1
    else:
        (axis,) = normalize_axes("concat", axis, arrays[0].ndim)
        axis += len(axes)
    return arrays[0].like(function(values, axis=axis), axes)


def stack(function: Function, arrays: Sequence[Batched], /, *, axis: int = 0) -> Batched:
    axes = merged(*(x.axes for x in arrays))
    (axis,) = normalize_axes("stack", axis, arrays[0].ndim + 1)
    return arrays[0].like(function([full(x, axes) for x in arrays], axis=axis + len(axes)), axes)


# --- products of matrices -----------------------------------------------------------------------------------


def _rows(x: Batched) -> Any:
    """The value as one matrix, whose rows run along the last axis."""
    *before, last = x.value.shape
    return x.backend.base.xp.reshape(x.value, (prod(before), last))


def matmul(function: Function, x1: Batched, x2: Batched, /) -> Batched:
    """One product of large matrices if one side is the same for all examples; otherwise one of small matrices per example."""
    xp = x1.backend.base.xp
    if not x2.axes and x2.ndim == 2 and x1.ndim:
        rows = _rows(x1)
        return x1.like(xp.reshape(function(rows, x2.value), (*x1.value.shape[:-1], x2.shape[-1])))
    if not x1.axes and x1.ndim == 2 and x2.ndim == 1:
        return matmul(function, x2, x1.like(xp.matrix_transpose(x1.value)))
    if not (x1.ndim and x2.ndim):
        raise ValueError(
            f"matmul needs vectors and matrices, but the shapes of an example are {x1.shape} and {x2.shape}"
        )
    a = x1.value[..., None, :] if x1.ndim == 1 else x1.value
    b = x2.value[..., :, None] if x2.ndim == 1 else x2.value
    y = apply_elementwise(function, x1.like(a), x2.like(b))
    if x2.ndim == 1:
        y = y[..., 0]
    return y if x1.ndim > 1 else y[..., 0, :] if x2.ndim > 1 else y[..., 0]


def linear(function: Function, x: Batched, weight: Batched, bias: Batched | None = None, /) -> Batched:
    xp = x.backend.base.xp
    if weight.axes or (bias is not None and bias.axes):
        y = matmul(xp.matmul, x, stacked(xp.matrix_transpose, weight))
        return y if bias is None else apply_elementwise(xp.add, y, bias)
    rows = _rows(x)
    y = function(rows, weight.value, *(() if bias is None else (bias.value,)))
    return x.like(xp.reshape(y, (*x.value.shape[:-1], y.shape[-1])))


def weight_gradient(function: Function, g: Batched, x: Batched, weight: Batched | None = None) -> Batched:
    """One product for each example, since a weight under vmap has a gradient for each example."""
    xp = g.backend.base.xp
    return matmul(xp.matmul, stacked(xp.matrix_transpose, g), x)


def tensordot(function: Function, x1: Batched, x2: Batched, /, *, axes: Any = 2) -> Batched:
    xp = x1.backend.base.xp
    if isinstance(axes, int):
        axes = range(x1.ndim - axes, x1.ndim), range(axes)
    a, b = (tuple(axis % x.ndim for axis in each) for each, x in zip(axes, (x1, x2), strict=True))
    if not x2.axes:
        return x1.like(function(x1.value, x2.value, axes=(_behind(x1, a), b)))
    free1, free2 = ([i for i in range(x.ndim) if i not in taken] for x, taken in ((x1, a), (x2, b)))
    if not x1.axes:
        y = function(x1.value, x2.value, axes=(a, _behind(x2, b)))
        hidden = range(len(free1), len(free1) + len(x2.axes))
        return x2.like(xp.moveaxis(y, tuple(hidden), tuple(range(len(x2.axes)))))
    shape1, shape2 = ([x.shape[i] for i in free] for x, free in ((x1, free1), (x2, free2)))
    contracted = prod(x1.shape[i] for i in a)
    left = reshape(xp.reshape, permute_dims(xp.permute_dims, x1, (*free1, *a)), (prod(shape1), contracted))
    right = reshape(xp.reshape, permute_dims(xp.permute_dims, x2, (*b, *free2)), (contracted, prod(shape2)))
    return reshape(xp.reshape, matmul(xp.matmul, left, right), (*shape1, *shape2))


def solve(function: Function, x1: Batched, x2: Batched, /) -> Batched:
    xp = x1.backend.base.xp
    if x2.ndim > 1:
        return apply_elementwise(function, x1, x2)
    if not x1.axes and x1.ndim == 2:  # the examples are columns, so that the matrix is factorised once
        columns = xp.matrix_transpose(_rows(x2))
        return x2.like(xp.reshape(xp.matrix_transpose(function(x1.value, columns)), x2.value.shape))
    return apply_elementwise(function, x1, x2.like(x2.value[..., None]))[..., 0]


def together(function: Function, *arrays: Batched) -> Batched:
    """A function of several arrays that does not broadcast."""
    axes = merged(*(x.axes for x in arrays))
    return arrays[0].like(function(*(full(x, axes) for x in arrays)), axes)


def cross(function: Function, x1: Batched, x2: Batched, /, *, axis: int = -1) -> Batched:
    (at,) = normalize_axes("cross", axis, min(x1.ndim, x2.ndim))
    return apply_elementwise(function, x1, x2, axis=at - x1.ndim if axis >= 0 else axis)


# --- choice -------------------------------------------------------------------------------------------------


def softmax_cross_entropy(
    function: Function, x: Batched, number: Batched, axis: int = -1, ignore_index: int = -100
) -> Batched:
    axes = merged(x.axes, number.axes)
    (axis,) = normalize_axes("softmax_cross_entropy", axis, x.ndim)
    return x.like(function(full(x, axes), full(number, axes), axis + len(axes), ignore_index), axes)


def ctc_forward(function: Function, e: Batched, skips: Batched) -> Batched:
    """The steps are the first axis; examples are sequences like others."""
    xp, axes = e.backend.base.xp, merged(e.axes, skips.axes)
    y = function(xp.moveaxis(full(e, axes), len(axes), 0), full(skips, axes))
    return e.like(xp.moveaxis(y, 0, len(axes)), axes)


def searchsorted(function: Function, x1: Batched, x2: Batched, /, **static: Any) -> Batched:
    if x1.axes:
        raise refusal("searchsorted", "where x1 differs from example to example")
    return x2.like(function(x1.value, x2.value, **static))


def isin(function: Function, x1: Any, x2: Any, /, **static: Any) -> Batched:
    if isinstance(x2, Batched) and x2.axes:
        raise refusal("isin", "where x2 differs from example to example")
    found: Batched = x1.like(function(x1.value, _bare(x2), **static))
    return found


# --- the table ----------------------------------------------------------------------------------------------

KINDS: dict[Function, str] = {
    apply_elementwise: "where mask clip leaky_relu gelu gelu_slope gelu_gradient silu_gradient conj real imag sign cast astype",
    reduction: "sum mean var std prod max min all any count_nonzero logsumexp linalg.vector_norm",
    position: "argmax argmin",
    along: "sort argsort cumulative_sum cumulative_prod softmax log_softmax fft.rfft fft.irfft",
    over: "fft.fftn fft.ifftn",
    together: "linalg.cofactors linalg.cofactors_jvp",
    stacked: "matrix_transpose tril triu linalg.diagonal linalg.inv linalg.det linalg.pinv linalg.matrix_rank "
    "linalg.cholesky linalg.qr linalg.eigh linalg.eigvalsh linalg.eig linalg.eigvals linalg.svd linalg.svdvals "
    "linalg.slogdet",
}
TABLE: dict[str, Function] = {
    **{name: kind for kind, names in KINDS.items() for name in names.split()},
    **{rule.__name__: rule for rule in (reshape, squeeze, expand_dims, permute_dims, moveaxis, flip, roll)},
    **{rule.__name__: rule for rule in (broadcast_to, concat, stack, matmul, linear, weight_gradient, tensordot)},
    **{rule.__name__: rule for rule in (softmax_cross_entropy, ctc_forward, searchsorted, isin)},
    **{rule.__name__: rule for rule in (getitem, setitem, scatter, take, scatter_take, take_along_axis)},
    **WINDOWS,
    "scatter_along_axis": scatter_along_axis,
    "special.logsumexp": reduction,
    "linalg.solve": solve,
    "linalg.cross": cross,
}


def refusal(name: str, when: str = "") -> NotImplementedError:
    """The error for a function that cannot work on a batch."""
    return NotImplementedError(
        f"vmap: {name} has no batched form{when and ' ' + when}. Call it outside of the function under vmap, or loop over the "
        "examples."
    )


def rule_of(name: str) -> Function | None:
    """The function that runs this one on arrays with hidden axes; None if there is none."""
    return TABLE.get(name) or (apply_elementwise if name in ELEMENTWISE or name.startswith("special.") else None)


# --- the namespace ------------------------------------------------------------------------------------------


class BatchedRaw:
    """The raw namespace of a batching backend."""

    def __init__(self, backend: Any, prefix: str = "") -> None:
        self._backend = backend
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = self._found(name)
        return value

    def _found(self, name: str) -> Any:
        backend, path = self._backend, self._prefix + name
        base = backend.base.xp
        for part in self._prefix.split(".")[:-1]:
            base = getattr(base, part)
        if path in ("fft", "linalg", "special"):
            return BatchedRaw(backend, f"{name}.")
        value = getattr(base, name)
        if path in CREATION or path in ("fft.fftfreq", "fft.rfftfreq"):
            return partial(_created, backend, value)
        if not callable(value) or isinstance(value, type):  # a dtype, a constant
            return value
        if path in QUESTIONS:
            return partial(_answered, value)
        rule = rule_of(path)
        if rule is None and (default := ROWS.get(path) or getattr(Raw, path, None)) is not None:
            return partial(default, self)  # an extension function, whose default uses functions of this namespace
        return partial(_run, backend, rule, path, value)


# Functions that do not depend on the values of arrays.
QUESTIONS = frozenset(["can_cast", "finfo", "iinfo", "isdtype", "result_type", "broadcast_shapes"])


def _created(backend: Any, function: Function, *args: Any, **static: Any) -> Any:
    """A new array, the same for all examples, or like another array with its hidden axes."""
    like = next((arg for arg in args if isinstance(arg, Batched)), None)
    made = function(*(arg.value if isinstance(arg, Batched) else arg for arg in args), **static)
    return Batched(made, () if like is None else like.axes, backend)


def _answered(function: Function, *args: Any) -> Any:
    return function(*(arg.dtype if isinstance(arg, Batched) else arg for arg in args))


def _run(backend: Any, rule: Function | None, name: str, function: Function, *args: Any, **static: Any) -> Any:
    if _varies(args) or (static and _varies(static.values())):
        if rule is None:
            raise refusal(name)
        return rule(function, *args, **static)
    result = function(*(_bare(arg) for arg in args), **{k: _bare(v) for k, v in static.items()})
    return _dressed(result, backend)


def _varies(values: Iterable[Any]) -> bool:
    """Whether any array among them, or in a tuple or list among them, differs between examples."""
    for value in values:
        kind = type(value)
        if kind is Batched:
            if value.axes:
                return True
        elif (kind is tuple or kind is list) and _varies(value):
            return True
    return False


def _bare(value: Any) -> Any:
    """A Batched without hidden axes as the library's array; a tuple or list of them likewise."""
    if isinstance(value, Batched):
        return value.value
    return type(value)(_bare(part) for part in value) if type(value) in (tuple, list) else value


def _dressed(result: Any, backend: Any) -> Any:
    """A result of the library, with its arrays and NumPy scalars as arrays that are the same for all examples."""
    if isinstance(result, tuple):
        parts = [_dressed(part, backend) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if not hasattr(result, "shape"):
        return result
    return Batched(result if backend.base.owns(result) else backend.base.asarray(result), (), backend)
