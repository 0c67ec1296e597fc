"""Making arrays. Each function works on the current backend; a namespace that a tensor gives is bound to the tensor's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

from xgrad.backends import is_host_data, owner
from xgrad.backends.data import PYTHON_NUMBERS, check, described, is_numeric, is_scalar, kind_of_numbers
from xgrad.engine.arguments import as_scalar, note, operand_on, unwrap
from xgrad.engine.dispatch import apply, explain
from xgrad.engine.integers import integer, integers, or_none
from xgrad.engine.op import Multilinear
from xgrad.engine.operands import as_tensors, operand
from xgrad.engine.reading import noting
from xgrad.engine.registry import public
from xgrad.engine.tape import Leaf
from xgrad.engine.tensor import Tensor, check_differentiable, wrap
from xgrad.rules.data_type import astype, cast
from xgrad.rules.declare import BOUND, of_backend
from xgrad.rules.manipulation import stack

CREATES = "not differentiable: it makes an array from numbers"
Function = Callable[..., Any]


def make(backend: Any, name: str, *args: Any, device: Any = None, **kwargs: Any) -> Tensor:
    where = backend if device is None else backend.on_device(device)
    kwargs["dtype"] = where.as_dtype(kwargs.get("dtype"))
    if kwargs["dtype"] is None and where.changes_default:
        kwargs["dtype"] = _default_of(where, name, args)
    try:
        return wrap(getattr(where.xp, name)(*args, **kwargs), where)
    except Exception as error:
        explain(error, name, args, where)


def _default_of(backend: Any, name: str, args: Sequence[Any]) -> Any:
    """The dtype of what a creation function makes where none is asked for; None where the library knows it."""
    if name in ("zeros", "ones", "empty", "eye"):
        return backend.default_dtype
    numbers = [arg for arg in (args[1:] if name == "full" else args) if type(arg) in PYTHON_NUMBERS]
    kind = kind_of_numbers(numbers)
    if kind is complex:
        return backend.default_complex
    return backend.default_dtype if kind is float or name == "linspace" else None


# --- from data ----------------------------------------------------------------------------------------------


@of_backend("identity")
def asarray(
    backend: Any,
    obj: Any,
    /,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor from numbers, nested sequences, a raw array or a tensor.

    A tensor stays connected to its graph, also when it is copied; a raw array of the backend shares its memory unless
    `copy=True`. `requires_grad=True` makes the result a leaf whose `.grad` backward() fills.
    Raises TypeError if a gradient is asked of an integer dtype.

    >>> import xgrad as xg
    >>> xg.asarray([1.0, 2.0], dtype=xg.float32, requires_grad=True)
    Tensor([1., 2.], backend='numpy', device='cpu', requires_grad=True)
    """
    if isinstance(obj, Tensor):
        return from_tensor(obj, dtype, device, copy, requires_grad)
    if noting:
        note((obj,))
    where = backend if device is None else backend.on_device(device)
    if isinstance(obj, list | tuple) and _holds_tensors(obj):
        tensor = _from_nested(obj)
        return from_tensor(tensor, dtype, device, copy, requires_grad)
    where_given = None if device is not None else owner(obj)
    if where_given is not None and (where_given.name == backend.name or where_given.arrays_stay):
        where = where_given  # a raw array stays on its device
    dtype = where.as_dtype(dtype)
    if where is not where_given or dtype is not None:  # an array of the backend's own is looked at below
        check("asarray", obj)
    try:
        raw = where.asarray(obj, dtype=dtype, copy=copy)
    except Exception as error:
        raise where.kind_of(error)(f"asarray of {described(obj)}: {where.in_words(error)}") from error
    if not is_numeric(raw.dtype):
        raise TypeError(
            f"asarray: {described(obj)} makes an array of dtype {raw.dtype}, which holds no numbers to compute with; "
            "convert its elements to int, float or complex first, or say dtype="
        )
    if not requires_grad:
        return wrap(raw, where)
    check_differentiable(raw.dtype, where)
    return wrap(raw, where, Leaf())


def from_tensor(x: Tensor, dtype: Any, device: Any, copy: bool | None, requires_grad: bool) -> Tensor:
    y = x
    if device is not None and y.backend.on_device(device) is not y.backend:
        if copy is False:
            raise ValueError(f"asarray(copy=False): going from {y.device} to {device} takes a copy")
        y = y.to_device(device)
    dtype = y.backend.as_dtype(dtype)
    if dtype is not None and dtype != y.dtype:
        if copy is False:
            raise ValueError(f"asarray(copy=False): going from {y.dtype} to {dtype} takes a copy")
        y = astype(y, dtype)
    if copy and y is x:
        y = cast(operand_on(y.backend.here(), y), y.dtype)
    if requires_grad and not y.requires_grad:
        y = wrap(y.data, y.backend).requires_grad_()
    return y


def _holds_tensors(obj: Any) -> bool:
    return any(isinstance(part, Tensor) or (isinstance(part, list | tuple) and _holds_tensors(part)) for part in obj)


def _from_nested(obj: Any) -> Tensor:
    """A nested sequence with tensors in it, stacked so that their gradients find them."""
    return _stacked(obj, iter(as_tensors("asarray", _leaves(obj))))


def _leaves(obj: Any) -> Iterator[Any]:
    for part in obj:
        if isinstance(part, list | tuple):
            yield from _leaves(part)
        else:
            yield part


def _stacked(obj: Any, leaves: Iterator[Any]) -> Tensor:
    """The leaves, stacked in the shape of the nested sequence."""
    return stack([_stacked(part, leaves) if isinstance(part, list | tuple) else next(leaves) for part in obj])


@of_backend(CREATES)
def from_dlpack(backend: Any, x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of another library's array through DLPack.

    Raises BufferError for a tensor that requires a gradient: the exchange would lose it.
    """
    if isinstance(x, Tensor) and x.requires_grad:
        raise BufferError("from_dlpack: a tensor that requires a gradient cannot be exchanged: call t.detach() first")
    source = x.data if isinstance(x, Tensor) else x
    kwargs = {k: v for k, v in (("device", device), ("copy", copy)) if v is not None}
    exchange = getattr(backend.library, "from_dlpack", None) or backend.xp.from_dlpack
    raw = exchange(source, **kwargs)
    return wrap(raw, backend.on_device(backend.device_of(raw)))


# --- filled -------------------------------------------------------------------------------------------------


@of_backend(CREATES)
def zeros(backend: Any, shape: int | Sequence[int], *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros of that shape, in the backend's default dtype unless told otherwise."""
    return make(backend, "zeros", integers("zeros", shape, "shape"), dtype=dtype, device=device)


@of_backend(CREATES)
def ones(backend: Any, shape: int | Sequence[int], *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones of that shape."""
    return make(backend, "ones", integers("ones", shape, "shape"), dtype=dtype, device=device)


@of_backend(CREATES)
def empty(backend: Any, shape: int | Sequence[int], *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of that shape whose values are whatever was in memory."""
    return make(backend, "empty", integers("empty", shape, "shape"), dtype=dtype, device=device)


@of_backend("composition")
def full(backend: Any, shape: int | Sequence[int], fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """`fill_value` everywhere. A 0-d tensor may be given, and gets the sum of the gradients."""
    shape = integers("full", shape, "shape")
    if is_host_data(fill_value):
        fill_value = wrap(backend.adopt(fill_value), backend)
    if isinstance(fill_value, Tensor):
        from xgrad.rules.manipulation import repeated

        value = from_tensor(fill_value, dtype, device, None, False)
        return repeated(value, shape)
    check("full", fill_value)
    if is_scalar(fill_value):
        fill_value = as_scalar(backend, fill_value)
    return make(backend, "full", shape, fill_value, dtype=dtype, device=device)


@of_backend(CREATES)
def eye(
    backend: Any, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere."""
    rows, columns = integer("eye", n_rows, "n_rows"), or_none("eye", n_cols, "n_cols")
    return make(backend, "eye", rows, columns, k=integer("eye", k, "k"), dtype=dtype, device=device)


# --- like another -------------------------------------------------------------------------------------------


def _like(name: str, x: Any, *args: Any, dtype: Any = None, device: Any = None) -> Tensor:
    backend, (raw,), _ = unwrap(name, (x,))
    return make(
        backend.here(), name.removesuffix("_like"), tuple(raw.shape), *args, dtype=dtype or raw.dtype, device=device
    )


@public("zeros_like", CREATES)
def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros of the shape and dtype of x."""
    return _like("zeros_like", x, dtype=dtype, device=device)


@public("ones_like", CREATES)
def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones of the shape and dtype of x."""
    return _like("ones_like", x, dtype=dtype, device=device)


@public("empty_like", CREATES)
def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of the shape and dtype of x whose values are whatever was in memory."""
    return _like("empty_like", x, dtype=dtype, device=device)


@public("full_like", "composition")
def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """`fill_value` everywhere, in the shape and dtype of x."""
    backend, (raw,), _ = unwrap("full_like", (x,))
    made: Tensor = BOUND["full"](backend, tuple(raw.shape), fill_value, dtype=dtype or raw.dtype, device=device)
    return made


# --- from other arrays --------------------------------------------------------------------------------------

_tril = Multilinear("tril", ("x",), (lambda xp, g, k: xp.tril(g, k=k),))
_triu = Multilinear("triu", ("x",), (lambda xp, g, k: xp.triu(g, k=k),))


def _check_matrix(name: str, x: Any) -> None:
    if len(operand(name, x).shape) < 2:
        raise ValueError(f"{name} is of matrices, and the shape here is {tuple(getattr(x, 'shape', ()))}")


@public("tril", "rule")
def tril(x: Any, /, *, k: int = 0) -> Tensor:
    """x with zeros above the k-th diagonal."""
    _check_matrix("tril", x)
    return apply(_tril, (x,), {"k": integer("tril", k, "k")})


@public("triu", "rule")
def triu(x: Any, /, *, k: int = 0) -> Tensor:
    """x with zeros below the k-th diagonal."""
    _check_matrix("triu", x)
    return apply(_triu, (x,), {"k": integer("triu", k, "k")})


@public("meshgrid", "composition")
def meshgrid(*arrays: Any, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Coordinate arrays from coordinate vectors: each varies along its own axis."""
    from xgrad.rules.manipulation import repeated, reshape

    arrays = as_tensors("meshgrid", arrays)
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    order = list(range(len(arrays)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    sizes = [prod(array.shape) for array in arrays]
    shape = tuple(sizes[order.index(axis)] for axis in range(len(order)))
    return tuple(
        repeated(reshape(a, (1,) * axis + (prod(a.shape),) + (1,) * (len(order) - axis - 1)), shape)
        for a, axis in zip(arrays, order, strict=True)
    )
