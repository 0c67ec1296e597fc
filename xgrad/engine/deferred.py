"""The losses that an optimizer's step computes together with its parameters, on a lazy backend.

A weak reference to a loss is kept from its backward() to the step of a parameter that its gradient reached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any
from weakref import WeakSet, ref

from xgrad.engine.tape import Leaf

# By the id of the loss. The entry is removed when the loss is freed.
_pending: dict[int, tuple[ref[Any], frozenset[Leaf]]] = {}
_trained: WeakSet[Leaf] = WeakSet()  # the leaves of parameters that some optimizer has updated


def remember(loss: Any, leaves: Iterable[Leaf]) -> None:
    """Note that backward() of a tensor has reached these leaves. A tensor of several elements is not a loss."""
    loss.backend.look_at(loss.data)
    if loss.size == 1:
        key = id(loss)
        _pending[key] = ref(loss, partial(_forget, key)), frozenset(leaves)


def _forget(key: int, _: Any) -> None:
    _pending.pop(key, None)


def take(leaves: Collection[Leaf]) -> tuple[list[Any], set[Leaf]]:
    """The losses that have reached any of these leaves since the last call, and the leaves of all parameters that they reached.

    Another optimizer may update some of these. Their gradients come from the same reverse pass, so they are computed together.
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
