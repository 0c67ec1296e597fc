"""The fast version of `dispatch.apply`, for operations that fastpath.py has no function for: where, clip, getitem, concat ...

It takes real tensors of one backend, such as NumPy's, where numbers and the library's arrays are operands as they are. Then it
need not find out about backends, and makes the same node in half of the time. It leaves every other call, and every error, to the
general way. XGRAD_FASTPATH=0 turns it off with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends.data import BOOL, REAL, is_scalar
from xgrad.engine import dispatch, tape
from xgrad.engine.arguments import as_scalar
from xgrad.engine.op import Op
from xgrad.engine.plain import ON, plain_types
from xgrad.engine.tape import is_recording, next_seq
from xgrad.engine.tensor import Tensor, wrap

NUMBERS = frozenset((float, int, bool))


def apply(op: Op, args: Sequence[Any], static: dict[str, Any], as_list: bool) -> Tensor | None:
    """The result of the operation, recorded. None for what the general way has to do."""
    if len(args) == 1 and not as_list:
        return _of_one(op, args[0], static)
    backend, beside, array = None, None, None
    raws: list[Any] = []
    nodes: list[Any] = []
    others: list[int] = []  # places of what is neither a tensor nor a Python number
    for arg in args:
        kind = type(arg)
        if kind in plain_types:
            if arg.backend is not backend:
                if backend is not None or not arg.backend.arrays_are_plain:
                    return None
                backend, beside, array = arg.backend, arg._data, type(arg._data)
            raws.append(arg._data)
            nodes.append(arg.node)
        else:
            if kind not in NUMBERS:
                others.append(len(raws))
            raws.append(arg)
            nodes.append(None)
    if backend is None or "dtype" in static:
        return None
    moving = tuple([node is not None for node in nodes])
    if True not in moving and backend.changes_default:  # all may be integers, which become floats of the default dtype
        return None
    for i in others:
        raws[i] = _operand(backend, raws[i], beside)
        if raws[i] is None:
            return None
    try:
        y = op.raw[backend](raws, **static) if as_list else op.raw[backend](*raws, **static)
    except Exception:
        return None  # the general way tries again, and explains the error
    if type(y) is not array:
        y = backend.as_array(y)
    if True not in moving or (tape.paused and not is_recording()) or not backend.is_inexact(y.dtype):
        return wrap(y, backend)
    keep = op.what_to_save(moving)
    saved: list[Any] = []
    geometry: list[Any] = []
    for raw, kept in zip(raws, keep):  # noqa: B905 (the last is for y, and this is hot)
        saved.append(raw if kept else None)
        geometry.append((raw.shape, raw.dtype) if type(raw) is array else None)
    saved.append(y if keep[-1] else None)
    geometry.append((y.shape, y.dtype))
    saved.append(tuple(geometry))
    return wrap(y, backend, [next_seq(), op, tuple(nodes), tuple(saved), static, backend])


def _of_one(op: Op, x: Any, static: dict[str, Any]) -> Tensor | None:
    """As `apply`, for one argument."""
    if type(x) not in plain_types or "dtype" in static:
        return None
    backend, a, node = x.backend, x._data, x.node
    if not backend.arrays_are_plain or (node is None and backend.changes_default):
        return None
    try:
        y = op.raw[backend](a, **static)
    except Exception:
        return None
    if type(y) is not type(a):
        y = backend.as_array(y)
    dtype, its_dtype = y.dtype, a.dtype
    if node is None or (tape.paused and not is_recording()) or not (dtype is its_dtype or backend.is_inexact(dtype)):
        return wrap(y, backend)
    keep, keep_y = op.what_to_save(ONE)
    saved = a if keep else None, y if keep_y else None, ((a.shape, its_dtype), (y.shape, dtype))
    made = Tensor if dtype is its_dtype else wrap
    return made(y, backend, [next_seq(), op, (node,), saved, static, backend])


def pair(op: Op, general: dispatch.Operation, x1: Any, x2: Any) -> Tensor:
    """An elementwise operation on two operands of different shapes or dtypes."""
    kind1, kind2 = type(x1), type(x2)
    if kind1 in plain_types:
        backend, a, node1 = x1.backend, x1._data, x1.node
        if kind2 in plain_types:
            b, node2 = x2._data, x2.node
            if x2.backend is not backend:
                return general(x1, x2)
        else:
            b, node2 = _operand(backend, x2, a), None
    elif kind2 in plain_types:
        backend, b, node1, node2 = x2.backend, x2._data, None, x2.node
        a = _operand(backend, x1, b)
    else:
        return general(x1, x2)
    if a is None or b is None or (node1 is node2 is None and backend.changes_default):
        return general(x1, x2)
    array = type(b) if node1 is None else type(a)
    if not (type(a) is type(b) and a.dtype is b.dtype) and not backend.arrays_are_plain:
        return general(x1, x2)
    try:
        y = op.raw[backend](a, b)
    except Exception:
        return general(x1, x2)  # which explains it
    if type(y) is not array:
        y = backend.as_array(y)
    if node1 is node2 is None or (tape.paused and not is_recording()):
        return wrap(y, backend)
    dtype = y.dtype
    known = dtype is (b.dtype if node1 is None else a.dtype)  # that of a tensor with a gradient
    if not known and not backend.is_inexact(dtype):
        return wrap(y, backend)
    keep1, keep2, keep_y = op.what_to_save((node1 is not None, node2 is not None))
    geometry = (
        (a.shape, a.dtype) if type(a) is array else None,
        (b.shape, b.dtype) if type(b) is array else None,
        (y.shape, dtype),
    )
    saved = a if keep1 else None, b if keep2 else None, y if keep_y else None, geometry
    return (Tensor if known else wrap)(y, backend, [next_seq(), op, (node1, node2), saved, STATIC, backend])


def element(op: Op, general: dispatch.Operation) -> dispatch.Operation:
    """Reading one element of a vector, as `a, b = x` does."""

    def function(x: Any, /, key: Any) -> Tensor:
        if type(key) is not int or type(x) not in plain_types:
            return general(x, key)
        backend, a, node = x.backend, x._data, x.node
        if a.ndim != 1 or not backend.arrays_are_plain or not -len(a) <= key < len(a):
            return general(x, key)
        y = backend.as_array(a[key])
        if node is None or (tape.paused and not is_recording()):
            return Tensor(y, backend)
        dtype = a.dtype
        saved = None, None, ((a.shape, dtype), (y.shape, dtype))
        return Tensor(y, backend, [next_seq(), op, (node,), saved, {"key": key}, backend])

    return function


def choice(op: Op, general: dispatch.Operation) -> dispatch.Operation:
    """An operation like `where`: two operands, of which an array of booleans chooses."""

    def function(condition: Any, x1: Any, x2: Any, /) -> Tensor:
        one = x1 if type(x1) in plain_types else x2
        if type(one) in plain_types and one.backend.arrays_are_plain:
            chosen = condition._data if type(condition) in plain_types else condition
            if type(chosen) is type(one._data) and one.backend.rank(chosen.dtype) == BOOL:
                y = apply(op, (condition, x1, x2), STATIC, False)
                if y is not None:
                    return y
        return general(condition, x1, x2)

    return function


def _operand(backend: Any, value: Any, beside: Any) -> Any:
    """What goes to the library for an operand beside a tensor's raw array. None for what the general way has to find out."""
    kind = type(value)
    if kind in NUMBERS:
        return value
    if kind is type(beside):
        dtype = value.dtype
        is_same = dtype is beside.dtype or (backend.rank(dtype) <= REAL and dtype not in backend.general_dtypes)
        return value if is_same and backend.arrays_are_plain else None
    return as_scalar(backend, value) if is_scalar(value) else None


ONE = (True,)  # the one argument requires a gradient
STATIC: dict[str, Any] = {}  # of an operation without static arguments

if ON:
    dispatch.quickly = apply
    dispatch.fast_paths["choice"], dispatch.fast_paths["element"] = choice, element
