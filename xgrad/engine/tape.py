"""The tape: what was recorded, and the two walks over it.

A node says how one array was made: by which operation, from which parents, with what kept for the derivative. Nodes point
at their parents only, so there are no cycles, and what nobody can reach is freed at once. There are two walks:

* back, from an output to what it was made of, carrying gradients (reverse mode);
* forth, from inputs to what was made of them, carrying tangents (forward mode).

Both read the same nodes, so a derivative is written once, and a derivative that is itself recorded is just more tape. That is
also why perturbations cannot mix: each derivative is taken with respect to nodes of its own.

This file knows no operation and no library: an operation is asked for its derivative, and gradients are things that can be added.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import cached_property
from heapq import heappop, heappush, heappushpop
from math import inf
from typing import Any
from weakref import ref

Node = list[Any]
Gradient = Any

# A node is a plain list: half the price of an object, and it enters a heap as it is. SEQ falls from node to node, so the
# newest node is the smallest, and no two are equal. PARENTS is a tuple with an entry for each argument (a node, a Leaf, or None),
# or the one parent itself, where only one argument of an operation on small arrays can have any: a tuple less to make.
SEQ, OP, PARENTS, SAVED, STATIC, BACKEND = range(6)

next_seq: Callable[[], int] = itertools.count(0, -1).__next__
FREED = object()  # what SAVED becomes once backward has been through a node
_accumulating = threading.Lock()


class Held:
    """Stores a gradient. The tensors whose `.grad` it is own it; the tape refers to it weakly."""

    __slots__ = ("__weakref__", "grad")

    def __init__(self) -> None:
        self.grad: Any = None


class Leaf:
    """Where a walk ends: stands on the tape for a tensor whose `.grad` is wanted.

    The tensor owns the gradient, and the leaf refers to it weakly. A recorded gradient leads back to the leaf, so a leaf that
    owned it would make a cycle. A gradient that reaches a leaf whose tensor is gone is dropped.
    """

    __slots__ = ("__weakref__", "_held")

    def __init__(self) -> None:
        self._held: Any = None

    def held(self) -> Held:
        """The store of the gradient. It lives as long as the caller keeps it."""
        held: Held | None = self._held and self._held()
        if held is None:
            held = Held()
            self._held = ref(held)
        return held

    def hand_over(self, other: Leaf) -> None:
        """Give the store of the gradient to another leaf. This leaf no longer delivers to it."""
        other._held, self._held = self._held, None

    @property
    def grad(self) -> Any:
        held = self._held and self._held()
        return None if held is None else held.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        held = self._held and self._held()
        if held is not None:
            held.grad = value


class GraphFreedError(RuntimeError):
    """A second walk through a graph whose saved values were given back during the first."""

    def __init__(self, op: Any) -> None:
        super().__init__(
            f"backward through '{op.name}' a second time: its saved values were freed by the first backward. "
            "Call the first one with backward(retain_graph=True), or compute the output again."
        )


def parents_of(node: Node) -> tuple[Node | Leaf | None, ...]:
    parents = node[PARENTS]
    return parents if type(parents) is tuple else (parents,)


# --- what is recorded ---------------------------------------------------------------------------------------

# One entry for each block, in any thread, that has recording turned off: mostly empty, and then nobody need ask for this
# thread's own. (A list, because append and pop need no lock.)
paused: list[None] = []
_recording: ContextVar[bool] = ContextVar("xgrad_recording", default=True)
is_recording: Callable[[], bool] = _recording.get


class set_recording:  # noqa: N801 (it is used as a function is)
    """Turn recording on or off for this thread (and this asyncio task) while the block runs."""

    __slots__ = ("_on", "_token")

    def __init__(self, on: bool) -> None:
        self._on = on

    def __enter__(self) -> None:
        self._token = _recording.set(self._on)
        if not self._on:
            paused.append(None)

    def __exit__(self, *error: object) -> None:
        if not self._on:
            paused.pop()
        _recording.reset(self._token)


# Whoever wants to see each operation: `watch(op, backend, raws, y, node)` is called once it has run, with the node that
# records it or None, and may put another operation into the node. Almost always empty; see watching.py.
watchers: list[Callable[..., None]] = []


# --- back, from one output to the leaves --------------------------------------------------------------------

Lift = Callable[[Node], tuple[Any, Any]]


def lift(node: Node) -> tuple[Any, Any]:
    """The namespace of tensors, and what the node saved, as tensors."""
    lifted: tuple[Any, Any] = node[OP].lift(node)
    return lifted


def backward(root: Node, gradient: Gradient, *, retain: bool, record: bool) -> list[tuple[Leaf, Gradient, bool]]:
    """Walk from `root` to the leaves beneath it, and return what reached each.

    `record` makes the derivatives part of the tape; otherwise they run on the backend's raw arrays.

    Returns (leaf, gradient, fresh) for each leaf: `fresh` if the array was made on the way and is not the gradient of
    something else as well. A walk that raises has changed no gradient, but has freed what it went through, unless `retain`.
    """
    waiting = {id(root): gradient}
    with root[BACKEND].walking:
        reached = _walk_back([root], waiting, retain=retain, lift=lift if record else None)
    return [(leaf, waiting[id(leaf)], fresh) for leaf, fresh in reached]


def _walk_back(
    heap: list[Node],
    waiting: dict[int, Gradient],
    *,
    retain: bool,
    lift: Lift | None,
    wanted: set[int] | None = None,
    end: float = 1,
) -> list[tuple[Leaf, bool]]:
    """Walk from the nodes in the heap, whose gradients are waiting (by id), back to the leaves, or to nodes as old as `end`.

    Newest first: every consumer of a node is newer than the node, so when a node is taken from the heap its gradient is
    complete. With `lift`, gradients are tensors, and so is what was saved. Parents whose ids are not in `wanted` are left out.

    What has reached the leaves, or the nodes where the walk ends, is left in `waiting`. Returns the leaves, and whether the
    gradient of each is an array that was made on the way.
    """
    owned: set[int] = set()  # sums that this walk made, and may add to in place
    leaves: dict[int, tuple[Leaf, bool]] = {}
    node = heappop(heap)
    g = waiting.pop(id(node))
    op, at = node[OP], node[BACKEND]
    backend = at
    try:
        while True:
            _, op, parents, saved, static, backend = node
            if backend is not at:
                backend.make_current()
                at = backend
            if saved is FREED:
                raise GraphFreedError(op)
            if lift is None:
                xp = backend.xp
            else:
                xp, saved = lift(node)
            if not retain:
                node[SAVED], node[PARENTS] = FREED, ()

            if type(parents) is list and not heap and parents[SEQ] < end:  # a chain: nothing else reaches the parent
                node = parents
                g = op.only(xp, g, saved)
                if g is None:
                    break
                continue

            if type(parents) is not tuple:
                parents = (parents,)
            elif wanted is not None:
                parents = [parent if id(parent) in wanted else None for parent in parents]
            following = None  # the first new parent: it need not pass through the heap if nothing newer waits there
            for parent, h in zip(parents, op.pull(xp, g, parents, saved, static)):  # noqa: B905 (of one length, and hot)
                if h is None:
                    continue
                key = id(parent)
                earlier = waiting.get(key)
                if earlier is None:
                    waiting[key] = h
                    if op.fresh and h is not g and lift is None:
                        owned.add(key)
                    if type(parent) is not list or parent[SEQ] >= end:
                        leaves[key] = parent, h is not g and not op.lends
                    elif following is None:
                        following = parent
                    else:
                        heappush(heap, parent)
                elif key in owned:
                    earlier += h
                    waiting[key] = earlier
                else:
                    waiting[key] = earlier + h
                    if lift is None:
                        owned.add(key)
            if following is not None:
                node = heappushpop(heap, following)
            elif heap:
                node = heappop(heap)
            else:
                break
            g = waiting.pop(id(node))
            parent = following = None  # what they name is passed soon, and may then be freed
    except Exception as error:
        told = out_of_memory(f"backward of {op.name}", error, backend)
        if told is None:
            raise
        raise told from error
    return [(leaf, fresh or key in owned) for key, (leaf, fresh) in leaves.items()]


def out_of_memory(doing: str, error: Exception, backend: Any) -> MemoryError | None:
    """What to raise for an error of the library that is about memory and was not explained yet; None for any other."""
    if type(error) is MemoryError or not issubclass(backend.kind_of(error), MemoryError):
        return None
    return MemoryError(f"{doing}: {backend.in_words(error)}")


def deliver(reached: Iterable[tuple[Leaf, Gradient, bool]], as_grad: Callable[[Gradient, bool], Any]) -> None:
    """Add to each leaf's `.grad` what reached it: all at once, so that an error on the way leaves every gradient as it was."""
    arrived = {}
    taken: set[int] = set()
    for leaf, g, fresh in reached:
        arrived[leaf] = as_grad(g, fresh and id(g) not in taken)
        taken.add(id(g))
    with _accumulating:
        for leaf, grad in arrived.items():
            if leaf.grad is not None:
                arrived[leaf] = leaf.grad + grad
        for leaf, grad in arrived.items():
            leaf.grad = grad


# --- the part of the tape between given inputs and outputs --------------------------------------------------


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
        ends = self._look_around([node for node in outputs if type(node) is list])
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
        heap: list[Node] = []
        waiting: dict[int, Gradient] = {}
        for node, g in zip(outputs, cotangents, strict=True):
            key = id(node)
            if key in waiting:
                waiting[key] = waiting[key] + g
            elif node is not None and (wanted is None or key in wanted):
                waiting[key] = g
                if type(node) is list and node[SEQ] < self.newest:
                    heappush(heap, node)
            del node
        outputs.clear()
        if heap:
            with heap[0][BACKEND].walking:
                _walk_back(heap, waiting, retain=True, lift=lift if record else None, wanted=wanted, end=self.newest)
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
