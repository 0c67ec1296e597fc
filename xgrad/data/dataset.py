"""Datasets: what they must have, a part of one, and several as one."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

from xgrad.backends.data import described
from xgrad.backends.host_batches import as_indices
from xgrad.engine.integers import integer

Sample = TypeVar("Sample", covariant=True)


class Dataset(Generic[Sample]):
    """A collection of samples: `dataset[i]` is sample i, and `len(dataset)` says how many there are.

    A subclass defines `__getitem__` and `__len__`. (A `DataLoader` takes any object with these two, also a list.) It may define
    `__getitems__(indices)`, which returns a list of samples, where reading several at once is faster.

    >>> import xgrad as xg
    >>> class Squares(xg.data.Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, i):
    ...         return i, i * i
    >>> [(i.tolist(), square.tolist()) for i, square in xg.data.DataLoader(Squares(), batch_size=2)]
    [([0, 1], [0, 1]), ([2, 3], [4, 9])]

    Raises:
        NotImplementedError: from `__getitem__`, where the subclass does not define it.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Dataset
    """

    def __getitem__(self, index: Any) -> Sample:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index)")

    def __add__(self, other: Any) -> ConcatDataset:
        """The samples of this dataset, and then those of another one."""
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Sample]):
    """Samples that come one after another, from a stream: a subclass defines `__iter__`. There is no order to choose.

    Threads of a `DataLoader` share one iterator, so that each sample comes once. The iterator may have a `__len__` in the
    dataset. If the dataset has `state_dict()` and `load_state_dict()`, a loader that resumes uses them; otherwise it reads and
    drops the samples that came before.

    >>> import xgrad as xg
    >>> class Countdown(xg.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter([3, 2, 1])
    >>> [batch.tolist() for batch in xg.data.DataLoader(Countdown(), batch_size=2)]
    [[3, 2], [1]]

    Raises:
        NotImplementedError: from `__iter__`, where the subclass does not define it.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset
    """

    def __iter__(self) -> Iterator[Sample]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__(self)")

    def __add__(self, other: Any) -> ChainDataset:  # type: ignore[override]  # as PyTorch's: a stream stays one
        """The samples of this dataset, and then those of another one."""
        return ChainDataset([self, other])


class ChainDataset(IterableDataset[Any]):
    """The samples of several iterable datasets, one after another.

    >>> import xgrad as xg
    >>> class Numbers(xg.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter([1, 2])
    >>> list(Numbers() + Numbers())
    [1, 2, 1, 2]

    Args:
        datasets: iterable datasets.

    Raises:
        TypeError: for a dataset that is not iterable.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ChainDataset
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        for each in self.datasets:
            if not isinstance(each, IterableDataset):
                raise TypeError(f"ChainDataset: an IterableDataset is needed, not {described(each)}")

    def __iter__(self) -> Iterator[Any]:
        for each in self.datasets:
            yield from each

    def __len__(self) -> int:
        return sum(len(each) for each in self.datasets)


class ConcatDataset(Dataset[Any]):
    """The samples of several datasets, one dataset after another.

    >>> import xgrad as xg
    >>> both = xg.data.ConcatDataset([["a", "b"], ["c"]])
    >>> len(both), both[2], both[-3], both.cumulative_sizes
    (3, 'c', 'a', [2, 3])

    Args:
        datasets: one dataset or more, each with `__getitem__` and `__len__`.

    Raises:
        ValueError: for no datasets.
        TypeError: for an iterable dataset, which has no numbered samples.
        IndexError: from `dataset[i]`, for an i that is not in range.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: give one dataset or more, not none")
        for each in self.datasets:
            if isinstance(each, IterableDataset):
                raise TypeError(f"ConcatDataset: {type(each).__name__} is iterable; use ChainDataset for such datasets")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> Any:
        i = integer("ConcatDataset", index, "the index")
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"ConcatDataset: sample {i} of {n} does not exist")
        i %= n
        part = bisect.bisect_right(self.cumulative_sizes, i)
        return self.datasets[part][i - (self.cumulative_sizes[part - 1] if part else 0)]


class Subset(Dataset[Any]):
    """Some samples of a dataset, in a given order.

    >>> import xgrad as xg
    >>> some = xg.data.Subset("abcdef", [4, 0, 0])
    >>> len(some), some[0], some[2]
    (3, 'e', 'a')

    Args:
        dataset: a dataset, with `__getitem__`.
        indices: the numbers of the samples, in the order of the subset: a sequence of integers.

    Raises:
        IndexError: from `subset[i]`, for an i that is not in range, or a number that the dataset does not have.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Subset
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        self._as_array: tuple[Any, Any] = (None, None)  # the indices, and the same as an array

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples with these numbers, as a list."""
        numbers = [self.indices[i] for i in indices]
        several = reader(self.dataset, "__getitems__")
        return [self.dataset[i] for i in numbers] if several is None else several(numbers)

    def __getbatch__(self, indices: Any) -> Any:
        """The samples with these numbers, as arrays; NotImplemented if the dataset cannot read so."""
        read = reader(self.dataset, "__getbatch__")
        if read is None:
            return NotImplemented
        if self._as_array[0] is not self.indices:
            self._as_array = self.indices, as_indices(self.indices)
        numbers = self._as_array[1]
        return read(numbers[indices.start : indices.stop] if type(indices) is range else numbers[indices])


def reader(dataset: Any, name: str) -> Callable[[Any], Any] | None:
    """The method of a dataset that reads several samples at once; None if it has none that may be used.

    `__getitems__` gives a list of samples, as PyTorch has it. `__getbatch__` gives them as whole arrays, for a range or an array
    of numbers. A subclass that overrides `__getitem__` alone changes the samples, so then neither is used.
    """
    for kind in type(dataset).__mro__:
        if name in vars(kind):
            found: Callable[[Any], Any] = getattr(dataset, name)
            return found
        if "__getitem__" in vars(kind):
            return None
    return None
