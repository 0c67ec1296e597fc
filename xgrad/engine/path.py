"""The part of the tape between given inputs and outputs: what `grad`, `vjp` and `jvp` walk along, back or forth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import inf
from typing import Any

from xgrad.engine import tape
from xgrad.engine.tape import (
    BACKEND,
    FREED,
    OP,
    PARENTS,
    SAVED,
    SEQ,
    Gradient,
    GraphFreedError,
    Leaf,
    Lift,
    Node,
    is_node,
    lift,
    parents_of,
)


class Path:
    """What lies between `inputs` and `outputs` on the tape.

    `outside` is whatever else that requires a gradient feeds the outputs, and `connected` says whether there is such a thing:
    then a derivative along this path is itself something to differentiate. `closed_over` are nodes and leaves, older than
    every input, that count as inputs too.
    """

    def __init__(
        self,
        inputs: Sequence[Node],
        outputs: Iterable[Node | Leaf | None],
        closed_over: Sequence[Node | Leaf] = (),
    ) -> None:
        self.inputs = [*inputs, *closed_over]
        self.newest = min(
            (node[SEQ] for node in inputs), default=inf
        )  # what depends on an input is newer than all of them
        self._found: dict[float, Node] = {}  # all newer nodes beneath the outputs, by age
        ends = self._look_around([node for node in outputs if is_node(node)])
        known = {id(None), *map(id, self.inputs)}
        self.outside = [end for key, end in ends.items() if key not in known]
        self.connected = bool(self.outside) or any(map(any, map(parents_of, inputs)))

    def _look_around(self, ahead: list[Any]) -> dict[int, Any]:
        """Find what is newer than the inputs, and return where that ends, by id: inputs, and whatever else there is."""
        found, newest = self._found, self.newest
        ends: dict[int, Any] = {}
        while ahead:
            node = ahead.pop()
            while type(node) is list and (seq := node[SEQ]) < newest and seq not in found:
                found[seq] = node
                node = node[PARENTS]
            if type(node) is tuple:  # the parents of the last one
                if not node and found[seq][SAVED] is FREED:
                    raise GraphFreedError(found[seq][OP])
                ahead.extend(node)
            elif type(node) is not list or node[SEQ] >= newest:
                ends[id(node)] = node
        return ends

    @cached_property
    def nodes(self) -> list[Node]:
        """The nodes on some path from an input to an output, oldest first."""
        depends = set(map(id, self.inputs))
        nodes = []
        for seq in sorted(self._found, reverse=True):
            node = self._found[seq]
            if not depends.isdisjoint(map(id, parents_of(node))):
                depends.add(id(node))
                nodes.append(node)
        return nodes

    @cached_property
    def depends(self) -> set[int]:
        """The ids of the inputs and of all that is made of them."""
        return {id(node) for node in (*self.inputs, *self.nodes)}

    def forget(self) -> None:
        """Hold on to none of the nodes, before a last walk back along a path that is not connected."""
        self._found = {}

    def back(
        self, outputs: list[Any], cotangents: Sequence[Gradient], *, record: bool, lift: Lift = lift
    ) -> list[Gradient | None]:
        """The gradient of sum(outputs * cotangents) for each input; None for an input that was not used.

        With `record`, everything is a tensor, what was saved by way of `lift`. The list of outputs is emptied: a part of the tape
        that nobody else holds is freed as the walk leaves it behind.
        """
        wanted = self.depends if self.outside else None
        starts: list[Node] = []
        waiting: dict[int, Gradient] = {}
        for node, g in zip(outputs, cotangents, strict=True):
            key = id(node)
            if key in waiting:
                waiting[key] = waiting[key] + g
            elif node is not None and (wanted is None or key in wanted):
                waiting[key] = g
                if is_node(node) and node[SEQ] < self.newest:
                    starts.append(node)
            del node
        outputs.clear()
        if starts:
            with starts[0][BACKEND].walking:
                tape.walk_back(
                    starts, waiting, retain=True, lift=lift if record else None, wanted=wanted, end=self.newest
                )
        return [waiting.get(id(node)) for node in self.inputs]

    def forth(
        self, tangents: Sequence[Gradient | None], outputs: Sequence[Any], *, record: bool, lift: Lift = lift
    ) -> list[Gradient | None]:
        """The tangent of each output, given one for each input; None where it is zero."""
        moving: dict[int, Gradient] = {id(n): t for n, t in zip(self.inputs, tangents, strict=True) if t is not None}
        if self.nodes:
            with self.nodes[0][BACKEND].guard:
                self._walk_forth(moving, {id(node) for node in outputs}, lift if record else None)
        return [None if node is None else moving.get(id(node)) for node in outputs]

    def _walk_forth(self, moving: dict[int, Gradient], kept: set[int], lift: Lift | None) -> None:
        """Bring the tangents in `moving` (by id of the node) to the nodes in `kept`; the others are dropped on the way."""
        last = {id(parent): node for node in self.nodes for parent in parents_of(node)}
        at = self.nodes[0][BACKEND]
        for node in self.nodes:
            _, op, parents, saved, static, backend = node
            if type(parents) is not tuple:
                parents = (parents,)
            arriving = [moving.get(id(parent)) for parent in parents]
            if not any([t is not None for t in arriving]):  # noqa: C419 (a list is quicker, and this is hot)
                continue
            if backend is not at:
                backend.make_current()
                at = backend
            if lift is None:
                xp = backend.xp
            else:
                xp, saved = lift(node)
            t = op.push(xp, arriving, saved, static)
            for parent in parents:
                key = id(parent)
                if last[key] is node and key not in kept:  # nobody else asks for this tangent
                    moving.pop(key, None)
            if t is not None:
                moving[id(node)] = t
