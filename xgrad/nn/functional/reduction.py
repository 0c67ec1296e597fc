"""What the losses share: how a loss is reduced, weighted, and cut off at 0, and the check that shapes are the same."""

from __future__ import annotations

import warnings
from typing import Any

import xgrad as xg
from xgrad.engine.operands import as_tensors
from xgrad.engine.tensor import Tensor


def reduce(loss: Tensor, reduction: str) -> Tensor:
    """The mean of the loss, its sum, or the loss itself. Raises ValueError for any other word."""
    if reduction == "mean":
        return xg.mean(loss)
    if reduction == "sum":
        return xg.sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f'reduction must be "mean", "sum" or "none", got {reduction!r}')


def weighted(name: str, loss: Tensor, weight: Any, input: Any) -> tuple[Tensor, Tensor]:
    """The loss times the weight, and the weight as a tensor. ValueError for a weight of another shape than the input."""
    loss, weight = as_tensors(name, (loss, weight))
    if tuple(weight.shape) != tuple(getattr(input, "shape", ())):
        raise ValueError(
            f"{name}: weight must have the shape of the input, {tuple(getattr(input, 'shape', ()))}, got {tuple(weight.shape)}"
        )
    return loss * weight, weight


def reduce_weighted(name: str, loss: Tensor, weight: Any, input: Any, reduction: str) -> Tensor:
    """The loss times the weight, reduced. Its mean is the weighted one."""
    if weight is None:
        return reduce(loss, reduction)
    loss, weight = weighted(name, loss, weight, input)
    if reduction == "mean":
        mean: Tensor = xg.sum(loss) / xg.sum(weight)
        return mean
    return reduce(loss, reduction)


def positive_part(x: Tensor) -> Tensor:
    """max(x, 0), with the derivative 1 at 0, as PyTorch's clamp has it."""
    return xg.mask(x, ~(x < 0))


def difference(name: str, input: Any, target: Any) -> Tensor:
    """input - target, with a warning if the shapes are not the same."""
    input, target = as_tensors(name, (input, target))
    warn_of_broadcasting(name, input, target, stacklevel=5)  # of the caller of a loss, which is decorated
    found: Tensor = input - target
    return found


def check_broadcasting(name: str, *arrays: Any) -> None:
    """ValueError for arrays whose shapes do not broadcast: it names the function and the shapes."""
    shapes = [tuple(array.shape) for array in arrays]
    try:
        xg.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(f"{name}: the shapes {' and '.join(map(str, shapes))} do not broadcast") from None


def warn_of_broadcasting(name: str, input: Any, target: Any, stacklevel: int = 4) -> None:
    """Warn if the shapes of input and target are not the same. ValueError if they do not even broadcast."""
    if tuple(input.shape) != tuple(target.shape):
        check_broadcasting(name, input, target)
        warnings.warn(
            f"{name}: input has shape {tuple(input.shape)}, target {tuple(target.shape)}: they are broadcast against "
            "each other, which is rarely what is meant. Give them the same shape.",
            stacklevel=stacklevel,
        )


def as_real(target: Any, input: Any) -> Any:
    """The target, cast to the dtype of the input if it holds integers or booleans."""
    if not isinstance(target, Tensor) or target.backend.is_inexact(target.dtype):
        return target
    return xg.astype(target, input.dtype)
