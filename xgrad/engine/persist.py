"""Computing what is lazy: on dask, every step adds to one graph until someone asks for numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, singledispatch
from typing import Any, NamedTuple

from xgrad.backends.base import Backend
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten


class Place(NamedTuple):
    """Where a raw array is kept, and how another takes its place."""

    backend: Backend
    array: Any
    put: Callable[[Any], None]


@singledispatch
def places_in(thing: Any) -> Iterator[Place]:
    """The places in one thing. Modules and optimizers register theirs, and so may any class that holds tensors."""
    raise TypeError(f"persist: expected tensors, modules, optimizers, or trees of them, got {type(thing).__name__}")


@places_in.register
def _(thing: Tensor) -> Iterator[Place]:
    yield Place(thing.backend, thing.data, partial(object.__setattr__, thing, "_data"))  # the values are what they were
    if thing.grad is not None:
        yield from places_in(thing.grad)


def persist(*trees: Any) -> None:
    """Compute all that these hold and that is still lazy, together, and put the results in its place.

    Args:
        trees: tensors, modules (for their parameters and buffers), optimizers (for their parameters and state), or tuples,
            lists and dicts of these. A tensor's `.grad` belongs to it.

    On dask, an optimizer's step computes its parameters, its state and the losses. What else a loop takes along (weights that are
    moved by hand, buffers, sums of losses) needs this call in each pass: otherwise each pass computes all passes before it again.
    The results stay in chunks where they were computed: on a cluster, with its workers. Graphs recorded earlier keep what they
    saved as it was, so call backward() first. On the other backends nothing is lazy and this does nothing, so that one training
    loop serves them all.

    Raises TypeError for anything else in the trees; then nothing was computed.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> optimizer = xg.optim.SGD([w], lr=0.5)
    >>> xg.sum(w * w).backward()
    >>> optimizer.step()
    >>> xg.persist(w, optimizer)
    >>> w.numpy().tolist()
    [0.0, 0.0]
    """
    places = [place for tree in trees for leaf in flatten(tree)[0] for place in places_in(leaf)]
    by_backend: dict[Backend, list[Place]] = {}
    for place in places:
        by_backend.setdefault(place.backend, []).append(place)
    for backend, found in by_backend.items():
        arrays = backend.persist([place.array for place in found])
        for place, array in zip(found, arrays, strict=True):
            place.put(array)
