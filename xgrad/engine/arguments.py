"""The arguments of an operation: their common backend, their raw arrays and numbers, and their nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends import get_backend, is_host_data, owner
from xgrad.backends.data import PYTHON_NUMBERS, described, is_scalar, shortened
from xgrad.engine import reading
from xgrad.engine.reading import noting
from xgrad.engine.tensor import Tensor


class MixedBackendsError(TypeError):
    """An operation got arrays of two backends, or on two devices.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0])
    >>> with xg.use_backend("strict"):  # array-api-strict
    ...     y = xg.asarray([3.0, 4.0])
    >>> try:
    ...     x + y
    ... except xg.MixedBackendsError as error:
    ...     print(str(error).partition(".")[0])
    add: a tensor of shape (2,) on Backend(numpy, cpu) met a tensor of shape (2,) on Backend(strict, device1)
    """


def as_scalar(backend: Any, value: Any) -> Any:
    """A scalar as an operand that takes the dtype of the arrays: a Python number, or the library's equivalent."""
    return value if type(value) in PYTHON_NUMBERS else backend.number(value)


def backend_of(name: str, args: Sequence[Any]) -> Any:
    """The backend of the tensors among the arguments, or else of raw arrays, or else the current one.

    NumPy arrays do not count: they move to the backend of the others. Raises MixedBackendsError for two backends.
    """
    found = None
    first = None
    raws = []
    for arg in args:
        if isinstance(arg, Tensor):
            if found is None:
                found, first = arg.backend, arg
            elif arg.backend is not found:
                found = joined(name, found, arg.backend, (first, arg))
        elif not is_scalar(arg):
            raws.append(arg)
    for raw in raws:
        if is_host_data(raw) or (found is not None and found.accepts(raw) and found.device_of(raw) == found.device):
            continue  # even if this array alone would belong to another backend
        backend = owner(raw)
        if found is not None and backend is not None and backend is not found:
            found = joined(name, found, backend, (first, raw))
        if found is None:
            found, first = backend, raw
    return found or get_backend()


def joined(name: str, one: Any, other: Any, arrays: Sequence[Any] = ()) -> Any:
    """The backend on which arrays of both can be operands. Arrays of one library from inside and outside of vmap have one.

    Raises MixedBackendsError if there is none; `arrays`, one of each, are for its message.
    """
    found = one.join(other) or other.join(one)
    if found is None:
        raise mixed(name, one, other, arrays)
    return found


def mixed(name: str, one: Any, other: Any, arrays: Sequence[Any] = ()) -> MixedBackendsError:
    met = " met ".join(_placed(array, where) for array, where in zip(arrays, (one, other), strict=False))
    return MixedBackendsError(
        f"{name}: {met or f'arrays of {one} and {other} met'}. An operation runs on one backend and device. "
        + _way_to_meet(one, other, arrays)
    )


def _placed(array: Any, backend: Any) -> str:
    what = "a tensor" if isinstance(array, Tensor) else f"{type(array).__module__}.{type(array).__qualname__}"
    return f"{what} of shape {tuple(array.shape)} on {backend}"


def _way_to_meet(one: Any, other: Any, arrays: Sequence[Any]) -> str:
    """How to move the second of two arrays to the backend of the first."""
    if one.name == other.name:
        return f"Move the second with xgrad.asarray(array).to_device({one.device_name!r})."
    is_tensor = not arrays or isinstance(arrays[-1], Tensor)
    move = "xgrad.asarray(t.numpy())" if is_tensor else "xgrad.asarray(array)"
    return f"Move the second with {move} under use_backend({one.name!r})."


def operand_on(backend: Any, x: Tensor) -> Tensor:
    """The tensor on a backend that `joined` returned."""
    return x if x.backend is backend else backend.take_in(x)


def adopted(backend: Any, value: Any) -> Any:
    """A raw array as an array of the backend. Anything else is returned unchanged."""
    return backend.adopt(value) if backend.accepts(value) else value


def note(args: Sequence[Any]) -> None:
    """Report the arguments of an operation, for a checkpoint (see reading.py)."""
    for arg in args:
        if isinstance(arg, Tensor):
            reading.read(arg)
        else:
            reading.operand(arg)


def unwrap(name: str, args: Sequence[Any]) -> tuple[Any, list[Any], list[Any]]:
    """The backend, the raw arrays (scalars stay Python numbers), and the nodes of the arguments."""
    if noting:
        note(args)
    backend = backend_of(name, args)
    raws, nodes = [], []
    for arg in args:
        if isinstance(arg, Tensor):
            arg = operand_on(backend, arg)
            raws.append(arg._data)
            nodes.append(arg.node)
            continue
        nodes.append(None)
        if backend.accepts(arg):
            raws.append(backend.adopt(arg))
        elif is_scalar(arg):
            raws.append(as_scalar(backend, arg))
        else:
            raise TypeError(unfit(name, arg, backend))
    if backend.widens_by_numbers and len(backend.narrow_dtypes) > 1:
        raws = backend.beside_numbers(raws)
    if not any(hasattr(raw, "shape") for raw in raws):  # numbers only: the standard wants an array
        raws[0] = backend.asarray(raws[0])
    return backend, raws, nodes


def answers_for(args: Sequence[Any]) -> bool:
    """Whether an operator handles these operands; otherwise it returns NotImplemented.

    It handles tensors, numbers and raw arrays. It also handles lists and tuples, by raising an error: otherwise Python would take
    `t == [1, 2]` as False, and `[1, 2] * t` as a repeated list.
    """
    backends = [a.backend for a in args if isinstance(a, Tensor)]
    others = [a for a in args if not (isinstance(a, Tensor) or is_scalar(a))]
    strangers = [type(a) for a in others if owner(a) is None and not any(b.accepts(a) for b in backends)]
    return not strangers or list in strangers or tuple in strangers


def unfit(name: str, value: Any, backend: Any) -> str:
    """The error message for a value that cannot be an operand."""
    got = described(value)
    if isinstance(value, list | tuple):
        got = f"a {type(value).__name__}: write xgrad.asarray({shortened(value)})"
    return f"{name}: expected a tensor, an array of backend {backend} or a number, got {got}"


def no_scalars(name: str, args: Sequence[Any]) -> None:
    for arg in args:
        if is_scalar(arg):
            raise ValueError(
                f"{name} needs vectors and matrices, but {shortened(arg)} is a number: write * for a multiple"
            )
