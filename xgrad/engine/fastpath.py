"""The fast path: the common case of an operation. It replaces the general way through dispatch.py.

On a small array, the library takes a third of a microsecond for an operation. The general way adds three times that, to find out
about types, shapes, dtypes, backends and static arguments. The functions below are for real tensors of one dtype and matching
shapes, where none of that is needed. Their nodes are of two kinds:

* `Plain`: gradients need neither a broadcast sum nor a cast, so `saved` holds no shapes and dtypes.
* `Single`: only one argument requires a gradient. The node has that one parent, without a tuple, and saves what its one rule
  needs. fastwalk.py follows a chain of such nodes without a heap.

Results are the same without this file. XGRAD_FASTPATH=0, set before the import of xgrad, turns it off, and the tests run both
ways. This file registers itself in dispatch.py, which does not import it.

The code below is written for speed in four ways. It reads each attribute once. Tensors that share a layout object have equal
shape, dtype and backend, so one identity test replaces three comparisons. `latest` keeps the raw function of the last backend. A
tensor is made without its constructor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from xgrad.engine import tape
from xgrad.engine.dispatch import Operation, explain, fast_paths, rescued
from xgrad.engine.fastapply import pair
from xgrad.engine.op import DerivativeRule, Elementwise, Op, parameters
from xgrad.engine.plain import ON, plain_types
from xgrad.engine.promotion import in_default_dtype
from xgrad.engine.tape import BACKEND, PARENTS, SAVED, Node, is_recording, next_seq
from xgrad.engine.tensor import Tensor, layout_of, wrap

new = object.__new__


# --- what is recorded ---------------------------------------------------------------------------------------


class Plain(Op):
    """The fast version of an operation for arguments of one real dtype and matching shapes.

    Gradients need neither a broadcast sum nor a cast nor a conjugate, so `saved` is (*arguments, y), without shapes and dtypes.
    """

    fresh = True

    def __init__(self, whole: Op) -> None:
        self.whole = whole
        whole.followers.append(self)
        self.update()

    def update(self) -> None:
        """Take the rules of the general operation."""
        self.name, self.vjps = self.whole.name, self.whole.vjps

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        if len(parents) == 2:
            (parent1, parent2), (rule1, rule2) = parents, self.vjps
            h1 = rule1(xp, g, saved, None) if parent1 is not None and rule1 is not None else None
            h2 = rule2(xp, g, saved, None) if parent2 is not None and rule2 is not None else None
            if parent1 is parent2 and h1 is not None and h2 is not None:  # x * x
                return h1 + h2, None
            return h1, h2
        return [
            rule(xp, g, saved, static) if parent is not None and rule is not None else None
            for parent, rule in zip(parents, self.vjps, strict=False)
        ]

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        return self.whole.push_alike(xp, tangents, saved)


class Single(Plain):
    """As `Plain`, where only the argument with the index `moving` requires a gradient. Its node is the parent, without a tuple.

    `saved` is what that argument's rule needs: None, a value, or a tuple of several. `only(xp, g, saved)` is the rule.
    """

    only: DerivativeRule

    def __init__(self, whole: Op, moving: int) -> None:
        self.moving = moving
        super().__init__(whole)

    def update(self) -> None:
        super().update()
        rule = self.whole.rules[self.moving]
        names = (*self.whole.arguments, "y")
        self.needs = [] if rule is None else [names.index(name) for name in parameters(rule)]
        self.only = _of_saved(rule, len(self.needs))
        self.both_ways = isinstance(self.whole, Elementwise) and self.whole.jvp is None

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: Any, static: Any) -> Sequence[Any]:
        return (self.only(xp, g, saved),)

    def push(self, xp: Any, tangents: Sequence[Any], saved: Any, static: Any) -> Any:
        if self.both_ways:
            return self.only(xp, tangents[0], saved)
        laid_out = [None] * (len(self.whole.arguments) + 1)
        for i, value in zip(self.needs, saved if len(self.needs) > 1 else (saved,), strict=False):
            laid_out[i] = value
        moving = [tangents[0] if i == self.moving else None for i in range(len(self.whole.arguments))]
        return self.whole.push_alike(xp, moving, tuple(laid_out))

    def lift(self, node: Node) -> tuple[Any, Any]:
        backend, saved = node[BACKEND], node[SAVED]
        sources = {self.moving: node[PARENTS], len(self.whole.arguments): node}
        values = saved if len(self.needs) > 1 else (saved,)
        lifted = tuple(
            wrap(value, backend, sources.get(i)) if backend.owns(value) else value
            for i, value in zip(self.needs, values, strict=False)
        )
        return backend.view, lifted if len(self.needs) > 1 else lifted[0] if lifted else None


def _of_saved(rule: DerivativeRule | None, count: int) -> DerivativeRule:
    """The rule, which needs `count` values, as a function of (xp, g, saved)."""
    if rule is None:
        return lambda xp, g, saved: None
    if count == 0:
        return lambda xp, g, saved: rule(xp, g)
    return rule if count == 1 else lambda xp, g, saved: rule(xp, g, *saved)


def packer(single: Single) -> tuple[int | None, Callable[..., Any] | None]:
    """What a `Single` saves of (*arguments, y): the index of a single value, and a function that picks it or packs several.

    The function is None where nothing is saved. The index saves a call in the common cases.
    """
    values = [f"v{i}" for i in single.needs]
    place = single.needs[0] if len(values) == 1 else None
    text = values[0] if len(values) == 1 else f"({', '.join(values)})"
    return place, _lambda(len(single.whole.arguments) + 1, text) if values else None


def packer_of_all(op: Op) -> Callable[..., Any]:
    """A function that packs (*arguments, y) for a `Plain`, with None for what no rule needs."""
    kept = op.what_to_save((True,) * len(op.arguments))
    values = [f"v{i}" if keep else "None" for i, keep in enumerate(kept)]
    return _lambda(len(kept), f"({', '.join(values)})")


def _lambda(count: int, text: str) -> Callable[..., Any]:
    return _compiled(f"lambda {', '.join(f'v{i}' for i in range(count))}: {text}")


@cache
def _compiled(expression: str) -> Callable[..., Any]:
    """One function for all operations that save the same values, because compiling takes time."""
    function: Callable[..., Any] = eval(expression)
    return function


# --- elementwise operations ---------------------------------------------------------------------------------


def unary(op: Elementwise, general: Operation) -> Operation:
    """An elementwise operation on one array."""
    raw, single = op.raw, Single(op, 0)
    keep, pack = packer(single)
    latest: tuple[Any, Any] = (None, None)

    def function(x: Any, /) -> Tensor:
        nonlocal latest
        if type(x) not in plain_types:
            return general(x)
        backend, a, node, layout = x.backend, x._data, x.node, x.layout
        at, compute = latest
        if at is not backend:
            compute = raw[backend]
            latest = backend, compute
        try:
            y = compute(a)
        except Exception as error:
            y, _ = rescued(error, op.name, compute, backend, (a,), {})
        if layout is None:
            if node is None and y.dtype is not a.dtype and backend.changes_default:
                y = in_default_dtype(op.name, compute, backend, (a,), y, {})
            if type(y) is not type(a):  # a NumPy scalar, where x is 0-d
                y = backend.as_array(y)
            layout = layout_of(x)
        result = new(Tensor)
        result._data = y
        result.backend = backend
        result.layout = layout
        if node is None or (tape.paused and not is_recording()):
            result.node = None
        else:
            saved = a if keep == 0 else y if keep == 1 else pack and pack(a, y)
            result.node = [next_seq(), single, node, saved, None, backend]
        return result

    return function


def binary(
    op: Elementwise, general: Operation, *, scalars_as_arrays: bool = True, of_itself: Operation | None = None
) -> Operation:
    """An elementwise operation on two arrays, or on an array and a number.

    With `scalars_as_arrays`, the number may go to the library as a 0-d array. `of_itself` replaces the operation where both
    arguments are the same tensor, as square(x) replaces x * x.
    """
    raw, both, first, second = op.raw, Plain(op), Single(op, 0), Single(op, 1)
    (keep1, pack1), (keep2, pack2), pack_both = packer(first), packer(second), packer_of_all(op)
    latest: tuple[Any, Any] = (None, None)

    def function(x1: Any, x2: Any, /) -> Tensor:
        nonlocal latest
        kind1, kind2 = type(x1), type(x2)
        if kind1 in plain_types:
            backend, a, node1, layout = x1.backend, x1._data, x1.node, x1.layout
            if x1 is x2 and of_itself is not None:
                return of_itself(x1)
            if kind2 in plain_types:
                b, node2 = x2._data, x2.node
                if layout is None or x2.layout is not layout:
                    if x2.backend is not backend or a.shape != b.shape or a.dtype is not b.dtype:
                        return pair(op, general, x1, x2)
                    layout1, layout2 = layout_of(x1), layout_of(x2)
                    layout = layout1 or layout2
            elif kind2 is float or kind2 is int:
                b, node2 = x2, None
                if scalars_as_arrays:
                    b = layout and layout.constants.get(x2)
                    if b is None:
                        b = backend.scalar_operand(x2, a, layout_of(x1))
            elif kind2 is type(a) and backend.arrays_are_plain:  # an array of the user's own
                b, node2 = x2, None
                if a.shape != b.shape or a.dtype is not b.dtype:
                    return pair(op, general, x1, x2)
                layout = layout_of(x1)
            else:
                return pair(op, general, x1, x2)
        elif kind2 in plain_types and (kind1 is float or kind1 is int):
            backend, b, node1, node2, layout = x2.backend, x2._data, None, x2.node, x2.layout
            a = x1
            if scalars_as_arrays:
                a = layout and layout.constants.get(x1)
                if a is None:
                    a = backend.scalar_operand(x1, b, layout_of(x2))
        elif kind2 in plain_types and kind1 is type(x2._data) and x2.backend.arrays_are_plain:
            backend, a, b, node1, node2 = x2.backend, x1, x2._data, None, x2.node
            if a.shape != b.shape or a.dtype is not b.dtype:
                return pair(op, general, x1, x2)
            layout = layout_of(x2)
        else:
            return pair(op, general, x1, x2)
        at, compute = latest
        if at is not backend:
            compute = raw[backend]
            latest = backend, compute
        try:
            y = compute(a, b)
        except Exception as error:
            y, (a, b) = rescued(error, op.name, compute, backend, (a, b), {})
        if layout is None:
            if node1 is node2 is None and backend.changes_default:
                y = in_default_dtype(op.name, compute, backend, (a, b), y, {})
            if not backend.owns(y):  # a NumPy scalar, where both are 0-d
                y = backend.as_array(y)
        result = new(Tensor)
        result._data = y
        result.backend = backend
        result.layout = layout
        if node1 is node2 is None or (tape.paused and not is_recording()):
            result.node = None
        elif node2 is None:
            saved = b if keep1 == 1 else y if keep1 == 2 else pack1 and pack1(a, b, y)
            result.node = [next_seq(), first, node1, saved, None, backend]
        elif node1 is None:
            saved = a if keep2 == 0 else y if keep2 == 2 else pack2 and pack2(a, b, y)
            result.node = [next_seq(), second, node2, saved, None, backend]
        else:
            result.node = [next_seq(), both, (node1, node2), pack_both(a, b, y), None, backend]
        return result

    return function


# --- matrices, and sums of everything -----------------------------------------------------------------------


def matrix_product(op: Op, general: Operation) -> Operation:
    """The product of two real matrices or vectors of one dtype."""
    both, first, second = Plain(op), Single(op, 0), Single(op, 1)

    def function(x1: Any, x2: Any, /) -> Tensor:
        if type(x1) not in plain_types or type(x2) not in plain_types:
            return general(x1, x2)
        a, b, backend, node1, node2 = x1._data, x2._data, x1.backend, x1.node, x2.node
        if x2.backend is not backend or not 0 < a.ndim < 3 or not 0 < b.ndim < 3 or a.dtype is not b.dtype:
            return general(x1, x2)
        y = _computed(op, backend, a, b)
        if not backend.owns(y):  # a NumPy scalar, of two vectors
            y = backend.as_array(y)
        if node1 is node2 is None or (tape.paused and not is_recording()):
            return Tensor(y, backend)
        if node2 is None:
            return Tensor(y, backend, [next_seq(), first, node1, b, None, backend])
        if node1 is None:
            return Tensor(y, backend, [next_seq(), second, node2, a, None, backend])
        return Tensor(y, backend, [next_seq(), both, (node1, node2), (a, b, None), None, backend])

    return function


def affine(op: Op, general: Operation) -> Operation:
    """x @ weight.T + bias of real matrices of one dtype, and a bias."""
    plain = Plain(op)

    def function(x: Any, weight: Any, bias: Any = None, /) -> Tensor:
        if type(x) not in plain_types or type(weight) not in plain_types or type(bias) not in plain_types:
            return general(x, weight, bias)
        a, w, b, backend = x._data, weight._data, bias._data, x.backend
        dtype = a.dtype
        alike = w.dtype is dtype and b.dtype is dtype and a.ndim == w.ndim == 2 and b.shape == w.shape[:1]
        if not alike or weight.backend is not backend or bias.backend is not backend:
            return general(x, weight, bias)
        y = _computed(op, backend, a, w, b)
        nodes = x.node, weight.node, bias.node
        if nodes == (None, None, None) or (tape.paused and not is_recording()):
            return Tensor(y, backend)
        return Tensor(y, backend, [next_seq(), plain, nodes, (a, w, None, None), None, backend])

    return function


def reduce_all(op: Op, general: Operation, *, static: dict[str, Any]) -> Operation:
    """A sum or mean over all axes of a real tensor. `static` is what the node keeps."""
    raw = op.raw

    def function(x: Any) -> Tensor:
        if type(x) not in plain_types:
            return general(x)
        backend, a, node = x.backend, x._data, x.node
        try:
            y = raw[backend](a)
        except Exception:
            return general(x)
        if y.dtype is not a.dtype:
            return general(x)
        if not backend.owns(y):
            y = backend.as_array(y)
        if node is None or (tape.paused and not is_recording()):
            return Tensor(y, backend)
        geometry = ((backend.shape_of(a), a.dtype), (y.shape, y.dtype))
        return Tensor(y, backend, [next_seq(), op, (node,), (None, None, geometry), static, backend])

    return function


def _computed(op: Op, backend: Any, *raws: Any) -> Any:
    """The result of the library's function. Raises the library's error with an explanation."""
    try:
        return op.raw[backend](*raws)
    except Exception as error:
        explain(error, op.name, raws, backend)


def register() -> None:
    """Add these to the table in dispatch.py."""
    for make in (unary, binary, matrix_product, affine, reduce_all):
        fast_paths[make.__name__] = make


if ON:
    register()
