"""From a call to a node: run an operation on the backend's raw arrays, and record it if a gradient may be wanted.

`apply` is the general way, for any operation and any mix of arguments. `unary` and `binary` make public functions with a
quick path in front of it, for real tensors that are alike: there, nothing is inspected that cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NoReturn

from xgrad.engine import tape
from xgrad.engine.arguments import answers_for, no_scalars, unwrap
from xgrad.engine.op import Elementwise, Op, Plain, Single
from xgrad.engine.promotion import in_default_dtype, in_one_kind
from xgrad.engine.reading import noting
from xgrad.engine.tape import is_recording, next_seq
from xgrad.engine.tensor import Tensor, form_of, plain_types, wrap

Function = Callable[..., Any]
Operation = Callable[..., Tensor]

new = object.__new__


# --- the general way ----------------------------------------------------------------------------------------


def apply(op: Op, args: Sequence[Any], static: dict[str, Any] | None = None, *, as_list: bool = False) -> Tensor:
    """Run `op` on any arguments, and record it if one of them requires a gradient.

    `as_list` is for functions whose arrays come as one list.
    """
    if op.across is not None and (y := op.across(*args)) is not None:
        found: Tensor = y
        return found
    backend, raws, nodes = unwrap(op.name, args)
    return execute(op, backend, raws, nodes, static or {}, as_list=as_list)


def offered(op: Op, args: Sequence[Any]) -> Any:
    """`apply` for an operator: NotImplemented for an operand that it does not know, so that Python asks that one's own method."""
    return apply(op, args) if answers_for(args) else NotImplemented


def apply_to_one(op: Op, x: Any, static: dict[str, Any]) -> Tensor:
    """As `apply`, for one argument, which is mostly a tensor."""
    if isinstance(x, Tensor) and not noting:
        return execute(op, x.backend, (x._data,), (x.node,), static)
    return apply(op, (x,), static)


def execute(
    op: Op, backend: Any, raws: Sequence[Any], nodes: Sequence[Any], static: dict[str, Any], *, as_list: bool = False
) -> Tensor:
    """Run `op` on raw arrays and numbers whose nodes are known."""
    if static.get("dtype") is not None:
        static = {**static, "dtype": backend.as_dtype(static["dtype"])}
    y, raws = call(op.name, op.raw[backend], backend, raws, static, as_list)
    if not backend.owns(y):  # a NumPy scalar, where the arguments were 0-d
        y = backend.asarray(y)
    return wrap(y, backend, node_of(op, backend, raws, nodes, y, static))


def call(
    name: str, function: Function, backend: Any, raws: Sequence[Any], static: dict[str, Any], as_list: bool = False
) -> tuple[Any, Sequence[Any]]:
    """The result of a function of the library, and the arrays that it was computed of; see promotion.py where they change."""
    try:
        y = function(raws, **static) if as_list else function(*raws, **static)
    except Exception as error:
        return rescued(error, name, function, backend, raws, static, as_list)
    if not backend.changes_default or static.get("dtype") is not None:
        return y, raws
    return in_default_dtype(name, function, backend, raws, y, static, as_list), raws


def rescued(
    error: Exception,
    name: str,
    function: Function,
    backend: Any,
    raws: Sequence[Any],
    static: dict[str, Any],
    as_list: bool = False,
) -> tuple[Any, Sequence[Any]]:
    """As `call`, where the library has refused arrays of these dtypes. Raises its error, in words, where that was not why."""
    found = in_one_kind(name, function, backend, raws, static, as_list)
    if found is None:
        explain(error, name, raws, backend)
    return found


def node_of(op: Op, backend: Any, raws: Sequence[Any], nodes: Sequence[Any], y: Any, static: dict[str, Any]) -> Any:
    """The node that records `y = op(*raws, **static)`; None if there is nothing to record."""
    moving = tuple([node is not None for node in nodes])
    if True not in moving or not is_recording() or not backend.is_inexact(y.dtype):
        node = None
    else:
        shape_of, owns = backend.shape_of, backend.owns
        saved: list[Any] = []
        geometry: list[Any] = []
        keep = op.kept(moving)
        for raw, kept in zip(raws, keep):  # noqa: B905 (the last is for y, and this is hot)
            saved.append(raw if kept else None)
            geometry.append((shape_of(raw), raw.dtype) if owns(raw) else None)
        saved.append(y if keep[-1] else None)
        geometry.append((shape_of(y), y.dtype))
        saved.append(tuple(geometry))
        node = [next_seq(), op, tuple(nodes), tuple(saved), static, backend]
    for watch in tape.watchers:
        watch(op, backend, raws, y, node)
    return node


def explain(error: Exception, name: str, raws: Sequence[Any], backend: Any) -> NoReturn:
    """Raise the library's error again, saying which operation it was and what it was given."""
    given = " and ".join(f"{tuple(raw.shape)} {raw.dtype}" if hasattr(raw, "shape") else repr(raw) for raw in raws)
    raise backend.kind_of(error)(f"{name} of {given}: {backend.in_words(error)}") from error


# --- the quick way ------------------------------------------------------------------------------------------
#
# An operation on a small array takes a third of a microsecond; what follows is written so as not to take three times that
# around it. Tensors of one `form` are alike, so one comparison stands for many. Attributes are read once, the raw function of
# the last backend is kept at hand (`home`), and a tensor is made without calling its constructor.


def unary(op: Elementwise) -> Operation:
    """The public function of an elementwise operation on one array."""
    raw, single = op.raw, Single(op, 0)
    keep = _keeper(single)
    home: tuple[Any, Any] = (None, None)

    def function(x: Any, /) -> Tensor:
        nonlocal home
        if type(x) not in plain_types:
            return apply(op, (x,))
        backend, a, node, form = x.backend, x._data, x.node, x.form
        at, compute = home
        if at is not backend:
            compute = raw[backend]
            home = backend, compute
        try:
            y = compute(a)
        except Exception as error:
            y, _ = rescued(error, op.name, compute, backend, (a,), {})
        if form is None:
            if node is None and y.dtype is not a.dtype and backend.changes_default:
                y = in_default_dtype(op.name, compute, backend, (a,), y, {})
            if type(y) is not type(a):  # a NumPy scalar, where x is 0-d
                y = backend.asarray(y)
            form = form_of(x)
        result = new(Tensor)
        result._data = y
        result.backend = backend
        result.form = form
        if node is None or (tape.paused and not is_recording()):
            result.node = None
        else:
            saved = y if keep == 1 else a if keep == 0 else None if keep is None else keep(a, y)
            result.node = [next_seq(), single, node, saved, None, backend]
        return result

    return function


def binary(
    op: Elementwise, *, weak_arrays: bool = True, of_itself: Operation | None = None, general: Operation = apply
) -> Operation:
    """The public function of an elementwise operation on two arrays, or an array and a number; `general` is for all others.

    With `weak_arrays`, the number may go to the backend as a 0-d array. `of_itself` is the function of one array that the
    operation is where both arguments are the same tensor.
    """
    raw, both, first, second = op.raw, Plain(op), Single(op, 0), Single(op, 1)
    keep1, keep2, keep_both = _keeper(first), _keeper(second), _saver(op)
    home: tuple[Any, Any] = (None, None)

    def function(x1: Any, x2: Any, /) -> Tensor:
        nonlocal home
        kind1, kind2 = type(x1), type(x2)
        if kind1 in plain_types:
            backend, a, node1, form = x1.backend, x1._data, x1.node, x1.form
            if x1 is x2 and of_itself is not None:
                return of_itself(x1)
            if kind2 in plain_types:
                b, node2 = x2._data, x2.node
                if form is None or x2.form is not form:
                    if x2.backend is not backend:
                        return general(op, (x1, x2))
                    if a.shape != b.shape or a.dtype is not b.dtype:
                        return execute(op, backend, (a, b), (node1, node2), {})
                    form1, form2 = form_of(x1), form_of(x2)
                    form = form1 or form2
            elif kind2 is float or kind2 is int:
                b, node2 = x2, None
                if weak_arrays:
                    b = form and form.constants.get(x2)
                    if b is None:
                        b = backend.weak(x2, a, form_of(x1))
            else:
                return general(op, (x1, x2))
        elif kind2 in plain_types and (kind1 is float or kind1 is int):
            backend, b, node1, node2, form = x2.backend, x2._data, None, x2.node, x2.form
            a = x1
            if weak_arrays:
                a = form and form.constants.get(x1)
                if a is None:
                    a = backend.weak(x1, b, form_of(x2))
        else:
            return general(op, (x1, x2))
        at, compute = home
        if at is not backend:
            compute = raw[backend]
            home = backend, compute
        try:
            y = compute(a, b)
        except Exception as error:
            y, (a, b) = rescued(error, op.name, compute, backend, (a, b), {})
        if form is None:
            if node1 is node2 is None and backend.changes_default:
                y = in_default_dtype(op.name, compute, backend, (a, b), y, {})
            if not backend.owns(y):  # a NumPy scalar, where both are 0-d
                y = backend.asarray(y)
        result = new(Tensor)
        result._data = y
        result.backend = backend
        result.form = form
        if node1 is node2 is None or (tape.paused and not is_recording()):
            result.node = None
        elif node2 is None:
            saved = (
                b if keep1 == 1 else None if keep1 is None else y if keep1 == 2 else a if keep1 == 0 else keep1(a, b, y)
            )
            result.node = [next_seq(), first, node1, saved, None, backend]
        elif node1 is None:
            saved = (
                a if keep2 == 0 else None if keep2 is None else y if keep2 == 2 else b if keep2 == 1 else keep2(a, b, y)
            )
            result.node = [next_seq(), second, node2, saved, None, backend]
        else:
            result.node = [next_seq(), both, (node1, node2), keep_both(a, b, y), None, backend]
        return result

    return function


def _keeper(single: Single) -> Any:
    """What to save of (*arguments, y): None, the index of one, or a function that packs several."""
    if len(single.needs) < 2:
        return single.needs[0] if single.needs else None
    names = [f"v{i}" for i in range(len(single.whole.arguments) + 1)]
    return _packing(f"lambda {', '.join(names)}: ({', '.join(names[i] for i in single.needs)})")


def _saver(op: Op) -> Function:
    """Packs (*arguments, y), without what no rule needs."""
    kept = op.kept((True,) * len(op.arguments))
    names = [f"v{i}" for i in range(len(kept))]
    packed = ", ".join(v if keep else "None" for v, keep in zip(names, kept, strict=True))
    return _packing(f"lambda {', '.join(names)}: ({packed})")


@cache
def _packing(expression: str) -> Function:
    """One function for all operations that keep the same: compiling is what it costs."""
    function: Function = eval(expression)
    return function


def matrix_product(op: Op, *, general: Operation = apply) -> Operation:
    """The public function of a product of two arrays, quick for two real matrices of one dtype; `general` is for all others."""
    raw, both, first, second = op.raw, Plain(op), Single(op, 0), Single(op, 1)

    def matmul(x1: Any, x2: Any, /) -> Tensor:
        """The matrix product over the last two axes; a 1-d array is a vector.

        >>> import xgrad as xg
        >>> xg.matmul(xg.asarray([[1.0, 2.0]]), xg.asarray([[3.0], [4.0]])).item()
        11.0
        """
        if type(x1) not in plain_types or type(x2) not in plain_types:
            no_scalars(op.name, (x1, x2))
            return general(op, (x1, x2))
        a, b, backend, node1, node2 = x1._data, x2._data, x1.backend, x1.node, x2.node
        if x2.backend is not backend or a.ndim != 2 or b.ndim != 2 or a.dtype is not b.dtype:
            return general(op, (x1, x2))
        try:
            y = raw[backend](a, b)
        except Exception as error:
            explain(error, op.name, (a, b), backend)
        if node1 is node2 is None or not is_recording():
            return Tensor(y, backend)
        if node2 is None:
            return Tensor(y, backend, [next_seq(), first, node1, b, None, backend])
        if node1 is None:
            return Tensor(y, backend, [next_seq(), second, node2, a, None, backend])
        return Tensor(y, backend, [next_seq(), both, (node1, node2), (a, b, None), None, backend])

    return matmul


def reduce_all(op: Op, static: dict[str, Any]) -> Operation:
    """`op` over all axes, quick for a real tensor. `static` is what the node keeps."""
    raw = op.raw

    def function(x: Any) -> Tensor:
        if type(x) not in plain_types:
            return apply(op, (x,), static)
        backend, a, node = x.backend, x._data, x.node
        try:
            y = raw[backend](a)
        except Exception:
            return apply(op, (x,), static)
        if not backend.owns(y):
            y = backend.asarray(y)
        if node is None or not is_recording() or y.dtype is not a.dtype:
            return apply(op, (x,), static) if y.dtype is not a.dtype else Tensor(y, backend)
        geometry = ((backend.shape_of(a), a.dtype), (y.shape, y.dtype))
        return Tensor(y, backend, [next_seq(), op, (node,), (None, None, geometry), static, backend])

    return function


def affine(op: Op) -> Operation:
    """The public function of x @ weight.T + bias, quick for real matrices of one dtype."""
    raw, plain = op.raw, Plain(op)

    def general(x: Any, weight: Any, bias: Any) -> Tensor:
        shapes = [tuple(getattr(array, "shape", ())) for array in (weight, bias)]
        if len(shapes[0]) != 2 or (bias is not None and shapes[1] != shapes[0][:1]):
            given = "" if bias is None else f" and the bias {shapes[1]}"
            raise ValueError(
                f"linear: the weight is (out, in) and the bias (out,); here the weight is {shapes[0]}{given}"
            )
        return apply(op, (x, weight) if bias is None else (x, weight, bias))

    def linear(x: Any, weight: Any, bias: Any = None, /) -> Tensor:
        """x @ weight.T + bias, for x of shape (..., in), weight (out, in) and bias (out,).

        One operation instead of three: the bias is added in place, and the gradient of the weight comes in its own order.

        >>> import xgrad as xg
        >>> xg.linear(xg.asarray([[1.0, 2.0]]), xg.asarray([[3.0, 4.0]]), xg.asarray([0.5])).numpy().tolist()
        [[11.5]]
        """
        if type(x) not in plain_types or type(weight) not in plain_types or type(bias) not in plain_types:
            return general(x, weight, bias)
        a, w, b, backend = x._data, weight._data, bias._data, x.backend
        dtype = a.dtype
        alike = w.dtype is dtype and b.dtype is dtype and a.ndim == w.ndim == 2 and b.shape == w.shape[:1]
        if not alike or weight.backend is not backend or bias.backend is not backend:
            return general(x, weight, bias)
        try:
            y = raw[backend](a, w, b)
        except Exception as error:
            explain(error, op.name, (a, w, b), backend)
        nodes = x.node, weight.node, bias.node
        if nodes == (None, None, None) or not is_recording():
            return Tensor(y, backend)
        return Tensor(y, backend, [next_seq(), plain, nodes, (a, w, None, None), None, backend])

    return linear
