"""Two more kinds of operations: with one rule for all arguments (`Joint`), and with several outputs (`Several`).

An operation with several outputs has a node, and each of its outputs has a node with that one as its parent. An output passes its
gradient on as `Parts` with one entry. The gradient of the operation is the sum of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.engine import casting, tape
from xgrad.engine.arguments import unwrap
from xgrad.engine.dispatch import rescued
from xgrad.engine.op import DerivativeRule, Function, Op, aligned, fit, names_of
from xgrad.engine.tape import BACKEND, PARENTS, SAVED, Node, is_recording, make_node
from xgrad.engine.tensor import Tensor, wrap


class Joint(Function):
    """A function with one rule, which returns a list of the gradients of all its arguments. They share intermediate results."""

    def __init__(self, name: str, arguments: Sequence[str], joint: DerivativeRule, jvp: DerivativeRule) -> None:
        super().__init__(name, arguments, (), jvp)
        self.joint = aligned(joint, self.arguments)
        self.needs = names_of(joint) | names_of(jvp)

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        found = self.joint(xp, g, saved, static)
        return [
            None if parent is None else fit(xp, h, shape)
            for parent, h, shape in zip(parents, found, saved[-1], strict=False)
        ]

    def needed_names(self, moving: Sequence[bool]) -> frozenset[str]:
        return self.needs


class Parts:
    """The gradients of several outputs, by the number of the output. Those that are missing are zero."""

    __slots__ = ("of",)

    def __init__(self, of: dict[int, Any]) -> None:
        self.of = of

    def __add__(self, other: Parts) -> Parts:
        both = {i: self.of[i] + other.of[i] for i in self.of.keys() & other.of.keys()}
        return Parts({**self.of, **other.of, **both})


class Output:
    """The operation of an output's node: it selects one output of several."""

    fresh = False

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: Any, static: Any) -> Sequence[Any]:
        return [Parts({self.number: g})]

    def push(self, xp: Any, tangents: Sequence[Any], saved: Any, static: Any) -> Any:
        return tangents[0][self.number]

    def lift(self, node: Node) -> Any:
        return node[BACKEND].view, ()

    def node(self, whole: Node) -> Node:
        """A node for this output of the operation that `whole` records."""
        return make_node(self, (whole,), backend=whole[BACKEND])


class Several(Op):
    """A function with several outputs.

    `joint(xp, g, ...)` returns the gradient of the argument, or a list with one for each of several arguments. g is a list with
    an entry for each output, None for one that was not used. `jvp(xp, t, ...)` returns a list of the outputs' tangents; t is the
    tangent of the argument, or a list. Both may have outputs among their parameters, and `moving`: for each argument whether it
    has a gradient, or a tangent. An argument may be None.
    """

    def __init__(
        self,
        name: str,
        arguments: str | Sequence[str],
        outputs: Sequence[str],
        joint: DerivativeRule,
        jvp: DerivativeRule,
    ) -> None:
        self.is_of_one = isinstance(arguments, str)
        given = (arguments,) if isinstance(arguments, str) else tuple(arguments)
        super().__init__(name, given, ())
        names = (*given, *outputs)
        self.joint = aligned(joint, names)
        self.jvp = aligned(jvp, names)
        needed = names_of(joint) | names_of(jvp)
        self.keep = [each in needed for each in names]
        self.outputs = [Output(name, i) for i in range(len(outputs))]

    def pull(self, xp: Any, g: Parts, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        parts = [g.of.get(i) for i in range(len(self.outputs))]
        if self.is_of_one:
            return [fit(xp, self.joint(xp, parts, saved, static), saved[-1][0])]
        static = {**static, "moving": [parent is not None for parent in parents]}
        return [
            None if parent is None else fit(xp, h, shape)
            for parent, h, shape in zip(parents, self.joint(xp, parts, saved, static), saved[-1], strict=False)
        ]

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        if self.is_of_one:
            return self.jvp(xp, tangents[0], saved, static)
        return self.jvp(xp, tangents, saved, {**static, "moving": [t is not None for t in tangents]})

    def lift(self, node: Node) -> tuple[Any, tuple[Any, ...]]:
        backend = node[BACKEND]
        sources = (*node[PARENTS], *[output.node(node) for output in self.outputs])
        *kept, geometry = node[SAVED]
        lifted = [
            None if value is None else wrap(value, backend, source) for value, source in zip(kept, sources, strict=True)
        ]
        return backend.view, (*lifted, geometry)

    def __call__(self, *args: Any, **static: Any) -> list[Tensor]:
        """The outputs. The call is recorded if an argument requires a gradient."""
        if casting.blocks:
            args = tuple(casting.prepared(self, args))
        there = [i for i, arg in enumerate(args) if arg is not None]
        backend, given, nodes = unwrap(self.name, [args[i] for i in there])
        function = self.raw[backend]

        def of_given(*given: Any, **static: Any) -> Any:
            return function(*_spread(there, given, len(args)), **static)

        try:
            found = of_given(*given, **static)
        except Exception as error:
            found, cast = rescued(error, self.name, of_given, backend, given, static)
            given = list(cast)
        raws, parents = _spread(there, given, len(args)), _spread(there, nodes, len(args))
        ys = [y if backend.owns(y) else backend.as_array(y) for y in found]
        node: Node | None = None
        if any(parent is not None for parent in parents) and is_recording():
            geometry = tuple([None if a is None else (backend.shape_of(a), a.dtype) for a in (*raws, *ys)])
            saved = [a if keep else None for a, keep in zip((*raws, *ys), self.keep, strict=True)]
            node = make_node(self, tuple(parents), (*saved, geometry), static, backend)
        for watch in tape.watchers:
            for y in ys:
                watch(self, backend, tuple(given), y, node)
        if node is None:
            return [wrap(y, backend) for y in ys]
        return [wrap(y, backend, output.node(node)) for y, output in zip(ys, self.outputs, strict=True)]


def _spread(places: Sequence[int], values: Sequence[Any], n: int) -> list[Any]:
    """n values: the given ones at their places, None elsewhere."""
    spread: list[Any] = [None] * n
    for i, value in zip(places, values, strict=True):
        spread[i] = value
    return spread
