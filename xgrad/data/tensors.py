"""Arrays as a dataset: sample i is row i of each."""

from __future__ import annotations

from typing import Any

from xgrad.backends.data import check, described
from xgrad.backends.host import as_plain
from xgrad.backends.host_batches import MappedArray, guarded
from xgrad.backends.host_data import is_host_data
from xgrad.data.dataset import Dataset
from xgrad.engine.tensor import Tensor
from xgrad.rules.creation import asarray


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Arrays of the same length: sample i is the tuple of their parts i along axis 0.

    NumPy arrays stay as they are until a batch is made, which a `DataLoader` does by one indexing of each array. So they may be
    larger than a device's memory.

    >>> import numpy as np
    >>> import xgrad as xg
    >>> data = xg.data.TensorDataset(np.arange(6.0).reshape(3, 2), np.array([0, 1, 1]))
    >>> len(data), data[2]
    (3, (array([4., 5.]), np.int64(1)))
    >>> x, y = next(iter(xg.data.DataLoader(data, batch_size=2)))
    >>> x.tolist(), y.tolist()
    ([[0.0, 1.0], [2.0, 3.0]], [0, 1])

    Args:
        *tensors: tensors, NumPy arrays, arrays of a backend's library, or nested lists of numbers, of which tensors
            are made; each of shape (N, ...).

    Attributes:
        tensors: the arrays, as a tuple.

    Raises:
        ValueError: for no arrays, for arrays of several lengths, and for one without axes.
        TypeError: for what is no array of numbers.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset: give one array or more, not none")
        self.tensors = tuple([_held(i, each) for i, each in enumerate(tensors)])
        lengths = [each.shape[0] for each in self.tensors]
        if len(set(lengths)) > 1:
            raise ValueError(f"TensorDataset: all arrays must have the same length along axis 0, not {lengths}")

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple([each[index] for each in self.tensors])

    def __getbatch__(self, indices: Any) -> tuple[Any, ...]:
        """The samples with these numbers, a range or a NumPy array of integers, as arrays."""
        if type(indices) is range:
            part = slice(
                indices.start, indices.stop
            )  # of a tensor a copy: a write into a batch must not reach the data
            return tuple(
                [asarray(each[part], copy=True) if isinstance(each, Tensor) else each[part] for each in self.tensors]
            )
        return tuple([each[indices] if isinstance(each, Tensor) else each.take(indices, 0) for each in self.tensors])


def _held(place: int, array: Any) -> Any:
    """The array as the dataset keeps it: a NumPy array as it is, and others as a tensor of their library."""
    if not isinstance(array, Tensor | MappedArray):
        if not isinstance(array, list | tuple) and not hasattr(array, "shape"):
            raise TypeError(f"TensorDataset: argument {place} is no array: {described(array)}")
        check("TensorDataset", array)
        if is_host_data(array):
            as_plain(array[:0] if array.shape else array)  # raises TypeError for a masked array
            array = guarded(array)
        else:
            array = asarray(array)
    if not array.shape:
        raise ValueError(f"TensorDataset: argument {place} has no axis 0; its shape is ()")
    return array
