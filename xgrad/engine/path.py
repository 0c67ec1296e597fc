"""The part of the tape between given inputs and outputs, and the reverse and forward pass along it: for grad, vjp and jvp."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import inf
from typing import Any

from xgrad.engine import tape
from xgrad.engine.casting import without_casts
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
    """The nodes between `inputs` and `outputs` on the tape.

    `outside` has the nodes and leaves beside the inputs from which the outputs were computed. `connected` says that there are
    some, or that an input has a parent: then a derivative along this path can itself be differentiated. `reached` says that an
    output depends on an input. `closed_over` has further inputs, nodes and leaves that are older than all of `inputs`.
    """

    def __init__(
        self,
        inputs: Sequence[Node],
        outputs: Iterable[Node | Leaf | None],
        closed_over: Sequence[Node | Leaf] = (),
    ) -> None:
        self.inputs = [*inputs, *closed_over]
        # The `seq` of the newest input. A node that depends on an input is newer, because no operation runs between the inputs.
        self.newest = min((node[SEQ] for node in inputs), default=inf)
        self._found: dict[float, Node] = {}  # all ancestors of the outputs that are newer, by `seq`
        ends = self._look_around([node for node in outputs if is_node(node)])
        known = {id(None), *map(id, self.inputs)}
        self.reached = any(id(node) in ends for node in self.inputs)
        self.outside = [end for key, end in ends.items() if key not in known]
        self.connected = bool(self.outside) or any(map(any, map(parents_of, inputs)))

    def _look_around(self, ahead: list[Any]) -> dict[int, Any]:
        """Find the ancestors that are newer than the inputs. Returns where these end, by id: at inputs and outside ones."""
        found, newest = self._found, self.newest
        ends: dict[int, Any] = {}
        while ahead:
            node = ahead.pop()
            while type(node) is list and (seq := node[SEQ]) < newest and seq not in found:
                found[seq] = node
                node = node[PARENTS]
            if type(node) is tuple:  # the parents of the node that was found last
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
        """The ids of the inputs, and of all nodes on a path from them."""
        return {id(node) for node in (*self.inputs, *self.nodes)}

    def forget(self) -> None:
        """Drop the references to the nodes, so that the last reverse pass frees them. Only for a path that is not connected."""
        self._found = {}

    def back(
        self, outputs: list[Any], cotangents: Sequence[Gradient], *, record: bool, lift: Lift = lift
    ) -> list[Gradient | None]:
        """The reverse pass: the gradient of sum(outputs * cotangents) by each input; None for an input that was not used.

        With `record`, the pass is recorded: cotangents are tensors, and `lift` makes tensors of saved values. The list `outputs`
        is emptied, so that nodes without other references are freed as the pass leaves them.
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
            with starts[0][BACKEND].walking, without_casts():
                tape.walk_back(
                    starts, waiting, retain=True, lift=lift if record else None, wanted=wanted, end=self.newest
                )
        return [waiting.get(id(node)) for node in self.inputs]

    def forth(
        self, tangents: Sequence[Gradient | None], outputs: Sequence[Any], *, record: bool, lift: Lift = lift
    ) -> list[Gradient | None]:
        """The forward pass: the tangent of each output, given one for each input. None stands for zero."""
        moving: dict[int, Gradient] = {id(n): t for n, t in zip(self.inputs, tangents, strict=True) if t is not None}
        if self.nodes:
            with self.nodes[0][BACKEND].guard, without_casts():
                self._forward_pass(moving, {id(node) for node in outputs}, lift if record else None)
        return [None if node is None else moving.get(id(node)) for node in outputs]

    def _forward_pass(self, moving: dict[int, Gradient], kept: set[int], lift: Lift | None) -> None:
        """Replace the tangents in `moving` (by the id of the node) by those of the nodes whose ids are in `kept`."""
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
                if last[key] is node and key not in kept:  # no later node needs this tangent
                    moving.pop(key, None)
            if t is not None:
                moving[id(node)] = t
