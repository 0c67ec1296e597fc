"""Sequences of different lengths in one array: padded, or packed without padding, as the recurrent layers take them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import array
from xgrad.nn.utils.steps import Steps


class _Packed(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Packed):
    """Sequences of different lengths without padding: all first elements, then all second ones, and so on.

    `pack_padded_sequence` and `pack_sequence` make one. Recurrent layers take and return them.

    Args:
        data: the elements, an array of shape (sum of all lengths, ...).
        batch_sizes: how many sequences have a first element, a second one and so on: integers that do not increase.
        sorted_indices: for each sequence in `data`, which one of the sequences that were packed it is; None if they were sorted
            by length.
        unsorted_indices: the inverse of `sorted_indices`, which may be left out.

    Raises nothing.

    >>> import xgrad as xg
    >>> rnn = xg.nn.utils.rnn
    >>> packed = rnn.pack_sequence([xg.asarray([1.0, 2.0, 3.0]), xg.asarray([4.0])])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1.0, 4.0, 2.0, 3.0], [2, 1, 1])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> Self:
        if unsorted_indices is None and sorted_indices is not None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)


def invert_permutation(permutation: Any) -> Any:
    """The inverse of a permutation.

    Args:
        permutation: an array of the integers from 0 to n - 1 in some order, or None.

    Returns:
        A tensor of shape (n,) and of its dtype, or None.

    Raises:
        TypeError: for anything that is no array.

    >>> import xgrad as xg
    >>> xg.nn.utils.rnn.invert_permutation(xg.asarray([2, 0, 1])).tolist()
    [1, 2, 0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
    """
    return None if permutation is None else xg.argsort(array("invert_permutation", permutation))


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences of different lengths in one array, filled up to the longest.

    Args:
        sequences: arrays of shape (length, ...), which differ in their length only.
        batch_first: whether the axis of the sequences comes first.
        padding_value: what the shorter ones are filled with.
        padding_side: "right", or "left" for padding in front.

    Returns:
        A tensor of shape (longest, number of sequences, ...), or with the first two axes swapped, of the dtype of the sequences.

    Raises:
        ValueError: for no sequences, one without an axis, or sequences that differ in another axis; for another `padding_side`.
        TypeError: for a sequence that is no array.

    >>> import xgrad as xg
    >>> xg.nn.utils.rnn.pad_sequence([xg.asarray([1.0, 2.0]), xg.asarray([3.0])], batch_first=True).tolist()
    [[1.0, 2.0], [3.0, 0.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html
    """
    if padding_side not in ("left", "right"):
        raise ValueError(f'pad_sequence: padding_side must be "left" or "right", got {padding_side!r}')
    arrays = _sequences("pad_sequence", sequences)
    longest = max(x.shape[0] for x in arrays)
    padded = []
    for x in arrays:
        filled = x.__array_namespace__().full((longest - x.shape[0], *x.shape[1:]), padding_value, dtype=x.dtype)
        padded.append(xg.concat([x, filled] if padding_side == "right" else [filled, x], axis=0))
    return xg.stack(padded, axis=0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded array, each in its length: the inverse of `pad_sequence`.

    Args:
        padded_sequences: an array of shape (longest, number of sequences, ...).
        lengths: the length of each sequence, integers.
        batch_first: whether the axis of the sequences comes first.

    Returns:
        A list of tensors of shape (length, ...) and of the dtype of the array.

    Raises:
        ValueError: for another number of lengths than of sequences.
        TypeError: for a value that is no array.

    >>> import xgrad as xg
    >>> padded = xg.asarray([[1.0, 2.0], [3.0, 0.0]])
    >>> [x.tolist() for x in xg.nn.utils.rnn.unpad_sequence(padded, [2, 1], batch_first=True)]
    [[1.0, 2.0], [3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html
    """
    x = array("unpad_sequence", padded_sequences)
    x = x if batch_first else xg.moveaxis(x, 1, 0)
    sizes = _integers(lengths)
    if len(sizes) != x.shape[0]:
        raise ValueError(f"unpad_sequence: there are {x.shape[0]} sequences and {len(sizes)} lengths")
    return [x[i, :n, ...] for i, n in enumerate(sizes)]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The elements of padded sequences without the padding, for a recurrent layer.

    Args:
        input: an array of shape (longest, N, ...), or (N, longest, ...) with `batch_first`.
        lengths: the length of each sequence, integers of 1 or more. (Those in an array on a device move to the host.)
        batch_first: whether the batch axis comes first.
        enforce_sorted: whether the lengths must decrease. Otherwise they are sorted, and the result says in which order.

    Returns:
        A PackedSequence, with data of the dtype of the input.

    Raises:
        ValueError: for a number of lengths that is not N, for lengths out of range, and for unsorted ones that must be sorted.
        TypeError: for an input that is no array.

    >>> import xgrad as xg
    >>> padded = xg.asarray([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]])
    >>> xg.nn.utils.rnn.pack_padded_sequence(padded, [3, 1], batch_first=True).data.tolist()
    [1.0, 4.0, 2.0, 3.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html
    """
    x = array("pack_padded_sequence", input)
    if x.ndim < 2:
        raise ValueError(f"pack_padded_sequence takes an input of shape (L, N, ...), got {tuple(x.shape)}")
    x = xg.moveaxis(x, 0, 1) if batch_first else x
    sizes = _integers(lengths)
    if len(sizes) != x.shape[1] or not sizes or min(sizes) < 1 or max(sizes) > x.shape[0]:
        raise ValueError(
            f"pack_padded_sequence: lengths must be {x.shape[1]} integers from 1 to {x.shape[0]}, got {sizes}"
        )
    is_sorted = sizes == sorted(sizes, reverse=True)
    if enforce_sorted and not is_sorted:
        raise ValueError(
            f"pack_padded_sequence: lengths must decrease, got {sizes}. Pass enforce_sorted=False to have them sorted"
        )
    indices = None
    if not enforce_sorted:
        order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
        indices = x.__array_namespace__().asarray(order, dtype="int64")
        x, sizes = xg.take(x, indices, axis=1), [sizes[i] for i in order]
    steps = Steps([sum(n > t for n in sizes) for t in range(max(sizes))])
    return PackedSequence(steps.packed(x[: max(sizes), ...]), _on_host(steps.batch_sizes), indices)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Packed sequences as a padded array, in the order in which they were before packing.

    Args:
        sequence: a PackedSequence.
        batch_first: whether the batch axis comes first.
        padding_value: what the shorter ones are filled with.
        total_length: the number of steps of the result; None means that of the longest sequence.

    Returns:
        The array, a tensor of shape (steps, N, ...), or (N, steps, ...), and of the dtype of the data; and the length of each
        sequence, a tensor of integers on the host.

    Raises:
        ValueError: for a `total_length` below the longest length.
        TypeError: for anything but a PackedSequence.

    >>> import xgrad as xg
    >>> rnn = xg.nn.utils.rnn
    >>> packed = rnn.pack_sequence([xg.asarray([1.0, 2.0]), xg.asarray([3.0])])
    >>> padded, lengths = rnn.pad_packed_sequence(packed, batch_first=True)
    >>> padded.tolist(), lengths.tolist()
    ([[1.0, 2.0], [3.0, 0.0]], [2, 1])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html
    """
    if not isinstance(sequence, PackedSequence):
        raise TypeError(f"pad_packed_sequence: expected a PackedSequence, got {type(sequence).__name__}")
    steps = Steps(_integers(sequence.batch_sizes))
    x, lengths = steps.padded(sequence.data, padding_value), steps.lengths
    if total_length is not None:
        extra = total_length - x.shape[0]
        if extra < 0:
            raise ValueError(f"pad_packed_sequence: total_length must be {x.shape[0]} or more, got {total_length}")
        filled = x.__array_namespace__().full((extra, *x.shape[1:]), padding_value, dtype=x.dtype)
        x = xg.concat([x, filled], axis=0)
    if sequence.unsorted_indices is not None:
        x = xg.take(x, sequence.unsorted_indices, axis=1)
        lengths = [lengths[i] for i in _integers(sequence.unsorted_indices)]
    return xg.moveaxis(x, 0, 1) if batch_first else x, _on_host(lengths)


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of different lengths as a PackedSequence.

    Args:
        sequences: arrays of shape (length, ...), with lengths of 1 or more.
        enforce_sorted: whether the lengths must decrease. Otherwise they are sorted, and the result says in which order.

    Returns:
        A PackedSequence, with data of the dtype of the sequences.

    Raises:
        ValueError: for no sequences, an empty one, sequences that differ in another axis than the first, and for unsorted ones
            that must be sorted.
        TypeError: for a sequence that is no array.

    >>> import xgrad as xg
    >>> packed = xg.nn.utils.rnn.pack_sequence([xg.asarray([1.0]), xg.asarray([2.0, 3.0])], enforce_sorted=False)
    >>> packed.data.tolist(), packed.sorted_indices.tolist()
    ([2.0, 1.0, 3.0], [1, 0])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html
    """
    arrays = _sequences("pack_sequence", sequences)
    return pack_padded_sequence(
        pad_sequence(arrays), [x.shape[0] for x in arrays], batch_first=False, enforce_sorted=enforce_sorted
    )


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a PackedSequence, each in its length: the inverse of `pack_sequence`.

    Args:
        packed_sequences: a PackedSequence.

    Returns:
        A list of tensors of shape (length, ...) and of the dtype of the data.

    Raises:
        TypeError: for anything but a PackedSequence.

    >>> import xgrad as xg
    >>> rnn = xg.nn.utils.rnn
    >>> [x.tolist() for x in rnn.unpack_sequence(rnn.pack_sequence([xg.asarray([1.0, 2.0]), xg.asarray([3.0])]))]
    [[1.0, 2.0], [3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)


def _sequences(name: str, sequences: Any) -> list[Tensor]:
    arrays = [array(name, x) for x in sequences]
    if not arrays or min(x.ndim for x in arrays) < 1 or len({x.shape[1:] for x in arrays}) > 1:
        shapes = [tuple(x.shape) for x in arrays]
        raise ValueError(f"{name} takes sequences of shape (length, ...) that differ in length only, got {shapes}")
    return arrays


def _integers(values: Iterable[Any]) -> list[int]:
    found: list[int] = values.tolist() if hasattr(values, "tolist") else list(values)
    return found


def _on_host(values: list[int]) -> Tensor:
    """Numbers that the host needs: a tensor on NumPy, so that reading them does not wait for a device."""
    with xg.use_backend("numpy"):
        numbers: Tensor = xg.asarray(values)
    return numbers
