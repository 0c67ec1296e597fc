"""The reverse pass of tape.py, made fast.

* Nodes wait in a heap, the newest on top. So a node is found when its first gradient arrives, no node is held that nothing
  reaches, and what is behind the walk is freed as it goes.
* A sum that the walk has made itself is added to in place.
* Along a chain of nodes with a single parent each (see fastpath.py) there is no heap and no table of gradients.

It puts itself in the place of tape.walk_back. XGRAD_FASTPATH=0 leaves the plain one there; gradients are the same.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heappushpop

from xgrad.engine import tape
from xgrad.engine.fastpath import ON
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
    """As tape.walk_back. The list `starts` is used up."""
    heap = starts
    heapify(heap)
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
        told = backend.out_of_memory(f"backward of {op.name}", error)
        if told is None:
            raise
        raise told from error
    return [(leaf, fresh or key in owned) for key, (leaf, fresh) in leaves.items()]


plain = tape.walk_back

if ON:
    tape.walk_back = walk_back  # type: ignore[assignment]
