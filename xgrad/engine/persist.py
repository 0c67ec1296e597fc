"""Computing lazy arrays. On dask, each step of a loop adds to one graph, until a value is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, singledispatch
from typing import Any, NamedTuple

from xgrad.backends.base import Backend
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten


class Place(NamedTuple):
    """A raw array that something holds, and the function that replaces it."""

    backend: Backend
    array: Any
    put: Callable[[Any], None]


@singledispatch
def places_in(thing: Any) -> Iterator[Place]:
    """The raw arrays that a thing holds. Modules and optimizers register theirs, and so may any class that holds tensors."""
    raise TypeError(f"persist: expected tensors, modules, optimizers, or trees of them, got {type(thing).__name__}")


@places_in.register
def _(thing: Tensor) -> Iterator[Place]:
    # The values stay the same, so views need no update.
    yield Place(thing.backend, thing.data, partial(object.__setattr__, thing, "_data"))
    if thing.grad is not None:
        yield from places_in(thing.grad)


def persist(*trees: Any) -> None:
    """Compute all lazy arrays in these trees together, and replace them by their values.

    On dask, an optimizer's step computes its parameters, its state and the losses. Anything else that a loop carries along
    (weights that it updates itself, buffers, sums of losses) needs this call in each pass; without it, each pass computes all
    earlier ones again. The values stay in chunks where they were computed, on a cluster with its workers. A recorded graph keeps
    its lazy arrays, so call backward() first. On the other backends nothing is lazy, and this does nothing.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> optimizer = xg.optim.SGD([w], lr=0.5)
    >>> xg.sum(w * w).backward()
    >>> optimizer.step()
    >>> xg.persist(w, optimizer)
    >>> w.numpy().tolist()
    [0.0, 0.0]

    Args:
        *trees: tensors (with their `.grad`), modules (with their parameters and buffers), optimizers (with their parameters and
            state), and tuples, lists and dicts of these.

    Raises:
        TypeError: for anything else in the trees. Then nothing has been computed.

    https://docs.dask.org/en/stable/api.html#dask.persist
    """
    places = [place for tree in trees for leaf in flatten(tree)[0] for place in places_in(leaf)]
    by_backend: dict[Backend, list[Place]] = {}
    for place in places:
        by_backend.setdefault(place.backend, []).append(place)
    for backend, found in by_backend.items():
        arrays = backend.persist([place.array for place in found])
        for place, array in zip(found, arrays, strict=True):
            place.put(array)
