"""Losses with a margin: they are 0 where a score is on the right side of a bound, by the margin or more."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.operands import as_tensors, beside, operand, own_indices, together
from xgrad.engine.tensor import Tensor
from xgrad.nn.functional.precision import in_float32
from xgrad.nn.functional.reduction import (
    as_real,
    check_broadcasting,
    positive_part,
    reduce,
    warn_of_broadcasting,
)


@in_float32
def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0, *, reduction: str = "mean") -> Tensor:
    """max(0, -target * (input1 - input2) + margin): the loss of scores in the wrong order.

    Args:
        input1: an array of any shape and of a real floating-point dtype.
        input2: an array with as many axes.
        target: 1 where input1 should be larger, -1 where input2 should: an array with as many axes, of any real dtype.
        margin: the distance that the scores should have.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for arrays of different numbers of axes, shapes that do not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.margin_ranking_loss
    >>> loss(xg.asarray([1.0, 3.0]), xg.asarray([2.0, 1.0]), xg.asarray([1.0, 1.0]), reduction="none").numpy().tolist()
    [1.0, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html
    """
    input1, input2, target = as_tensors("margin_ranking_loss", (input1, input2, target))
    shapes = tuple(input1.shape), tuple(input2.shape), tuple(target.shape)
    if len({len(shape) for shape in shapes}) > 1:
        raise ValueError(
            f"margin_ranking_loss: the inputs and the target must have the same number of axes, got {shapes}"
        )
    check_broadcasting("margin_ranking_loss", input1, input2, target)
    return reduce(positive_part(margin - as_real(target, input1) * (input1 - input2)), reduction)


@in_float32
def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """The input where the target is 1, and max(0, margin - input) where it is -1: distances of pairs that are alike, or are not.

    Args:
        input: an array of any shape and of a real floating-point dtype, or a number.
        target: 1 or -1 for each element, an array of any real dtype. Other shapes are broadcast, with a
            warning.
        margin: the distance from which on different pairs have no loss.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.hinge_embedding_loss
    >>> loss(xg.asarray([0.5, 0.25]), xg.asarray([1, -1]), reduction="none").numpy().tolist()
    [0.5, 0.75]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html
    """
    input, target = as_tensors("hinge_embedding_loss", (input, target))
    warn_of_broadcasting("hinge_embedding_loss", input, target)
    loss = xg.mask(input, target != -1) + xg.mask(positive_part(margin - input), target != 1)
    return reduce(loss, reduction)


@in_float32
def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """log(1 + exp(-target * input)), without overflow.

    Args:
        input: an array of any shape and of a real floating-point dtype, or a number.
        target: 1 or -1 for each element, an array of any real dtype. Other shapes are broadcast, with a
            warning.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.soft_margin_loss
    >>> loss(xg.asarray([0.0, 1000.0]), xg.asarray([1, -1]), reduction="none").numpy().round(4).tolist()
    [0.6931, 1000.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html
    """
    input, target = as_tensors("soft_margin_loss", (input, target))
    warn_of_broadcasting("soft_margin_loss", input, target)
    return reduce(xg.softplus(-as_real(target, input) * input), reduction)


@in_float32
def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Tensor:
    """The mean over the classes of the binary cross-entropy of each class, whose logits are the input.

    Args:
        input: logits, an array of shape (N, C) or (C,), or with more axes before the last, and of a real floating-point dtype.
        target: 0 or 1 for each class, an array of the same shape and of any real dtype or of booleans.
        weight: an array of shape (C,), or another that broadcasts to the input, that multiplies the loss of each class; None for
            1.
        reduction: "mean" of the samples, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input without its last axis.
        The mean of no elements is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for an input and a target of different shapes or without an axis, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.multilabel_soft_margin_loss
    >>> loss(xg.asarray([[0.0, 0.0]]), xg.asarray([[1, 0]]), reduction="none").numpy().round(4).tolist()
    [0.6931]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
    """
    input, target = as_tensors("multilabel_soft_margin_loss", (input, target))
    shape = tuple(input.shape)
    if not shape or tuple(target.shape) != shape:
        raise ValueError(
            f"multilabel_soft_margin_loss: input and target have the same shape (..., C), got {shape} and {tuple(target.shape)}"
        )
    loss = xg.sigmoid_cross_entropy(input, as_real(target, input))
    return reduce(xg.mean(loss if weight is None else loss * weight, axis=-1), reduction)


@in_float32
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
) -> Tensor:
    """The mean over the classes of max(0, margin - x[y] + x[i])**p, for the scores x, the class y, and the other classes i.

    Args:
        input: scores, an array of shape (N, C) or (C,) for C classes, and of a real floating-point dtype.
        target: class numbers, an array of integers of shape (N,), or () for one sample.
        p: 1 or 2.
        margin: a number.
        weight: an array of shape (C,) that multiplies the loss of each class; None for 1.
        reduction: "mean" over the samples, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the target. The mean of no
        elements is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for another p than 1 or 2, shapes that do not fit, or an unknown `reduction`.
        IndexError: for a class number outside 0 ... C - 1, where the library checks its indices.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.multi_margin_loss
    >>> round(loss(xg.asarray([[0.1, 0.2, 0.4, 0.8]]), xg.asarray([3])).item(), 4)
    0.325

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}: p must be 1 or 2, got {p!r}")
    input, target, weight = together(name, input, own_indices(input, target), weight)
    input = operand(name, input)
    target = beside(name, input, target)
    shape = tuple(input.shape)
    if len(shape) not in (1, 2) or tuple(target.shape) not in (shape[:-1], (1,) if len(shape) == 1 else ()):
        raise ValueError(
            f"{name}: the input has the shape (N, C) or (C,), the target (N,) or (); got {shape} and {tuple(target.shape)}"
        )
    if weight is not None and tuple(weight.shape) != shape[-1:]:
        raise ValueError(
            f"{name}: weight must have one number for each class, shape {shape[-1:]}, got {tuple(weight.shape)}"
        )
    own = xg.reshape(target, (*shape[:-1], 1))
    gap = margin - xg.take_along_axis(input, own, axis=-1) + input
    counts = (gap > 0) & (input.__array_namespace__().arange(shape[-1], dtype=own.dtype) != own)
    gap = xg.mask(gap, counts)
    loss = gap if p == 1 else xg.square(gap)
    if weight is not None:
        loss = loss * xg.take_along_axis(xg.broadcast_to(weight, shape), own, axis=-1)
    return reduce(xg.mean(loss, axis=-1), reduction)


@in_float32
def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The sum of max(0, 1 - (x[j] - x[i])) / C over the classes j of a sample and the other classes i, for its scores x.

    Args:
        input: scores, an array of shape (N, C) or (C,) for C classes, and of a real floating-point dtype.
        target: the classes of each sample, an array of integers of the same shape: class numbers, and then -1.
        reduction: "mean" over the samples, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input without its last axis.
        The mean of no elements is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not fit, or an unknown `reduction`.
        IndexError: for a class number of C or more, where the library checks its indices.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.multilabel_margin_loss
    >>> round(loss(xg.asarray([[0.1, 0.2, 0.4, 0.8]]), xg.asarray([[3, 0, -1, 1]])).item(), 4)
    0.85

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html
    """
    name = "multilabel_margin_loss"
    input, target = together(name, input, own_indices(input, target))
    input = operand(name, input)
    target = beside(name, input, target)
    shape = tuple(input.shape)
    if len(shape) not in (1, 2) or tuple(target.shape) != shape:
        raise ValueError(
            f"{name}: input and target have the same shape, (N, C) or (C,), got {shape} and {tuple(target.shape)}"
        )
    ended = xg.cumulative_sum(xg.astype(target < 0, target.dtype), axis=-1)
    valid = ended == 0
    target = xg.where(valid, target, xg.zeros_like(target))
    numbers = input.__array_namespace__().arange(shape[-1], dtype=target.dtype)
    hits = (xg.expand_dims(target, axis=-1) == numbers) & xg.expand_dims(valid, axis=-1)
    others = ~xg.any(hits, axis=-2)
    gap = 1 - xg.expand_dims(xg.take_along_axis(input, target, axis=-1), axis=-1) + xg.expand_dims(input, axis=-2)
    counts = (gap > 0) & xg.expand_dims(valid, axis=-1) & xg.expand_dims(others, axis=-2)
    loss = xg.sum(xg.mask(gap, counts), axis=(-2, -1))
    return reduce(loss / shape[-1] if shape[-1] else loss, reduction)
