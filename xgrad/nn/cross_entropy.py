"""How far the odds that a network gives to classes are from the classes that are right."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.operands import beside, operand, own_indices, together
from xgrad.engine.tensor import Tensor, wrap
from xgrad.nn.loss_functions import reduce


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of softmax(input) and a target.

    Args:
        input: logits, (C,), (N, C) or (N, C, ...), for C classes.
        target: class numbers, of the shape of input without its class axis; or probabilities, of the shape of input.
        weight: (C,), one for each class; the mean over class numbers is then the weighted mean.
        ignore_index: a class number that counts for nothing.
        reduction: "mean", "sum" or "none".
        label_smoothing: the share of each target that is spread evenly over the classes, from 0 to 1.

    Raises:
        ValueError: shapes that do not fit, or a `label_smoothing` outside [0, 1].
        IndexError: a class number outside 0 ... C - 1, where the library checks its indices. Elsewhere the loss is nan:
            a GPU is not made to wait for the answer.

    >>> import xgrad as xg
    >>> xg.nn.functional.cross_entropy(xg.asarray([[0.0, 0.0]]), xg.asarray([1])).item()
    0.6931471805599453
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be from 0 to 1, got {label_smoothing!r}")
    input, target, weight = together("cross_entropy", input, own_indices(input, target), weight)
    input, target = operand("cross_entropy", input), beside("cross_entropy", input, target)
    axis = _class_axis("cross_entropy", input, weight)
    ignore_index = integer("cross_entropy", ignore_index, "ignore_index")
    are_unsigned = _are_numbers(input, target) and target.backend.xp.isdtype(target.dtype, "unsigned integer")
    if are_unsigned:  # some libraries take only signed ones as indices
        target = xg.astype(target, target.__array_namespace__().__array_namespace_info__().default_dtypes()["indexing"])
    if weight is None and not label_smoothing and _are_numbers(input, target):
        _check_numbers("cross_entropy", target, input, axis)
        loss = _quick_loss(input, target, axis, ignore_index)
        if reduction != "mean":
            return reduce(loss, reduction)
        xp, numbers = input.backend.xp, target.data
        if are_unsigned and ignore_index < 0:
            return xg.mean(loss)  # none can be ignored, so where arrays are lazy the loss need not wait for all numbers
        with input.backend.guard:
            counted = xp.sum(xp.astype(numbers != ignore_index, loss.data.dtype))
        mean: Tensor = xg.sum(loss) / wrap(loss.backend.asarray(counted), loss.backend)
        return mean
    log_p = xg.log_softmax(input, axis=axis)
    if log_p.backend.xp.isdtype(target.dtype, "real floating"):
        if ignore_index >= 0:
            raise ValueError("cross_entropy: ignore_index goes with class numbers; the target holds probabilities")
        return _probability_loss(log_p, target, weight, axis, reduction, label_smoothing)
    return _number_loss("cross_entropy", log_p, target, weight, axis, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """`cross_entropy` of log-probabilities (what log_softmax gives) and class numbers."""
    input, target, weight = together("nll_loss", input, own_indices(input, target), weight)
    input, target = operand("nll_loss", input), beside("nll_loss", input, target)
    axis = _class_axis("nll_loss", input, weight)
    ignore_index = integer("nll_loss", ignore_index, "ignore_index")
    return _number_loss("nll_loss", xg.asarray(input), target, weight, axis, ignore_index, reduction, 0.0)


def _are_numbers(input: Any, target: Any) -> bool:
    return (
        isinstance(input, Tensor) and isinstance(target, Tensor) and input.backend.xp.isdtype(target.dtype, "integral")
    )


def _quick_loss(input: Tensor, target: Tensor, axis: int, ignore_index: int) -> Tensor:
    try:
        return xg.softmax_cross_entropy(input, target, axis=axis, ignore_index=ignore_index)
    except (IndexError, RuntimeError) as error:
        classes = input.shape[axis]
        raise IndexError(
            f"cross_entropy: a class number is outside 0 ... {classes - 1} ({classes} classes) and is not ignore_index either"
        ) from error


def _probability_loss(
    log_p: Tensor, target: Any, weight: Any, axis: int, reduction: str, label_smoothing: float
) -> Tensor:
    if tuple(target.shape) != log_p.shape:
        raise ValueError(
            f"cross_entropy: probabilities have the shape of the input, {log_p.shape}, got {tuple(target.shape)}"
        )
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / log_p.shape[axis]
    if weight is not None:
        target = target * _along(weight, log_p, axis)
    log_p = xg.mask(log_p, (target != 0) | xg.isfinite(log_p))  # 0 times an infinite loss counts as 0
    return reduce(-xg.sum(log_p * target, axis=axis), reduction)


def _number_loss(
    name: str,
    log_p: Tensor,
    target: Any,
    weight: Any,
    axis: int,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    classes, backend = log_p.shape[axis], log_p.backend
    _check_numbers(name, target, log_p, axis)
    numbers = target.data if isinstance(target, Tensor) else target

    # What has no gradient is computed on raw arrays: there are many small steps, and nothing to record.
    xp = backend.xp
    with backend.guard:
        numbers = xp.expand_dims(numbers, axis=axis)
        ignored = numbers == ignore_index
        right = (numbers >= 0) & (numbers < classes) & ~ignored
        numbers = xp.where(ignored, xp.zeros_like(numbers), numbers)  # the number to ignore need not be a class
        # The weight of a sample is its class's; 0 if it is ignored; nan if there is no such class.
        w = xp.where(right | ignored, xp.astype(right, log_p.dtype), xp.asarray(math.nan, dtype=log_p.dtype))
    if weight is not None:
        w = _pick(name, xg.broadcast_to(_along(weight, log_p, axis), log_p.shape), numbers, axis) * w
    loss = -(xg.mask(_pick(name, log_p, numbers, axis), right) * w)

    if label_smoothing:
        even = log_p if weight is None else log_p * _along(weight, log_p, axis)
        even = xg.mask(-xg.sum(even, axis=axis, keepdims=True), right) / classes
        loss = (1 - label_smoothing) * loss + label_smoothing * even
    if reduction == "mean":
        return xg.sum(loss) / (xp.sum(w) if weight is None else xg.sum(w))
    return reduce(loss if reduction == "sum" else xg.squeeze(loss, axis=axis), reduction)


def _check_numbers(name: str, target: Any, log_p: Tensor, axis: int) -> None:
    shape = log_p.shape
    if not log_p.backend.xp.isdtype(target.dtype, "integral"):
        raise TypeError(f"{name}: target must be class numbers (integers) or probabilities, got dtype {target.dtype}")
    expected = shape[:axis] + shape[axis + 1 :]
    if tuple(target.shape) != expected:
        raise ValueError(
            f"{name}: for an input of shape {shape}, class numbers have the shape {expected}, got {tuple(target.shape)}"
        )


def _pick(name: str, x: Tensor, numbers: Any, axis: int) -> Tensor:
    """The element of x at each class number, in an axis of length 1."""
    try:
        return xg.take_along_axis(x, numbers, axis=axis)
    except (IndexError, RuntimeError) as error:
        classes = x.shape[axis]
        raise IndexError(
            f"{name}: a class number is outside 0 ... {classes - 1} ({classes} classes) and is not ignore_index either"
        ) from error


def _along(weight: Any, x: Tensor, axis: int) -> Tensor:
    """The class weights, shaped to multiply x."""
    return xg.reshape(weight, tuple(-1 if i == axis else 1 for i in range(x.ndim)))


def _class_axis(name: str, input: Any, weight: Any) -> int:
    shape = tuple(input.shape)
    if not shape:
        raise ValueError(f"{name}: the input needs a class axis: (C,), (N, C) or (N, C, ...), got a single number")
    axis = 0 if len(shape) == 1 else 1
    classes = shape[axis]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ValueError(
            f"{name}: weight must have one number for each of {classes} classes, shape ({classes},), "
            f"got {tuple(weight.shape)}"
        )
    return axis
