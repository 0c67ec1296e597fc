"""The tape: a record of what was computed, and the reverse pass over it.

    y = sum(x * sin(x))

                 ┌──────────────────┐
    x (a leaf) ──┤                  ▼
                 └────► sin ───► multiply ───► sum ───► y
                         0          -1          -2

Each operation has a node, which says how an array was made: by which operation, from which parents, with what saved for the
derivative. The numbers are `seq`. They count down, so the newest node has the smallest. Nodes point at their parents only, so
there are no cycles, and what nobody can reach is freed at once.

The reverse pass walks from the newest node to the oldest and carries gradients, here of y by each array:

    sum        has 1 and gives multiply  [1, 1]
    multiply   has [1, 1] and gives x  sin(x),  sin  x
    sin        has x and gives x  x * cos(x), which is added to what is there
    x          has sin(x) + x * cos(x)

The forward pass (path.py) walks from the oldest node to the newest and carries tangents, here with the tangent t of x:

    sin        gives t * cos(x)
    multiply   gives t * sin(x) + x * (t * cos(x))
    sum        gives the sum of that

Both read the same nodes, so a derivative is written once, and a derivative that is itself recorded is just more tape. That is
also why perturbations cannot mix: each derivative is taken with respect to nodes of its own.

This file knows no operation and no library: an operation is asked for its derivative, and gradients are things that can be added.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from operator import itemgetter
from typing import Any, TypeGuard
from weakref import ref

Node = list[Any]
Gradient = Any

# A node is a list [seq, op, parents, saved, static, backend]; a list is cheaper to create than an object, and enters a heap as it
# is. `parents` is a tuple with an entry for each argument (a node, a Leaf, or None), or the one parent itself (see fastpath.py).
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
    parents = node[PARENTS]
    return parents if type(parents) is tuple else (parents,)


def insert_after(node: Node, op: Any, others: tuple[Any, ...], static: Any) -> None:
    """Put another operation after a node: the node becomes that operation's, and how it was made goes into a new one before it.

    What was computed from the node points at it still, so the gradient of all of that passes the operation. Its parents are the
    new node and `others`.
    """
    before = list(node)
    before[SEQ] += 0.5  # between the node and all that is older
    node[OP:] = op, (before, *others), FREED if before[SAVED] is FREED else (), static, before[BACKEND]


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


# --- the reverse pass ---------------------------------------------------------------------------------------

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
    """The reverse pass: from the nodes in `starts`, whose gradients are `waiting` (by id), back to the leaves.

    Newest first: whatever uses a node is newer than the node, so a node's gradient is complete when its turn comes. With `lift`,
    gradients are tensors, and so is what was saved. Parents whose ids are not in `wanted` are left out. The walk ends at leaves,
    and at nodes as old as `end`.

    The gradients of these are left in `waiting`. Returns the leaves, and whether the gradient of each is an array that nobody
    else holds. This is the plain text; fastwalk.py has a quicker one that takes its place.
    """
    leaves: dict[int, Any] = {}
    for node in _newest_first(starts, end):
        g = waiting.pop(id(node), None)
        if g is None:  # no gradient came this way
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
    """The nodes in `starts` and all beneath them that are newer than `end`."""
    found: dict[int, Node] = {}
    ahead: list[Any] = list(starts)
    while ahead:
        node = ahead.pop()
        if is_node(node) and node[SEQ] < end and id(node) not in found:
            found[id(node)] = node
            ahead.extend(parents_of(node))
    return sorted(found.values(), key=itemgetter(SEQ))


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
