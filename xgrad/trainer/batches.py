"""The data of a run: arrays, a dataset or batches become batches, with errors for what does not fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import xgrad as xg
from xgrad.data import DataLoader, Dataset, IterableDataset, TensorDataset

FORMS = "arrays (x, y), a Dataset, a DataLoader, or another iterable of batches"


def loader_of(
    name: str,
    data: Any,
    *,
    batch_size: int = 32,
    shuffle: bool = False,
    drop_last: bool = False,
    generator: Any = None,
) -> Any:
    """An iterable of batches of the data.

    Args:
        name: what error messages call the data.
        data: arrays of one length in a tuple, one array, a Dataset, or what gives batches when it is iterated.
        batch_size, shuffle, drop_last, generator: as of a DataLoader, for data that has no batches yet.

    Raises:
        TypeError: for data of another kind.
        ValueError: for arrays of different lengths, and for data without samples.
    """
    if isinstance(data, DataLoader):
        return data
    if isinstance(data, tuple) and data and all(map(is_array, data)):
        check_lengths(name, data)
        dataset: Any = TensorDataset(*data)
    elif is_array(data):
        check_lengths(name, (data,))
        dataset = TensorDataset(data)
    elif isinstance(data, Dataset) or _is_dataset(data):
        dataset = data
    elif isinstance(data, Iterable) and not isinstance(data, dict | str | tuple) and not _is_list_of_arrays(data):
        return data
    else:
        raise TypeError(f"{name}: expected {FORMS}, got {described(data)}")
    if isinstance(dataset, IterableDataset):
        shuffle = False  # its samples come in an order of their own
    elif not len(dataset):
        raise ValueError(f"{name}: there are no samples")
    return DataLoader(dataset, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, generator=generator)


def check_lengths(name: str, arrays: tuple[Any, ...]) -> None:
    """ValueError for arrays that differ in their number of samples, have none, or are 0-d."""
    shapes = [tuple(array.shape) for array in arrays]
    if any(not shape for shape in shapes):
        raise ValueError(f"{name}: an array of one number has no samples; the samples are along the first axis")
    lengths = {shape[0] for shape in shapes}
    if len(lengths) > 1:
        raise ValueError(
            f"{name}: the arrays have {_listed([str(shape[0]) for shape in shapes])} samples (shapes "
            f"{_listed([str(shape) for shape in shapes])}); each sample needs its target, along the first axis"
        )


def is_array(value: Any) -> bool:
    """Whether this is a tensor or an array of any library."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def described(value: Any) -> str:
    """The type of a value in words."""
    kind = type(value).__name__
    if isinstance(value, list | tuple):
        kinds = sorted({type(item).__name__ for item in value})
        return f"a {kind} of {' and '.join(kinds)}" if kinds else f"an empty {kind}"
    return f"a value of type {kind}"


def batch_count(loader: Any) -> int | None:
    """How many batches the loader has, or None where it does not say."""
    try:
        return len(loader)
    except TypeError:
        return None


class OnBackend:
    """Puts arrays that are no tensors on the backend of the model. A loader of another library gives such arrays."""

    def __init__(self, model: Any) -> None:
        first = next(iter(model.parameters()), None)
        self.backend = xg.get_backend() if first is None else first.backend

    def __call__(self, batch: Any) -> tuple[Any, ...]:
        """The batch as a tuple of tensors. Anything but arrays stays as it is."""
        if type(batch) is tuple:
            for item in batch:
                if not isinstance(item, xg.Tensor):
                    break
            else:
                return batch
        items = tuple(batch) if isinstance(batch, list | tuple) else (batch,)
        return tuple([self.backend.view.asarray(item) if _is_foreign(item) else item for item in items])


def batch_length(batch: tuple[Any, ...]) -> int:
    """The number of samples in a batch: the length of its first array."""
    for item in batch:
        if isinstance(item, xg.Tensor):
            shape = item._data.shape
            return int(shape[0]) if shape else 1
    return 1


def mean_loss(losses: list[Any], batches: list[tuple[Any, ...]]) -> Any:
    """The mean of the losses, weighted by the numbers of samples."""
    if len(losses) == 1:
        return losses[0]
    sizes = [batch_length(batch) for batch in batches]
    return sum(loss * (size / sum(sizes)) for loss, size in zip(losses, sizes, strict=True))


def groups(batches: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` batches; the last one may be shorter."""
    while group := [batch for _, batch in zip(range(size), batches, strict=False)]:
        yield group


def _is_dataset(data: Any) -> bool:
    """Whether this has numbered samples, and is no container of Python's."""
    has_samples = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    return has_samples and not isinstance(data, list | tuple | dict | str)


def _is_foreign(item: Any) -> bool:
    return is_array(item) and not isinstance(item, xg.Tensor)


def _is_list_of_arrays(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and all(map(is_array, data))


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
