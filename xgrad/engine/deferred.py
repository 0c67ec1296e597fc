"""The losses that an optimizer's step computes, on a backend that puts work off.

A loss is remembered, weakly, from its backward() to the step of a parameter that its gradient reached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any
from weakref import WeakSet, ref

from xgrad.engine.tape import Leaf

# By the id of the loss. The entry goes when the loss does.
_pending: dict[int, tuple[ref[Any], frozenset[Leaf]]] = {}
_trained: WeakSet[Leaf] = WeakSet()  # those of parameters that some optimizer has moved here


def remember(loss: Any, leaves: Iterable[Leaf]) -> None:
    """Note that backward() was called on a tensor, and which leaves it reached. A tensor of several elements is no loss."""
    loss.backend.look_at(loss.data)
    if loss.size == 1:
        key = id(loss)
        _pending[key] = ref(loss, partial(_forget, key)), frozenset(leaves)


def _forget(key: int, _: Any) -> None:
    _pending.pop(key, None)


def take(leaves: Collection[Leaf]) -> tuple[list[Any], set[Leaf]]:
    """The losses that reached any of these leaves since the last time, and all parameters' leaves that they reached.

    Another optimizer may move some of those. Their gradients come of the same walk, so they are computed with the others.
    """
    _trained.update(leaves)
    losses, reached = [], set(leaves)
    for key in list(_pending):
        entry = _pending.get(key)
        if entry is None or entry[1].isdisjoint(leaves):
            continue
        _pending.pop(key, None)
        loss = entry[0]()
        if loss is not None:
            losses.append(loss)
            reached.update(leaf for leaf in entry[1] if leaf in _trained)
    return losses, reached
