"""Samplers: the order in which a loader takes samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from xgrad.backends.data import described
from xgrad.backends.host_batches import as_indices, joined
from xgrad.engine.integers import integer
from xgrad.random.default import default_generator
from xgrad.random.generator import Generator

SEEDS = 2**62  # the seed of a pass is below this number


class Sampler:
    """An order of samples: iterating gives their numbers. A subclass defines `__iter__`, and `__len__` where it is known.

    A `DataLoader` that resumes runs through the order again up to its position. A sampler of your own with a random order should
    have `state_dict()` and `load_state_dict()`, so that it is the same order.

    >>> import xgrad as xg
    >>> class Backwards(xg.data.Sampler):
    ...     def __init__(self, n):
    ...         self.n = n
    ...     def __len__(self):
    ...         return self.n
    ...     def __iter__(self):
    ...         return iter(range(self.n - 1, -1, -1))
    >>> list(xg.data.DataLoader(["a", "b", "c"], batch_size=2, sampler=Backwards(3)))
    [['c', 'b'], ['a']]

    Raises:
        NotImplementedError: from `__iter__`, where the subclass does not define it.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Sampler
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__(self)")


class SeededSampler(Sampler):
    """A sampler whose order follows from a seed, which it draws for each pass. So a loader saves the seed and not the order.

    A subclass defines `order(seed)`, a sequence of integers: a range, or a NumPy array.

    Without a generator, the seeds come from a generator of the sampler's own, which is started by the default generator, and
    started anew after `xgrad.random.seed(n)`, unless a state was loaded. Other draws from the default generator do not change the
    order.
    """

    random = True

    def __init__(self, generator: Generator | None = None) -> None:
        if generator is not None and not isinstance(generator, Generator):
            raise TypeError(
                f"{type(self).__name__}: generator must be an xgrad.random.Generator, not {described(generator)}"
            )
        self.generator = generator
        self._own: Generator | None = None
        self._started_by: Generator | None = None  # None for one that was loaded

    def order(self, seed: int | None) -> Any:
        """The numbers of the samples in the order of that seed."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        order = self.order(self.draw())
        return iter(order if type(order) is range else order.tolist())

    def draw(self) -> int | None:
        """A new seed, for a pass; None for an order that is not random."""
        return int(self._source().host.integers(SEEDS)) if self.random else None

    def _source(self) -> Generator:
        if self.generator is not None:
            return self.generator
        default = default_generator()
        if self._own is None or self._started_by not in (None, default):
            self._own, self._started_by = Generator(int(default.host.integers(SEEDS))), default
        return self._own

    def state_dict(self) -> dict[str, Any]:
        """The state of the generator that the seeds come from: strings, numbers and dicts of them."""
        return {"generator": self._source().get_state()} if self.random else {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Put the generator into a state that `state_dict` returned. Raises ValueError for anything else, and changes nothing."""
        if not self.random:
            return
        name = type(self).__name__
        if not isinstance(state_dict, Mapping) or not isinstance(state_dict.get("generator"), Mapping):
            raise ValueError(f"{name}.load_state_dict: expected what state_dict returned, got {described(state_dict)}")
        Generator(0).set_state(state_dict["generator"])  # raises ValueError for a state that does not fit
        if self.generator is None:
            self._own, self._started_by = Generator(0), None
        self._source().set_state(state_dict["generator"])


class SequentialSampler(SeededSampler):
    """The samples in the order of the dataset.

    >>> import xgrad as xg
    >>> list(xg.data.SequentialSampler("abc"))
    [0, 1, 2]

    Args:
        data_source: a dataset with `__len__`.

    Raises:
        TypeError: from `len` and iteration, for a dataset without a length.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler
    """

    random = False

    def __init__(self, data_source: Any) -> None:
        super().__init__()
        self.data_source = data_source

    def __len__(self) -> int:
        return len(self.data_source)

    def order(self, seed: int | None) -> range:
        return range(len(self.data_source))


class RandomSampler(SeededSampler):
    """The samples in random order.

    >>> import xgrad as xg
    >>> sampler = xg.data.RandomSampler("abc", generator=xg.random.Generator(0))
    >>> sorted(sampler), len(sampler)
    ([0, 1, 2], 3)

    Args:
        data_source: a dataset with `__len__`.
        replacement: whether a sample may come several times while another has not come yet.
        num_samples: how many are drawn; None means as many as there are. Without replacement, all samples come once before any
            comes again.
        generator: an `xgrad.random.Generator`, from which each pass draws a seed of its own; None means one that the default
            generator starts.

    Raises:
        TypeError: for a `replacement` that is no bool, or a `num_samples` that is no integer.
        ValueError: for a `num_samples` below 1.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
    """

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None, generator: Generator | None = None
    ) -> None:  # fmt: skip
        super().__init__(generator)
        self.data_source = data_source
        self.replacement = _boolean("RandomSampler", replacement, "replacement")
        self._num_samples = None if num_samples is None else _positive("RandomSampler", num_samples, "num_samples")

    @property
    def num_samples(self) -> int:
        """How many samples a pass has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __len__(self) -> int:
        return self.num_samples

    def order(self, seed: int | None) -> Any:
        stream, n, count = Generator(seed).host, len(self.data_source), self.num_samples
        if not n:
            if count:
                raise ValueError(f"RandomSampler: {count} samples cannot be drawn from an empty dataset")
            return range(0)
        if self.replacement:
            return stream.integers(n, size=count)
        if count == n:
            return stream.permutation(n)
        rounds = [stream.permutation(n) for _ in range(-(-count // n))]
        return joined(rounds)[:count]


class SubsetRandomSampler(SeededSampler):
    """Some samples, in random order.

    >>> import xgrad as xg
    >>> sorted(xg.data.SubsetRandomSampler([4, 7]))
    [4, 7]

    Args:
        indices: the numbers of the samples, a sequence of integers.
        generator: as for `RandomSampler`.

    Raises:
        TypeError: for a generator that is none, and from iteration for numbers that are no integers.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SubsetRandomSampler
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        super().__init__(generator)
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def order(self, seed: int | None) -> Any:
        return as_indices(self.indices)[Generator(seed).host.permutation(len(self.indices))]


class WeightedRandomSampler(SeededSampler):
    """Samples that are drawn with a probability in proportion to their weights.

    >>> import xgrad as xg
    >>> list(xg.data.WeightedRandomSampler([0.0, 3.0, 0.0], 4))
    [1, 1, 1, 1]

    Args:
        weights: a number for each sample, finite and 0 or more. They need not sum to 1.
        num_samples: how many are drawn.
        replacement: whether a sample may be drawn several times.
        generator: as for `RandomSampler`.

    Raises:
        TypeError: for weights that are no vector of numbers, or a `num_samples` that is no integer.
        ValueError: for weights that are negative, not finite or all 0, for a `num_samples` below 1, and, without replacement,
            for more samples than there are weights above 0.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        super().__init__(generator)
        name = "WeightedRandomSampler"
        self.weights = weights
        self.num_samples = _positive(name, num_samples, "num_samples")
        self.replacement = _boolean(name, replacement, "replacement")
        self._shares = shares(name, weights)
        above = int((self._shares > 0).sum())
        if not replacement and self.num_samples > above:
            raise ValueError(
                f"{name}: {num_samples} of {above} samples with a weight above 0 cannot be drawn without replacement"
            )

    def __len__(self) -> int:
        return self.num_samples

    def order(self, seed: int | None) -> Any:
        stream = Generator(seed).host
        return stream.choice(len(self._shares), self.num_samples, replace=self.replacement, p=self._shares)


class BatchSampler(Sampler):
    """The numbers of another sampler in batches: lists of integers.

    >>> import xgrad as xg
    >>> list(xg.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]

    Args:
        sampler: a sampler, or any iterable of numbers of samples.
        batch_size: how many a batch has.
        drop_last: whether a last batch with fewer is left out.

    Raises:
        TypeError: for a `batch_size` that is no integer, or a `drop_last` that is no bool.
        ValueError: for a `batch_size` below 1.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.BatchSampler
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool = False) -> None:
        self.sampler = sampler
        self.batch_size = _positive("BatchSampler", batch_size, "batch_size")
        self.drop_last = _boolean("BatchSampler", drop_last, "drop_last")

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]  # a TypeError where it has none
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[list[Any]]:
        return batches_of(iter(self.sampler), self.batch_size, self.drop_last)


def batches_of(numbers: Iterator[Any], size: int, drop_last: bool) -> Iterator[list[Any]]:
    """Lists of `size` items of an iterator."""
    batch = []
    for number in numbers:
        batch.append(number)
        if len(batch) == size:
            yield batch
            batch = []
    if batch and not drop_last:
        yield batch


def shares(name: str, weights: Any) -> Any:
    """Weights, of any library, as a NumPy array of probabilities."""
    from xgrad.rules.creation import asarray

    found = asarray(weights).numpy().astype("float64")
    if found.ndim != 1:
        raise TypeError(f"{name}: weights must be a vector, one number for each sample, not of shape {found.shape}")
    total = float(found.sum()) if len(found) else 0.0
    if not (0 < total < float("inf")) or not (found >= 0).all():
        raise ValueError(f"{name}: weights must be finite, 0 or more, and not all 0, got {described(weights)}")
    return found / total


def _positive(name: str, value: Any, what: str) -> int:
    found = integer(name, value, what)
    if found < 1:
        raise ValueError(f"{name}: {what} must be 1 or more, got {value!r}")
    return found


def _boolean(name: str, value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name}: {what} must be True or False, not {described(value)}")
    return value
