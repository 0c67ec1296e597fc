"""Putting samples together to a batch, and moving a batch to the current backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xgrad.backends import get_backend, owner
from xgrad.backends.base import Backend
from xgrad.backends.data import described, is_numeric
from xgrad.backends.host import as_plain
from xgrad.backends.host_batches import MappedArray, is_numpy, stacked
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.transfer import transfer
from xgrad.rules.creation import asarray
from xgrad.rules.manipulation import stack


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of samples: what they consist of, with tensors on the current backend in place of arrays and numbers.

    Arrays, of NumPy and of other libraries, and tensors are stacked along a new axis 0 and keep their dtype. Python's numbers
    become a vector of their default dtype. Strings and bytes stay a list. Tuples, named tuples, lists and dicts become one of
    their kind, with the values collated. (PyTorch makes lists of tuples.)

    >>> import numpy as np
    >>> import xgrad as xg
    >>> samples = [(np.array([1.0, 2.0]), {"name": "a", "n": 1}), (np.array([3.0, 4.0]), {"name": "b", "n": 2})]
    >>> x, rest = xg.data.default_collate(samples)
    >>> x.tolist(), rest["name"], rest["n"].tolist()
    ([[1.0, 2.0], [3.0, 4.0]], ['a', 'b'], [1, 2])

    Args:
        batch: a list of one sample or more, all of the same structure.

    Returns:
        The structure of a sample, with a tensor of shape (len(batch), ...) for each array and number.

    Raises:
        TypeError: for anything else in a sample, such as None.
        ValueError: for no samples, for arrays of several shapes, and for parts of several lengths.
        KeyError: for a sample that lacks a key of the first one.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
    """
    if not len(batch):
        raise ValueError("default_collate: there are no samples")
    return _collated(batch, "a sample")


def default_convert(data: Any) -> Any:
    """One sample, with tensors on the current backend in place of NumPy's and other libraries' arrays. The rest stays.

    A `DataLoader` with `batch_size=None` does this with each sample.

    >>> import numpy as np
    >>> import xgrad as xg
    >>> xg.data.default_convert([np.array([1.0, 2.0]), 0, "a"])
    [Tensor([1., 2.], backend='numpy', device='cpu'), 0, 'a']

    Args:
        data: a sample: arrays, and tuples, lists and dicts of them.

    Returns:
        The same structure.

    Raises nothing of its own.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_convert
    """
    return moved(data, get_backend())


def moved(value: Any, backend: Backend) -> Any:
    """A batch with all of its arrays as tensors of that backend. Structures are kept, and what is no array stays as it is."""
    if isinstance(value, Tensor):
        if value.backend is backend:
            return value
        return wrap(transfer(value.data, value.backend, backend), backend)
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([moved(part, backend) for part in value])
    if isinstance(value, Mapping | tuple | list):
        return _rebuilt(value, lambda part: moved(part, backend))
    if isinstance(value, MappedArray):
        value = value[...]
    if is_numpy(value):
        return wrap(backend.asarray(as_plain(value)), backend) if is_numeric(value.dtype) else value
    if not isinstance(value, str | bytes) and hasattr(value, "shape") and owner(value) is not None:
        return moved(asarray(value), backend)
    return value


def _collated(samples: Sequence[Any], what: str) -> Any:
    first = samples[0]
    if isinstance(first, Tensor):
        return _stacked(samples, what, lambda tensors: moved(stack(tensors), get_backend()))
    if is_numpy(first) and is_numeric(first.dtype):
        return _stacked(samples, what, lambda arrays: moved(stacked(arrays), get_backend()))
    if isinstance(first, float | int):  # a bool is one
        return asarray(list(samples))
    if isinstance(first, str | bytes):
        return list(samples)
    if isinstance(first, Mapping):
        return _with_values(
            first, {key: _collated([each[key] for each in samples], f"{what}[{key!r}]") for key in first}
        )
    if isinstance(first, tuple | list):
        lengths = {len(each) for each in samples}
        if len(lengths) > 1:
            raise ValueError(
                f"default_collate: {what} has {len(first)} parts here and {(lengths - {len(first)}).pop()} there"
            )
        parts = [_collated(part, f"{what}[{i}]") for i, part in enumerate(zip(*samples, strict=True))]
        return _of_parts(first, parts)
    if hasattr(first, "shape") and not is_numpy(first) and owner(first) is not None:
        return _stacked(samples, what, lambda arrays: moved(stack([asarray(each) for each in arrays]), get_backend()))
    raise TypeError(
        f"default_collate: {what} is {described(first)}; it must be an array, a number, a string, or a tuple, list or dict of "
        "these. For anything else, give the DataLoader a collate_fn"
    )


def _stacked(arrays: Sequence[Any], what: str, put_together: Callable[[Sequence[Any]], Any]) -> Any:
    shape = tuple(arrays[0].shape)
    for i, each in enumerate(arrays):
        found = getattr(each, "shape", None)
        if found is None or tuple(found) != shape:
            got = described(each) if found is None else f"of shape {tuple(found)}"
            raise ValueError(
                f"default_collate: {what} is of shape {shape} in the first sample of the batch and {got} in sample {i} of it. To "
                "pad them, give the DataLoader a collate_fn"
            )
    return put_together(arrays)


def _rebuilt(value: Any, function: Callable[[Any], Any]) -> Any:
    """The structure with the function applied to each of its values."""
    if isinstance(value, Mapping):
        return _with_values(value, {key: function(part) for key, part in value.items()})
    return _of_parts(value, [function(part) for part in value])


def _with_values(like: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """A mapping of the same class where that can be made of a dict, or else a dict."""
    if type(like) is dict:
        return values
    try:
        return type(like)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def _of_parts(like: Any, parts: list[Any]) -> Any:
    """A sequence of the same class where that can be made of parts: a tuple, a named tuple, or a list."""
    if hasattr(like, "_fields"):
        return type(like)(*parts)
    try:
        return type(like)(parts)
    except TypeError:
        return tuple(parts) if isinstance(like, tuple) else parts
