"""The fast version of the reverse pass in tape.py. Gradients are the same.

* Nodes wait in a heap with the newest on top. A node enters it with its first gradient, so no list of all nodes is made, and the
  nodes that the pass has left are freed at once.
* The pass adds in place to a sum that it has made itself.
* A chain of nodes with a single parent each (see fastpath.py) needs neither the heap nor the table of gradients.

It replaces tape.walk_back, unless XGRAD_FASTPATH=0.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush, heappushpop
from typing import Any

from xgrad.engine import tape
from xgrad.engine.plain import ON
from xgrad.engine.tape import BACKEND, FREED, OP, PARENTS, SAVED, SEQ, Gradient, GraphFreedError, Leaf, Lift, Node


def walk_back(
    starts: list[Node],
    waiting: dict[int, Gradient],
    *,
    retain: bool,
    lift: Lift | None,
    wanted: set[int] | None = None,
    end: float = 1,
) -> list[tuple[Leaf, bool]]:
    """As tape.walk_back. The list `starts` becomes the heap."""
    heap = starts
    heapify(heap)
    owned: set[int] = set()  # ids of nodes whose gradient is a sum that this pass made, and may add to in place
    leaves: dict[int, tuple[Leaf, bool]] = {}
    arriving: Iterable[tuple[Any, Gradient]]
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

            if type(parents) is tuple:
                if wanted is not None:
                    parents = [parent if id(parent) in wanted else None for parent in parents]
                arriving = zip(parents, op.pull(xp, g, parents, saved, static))  # noqa: B905 (of one length, and hot)
            else:
                h = op.only(xp, g, saved)
                if (
                    not heap and type(parents) is list and parents[SEQ] < end
                ):  # a chain: no other gradient arrives there
                    node, g = parents, h
                    if g is None:
                        break
                    continue
                arriving = ((parents, h),)
            following = None  # the first new parent; it skips the heap if it is newer than all nodes there
            for parent, h in arriving:
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
            parent = following = None  # these references would keep the nodes from being freed
            arriving = ()
    except Exception as error:
        told = backend.out_of_memory(f"backward of {op.name}", error)
        if told is None:
            raise
        raise told from error
    return [(leaf, fresh or key in owned) for key, (leaf, fresh) in leaves.items()]


plain = tape.walk_back

if ON:
    tape.walk_back = walk_back  # type: ignore[assignment]
