"""From a call to a node: run an operation on the backend's raw arrays, and record it if a gradient may be wanted.

`apply` is the general way, for any operation and any mix of arguments. `unary` and `binary` make public functions with a
quick path in front of it, for real tensors that are alike: there, nothing is inspected that cannot differ.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from xgrad.backends import get_backend, owner
from xgrad.op import Elementwise, Op
from xgrad.tape import is_recording, next_seq
from xgrad.tensor import Tensor, plain_types, wrap

Function = Callable[..., Any]


class MixedBackendsError(TypeError):
    """Arrays of two backends, or on two devices, met in one operation."""


# --- arguments -----------------------------------------------------------------------------------------------------------


def is_scalar(value: Any) -> bool:
    """A Python number, or a NumPy scalar: weak, so it takes the dtype of the arrays it meets."""
    return isinstance(value, (bool, numbers.Number)) or (getattr(value, "shape", None) == () and _is_numpy_scalar(value))


def _is_numpy_scalar(value: Any) -> bool:
    return hasattr(value, "tobytes") and not hasattr(value, "__setitem__")


def _weak(value: Any) -> Any:
    kind = type(value)
    return value if kind is float or kind is int or kind is bool or kind is complex else value.item()


def backend_of(name: str, args: Sequence[Any]) -> Any:
    """The backend of the tensors among the arguments, else of the raw arrays, else the current one.

    Raises MixedBackendsError, naming both, where there are two.
    """
    found = None
    for arg in args:
        backend = arg.backend if isinstance(arg, Tensor) else None if is_scalar(arg) else owner(arg)
        if backend is None or backend is found:
            continue
        if found is not None:
            raise MixedBackendsError(
                f"{name}: arrays of two backends, {found} and {backend}. An operation stays on one; "
                f"move one of them first, for example xgrad.asarray(t.numpy()) under use_backend({found.name!r})."
            )
        found = backend
    return found or get_backend()


def unwrap(name: str, args: Sequence[Any]) -> tuple[Any, list[Any], list[Any]]:
    """The backend, the raw arrays (scalars stay Python numbers), and the nodes of the arguments."""
    backend = backend_of(name, args)
    raws, nodes = [], []
    for arg in args:
        if isinstance(arg, Tensor):
            raws.append(arg.data)
            nodes.append(arg.node)
            continue
        nodes.append(None)
        if is_scalar(arg):
            raws.append(_weak(arg))
        elif backend.owns(arg):
            raws.append(arg)
        else:
            raise TypeError(
                f"{name}: expected a tensor, an array of backend {backend} or a number, got {type(arg).__name__}"
            )
    if not any(hasattr(raw, "shape") for raw in raws):  # numbers only: the standard wants an array
        raws[0] = backend.asarray(raws[0])
    return backend, raws, nodes


# --- the general way -----------------------------------------------------------------------------------------------------


def apply(op: Op, args: Sequence[Any], static: dict[str, Any] | None = None, *, as_list: bool = False) -> Tensor:
    """Run `op` on any arguments, and record it if one of them requires a gradient.

    `as_list` is for functions whose arrays come as one list.
    """
    backend, raws, nodes = unwrap(op.name, args)
    static = static or {}
    try:
        y = op.raw[backend](raws, **static) if as_list else op.raw[backend](*raws, **static)
    except Exception as error:
        explain(error, op.name, raws)
    if not backend.owns(y):  # a NumPy scalar, where the arguments were 0-d
        y = backend.asarray(y)
    return wrap(y, backend, node_of(op, backend, raws, nodes, y, static))


def node_of(op: Op, backend: Any, raws: Sequence[Any], nodes: Sequence[Any], y: Any, static: dict[str, Any]) -> Any:
    """The node that records `y = op(*raws, **static)`; None if there is nothing to record."""
    moving = [node is not None for node in nodes]
    if not any(moving) or not is_recording() or not backend.is_inexact(y.dtype):
        return None
    kept = op.keeps(moving)
    names = op.arguments if len(op.arguments) == len(raws) else ("",) * len(raws)
    saved = [raw if name in kept else None for raw, name in zip(raws, names, strict=True)]
    geometry = [(tuple(raw.shape), raw.dtype) if hasattr(raw, "shape") else None for raw in raws]
    geometry.append((tuple(y.shape), y.dtype))
    record = (*saved, y if "y" in kept else None, tuple(geometry))
    return [next_seq(), op, tuple(nodes), record, static, backend]


def explain(error: Exception, name: str, raws: Sequence[Any]) -> NoReturn:
    """Raise the library's error again, saying which operation it was and what it was given."""
    given = " and ".join(
        f"{tuple(raw.shape)} {raw.dtype}" if hasattr(raw, "shape") else repr(raw) for raw in raws
    )
    shapes = [tuple(raw.shape) for raw in raws if hasattr(raw, "shape")]
    kind: type[Exception] = type(error) if type(error).__module__ == "builtins" else TypeError
    if isinstance(error, RuntimeError) and len(shapes) > 1:
        kind = ValueError  # PyTorch's word for shapes that do not fit
    raise kind(f"{name} of {given}: {error}") from error


# --- the quick way -------------------------------------------------------------------------------------------------------


def unary(op: Elementwise) -> Function:
    """The public function of an elementwise operation on one array."""
    raw, plain = op.raw, op.plain
    kept = op.keeps((True,))
    keep_x, keep_y = op.arguments[0] in kept, "y" in kept

    def function(x: Any, /) -> Tensor:
        if type(x) not in plain_types:
            return apply(op, (x,))
        backend, data, node = x.backend, x.data, x.node
        y = raw[backend](data)
        if type(y) is not type(data):
            y = backend.asarray(y)
        if node is None or not is_recording():
            return Tensor(y, backend)
        saved = (data if keep_x else None, y if keep_y else None)
        return Tensor(y, backend, [next_seq(), plain, (node,), saved, None, backend])

    return function


def binary(op: Elementwise) -> Function:
    """The public function of an elementwise operation on two arrays, or an array and a number."""
    raw, plain = op.raw, op.plain
    save_first, save_second, save_both = (_saver(op, moving) for moving in ((True, False), (False, True), (True, True)))

    def function(x1: Any, x2: Any, /) -> Tensor:
        kind1, kind2 = type(x1), type(x2)
        if kind1 in plain_types:
            backend, a, node1 = x1.backend, x1.data, x1.node
            if kind2 in plain_types:
                if x2.backend is not backend:
                    return apply(op, (x1, x2))
                b, node2 = x2.data, x2.node
                if a.shape != b.shape or a.dtype is not b.dtype:
                    return apply(op, (x1, x2))
            elif kind2 is float or kind2 is int:
                b, node2 = x2, None
            else:
                return apply(op, (x1, x2))
        elif kind2 in plain_types and (kind1 is float or kind1 is int):
            backend, a, node1, b, node2 = x2.backend, x1, None, x2.data, x2.node
        else:
            return apply(op, (x1, x2))
        y = raw[backend](a, b)
        if type(y) is not type(a) and not backend.owns(y):
            y = backend.asarray(y)
        if node1 is None:
            if node2 is None or not is_recording():
                return Tensor(y, backend)
            saved = save_second(a, b, y)
        elif not is_recording():
            return Tensor(y, backend)
        else:
            saved = save_first(a, b, y) if node2 is None else save_both(a, b, y)
        return Tensor(y, backend, [next_seq(), plain, (node1, node2), saved, None, backend])

    return function


def _saver(op: Op, moving: tuple[bool, bool]) -> Function:
    """Packs what the rules need when these arguments require a gradient."""
    kept = op.keeps(moving)
    packed = ", ".join(v if name in kept else "None" for v, name in zip("aby", (*op.arguments, "y"), strict=True))
    saver: Function = eval(f"lambda a, b, y: ({packed})")
    return saver


def matrix_product(op: Op) -> Function:
    """The public function of a product of two arrays, quick for two real matrices of one dtype."""
    raw = op.raw

    def matmul(x1: Any, x2: Any, /) -> Tensor:
        """The matrix product over the last two axes; a 1-d array is a vector.

        >>> import xgrad as xg
        >>> xg.matmul(xg.asarray([[1.0, 2.0]]), xg.asarray([[3.0], [4.0]])).item()
        11.0
        """
        if type(x1) not in plain_types or type(x2) not in plain_types:
            return apply(op, (x1, x2))
        a, b, backend = x1.data, x2.data, x1.backend
        if x2.backend is not backend or len(a.shape) != 2 or len(b.shape) != 2 or a.dtype is not b.dtype:
            return apply(op, (x1, x2))
        try:
            y = raw[backend](a, b)
        except Exception as error:
            explain(error, op.name, (a, b))
        node1, node2 = x1.node, x2.node
        if (node1 is None and node2 is None) or not is_recording():
            return Tensor(y, backend)
        dtype = a.dtype
        geometry = ((a.shape, dtype), (b.shape, dtype), (y.shape, dtype))
        saved = (None if node2 is None else a, None if node1 is None else b, None, geometry)
        return Tensor(y, backend, [next_seq(), op, (node1, node2), saved, {}, backend])

    return matmul
