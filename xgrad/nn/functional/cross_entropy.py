"""Cross-entropy of class scores: with class numbers or with probabilities as targets."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.operands import beside, operand, own_indices, together
from xgrad.engine.tensor import Tensor, wrap
from xgrad.nn.functional.precision import in_float32
from xgrad.nn.functional.reduction import reduce


@in_float32
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-sum(target * log(softmax(input))) over the classes, for a target of class numbers or of probabilities.

    A class whose target is 0 contributes 0, also where its log-probability is infinite.

    Args:
        input: logits, an array of shape (C,), (N, C) or (N, C, ...) for C classes, of a real floating-point dtype.
        target: class numbers, an array of integers of the shape of the input without its class axis; or probabilities, of a
            floating-point dtype and the shape of the input.
        weight: an array of shape (C,) that multiplies the loss of each class; None for 1. The mean over class numbers is then the
            weighted mean.
        ignore_index: a class number whose samples do not count, neither in the loss nor in the mean.
        reduction: "mean" over the samples, their "sum", or "none".
        label_smoothing: the share of each target that is spread evenly over the classes, from 0 to 1.

    Returns:
        A tensor of the dtype of the input: 0-d, or for "none" of the shape of the input without its class axis. The mean is nan
        where no sample counts.

    Derivative:
        softmax(input) - target with respect to the input, for targets that sum to 1, times the weight of the sample.

    Raises:
        TypeError: for an input that is neither an array nor a number, a target that holds booleans, or an `ignore_index` that is
            not an integer.
        ValueError: for shapes that do not fit, a `label_smoothing` outside 0 to 1, an `ignore_index` of 0 or more together with
            probabilities, or an unknown `reduction`.
        IndexError: for a class number outside 0 ... C - 1, where the library checks its indices. Elsewhere (on a GPU, which would
            have to be waited for, and for a number from -C to -1 on NumPy) the loss is nan.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> x = xg.asarray([[0.0, 0.0], [1.0, 3.0]])
    >>> xg.nn.functional.cross_entropy(x, xg.asarray([1, 0]), reduction="none").numpy().round(4).tolist()
    [0.6931, 2.1269]
    >>> round(xg.nn.functional.cross_entropy(x, xg.asarray([1, 0])).item(), 4)
    1.41

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be from 0 to 1, got {label_smoothing!r}")
    input, target, weight = together("cross_entropy", input, own_indices(input, target), weight)
    input, target = operand("cross_entropy", input), beside("cross_entropy", input, target)
    axis = _class_axis("cross_entropy", input, weight)
    ignore_index = integer("cross_entropy", ignore_index, "ignore_index")
    are_unsigned = _are_numbers(input, target) and target.backend.xp.isdtype(target.dtype, "unsigned integer")
    if are_unsigned:  # some libraries index with signed integers only
        target = xg.astype(target, target.__array_namespace__().__array_namespace_info__().default_dtypes()["indexing"])
    if weight is None and not label_smoothing and _are_numbers(input, target):
        _check_numbers("cross_entropy", target, input, axis)
        loss = _quick_loss(input, target, axis, ignore_index)
        if reduction != "mean":
            return reduce(loss, reduction)
        xp, numbers = input.backend.xp, target.data
        if are_unsigned and ignore_index < 0:
            return xg.mean(loss)  # no sample is ignored: a lazy library need not count them
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


@in_float32
def nll_loss(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """The negative of the input at each class number: `cross_entropy` of log-probabilities, as `log_softmax` gives them.

    Args:
        input: log-probabilities, an array of shape (C,), (N, C) or (N, C, ...) for C classes, of a real floating-point dtype.
        target: class numbers, an array of integers of the shape of the input without its class axis.
        weight: an array of shape (C,) that multiplies the loss of each class; None for 1. The mean is then the weighted mean.
        ignore_index: a class number whose samples do not count, neither in the loss nor in the mean.
        reduction: "mean" over the samples, their "sum", or "none".

    Returns:
        A tensor of the dtype of the input: 0-d, or for "none" of the shape of the input without its class axis. The mean is nan
        where no sample counts.

    Raises:
        TypeError: for an input of another dtype than a floating-point one, a target of another dtype than an integer one, or an
            `ignore_index` that is not an integer.
        ValueError: for shapes that do not fit, or an unknown `reduction`.
        IndexError: for a class number outside 0 ... C - 1, where the library checks its indices. Elsewhere the loss is nan.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> log_p = xg.log(xg.asarray([[0.5, 0.5], [0.25, 0.75]]))
    >>> xg.nn.functional.nll_loss(log_p, xg.asarray([1, 0]), reduction="none").numpy().round(4).tolist()
    [0.6931, 1.3863]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
    """
    input, target, weight = together("nll_loss", input, own_indices(input, target), weight)
    input, target = operand("nll_loss", input), beside("nll_loss", input, target)
    input = xg.asarray(input)
    if not input.backend.is_inexact(input.dtype):
        raise TypeError(f"nll_loss: the input must be of a floating-point dtype (log-probabilities), got {input.dtype}")
    axis = _class_axis("nll_loss", input, weight)
    ignore_index = integer("nll_loss", ignore_index, "ignore_index")
    return _number_loss("nll_loss", input, target, weight, axis, ignore_index, reduction, 0.0)


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
    log_p = xg.mask(log_p, (target != 0) | xg.isfinite(log_p))  # 0 * inf counts as 0
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

    # The target has no gradient, so these many small steps are computed on raw arrays and not recorded.
    xp = backend.xp
    with backend.guard:
        numbers = xp.expand_dims(numbers, axis=axis)
        ignored = numbers == ignore_index
        right = (numbers >= 0) & (numbers < classes) & ~ignored
        numbers = xp.where(ignored, xp.zeros_like(numbers), numbers)  # ignore_index need not be a class
        # The weight of a sample: 1 times that of its class, 0 for an ignored sample, nan for a class that does not exist.
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
        probabilities = " or probabilities" if name == "cross_entropy" else ""
        raise TypeError(f"{name}: target must be class numbers (integers){probabilities}, got dtype {target.dtype}")
    expected = shape[:axis] + shape[axis + 1 :]
    if tuple(target.shape) != expected:
        raise ValueError(
            f"{name}: for an input of shape {shape}, class numbers have the shape {expected}, got {tuple(target.shape)}"
        )


def _pick(name: str, x: Tensor, numbers: Any, axis: int) -> Tensor:
    """The element of x at each class number; the class axis stays, with length 1."""
    try:
        return xg.take_along_axis(x, numbers, axis=axis)
    except (IndexError, RuntimeError) as error:
        classes = x.shape[axis]
        raise IndexError(
            f"{name}: a class number is outside 0 ... {classes - 1} ({classes} classes) and is not ignore_index either"
        ) from error


def _along(weight: Any, x: Tensor, axis: int) -> Tensor:
    """The class weights, reshaped so that they broadcast along the class axis of x."""
    return xg.reshape(weight, tuple(-1 if i == axis else 1 for i in range(x.ndim)))


def _class_axis(name: str, input: Any, weight: Any) -> int:
    shape = tuple(input.shape)
    if not shape:
        raise ValueError(f"{name}: the input needs a class axis: (C,), (N, C) or (N, C, ...), got a 0-d array")
    axis = 0 if len(shape) == 1 else 1
    classes = shape[axis]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ValueError(
            f"{name}: weight must have one number for each of the {classes} classes, shape ({classes},), "
            f"got {tuple(weight.shape)}"
        )
    return axis
