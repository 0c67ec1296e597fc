"""The tape: a record of what was computed, and the reverse pass over it.

    y = sum(x * sin(x))

                 ┌──────────────────┐
    x (a leaf) ──┤                  ▼
                 └────► sin ───► multiply ───► sum ───► y
                         0          -1          -2

Each operation that is recorded has a node. It holds the operation, its parents (the nodes of the arguments), and the values that
are saved for backward. The numbers in the drawing are `seq`. They count down, so the newest node has the smallest. A node refers
only to its parents, so there are no cycles, and a node that nothing refers to is freed at once.

The reverse pass goes from the newest node to the oldest and carries gradients. Here x has two elements:

    node       its gradient            passes on
    sum        1                       to multiply: [1, 1]
    multiply   [1, 1]                  to x: sin(x)    to sin: x
    sin        x                       to x: x * cos(x)
    x          sin(x) + x * cos(x)

The forward pass (path.py) goes from the oldest node to the newest and carries tangents. Here t is the tangent of x:

    node       its tangent
    sin        t * cos(x)
    multiply   t * sin(x) + x * (t * cos(x))
    sum        the sum of that

Both use the same nodes, so an operation states its derivative once. A pass that is recorded adds new nodes, so a derivative of a
derivative needs nothing else. Perturbations cannot mix, because each derivative is taken with respect to nodes of its own.

This file knows no operation and no library. It asks an operation for its derivative, and requires of gradients only a sum.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from operator import itemgetter
from typing import Any, TypeGuard
from weakref import ref

from xgrad.engine.casting import without_casts

Node = list[Any]
Gradient = Any

# A node is a list [seq, op, parents, saved, static, backend]; a list is cheaper to create than an object. `seq` counts down, so a
# heap pops the newest node first. `parents` is a tuple with an entry for each argument: a node, a Leaf, or None for an argument
# without a gradient. A node of the fast path may have a single parent in its place.
SEQ, OP, PARENTS, SAVED, STATIC, BACKEND = range(6)

next_seq: Callable[[], int] = itertools.count(0, -1).__next__
FREED = object()  # takes the place of the saved values after a backward
_accumulating = threading.Lock()


class Held:
    """Stores a gradient, the `.grad` of a tensor. The tensor owns it, and the tape has a weak reference."""

    __slots__ = ("__weakref__", "grad")

    def __init__(self) -> None:
        self.grad: Any = None


class Leaf:
    """The end of a reverse pass: a tensor that was not computed, and that collects its gradient in `.grad`.

    The tensor owns the gradient, and the leaf has a weak reference. A recorded gradient refers back to the leaf, so a leaf that
    owned it would make a cycle. A gradient that reaches a leaf whose tensor is gone is dropped.
    """

    __slots__ = ("__weakref__", "_held")

    def __init__(self) -> None:
        self._held: Any = None

    def held(self) -> Held:
        """The store of the gradient, made if there is none. The caller must keep it alive."""
        held: Held | None = self._held and self._held()
        if held is None:
            held = Held()
            self._held = ref(held)
        return held

    def hand_over(self, other: Leaf) -> None:
        """Give the store of the gradient to another leaf. This leaf has none from then on."""
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
    """A backward went through a graph for the second time, and the first one had freed its saved values.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> y = xg.sum(x * x)
    >>> y.backward()
    >>> try:
    ...     y.backward()
    ... except xg.GraphFreedError as error:
    ...     print(str(error).partition(":")[0])
    backward through 'sum' a second time
    """

    def __init__(self, op: Any) -> None:
        super().__init__(
            f"backward through '{op.name}' a second time: its saved values were freed by the first backward. "
            "Call the first one with backward(retain_graph=True), or compute the output again."
        )


def make_node(op: Any, parents: tuple[Any, ...], saved: Any = (), static: Any = None, backend: Any = None) -> Node:
    """A new node, newer than all others."""
    return [next_seq(), op, parents, saved, static, backend]


def is_node(thing: Any) -> TypeGuard[Node]:
    """Whether this is a node: not a leaf, and not None."""
    return type(thing) is list


def parents_of(node: Node) -> tuple[Node | Leaf | None, ...]:
    """The parents of a node as a tuple, even where there is a single one."""
    parents = node[PARENTS]
    return parents if type(parents) is tuple else (parents,)


def insert_after(node: Node, op: Any, others: tuple[Any, ...], static: Any) -> None:
    """Insert an operation after a node, so that the gradients of all that was computed from the node pass through it.

    The content of the node moves into a new node. The node itself becomes the inserted operation, with the new node and `others`
    as its parents, so whatever has the node as its parent need not change.
    """
    before = list(node)
    before[SEQ] += 0.5  # older than the node, and newer than every other node that is older
    node[OP:] = op, (before, *others), FREED if before[SAVED] is FREED else (), static, before[BACKEND]


# --- what is recorded ---------------------------------------------------------------------------------------

# One entry for each block, in any thread, that turned recording off. While there is none, everything is recorded, and the fast
# path need not call is_recording(). It is a list because append and pop need no lock.
paused: list[None] = []
_innermost: ContextVar[set_recording | None] = ContextVar("xgrad_recording", default=None)


def is_recording() -> bool:
    """Whether operations are recorded in this thread, and in this asyncio task.

    A task that is started in a block may outlive it. For the rest of the task, the block no longer holds.
    """
    block = _innermost.get() if paused else None
    while block is not None and block.ended:
        block = block.outer
    return block is None or block.on


class set_recording:  # noqa: N801 (it is used as a function is)
    """Turn recording on or off for this thread (and this asyncio task) while the block runs."""

    __slots__ = ("_token", "ended", "on", "outer")

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        self.ended = False
        self.outer = _innermost.get()
        self._token = _innermost.set(self)
        if not self.on:
            paused.append(None)

    def __exit__(self, *error: object) -> None:
        self.ended = True
        if not self.on:
            paused.pop()
        _innermost.reset(self._token)


# Functions to call after each operation, as watch(op, backend, raws, y, node). `node` records the operation, or is None. They may
# put another operation into the node. See watching.py. It is a tuple so that one that leaves while all are called skips no other.
watchers: tuple[Callable[..., None], ...] = ()


# --- the reverse pass ---------------------------------------------------------------------------------------

Lift = Callable[[Node], tuple[Any, Any]]


def lift(node: Node) -> tuple[Any, Any]:
    """For a pass that is recorded: the namespace of tensors, and the node's saved values as tensors."""
    lifted: tuple[Any, Any] = node[OP].lift(node)
    return lifted


def backward(root: Node, gradient: Gradient, *, retain: bool, record: bool) -> list[tuple[Leaf, Gradient, bool]]:
    """The reverse pass from `root` to all leaves that it was computed from.

    Args:
        root: the node to start from.
        gradient: its gradient, a tensor if `record`, else a raw array.
        retain: whether the nodes keep their saved values. Otherwise each is freed as the pass leaves it, even if the pass fails.
        record: whether the pass is recorded. It then computes with tensors.

    Returns:
        (leaf, gradient, fresh) for each leaf. `fresh` says that the gradient's array is new, and held by no one but leaves.
    """
    waiting = {id(root): gradient}
    with root[BACKEND].walking, without_casts():
        reached = walk_back([root], waiting, retain=retain, lift=lift if record else None)
    return [(leaf, waiting[id(leaf)], fresh) for leaf, fresh in reached]


def walk_back(
    starts: list[Node],
    waiting: dict[int, Gradient],
    *,
    retain: bool,
    lift: Lift | None,
    wanted: set[int] | None = None,
    end: float = 1,
) -> list[tuple[Leaf, bool]]:
    """The reverse pass. This is the algorithm; fastwalk.py has a faster version of it.

    It takes the nodes from the newest to the oldest. Whatever was computed from an array is newer than the array, so the gradient
    of a node is complete when its turn comes. The pass ends at leaves and at nodes with `seq` of `end` or more.

    Args:
        starts: the nodes to start from.
        waiting: their gradients, by the id of the node. At the end it holds the gradients of the leaves and end nodes.
        retain: whether the nodes keep their saved values.
        lift: for a pass that is recorded, the function that gives a node's saved values as tensors; otherwise None.
        wanted: the ids of the parents that need a gradient; None means all.
        end: the `seq` at which the pass ends.

    Returns:
        (leaf, fresh) for each leaf and end node. `fresh` says that the gradient's array is new, and held by no one but leaves.
    """
    leaves: dict[int, Any] = {}
    for node in _newest_first(starts, end):
        g = waiting.pop(id(node), None)
        if g is None:  # none of the operations that used this array passed on a gradient
            continue
        _, op, _, saved, static, backend = node
        if saved is FREED:
            raise GraphFreedError(op)
        parents = [p if wanted is None or id(p) in wanted else None for p in parents_of(node)]
        xp, saved = (backend.xp, saved) if lift is None else lift(node)
        if not retain:
            node[SAVED], node[PARENTS] = FREED, ()
        backend.make_current()
        try:
            pulled = op.pull(xp, g, parents, saved, static)
        except Exception as error:
            told = backend.out_of_memory(f"backward of {op.name}", error)
            if told is None:
                raise
            raise told from error
        for parent, h in zip(parents, pulled, strict=False):
            if h is None:
                continue
            key = id(parent)
            waiting[key] = waiting[key] + h if key in waiting else h
            if not is_node(parent) or parent[SEQ] >= end:
                leaves[key] = parent
    return [(leaf, False) for leaf in leaves.values()]


def _newest_first(starts: list[Node], end: float) -> list[Node]:
    """The nodes in `starts` and their ancestors that are newer than `end`, from the newest to the oldest."""
    found: dict[int, Node] = {}
    ahead: list[Any] = list(starts)
    while ahead:
        node = ahead.pop()
        if is_node(node) and node[SEQ] < end and id(node) not in found:
            found[id(node)] = node
            ahead.extend(parents_of(node))
    return sorted(found.values(), key=itemgetter(SEQ))


def deliver(reached: Iterable[tuple[Leaf, Gradient, bool]], as_grad: Callable[[Gradient, bool], Any]) -> None:
    """Add the gradients to the leaves' `.grad`. All sums are made first, so that an error leaves every `.grad` unchanged.

    `as_grad(gradient, fresh)` makes a tensor of a gradient; it copies an array that is not `fresh`.
    """
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
