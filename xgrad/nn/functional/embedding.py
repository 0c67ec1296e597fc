"""Rows of a table at given indices, and what depends on such indices."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.casting import uncast
from xgrad.engine.reading import is_repetition, unnoted
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import array, wrong_shape

MODES = ("sum", "mean", "max")


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of a table at given indices.

    Args:
        input: an array of integers of any shape: the indices.
        weight: the table, of shape (rows, columns).
        padding_idx: an index, negative from the end: its row gets no gradient. None for none.
        max_norm: rows that are read and have a larger norm are first scaled to this norm, in place. None for none.
        norm_type: the order of that norm.
        scale_grad_by_freq: whether the gradient of a row is divided by the number of times that it is read.
        sparse: an argument of PyTorch's that can only be False: gradients are arrays of the shape of the table.

    Returns:
        A tensor of the shape of the input with the columns as last axis, of the dtype of the table.

    Raises:
        ValueError: for a table that is no matrix, a `padding_idx` out of range, or `sparse=True`.
        TypeError: for indices that are not integers.
        IndexError: for an index out of range, where the library checks indices.

    >>> import xgrad as xg
    >>> table = xg.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> xg.nn.functional.embedding(xg.asarray([2, 0]), table).tolist()
    [[5.0, 6.0], [1.0, 2.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
    """
    not_sparse("embedding", sparse)
    weight, index = _table("embedding", weight, input), _indices("embedding", input, weight)
    padding_idx = row("embedding", padding_idx, weight.shape[0])
    if max_norm is not None:
        _limit(weight, index, max_norm, norm_type)
    rows = xg.take(weight, index, axis=0)
    if padding_idx is not None:
        rows = xg.where(xg.expand_dims(index == padding_idx, axis=-1), rows.detach(), rows)
    if scale_grad_by_freq:
        share = 1 / xg.take(_counts(index, weight), index, axis=0)
        kept = rows.detach()
        rows = kept + (rows - kept) * xg.expand_dims(share, axis=-1)
    return rows


@uncast
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of the rows of a table at the indices of each bag.

    Args:
        input: the indices, an array of integers: of shape (bags, size), or of shape (N,) with `offsets`.
        weight: the table, of shape (rows, columns).
        offsets: where in the input each bag begins, an ascending array of integers that begins with 0; None for a matrix of
            indices.
        max_norm: rows that are read and have a larger norm are first scaled to this norm, in place. None for none.
        norm_type: the order of that norm.
        scale_grad_by_freq: whether the gradient of a row is divided by the number of times that it is read. Not with the mode
            "max".
        mode: "sum", "mean" or "max". An empty bag gives zeros.
        sparse: an argument of PyTorch's that can only be False: gradients are arrays of the shape of the table.
        per_sample_weights: a factor for each index, an array of the shape of the input, in the mode "sum" only; None for none.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: an index that is left out of the bags. None for none.

    Returns:
        A tensor of shape (bags, columns), of the dtype of the table.

    Raises:
        ValueError: for an input, offsets or factors of other shapes, an unknown mode, or arguments that do not go together.
        TypeError: for indices or offsets that are not integers.
        IndexError: for an index out of range, where the library checks indices.

    >>> import xgrad as xg
    >>> table = xg.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> xg.nn.functional.embedding_bag(xg.asarray([2, 0, 1]), table, xg.asarray([0, 2])).tolist()
    [[3.0, 4.0], [3.0, 4.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
    """
    not_sparse("embedding_bag", sparse)
    if mode not in MODES:
        raise ValueError(f"embedding_bag: mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError('embedding_bag: the mode "max" does not go together with scale_grad_by_freq')
    if per_sample_weights is not None and mode != "sum":
        raise ValueError(f'embedding_bag: per_sample_weights go together with the mode "sum", not with {mode!r}')
    weight = _table("embedding_bag", weight, input, offsets, per_sample_weights)
    index = _indices("embedding_bag", input, weight)
    if (index.ndim, offsets is None) not in ((1, False), (2, True)):
        raise wrong_shape("embedding_bag", "(bags, size) without offsets, or (N,) with offsets", index)
    if per_sample_weights is not None and tuple(per_sample_weights.shape) != tuple(index.shape):
        raise ValueError(
            f"embedding_bag: per_sample_weights must have the shape of the input, {tuple(index.shape)}, "
            f"got {tuple(per_sample_weights.shape)}"
        )
    padding_idx = row("embedding_bag", padding_idx, weight.shape[0])
    rows = embedding(index, weight, None, max_norm, norm_type, scale_grad_by_freq)
    xp = weight.__array_namespace__()
    is_in = xp.ones(index.shape, dtype=xp.bool) if padding_idx is None else index != padding_idx
    factors = xg.astype(is_in, weight.dtype)
    if per_sample_weights is not None:
        factors = factors * array("embedding_bag", per_sample_weights, weight)
    if offsets is None:
        return _of_matrix(rows, factors, is_in, mode)
    members = _members(
        xp, _indices("embedding_bag", offsets, weight), index.shape[0], include_last_offset, weight.dtype
    )
    return _of_bags(members, rows, factors, is_in, mode)


def _of_matrix(rows: Any, factors: Any, is_in: Any, mode: str) -> Tensor:
    """The sums, means or maxima along axis 1 of rows of shape (bags, size, columns)."""
    if mode != "max":
        total: Tensor = xg.sum(rows * xg.expand_dims(factors, axis=2), axis=1)
        return total if mode == "sum" else total / xg.maximum(xg.sum(factors, axis=1, keepdims=True), 1.0)
    if not rows.shape[1]:
        return xg.sum(rows, axis=1)
    least = float(xg.finfo(rows.dtype).min)
    largest = xg.max(xg.where(xg.expand_dims(is_in, axis=2), rows, least), axis=1)
    return xg.mask(largest, xg.any(is_in, axis=1, keepdims=True))


def _members(xp: Any, offsets: Any, n: int, include_last: bool, dtype: Any) -> Any:
    """A matrix of ones and zeros: whether an index (a column) is in a bag (a row)."""
    if offsets.ndim != 1:
        raise wrong_shape("embedding_bag: offsets", "(bags,)", offsets)
    place = xp.arange(n)[None, :]
    begin = offsets[: offsets.shape[0] - 1] if include_last else offsets
    after = xg.astype(place >= xg.expand_dims(begin, axis=1), dtype)
    if include_last:
        return after * xg.astype(place < xg.expand_dims(offsets[1:], axis=1), dtype)
    return after - xg.concat([after[1:], xp.zeros((min(1, after.shape[0]), n), dtype=dtype)], axis=0)


def _of_bags(members: Any, rows: Any, factors: Any, is_in: Any, mode: str) -> Tensor:
    """The sums, means or maxima of the rows of each bag, whose members are in the rows of a matrix of ones and zeros."""
    if mode == "max":
        shape = (members.shape[0], *rows.shape)
        return _of_matrix(xg.broadcast_to(rows[None], shape), factors, (members > 0) & is_in[None], mode)
    total: Tensor = xg.matmul(members, rows * xg.expand_dims(factors, axis=1))
    return total if mode == "sum" else total / xg.maximum(xg.matmul(members, xg.expand_dims(factors, axis=1)), 1.0)


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Rows of zeros with a one at each class number.

    Args:
        tensor: an array of integers of any shape: the class numbers, from 0.
        num_classes: the number of classes. -1 means one more than the largest number, which is read from the device.

    Returns:
        A tensor of int64, of the shape of the class numbers with the classes as last axis. A number that is no class gives zeros.

    Raises:
        TypeError: for class numbers that are not integers.
        ValueError: for a number of classes below 1 other than -1, or -1 and no class numbers.

    >>> import xgrad as xg
    >>> xg.nn.functional.one_hot(xg.asarray([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
    """
    index = _indices("one_hot", tensor)
    if num_classes == -1:
        if 0 in index.shape:
            raise ValueError("one_hot: num_classes is needed where there are no class numbers")
        num_classes = int(xg.max(index)) + 1
    if type(num_classes) is not int or num_classes < 1:
        raise ValueError(f"one_hot: num_classes must be an integer, 1 or more, or -1, got {num_classes!r}")
    classes = index.__array_namespace__().arange(num_classes, dtype=index.dtype)
    hits: Tensor = xg.astype(xg.expand_dims(index, axis=-1) == classes, "int64")
    return hits


# --- arguments ----------------------------------------------------------------------------------------------------------


def not_sparse(name: str, sparse: bool) -> None:
    """ValueError for sparse=True."""
    if sparse:
        raise ValueError(f"{name}: sparse must be False: gradients are arrays of the shape of the table")


def row(name: str, padding_idx: int | None, rows: int) -> int | None:
    """The index of a row, from 0. ValueError for one that the table does not have."""
    if padding_idx is None:
        return None
    if type(padding_idx) is not int or not -rows <= padding_idx < rows:
        raise ValueError(f"{name}: padding_idx must be an integer from {-rows} to {rows - 1}, got {padding_idx!r}")
    return padding_idx % rows


def _table(name: str, weight: Any, *others: Any) -> Any:
    weight = array(name, weight, *others)
    if weight.ndim != 2:
        raise wrong_shape(f"{name}: weight", "(rows, columns)", weight)
    return weight


def _indices(name: str, input: Any, *others: Any) -> Any:
    index = array(name, input, *others)
    if not xg.isdtype(index.dtype, "integral"):
        raise TypeError(f"{name}: indices must be integers, not of dtype {index.dtype}")
    return index


def _counts(index: Any, weight: Any) -> Any:
    """How often each row is read."""
    flat = xg.reshape(index, (index.size,))
    ones = weight.__array_namespace__().ones(flat.shape, dtype=weight.dtype)
    return xg.scatter_take(ones, flat, (weight.shape[0],), axis=0)


def _limit(weight: Any, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows at the indices that have a larger norm, in place and without a graph."""
    if is_repetition():
        return
    with xg.no_grad(), unnoted():  # a checkpointed function reads the table as it is afterwards
        flat = xg.reshape(index, (index.size,))
        rows = xg.take(weight, flat, axis=0)
        norms = xg.linalg.vector_norm(rows, axis=1, ord=norm_type, keepdims=True)
        weight[flat] = xg.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)
