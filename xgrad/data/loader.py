"""The loader: a dataset in batches, in order or shuffled, which goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, islice
from typing import Any

from xgrad.backends import get_backend
from xgrad.backends.data import described
from xgrad.data.collate import default_collate, default_convert
from xgrad.data.dataset import IterableDataset
from xgrad.data.fetch import END, Fetch, StreamFetch
from xgrad.data.options import Options, checked
from xgrad.data.progress import Progress, has_state
from xgrad.data.samplers import BatchSampler, RandomSampler, SeededSampler, SequentialSampler
from xgrad.data.workers import prefetched
from xgrad.random.generator import Generator


class DataLoader:
    """The batches of a dataset. Each pass over the loader is one epoch.

    A batch is what the samples are, collated: for samples `(x, y)` it is a tuple of two tensors, on the current backend. The
    batches of a `TensorDataset` are made by one indexing of each array.

    >>> import numpy as np
    >>> import xgrad as xg
    >>> data = xg.data.TensorDataset(np.arange(10.0), np.arange(10) % 2)
    >>> loader = xg.data.DataLoader(data, batch_size=4, shuffle=True, generator=xg.random.Generator(0))
    >>> len(loader), [x.shape for x, y in loader]
    (3, [(4,), (4,), (2,)])

    A loader goes on where another one was: with the next batch, also where threads have made more.

    >>> batches = iter(loader)
    >>> first = next(batches)
    >>> state = loader.state_dict()  # JSON can hold it
    >>> other = xg.data.DataLoader(data, batch_size=4, shuffle=True)
    >>> other.load_state_dict(state)
    >>> [bool(xg.all(x == z)) for (x, _), (z, _) in zip(batches, other, strict=True)]
    [True, True]

    Args:
        dataset: an object with `__getitem__` and `__len__`, or an `IterableDataset`.
        batch_size: how many samples a batch has; None for single samples, which are converted but not stacked.
        shuffle: whether the samples are in random order, another one in each pass.
        sampler: an iterable of the numbers of samples, instead of `shuffle`.
        batch_sampler: an iterable of lists of numbers, instead of `batch_size`, `shuffle`, `sampler` and `drop_last`.
        num_workers: how many threads make batches ahead of time and move them to the device; 0 for none. The reading of files and
            NumPy's work on large arrays run beside the caller's; Python code takes turns with it.
        collate_fn: a function from a list of samples to a batch; None means `default_collate`. Its result is not moved.
        drop_last: whether a last batch with fewer samples is left out.
        generator: an `xgrad.random.Generator`. Each pass draws one seed from it, so the order is the same on every backend. None
            means a generator that the default one starts, anew after `xgrad.random.seed(n)`.
        prefetch_factor: how many batches each thread may be ahead, 2 by default; only with threads.
        device: the device of the batches, as the current backend calls it; None means the current one.
        pin_memory, persistent_workers: as PyTorch has them; they change nothing here, where workers are threads.

    Attributes:
        epoch: how many passes have been completed.
        position: how many batches of the present pass have been handed out.

    Raises:
        TypeError: for an argument of another type.
        ValueError: for arguments that exclude each other, a `batch_size` below 1, or a negative `num_workers`.
        BackendError: from `iter(loader)`, for a device that the backend does not have.

    An error while a batch is made comes out at its turn, with a note that names the batch and the sample. Then the pass is over.
    Random numbers that samples draw themselves are not part of the state; draw them in the loop instead.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = False,
        *,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        generator: Generator | None = None,
        prefetch_factor: int | None = None,
        device: Any = None,
        pin_memory: bool = False,
        persistent_workers: bool = False,
    ) -> None:
        self.streams = isinstance(dataset, IterableDataset)
        given = Options(
            batch_size, shuffle, sampler, batch_sampler, num_workers, collate_fn, drop_last, prefetch_factor
        )
        given = checked(dataset, given, generator)
        self.dataset = dataset
        self.batch_size, self.drop_last = given.batch_size, given.drop_last
        self.num_workers, self.prefetch_factor = given.num_workers, given.prefetch_factor or 2
        self.generator, self.device = generator, device
        self.collate_fn = collate_fn or (default_convert if batch_size is None else default_collate)
        self.sampler: Any = sampler
        self.batch_sampler: Any = batch_sampler
        if type(batch_sampler) is BatchSampler:
            self.sampler, self.batch_size, self.drop_last = (
                batch_sampler.sampler,
                batch_sampler.batch_size,
                batch_sampler.drop_last,
            )
        elif sampler is None and batch_sampler is None and not self.streams:
            self.sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is None and self.batch_size is not None and not self.streams:
            self.batch_sampler = BatchSampler(self.sampler, self.batch_size, self.drop_last)
        self.epoch = 0
        self._pass: Progress | None = None  # the present one
        self._loaded: Progress | None = None  # the one that the next iteration goes on with

    @property
    def position(self) -> int:
        """How many batches of the present pass have been handed out; 0 between two passes."""
        found = self._loaded or self._pass
        return 0 if found is None or found.finished else found.position

    def __len__(self) -> int:
        """How many batches a pass has. Raises TypeError where the dataset or the sampler has no length."""
        if not self.streams:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        n = len(self.dataset)
        size = self.batch_size or 1
        return n // size if self.drop_last else -(-n // size)

    def __iter__(self) -> Iterator[Any]:
        backend = get_backend() if self.device is None else get_backend().on_device(self.device)
        current, self._loaded = self._loaded or self._begun(), None
        tasks = self._tasks(current)
        collate = None if self.collate_fn in (default_collate, default_convert) else self.collate_fn
        single = self.batch_size is None and self.batch_sampler is None
        fetch: Fetch
        if self.streams:
            skipped = 0 if has_state(self.dataset) else current.position * (self.batch_size or 1)
            fetch = StreamFetch(
                self.dataset, collate, backend, single,
                drop_last=self.drop_last, first=current.position, skipped=skipped,
            )  # fmt: skip
        else:
            fetch = Fetch(self.dataset, collate, backend, single)
        self._pass = current
        if current.ended:
            return self._handed_out(iter(()), current)
        if self.num_workers:
            ahead = self.num_workers * self.prefetch_factor
            return self._handed_out(prefetched(tasks, fetch.within, self.num_workers, ahead), current)
        return self._handed_out(map(fetch if self.device is None else fetch.within, tasks), current)

    def _handed_out(self, batches: Iterator[Any], current: Progress) -> Iterator[Any]:
        """The batches, counted."""
        try:
            for batch in batches:
                if batch is END:
                    break
                if self.streams:
                    batch, current.of_dataset, current.ended = batch
                current.position += 1
                yield batch
        finally:
            if hasattr(batches, "close"):
                batches.close()  # ends the threads
        current.finished = True
        if self._pass is current:
            self.epoch += 1

    # --- the order of a pass

    def _seeded(self) -> SeededSampler | None:
        """The sampler, if its order follows from a seed."""
        sampler = self.sampler
        known = isinstance(sampler, SeededSampler) and type(sampler).__iter__ is SeededSampler.__iter__
        return sampler if known and (self.batch_sampler is None or type(self.batch_sampler) is BatchSampler) else None

    def _foreign(self) -> Any:
        """A sampler that has a state but no seed; None if there is none."""
        if self.streams or self._seeded() is not None:
            return None
        return next((each for each in (self.batch_sampler, self.sampler) if has_state(each)), None)

    def _begun(self) -> Progress:
        """A new pass."""
        found, seeded = self._between(), self._seeded()
        found.seed = None if seeded is None else seeded.draw()
        return found

    def _between(self) -> Progress:
        """What there is between two passes: the states that the next one begins with."""
        found, foreign = Progress(), self._foreign()
        found.of_sampler = None if foreign is None else foreign.state_dict()
        found.of_dataset = self.dataset.state_dict() if self.streams and has_state(self.dataset) else None
        return found

    def _tasks(self, current: Progress) -> Iterator[tuple[int, Any]]:
        """The numbers of the batches from the present position on, each with the numbers of its samples."""
        first = current.position
        if self.streams:
            return ((number, self.batch_size) for number in count(first))
        seeded = self._seeded()
        if seeded is not None:
            return _slices(seeded.order(current.seed), self.batch_size, self.drop_last, first)
        plain = self.sampler if self.batch_sampler is None else self.batch_sampler
        numbers = map(_as_list, plain) if self.batch_size is not None or self.batch_sampler is not None else iter(plain)
        return enumerate(islice(numbers, first, None), first)

    # --- the state

    def _present(self) -> Progress:
        found = self._loaded or self._pass
        return self._between() if found is None or found.finished else found

    def state_dict(self) -> dict[str, Any]:
        """The epoch, the position in it, and what its order follows from: numbers, strings, and dicts of them.

        A pass that another loader begins after `load_state_dict` goes on with the batch after the last one that was handed out.
        """
        present, seeded = self._present(), self._seeded()
        return {
            "epoch": self.epoch,
            "position": present.position,
            "seed": present.seed,
            "sampler": present.of_sampler if seeded is None else seeded.state_dict(),
            "dataset": present.of_dataset,
            "ended": present.ended,
            "size": self._size(),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state that `state_dict` returned: the next pass is the rest of the one that was saved.

        Raises ValueError for anything else, and within a pass for a dataset of another length or another `batch_size`.
        Then nothing has changed.
        """
        seeded, foreign = self._seeded(), self._foreign()
        epoch, found = Progress.read(state_dict, self._size(), shuffled=getattr(seeded, "random", False))
        if seeded is not None:
            seeded.load_state_dict(state_dict["sampler"])
        if foreign is not None and found.of_sampler is not None:
            foreign.load_state_dict(found.of_sampler)
        if self.streams and has_state(self.dataset) and found.of_dataset is not None:
            self.dataset.load_state_dict(found.of_dataset)
        self.epoch, self._pass = epoch, None
        self._loaded = found if found.position or found.seed is not None else None

    def _size(self) -> list[int | None]:
        """The length of the dataset and the size of the batches, where known: with others, a position means other samples."""
        try:
            samples = None if self.streams else len(self.dataset)
        except TypeError:
            samples = None
        return [samples, self.batch_size]

    def __repr__(self) -> str:
        return f"DataLoader({type(self.dataset).__name__}, batch_size={self.batch_size}, sampler={described(self.sampler)})"


def _slices(order: Any, size: int | None, drop_last: bool, first: int) -> Iterator[tuple[int, Any]]:
    """The batches of an order from number `first` on: parts of it, or single numbers without a size."""
    n = len(order)
    if size is None:
        return ((i, int(order[i])) for i in range(first, n))
    end = n // size if drop_last else -(-n // size)
    return ((i, order[i * size : i * size + size]) for i in range(first, end))


def _as_list(numbers: Any) -> list[Any]:
    return numbers if isinstance(numbers, list) else list(numbers)
