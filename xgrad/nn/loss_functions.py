"""How far an output is from its target, element by element. `reduction` is PyTorch's: "mean", "sum" or "none"."""

from __future__ import annotations

import warnings
from typing import Any

import xgrad as xg
from xgrad.engine.operands import as_tensors
from xgrad.engine.tensor import Tensor


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The squared difference.

    >>> import xgrad as xg
    >>> xg.nn.functional.mse_loss(xg.asarray([1.0, 2.0]), xg.asarray([1.0, 4.0])).item()
    2.0
    """
    return reduce(xg.square(_difference("mse_loss", input, target)), reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The absolute difference."""
    return reduce(xg.abs(_difference("l1_loss", input, target)), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Half the square of the difference up to `delta`, from there on a line of slope `delta`.

    Raises ValueError unless delta > 0.
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be more than 0, got {delta!r}")
    d = _difference("huber_loss", input, target)
    near = xg.clip(d, -delta, delta)
    return reduce(near * (d - 0.5 * near), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """Cross-entropy of sigmoid(input) and a target between 0 and 1, computed from the logits.

    Args:
        input, target: of one shape.
        weight: multiplies the loss; broadcasts.
        pos_weight: multiplies the part for target 1; broadcasts.

    Raises ValueError where the shapes differ.
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
    """The target in a floating-point dtype: it may be of integers or booleans too."""
    if not isinstance(target, Tensor) or target.backend.is_inexact(target.dtype):
        return target
    return xg.astype(target, input.dtype)


def _difference(name: str, input: Any, target: Any) -> Any:
    input, target = as_tensors(name, (input, target))
    if tuple(input.shape) != tuple(target.shape):
        warnings.warn(
            f"{name}: input has shape {tuple(input.shape)}, target {tuple(target.shape)}: they are broadcast against "
            "each other, which is rarely what is meant. Give them one shape.",
            stacklevel=3,
        )
    return input - target


def reduce(loss: Tensor, reduction: str) -> Tensor:
    """The loss as PyTorch's `reduction` asks for it. Raises ValueError for a word that is none."""
    if reduction == "mean":
        return xg.mean(loss)
    if reduction == "sum":
        return xg.sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f'reduction must be "mean", "sum" or "none", got {reduction!r}')
