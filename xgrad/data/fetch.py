"""Making one batch: reading its samples, putting them together, and moving them to the backend."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from xgrad.backends import use_backend
from xgrad.backends.base import Backend
from xgrad.backends.data import shortened
from xgrad.data.collate import default_collate, moved
from xgrad.data.dataset import reader
from xgrad.data.progress import has_state
from xgrad.data.workers import Turns

END = object()  # in place of a batch: an iterable dataset has no more samples


class Fetch:
    """Makes the batches of one pass. A task is the number of a batch and the numbers of its samples.

    Those are a range, a NumPy array or a list; a single number if batches are not wanted.
    """

    def __init__(self, dataset: Any, collate: Callable[[Any], Any] | None, backend: Backend, single: bool) -> None:
        self.dataset = dataset
        self.collate = collate
        self.backend = backend
        self.single = single
        self.getbatch = None if collate or single else reader(dataset, "__getbatch__")
        self.getitems = reader(dataset, "__getitems__")

    def __call__(self, task: tuple[int, Any], stopping: threading.Event | None = None) -> Any:
        """The batch."""
        number, indices = task
        if self.getbatch is not None and type(indices) is not list:
            try:
                arrays = self.getbatch(indices)
                if arrays is not NotImplemented:
                    return moved(arrays, self.backend)
            except Exception as error:
                _note(error, f"batch {number}")
                raise
        if self.single:
            return self._put_together(number, self._sample(number, indices))
        numbers = indices if type(indices) is list or type(indices) is range else indices.tolist()
        if self.getitems is not None:
            try:
                samples = self.getitems(list(numbers))
            except Exception as error:
                _note(error, f"batch {number}, samples {shortened(list(numbers))}")
                raise
        else:
            samples = []
            for index in numbers:
                if stopping is not None and stopping.is_set():
                    return END  # nobody waits for this batch
                samples.append(self._sample(number, index))
        return self._put_together(number, samples)

    def within(self, task: tuple[int, Any], stopping: threading.Event | None = None) -> Any:
        """The batch, made while the backend is the current one: in a thread, or where another device is wanted."""
        with use_backend(self.backend):
            return self(task, stopping)

    def _sample(self, number: int, index: Any) -> Any:
        try:
            return self.dataset[index]
        except Exception as error:
            _note(error, f"batch {number}, sample {index!r}")
            raise

    def _put_together(self, number: int, samples: Any) -> Any:
        try:
            if self.collate is not None:
                return self.collate(samples)
            return moved(samples if self.single else default_collate(samples), self.backend)
        except Exception as error:
            _note(error, f"batch {number}, whose samples have been read")
            raise


class StreamFetch(Fetch):
    """Makes the batches of one pass through an iterable dataset. A task is the number of a batch and how many samples it has.

    A batch comes with the state of the dataset after it, if the dataset has one, and with whether the dataset has ended.
    """

    def __init__(self, *args: Any, drop_last: bool, first: int, skipped: int) -> None:
        super().__init__(*args)
        self.drop_last = drop_last
        self.turns = Turns(_without(iter(self.dataset), skipped))
        self.turns.turn = first

    def __call__(self, task: tuple[int, Any], stopping: threading.Event | None = None) -> Any:
        number, size = task
        try:
            samples, state = self.turns.take(number, lambda iterator: self._read(iterator, size or 1, stopping))
        except Exception as error:
            _note(error, f"batch {number} of an iterable dataset")
            raise
        if not samples or (self.drop_last and len(samples) < size):
            return END
        return self._put_together(number, samples[0] if self.single else samples), state, len(samples) < (size or 1)

    def _read(self, iterator: Iterator[Any], size: int, stopping: threading.Event | None) -> tuple[list[Any], Any]:
        samples: list[Any] = []
        for sample in islice(iterator, size):
            samples.append(sample)
            if stopping is not None and stopping.is_set():
                return [], None
        return samples, self.dataset.state_dict() if has_state(self.dataset) else None


def _without(iterator: Iterator[Any], count: int) -> Iterator[Any]:
    """The iterator after its first `count` items."""
    return islice(iterator, count, None) if count else iterator


def _note(error: BaseException, where: str) -> None:
    """Say where in the data an error was. The line is printed below the error's message."""
    with suppress(Exception):
        error.add_note(f"This was in a DataLoader: {where}.")
