"""Creation functions. Each works on the current backend, and in the namespace of a tensor on the backend of that tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

from xgrad.backends import owner
from xgrad.backends.data import PYTHON_NUMBERS, check, described, is_numeric, kind_of_numbers
from xgrad.engine import tracing
from xgrad.engine.arguments import note, operand_on
from xgrad.engine.dispatch import apply, explain
from xgrad.engine.integers import integer
from xgrad.engine.op import Multilinear
from xgrad.engine.operands import as_tensors, operand
from xgrad.engine.plain import plain_types
from xgrad.engine.reading import noting
from xgrad.engine.registry import public
from xgrad.engine.tape import Leaf
from xgrad.engine.tensor import Tensor, check_differentiable, wrap
from xgrad.rules.data_type import astype, cast
from xgrad.rules.declare import of_backend
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
    """The dtype that a creation function uses if none is given. None leaves it to the library."""
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
    """A tensor from a number, a nested sequence, a raw array or a tensor.

    A tensor stays connected to its graph, also when it is copied, and so do tensors in a nested sequence. An array of the
    backend's own library is not copied: a later write to it shows in the tensor. A write to the tensor does not reach the array.

    >>> import xgrad as xg
    >>> xg.asarray([1.0, 2.0], dtype=xg.float32, requires_grad=True)
    Tensor([1., 2.], backend='numpy', device='cpu', requires_grad=True)

    Args:
        obj: a number, a nested list or tuple of numbers and tensors, an array of NumPy or of the backend's library, or a tensor.
        dtype: the dtype of the result; None means that of obj, and for Python's numbers the default of their kind.
        requires_grad: whether the result is a leaf, whose `.grad` backward() fills.

    Returns:
        A tensor of the shape of obj. It is obj itself where obj is a tensor and nothing changes.

    Derivative:
        The identity: the gradient goes to every tensor in obj, in the dtype and on the device of that tensor.

    Raises:
        TypeError: for what holds no numbers; for parts of several shapes; for a dtype that the backend does not have; for
            `requires_grad` of integers or booleans.
        ValueError: for `copy=False` where only a copy will do; for tensors of several shapes in a nested sequence.
    """
    if isinstance(obj, Tensor):
        return from_tensor(obj, dtype, device, copy, requires_grad)
    if noting:
        note((obj,))
    where = backend if device is None else backend.on_device(device)
    if isinstance(obj, list | tuple) and _holds_tensors(obj):
        return from_tensor(_from_nested(obj), dtype, device, None if copy else copy, requires_grad)  # it is new already
    where_given = None if device is not None else owner(obj)
    if where_given is not None and (where_given.name == backend.name or where_given.arrays_stay):
        where = where_given.here() if tracing.active else where_given  # a raw array stays on its device
    dtype = where.as_dtype(dtype)
    if where is not where_given or dtype is not None:  # the backend's own arrays are checked below
        check("asarray", obj)
    try:
        raw = where.asarray(obj, dtype=dtype, copy=copy)
    except Exception as error:
        raise where.kind_of(error)(f"asarray of {described(obj)}: {where.in_words(error)}") from error
    if not is_numeric(raw.dtype):
        raise TypeError(
            f"asarray: {described(obj)} makes an array of dtype {raw.dtype}, which holds no numbers to compute with; "
            "convert its elements to int, float or complex first, or pass dtype="
        )
    if not requires_grad:
        return wrap(raw, where)
    check_differentiable(raw.dtype, where)
    return wrap(raw, where, Leaf())


def from_tensor(x: Tensor, dtype: Any, device: Any, copy: bool | None, requires_grad: bool) -> Tensor:
    y = x
    if device is not None and y.backend.on_device(device) is not y.backend:
        if copy is False:
            raise ValueError(f"asarray(copy=False): moving from {y.device} to {device} needs a copy")
        y = y.to_device(device)
    dtype = y.backend.as_dtype(dtype)
    if dtype is not None and dtype != y.dtype:
        if copy is False:
            raise ValueError(f"asarray(copy=False): converting from {y.dtype} to {dtype} needs a copy")
        y = astype(y, dtype)
    if copy and y is x:
        y = cast(operand_on(y.backend.here(), y), y.dtype)
    if requires_grad and not y.requires_grad:
        y = wrap(y.data, y.backend).requires_grad_()
    return y


def _holds_tensors(obj: Any) -> bool:
    return any(isinstance(part, Tensor) or (isinstance(part, list | tuple) and _holds_tensors(part)) for part in obj)


def _from_nested(obj: Any) -> Tensor:
    """A nested sequence that holds tensors, stacked into one tensor. The tensors stay connected to the graph."""
    if plain_types.issuperset(map(type, obj)):
        return stack(obj)
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
    """A tensor that shares the memory of another library's array, by the DLPack protocol.

    >>> import numpy as np, xgrad as xg
    >>> x = np.asarray([1.0, 2.0])
    >>> t = xg.from_dlpack(x)
    >>> x[0] = 5.0
    >>> t.tolist()
    [5.0, 2.0]

    Args:
        x: an array with the methods `__dlpack__` and `__dlpack_device__`, or a tensor.
        device: the device of the result, as the library of the current backend calls it; None means that of x.
        copy: True: always copy. False: never. None: only where it must be.

    Returns:
        A tensor of the shape and dtype of x, on the current backend. It requires no gradient.

    Raises:
        BufferError: for a tensor that requires a gradient, which the exchange would lose.
        TypeError: for an x without these methods (some libraries raise AttributeError or RuntimeError).
        ValueError: for a device that x cannot move to, and for `copy=False` where only a copy will do (some libraries raise
            RuntimeError).
    """
    if isinstance(x, Tensor) and x.requires_grad:
        raise BufferError("from_dlpack: a tensor that requires a gradient cannot be exchanged: call t.detach() first")
    if device is not None:
        backend.on_device(device)  # raises BackendError for a device that is not there
    source = x.data if isinstance(x, Tensor) else x
    kwargs = {k: v for k, v in (("device", device), ("copy", copy)) if v is not None}
    exchange = getattr(backend.library, "from_dlpack", None) or backend.xp.from_dlpack
    raw = exchange(source, **kwargs)
    return wrap(raw, backend.on_device(backend.device_of(raw)))


# --- from other arrays --------------------------------------------------------------------------------------

_tril = Multilinear("tril", ("x",), (lambda xp, g, k: xp.tril(g, k=k),))
_triu = Multilinear("triu", ("x",), (lambda xp, g, k: xp.triu(g, k=k),))


def _check_matrix(name: str, x: Any) -> None:
    if len(operand(name, x).shape) < 2:
        raise ValueError(f"{name}: x must have two axes or more; its shape is {tuple(getattr(x, 'shape', ()))}")


@public("tril", "rule")
def tril(x: Any, /, *, k: int = 0) -> Tensor:
    """The lower triangles of matrices: zeros stand above a diagonal.

    >>> import xgrad as xg
    >>> xg.tril(xg.asarray([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 0.0], [3.0, 4.0]]

    Args:
        x: an array of shape (..., rows, columns), of any dtype.
        k: the last diagonal that is kept: 0 is the main one, positive ones lie above it, negative ones below.

    Returns:
        A tensor of the shape and dtype of x: a copy.

    Derivative:
        The function is linear: the cotangent gets zeros in the same places.

    Raises:
        TypeError: for an x that is no array, and for a k that is no integer.
        ValueError: for an x with fewer than two axes.
    """
    _check_matrix("tril", x)
    return apply(_tril, (x,), {"k": integer("tril", k, "k")})


@public("triu", "rule")
def triu(x: Any, /, *, k: int = 0) -> Tensor:
    """The upper triangles of matrices: zeros stand below a diagonal.

    >>> import xgrad as xg
    >>> xg.triu(xg.asarray([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 2.0], [0.0, 4.0]]

    Args:
        x: an array of shape (..., rows, columns), of any dtype.
        k: the first diagonal that is kept: 0 is the main one, positive ones lie above it, negative ones below.

    Returns:
        A tensor of the shape and dtype of x: a copy.

    Derivative:
        The function is linear: the cotangent gets zeros in the same places.

    Raises:
        TypeError: for an x that is no array, and for a k that is no integer.
        ValueError: for an x with fewer than two axes.
    """
    _check_matrix("triu", x)
    return apply(_triu, (x,), {"k": integer("triu", k, "k")})


@public("meshgrid", "composition")
def meshgrid(*arrays: Any, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Coordinate arrays from coordinate vectors: each varies along its own axis.

    >>> import xgrad as xg
    >>> x, y = xg.meshgrid(xg.asarray([1.0, 2.0]), xg.asarray([3.0, 4.0, 5.0]))
    >>> x.tolist()
    [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]
    >>> y.shape
    (3, 2)

    Args:
        arrays: the vectors, or numbers. Arrays with more axes are flattened.
        indexing: 'xy' puts the first vector along axis 1 and the second along axis 0; 'ij' puts vector i along axis i.

    Returns:
        A tuple of as many tensors, copies, each of the dtype of its vector. For vectors of lengths n1, n2, n3 ... their shape is
        (n2, n1, n3, ...) for 'xy', and (n1, n2, n3, ...) for 'ij'.

    Raises:
        ValueError: for any other indexing.
    """
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
