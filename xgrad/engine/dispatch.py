"""From a call to a node: run an operation on the backend's raw arrays, and record it if an argument requires a gradient.

`apply` runs any operation on any mix of arguments. It finds the backend and the raw arrays of the arguments, calls the library's
function, and makes a node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, NoReturn

from xgrad.engine import casting, tape
from xgrad.engine.arguments import answers_for, unwrap
from xgrad.engine.op import Op
from xgrad.engine.promotion import in_default_dtype, in_one_kind
from xgrad.engine.reading import noting
from xgrad.engine.tape import is_recording, make_node
from xgrad.engine.tensor import Tensor, wrap

Function = Callable[..., Any]
Operation = Callable[..., Tensor]


def apply(op: Op, args: Sequence[Any], static: dict[str, Any] | None = None, *, as_list: bool = False) -> Tensor:
    """Run `op` on any arguments, and record it if one of them requires a gradient.

    `as_list` is for a library's function that takes its arrays as one list, such as concat.
    """
    if casting.blocks:
        args = casting.prepared(op, args)
    static = static or {}
    if op.across is not None and (y := op.across(*args, **static)) is not None:
        found: Tensor = y
        return found
    if quickly is not None and (quick := quickly(op, args, static, as_list)) is not None:
        return quick
    backend, raws, nodes = unwrap(op.name, args)
    return execute(op, backend, raws, nodes, static, as_list=as_list)


def offered(op: Op, args: Sequence[Any]) -> Any:
    """`apply` for an operator. Returns NotImplemented for an operand of another type, so that Python tries that type's method."""
    return apply(op, args) if answers_for(args) else NotImplemented


def apply_to_one(op: Op, x: Any, static: dict[str, Any]) -> Tensor:
    """As `apply`, for one argument. A tensor needs no search for the backend."""
    if casting.blocks:
        (x,) = casting.prepared(op, (x,))
    if quickly is not None and (quick := quickly(op, (x,), static, False)) is not None:
        return quick
    if isinstance(x, Tensor) and not noting:
        return execute(op, x.backend, (x._data,), (x.node,), static)
    return apply(op, (x,), static)


def execute(
    op: Op, backend: Any, raws: Sequence[Any], nodes: Sequence[Any], static: dict[str, Any], *, as_list: bool = False
) -> Tensor:
    """Run `op` on raw arrays and numbers of one backend, and record it. `nodes` has the node of each, or None."""
    if static.get("dtype") is not None:
        static = {**static, "dtype": backend.as_dtype(static["dtype"])}
    y, raws = call(op.name, op.raw[backend], backend, raws, static, as_list)
    if not backend.owns(y):  # a NumPy scalar, where the arguments were 0-d
        y = backend.as_array(y)
    return wrap(y, backend, node_of(op, backend, raws, nodes, y, static))


def call(
    name: str, function: Function, backend: Any, raws: Sequence[Any], static: dict[str, Any], as_list: bool = False
) -> tuple[Any, Sequence[Any]]:
    """The result of the library's function, and the arrays that it was computed from, which promotion.py may have cast."""
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
    """As `call`, after the library has raised an error: try again with arrays cast to one kind of dtype.

    If that fails too, raise the library's error with an explanation.
    """
    found = in_one_kind(name, function, backend, raws, static, as_list)
    if found is None:
        explain(error, name, raws, backend)
    return found


def node_of(op: Op, backend: Any, raws: Sequence[Any], nodes: Sequence[Any], y: Any, static: dict[str, Any]) -> Any:
    """The node that records `y = op(*raws, **static)`; None where no argument requires a gradient, or recording is off."""
    moving = tuple([node is not None for node in nodes])
    if True not in moving or not is_recording() or not backend.is_inexact(y.dtype):
        node = None
    else:
        shape_of, owns = backend.shape_of, backend.owns
        saved: list[Any] = []
        geometry: list[Any] = []
        keep = op.what_to_save(moving)
        for raw, kept in zip(raws, keep):  # noqa: B905 (the last is for y, and this is hot)
            saved.append(raw if kept else None)
            geometry.append((shape_of(raw), raw.dtype) if owns(raw) else None)
        saved.append(y if keep[-1] else None)
        geometry.append((shape_of(y), y.dtype))
        saved.append(tuple(geometry))
        node = make_node(op, tuple(nodes), tuple(saved), static, backend)
    for watch in tape.watchers:
        watch(op, backend, raws, y, node)
    return node


def explain(error: Exception, name: str, raws: Sequence[Any], backend: Any) -> NoReturn:
    """Raise the library's error again, with the name of the operation and the shapes and dtypes of its arguments."""
    if getattr(error, "says_where", False):  # it names the user's line
        raise error
    given = " and ".join(f"{tuple(raw.shape)} {raw.dtype}" if hasattr(raw, "shape") else repr(raw) for raw in raws)
    raise backend.kind_of(error)(f"{name} of {given}: {backend.in_words(error)}") from error


# --- the fast path ------------------------------------------------------------------------------------------

# fast_paths[kind](op, general, **options) is a function that handles the common case of a call, and calls `general` for any
# other. fastpath.py fills this table.
fast_paths: dict[str, Callable[..., Operation]] = {}

# The fast version of `apply`, which returns None for what it does not take. fastapply.py sets it.
quickly: Callable[[Op, Sequence[Any], dict[str, Any], bool], Tensor | None] | None = None


def with_fast_path(kind: str, op: Op, **options: Any) -> Callable[[Operation], Operation]:
    """Decorate the general function of an operation with the fast path of that kind, if there is one.

    The result has the name, signature and documentation of the general function.
    """

    def decorate(general: Operation) -> Operation:
        make = fast_paths.get(kind)
        return general if make is None else update_wrapper(make(op, general, **options), general)

    return decorate
