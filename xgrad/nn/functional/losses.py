"""Loss functions of corresponding elements of an output and its target."""

from __future__ import annotations

import warnings
from typing import Any

import xgrad as xg
from xgrad.engine.operands import as_tensors
from xgrad.engine.tensor import Tensor


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The squared difference of input and target: (input - target)**2.

    Args:
        input: an array of any shape and of a floating-point dtype, or a number.
        target: an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.mse_loss(xg.asarray([1.0, 2.0]), xg.asarray([1.0, 4.0])).item()
    2.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
    """
    return reduce(xg.square(_difference("mse_loss", input, target)), reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The absolute difference of input and target: abs(input - target), with derivative 0 where they are equal.

    Args:
        input: an array of any shape and of a floating-point dtype, or a number.
        target: an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.l1_loss(xg.asarray([1.0, 2.0]), xg.asarray([1.0, 4.0])).item()
    1.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
    """
    return reduce(xg.abs(_difference("l1_loss", input, target)), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """d**2 / 2 for a difference d of at most `delta` in size, and `delta * (abs(d) - delta / 2)` for a larger one.

    Args:
        input: an array of any shape and of a real floating-point dtype, or a number.
        target: an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "mean" of all elements, their "sum", or "none".
        delta: a number more than 0: where the parabola goes over into lines of slope `delta`.

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, an unknown `reduction`, or a `delta` that is not more than 0.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.huber_loss(xg.asarray([0.5, 3.0]), xg.asarray([0.0, 0.0]), reduction="none").numpy().tolist()
    [0.125, 2.5]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be more than 0, got {delta!r}")
    d = _difference("huber_loss", input, target)
    near = xg.clip(d, -delta, delta)
    return reduce(near * (d - 0.5 * near), reduction)


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
    input, target = as_tensors(name, (input, target))
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"{name}: input and target must have one shape, got {tuple(input.shape)} and {tuple(target.shape)}"
        )
    target = _as_real(target, input)
    if pos_weight is None:
        loss = xg.sigmoid_cross_entropy(input, target)
    else:
        finite = xg.isfinite(input)
        yes = xg.mask(xg.softplus(-input), finite | (target != 0))
        no = xg.mask(xg.softplus(input), finite | (target != 1))
        loss = pos_weight * target * yes + (1 - target) * no
    return reduce(loss if weight is None else loss * weight, reduction)


def _as_real(target: Any, input: Any) -> Any:
    """The target, cast to the dtype of the input if it holds integers or booleans."""
    if not isinstance(target, Tensor) or target.backend.is_inexact(target.dtype):
        return target
    return xg.astype(target, input.dtype)


def _difference(name: str, input: Any, target: Any) -> Any:
    input, target = as_tensors(name, (input, target))
    if tuple(input.shape) != tuple(target.shape):
        warnings.warn(
            f"{name}: input has shape {tuple(input.shape)}, target {tuple(target.shape)}: they are broadcast against "
            "each other, which is rarely what is meant. Give them the same shape.",
            stacklevel=3,
        )
    return input - target


def reduce(loss: Tensor, reduction: str) -> Tensor:
    """The mean of the loss, its sum, or the loss itself. Raises ValueError for any other word."""
    if reduction == "mean":
        return xg.mean(loss)
    if reduction == "sum":
        return xg.sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f'reduction must be "mean", "sum" or "none", got {reduction!r}')
