"""Loss functions of corresponding elements of an output and its target."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.operands import as_tensors
from xgrad.engine.tensor import Tensor
from xgrad.nn.functional.precision import in_float32
from xgrad.nn.functional.reduction import as_real, check_broadcasting, difference, reduce, reduce_weighted, weighted


@in_float32
def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """The squared difference of input and target: (input - target)**2.

    Args:
        input: an array of any shape and of a floating-point dtype, or a number.
        target: an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "mean" of all elements, their "sum", or "none".
        weight: an array of the shape of the input that multiplies the loss of each element; None for 1. The mean is then the
            weighted mean.

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, a weight of another shape than the input, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.mse_loss(xg.asarray([1.0, 2.0]), xg.asarray([1.0, 4.0])).item()
    2.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
    """
    return reduce_weighted("mse_loss", xg.square(difference("mse_loss", input, target)), weight, input, reduction)


@in_float32
def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """The absolute difference of input and target: abs(input - target), with derivative 0 where they are equal.

    Args:
        input: an array of any shape and of a floating-point dtype, or a number.
        target: an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "mean" of all elements, their "sum", or "none".
        weight: an array of the shape of the input that multiplies the loss of each element; None for 1. The mean is then the
            weighted mean.

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, a weight of another shape than the input, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.l1_loss(xg.asarray([1.0, 2.0]), xg.asarray([1.0, 4.0])).item()
    1.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
    """
    return reduce_weighted("l1_loss", xg.abs(difference("l1_loss", input, target)), weight, input, reduction)


@in_float32
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Tensor:
    """d**2 / 2 for a difference d of at most `delta` in size, and `delta * (abs(d) - delta / 2)` for a larger one.

    Args:
        input: an array of any shape and of a real floating-point dtype, or a number.
        target: an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "mean" of all elements, their "sum", or "none".
        delta: a number more than 0: where the parabola goes over into lines of slope `delta`.
        weight: an array of the shape of the input that multiplies the loss of each element; None for 1. The mean stays that of
            all elements, as in PyTorch.

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, a weight of another shape than the input, an unknown `reduction`, or a
            `delta` that is not more than 0.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.huber_loss(xg.asarray([0.5, 3.0]), xg.asarray([0.0, 0.0]), reduction="none").numpy().tolist()
    [0.125, 2.5]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be more than 0, got {delta!r}")
    loss = _huber(difference("huber_loss", input, target), delta)
    return reduce(loss if weight is None else weighted("huber_loss", loss, weight, input)[0], reduction)


def _huber(d: Tensor, delta: float) -> Tensor:
    near = xg.clip(d, -delta, delta)
    return near * (d - 0.5 * near)


@in_float32
def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d**2 / (2 * beta) for a difference d of at most `beta` in size, and `abs(d) - beta / 2` for a larger one.

    Args:
        input: an array of any shape and of a real floating-point dtype, or a number.
        target: an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "mean" of all elements, their "sum", or "none".
        beta: a number, 0 or more: where the parabola goes over into lines of slope 1. For 0 it is `l1_loss`.

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, an unknown `reduction`, or a negative `beta`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.smooth_l1_loss
    >>> loss(xg.asarray([1.0, 3.0]), xg.asarray([0.0, 0.0]), reduction="none", beta=2.0).numpy().tolist()
    [0.25, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
    """
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta must be 0 or more, got {beta!r}")
    d = difference("smooth_l1_loss", input, target)
    return reduce(_huber(d, beta) / beta if beta else xg.abs(d), reduction)


@in_float32
def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Tensor:
    """-target * log(input) - (1 - target) * log(1 - input), with logarithms of at least -100.

    For logits, `binary_cross_entropy_with_logits` is exact where sigmoid rounds to 0 or 1.

    Args:
        input: probabilities from 0 to 1, an array of any shape and of a real floating-point dtype, or a number.
        target: probabilities from 0 to 1, of the same shape and of any real dtype or of booleans.
        weight: an array that broadcasts to the shape of the input and multiplies the loss; None for 1.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. It is nan for an input
        outside 0 to 1. The mean of no elements is nan.

    Derivative:
        (input - target) / (input * (1 - input)) with respect to the input, with a denominator of at least 1e-12.

    Raises:
        TypeError: for an input or a target that is neither an array nor a number.
        ValueError: for an input and a target of different shapes, a weight that does not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.binary_cross_entropy
    >>> loss(xg.asarray([0.5, 0.0]), xg.asarray([1.0, 1.0]), reduction="none").numpy().round(4).tolist()
    [0.6931, 100.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
    """
    input, target = _of_one_shape("binary_cross_entropy", input, target, weight)
    loss = xg.binary_cross_entropy(input, as_real(target, input))
    return reduce(loss if weight is None else loss * weight, reduction)


def _of_one_shape(name: str, input: Any, target: Any, *weights: Any) -> tuple[Any, Any]:
    input, target = as_tensors(name, (input, target))
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"{name}: input and target must have one shape, got {tuple(input.shape)} and {tuple(target.shape)}"
        )
    check_broadcasting(name, input, *(weight for weight in weights if hasattr(weight, "shape")))
    return input, target


@in_float32
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """-target * log(sigmoid(input)) - (1 - target) * log(1 - sigmoid(input)), without overflow for inputs of any size.

    An infinite input whose target it fits has the loss 0. A target outside 0 to 1 is not an error.

    Args:
        input: logits, an array of any shape and of a real floating-point dtype, or a number.
        target: probabilities from 0 to 1, of the same shape and of any real dtype or of booleans.
        weight: an array that broadcasts to the shape of the input and multiplies the loss; None for 1.
        reduction: "mean" of all elements, their "sum", or "none".
        pos_weight: an array that broadcasts to the shape of the input and multiplies the term of `target`; None for 1.

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Derivative:
        sigmoid(input) - target with respect to the input, -input with respect to the target.

    Raises:
        TypeError: for an input or a target that is neither an array nor a number.
        ValueError: for an input and a target of different shapes, a weight that does not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.binary_cross_entropy_with_logits
    >>> loss(xg.asarray([0.0, 1000.0]), xg.asarray([1.0, 0.0]), reduction="none").numpy().round(4).tolist()
    [0.6931, 1000.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
    """
    name = "binary_cross_entropy_with_logits"
    input, target = _of_one_shape(name, input, target, weight, pos_weight)
    target = as_real(target, input)
    if pos_weight is None:
        loss = xg.sigmoid_cross_entropy(input, target)
    else:
        finite = xg.isfinite(input)
        yes = xg.mask(xg.softplus(-input), finite | (target != 0))
        no = xg.mask(xg.softplus(input), finite | (target != 1))
        loss = pos_weight * target * yes + (1 - target) * no
    return reduce(loss if weight is None else loss * weight, reduction)
