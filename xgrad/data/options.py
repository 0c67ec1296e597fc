"""The checks of a loader's arguments."""

from __future__ import annotations

from typing import Any, NamedTuple

from xgrad.backends.data import described
from xgrad.data.dataset import IterableDataset
from xgrad.engine.integers import integer
from xgrad.random.generator import Generator

NAME = "DataLoader"


class Options(NamedTuple):
    """The arguments that exclude each other in some way."""

    batch_size: int | None
    shuffle: bool | None
    sampler: Any
    batch_sampler: Any
    num_workers: int
    collate_fn: Any
    drop_last: bool
    prefetch_factor: int | None


def checked(dataset: Any, given: Options, generator: Any) -> Options:
    """The arguments, with integers as ints. Raises TypeError or ValueError for those that are wrong."""
    streams = isinstance(dataset, IterableDataset)
    if not streams and not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
        raise TypeError(
            f"{NAME}: a dataset has __getitem__ and __len__, or is an xgrad.data.IterableDataset; this is {described(dataset)}"
        )
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(f"{NAME}: generator must be an xgrad.random.Generator, not {described(generator)}")
    for what in ("shuffle", "drop_last"):
        value = getattr(given, what)
        if not isinstance(value, bool) and not (what == "shuffle" and value is None):
            raise TypeError(f"{NAME}: {what} must be True or False, not {described(value)}")
    for what in ("sampler", "batch_sampler"):
        value = getattr(given, what)
        if value is not None and not hasattr(value, "__iter__"):
            raise TypeError(f"{NAME}: {what} must be iterable; this is {described(value)}")
    if given.collate_fn is not None and not callable(given.collate_fn):
        raise TypeError(f"{NAME}: collate_fn must be a function, not {described(given.collate_fn)}")
    _exclusive(given, streams)
    return given._replace(**_integers(given))


def _integers(given: Options) -> dict[str, Any]:
    size, workers, factor = given.batch_size, integer(NAME, given.num_workers, "num_workers"), given.prefetch_factor
    if workers < 0:
        raise ValueError(f"{NAME}: num_workers must be 0 or more, got {workers}")
    if size is not None:
        size = integer(NAME, size, "batch_size", "be an integer or None")
        if size < 1:
            raise ValueError(f"{NAME}: batch_size must be 1 or more, or None, got {size}")
    if factor is not None:
        factor = integer(NAME, factor, "prefetch_factor", "be an integer or None")
        if factor < 1 or not workers:
            why = "must be 1 or more" if workers else "is for threads: give num_workers too"
            raise ValueError(f"{NAME}: prefetch_factor {why}, got {factor}")
    return {"batch_size": size, "num_workers": workers, "prefetch_factor": factor}


def _exclusive(given: Options, streams: bool) -> None:
    chosen = {name: getattr(given, name) for name in ("shuffle", "sampler", "batch_sampler") if getattr(given, name)}
    chosen |= {name: True for name in ("sampler", "batch_sampler") if getattr(given, name) is not None}
    if streams and chosen:
        raise ValueError(f"{NAME}: {_listed(chosen)} cannot be given for an iterable dataset, whose order is its own")
    if "sampler" in chosen and "shuffle" in chosen:
        raise ValueError(f"{NAME}: sampler and shuffle exclude each other: the sampler chooses the order")
    if "batch_sampler" in chosen:
        others = {k: v for k, v in chosen.items() if k != "batch_sampler"}
        others |= {"batch_size": True} if given.batch_size != 1 else {}
        others |= {"drop_last": True} if given.drop_last else {}
        if others:
            raise ValueError(f"{NAME}: batch_sampler and {_listed(others)} exclude each other: it chooses the batches")
    if given.batch_size is None and given.drop_last:
        raise ValueError(f"{NAME}: drop_last is for batches, and batch_size is None")


def _listed(names: Any) -> str:
    return ", ".join(names)
