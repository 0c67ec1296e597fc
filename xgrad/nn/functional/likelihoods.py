"""Losses that are the negative log-likelihood of a distribution, or a divergence between two."""

from __future__ import annotations

import math
import warnings
from typing import Any

import xgrad as xg
from xgrad.engine.operands import as_tensors
from xgrad.engine.tensor import Tensor
from xgrad.nn.functional.precision import in_float32
from xgrad.nn.functional.reduction import as_real, reduce, warn_of_broadcasting


@in_float32
def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """The Kullback-Leibler divergence of the target from the input: target * (log(target) - input), for an input of logarithms.

    Args:
        input: log-probabilities, an array of any shape and of a real floating-point dtype, or a number.
        target: probabilities, an array of the same shape, or a number. Other shapes are broadcast, with a warning.
        reduction: "batchmean" divides the sum by the length of the first axis, which gives the divergence of distributions along
            the others. "mean" of all elements (with a warning, because "batchmean" is mostly meant), their "sum", or "none".
        log_target: whether the target holds log-probabilities too.

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> log_p, q = xg.log(xg.asarray([[0.5, 0.5]])), xg.asarray([[0.25, 0.75]])
    >>> round(xg.nn.functional.kl_div(log_p, q, reduction="batchmean").item(), 4)
    0.1308

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
    """
    input, target = as_tensors("kl_div", (input, target))
    warn_of_broadcasting("kl_div", input, target)
    target = as_real(target, input)
    loss = _of_logarithms(input, target) if log_target else xg.special.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return xg.sum(loss) / input.shape[0] if input.ndim else xg.sum(loss)
    if reduction == "mean":
        warnings.warn(
            'kl_div: "mean" divides by the number of all elements, "batchmean" by that of the distributions, which gives their '
            "divergence",
            stacklevel=3,
        )
    elif reduction not in ("sum", "none"):
        raise ValueError(f'kl_div: reduction must be "batchmean", "mean", "sum" or "none", got {reduction!r}')
    return reduce(loss, reduction)


def _of_logarithms(input: Any, target: Any) -> Any:
    return xg.exp(target) * (target - input)


@in_float32
def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
) -> Tensor:
    """The negative log-likelihood of counts under a Poisson distribution whose mean is the input, or the exponential of it.

    Args:
        input: an array of any shape and of a real floating-point dtype, or a number.
        target: counts, an array of the same shape and of any real dtype, or a number. Other shapes are broadcast, with a warning.
        log_input: whether the input is the logarithm of the mean: exp(input) - target * input. Otherwise the loss is
            input - target * log(input + eps).
        full: whether Stirling's approximation of log(target!) is added, for targets above 1.
        eps: a small number that keeps the logarithm of 0 finite.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.poisson_nll_loss
    >>> round(loss(xg.asarray([0.0, 1.0]), xg.asarray([1.0, 3.0])).item(), 4)
    0.3591

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
    """
    input, target = as_tensors("poisson_nll_loss", (input, target))
    warn_of_broadcasting("poisson_nll_loss", input, target)
    target = as_real(target, input)
    loss = xg.exp(input) - target * input if log_input else input - target * xg.log(input + eps)
    if full:
        many = target > 1
        n = xg.where(many, target, target.__array_namespace__().ones((), dtype=target.dtype))
        loss = loss + xg.mask(n * xg.log(n) - n + 0.5 * xg.log(2 * math.pi * n), many)
    return reduce(loss, reduction)


@in_float32
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """The negative log-likelihood of the target under normal distributions: (log(var) + (input - target)**2 / var) / 2.

    Args:
        input: the means, an array of any shape and of a real floating-point dtype.
        target: an array of the same shape. Other shapes are broadcast, with a warning.
        var: the variances: an array of the shape of the input, or of that shape without its last axis, or with one axis of length
            1; or a number. A variance below `eps` counts as `eps`; its derivative is taken as if it were not.
        full: whether the constant log(2 pi) / 2 is added.
        eps: the smallest variance, a number more than 0.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the input. The mean of no elements
        is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for a variance of another shape, a negative number as variance, an `eps` that is not more than 0, shapes that
            do not broadcast, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> loss = xg.nn.functional.gaussian_nll_loss
    >>> loss(xg.asarray([0.0, 1.0]), xg.asarray([1.0, 3.0]), xg.asarray([1.0, 1.0])).item()
    1.25

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
    """
    if not eps > 0:
        raise ValueError(f"gaussian_nll_loss: eps must be more than 0, got {eps!r}")
    if isinstance(var, int | float):
        if var < 0:
            raise ValueError(f"gaussian_nll_loss: var must not be negative, got {var!r}")
        input, target = as_tensors("gaussian_nll_loss", (input, target))
        var = xg.full_like(input, float(var))
    else:
        input, target, var = as_tensors("gaussian_nll_loss", (input, target, var))
    warn_of_broadcasting("gaussian_nll_loss", input, target)
    shape, given = tuple(input.shape), tuple(var.shape)
    if given != shape:
        if given == shape[:-1]:
            var = xg.expand_dims(var, axis=-1)
        elif len(given) != len(shape) or [m for n, m in zip(shape, given, strict=True) if n != m] != [1]:
            raise ValueError(
                f"gaussian_nll_loss: var must have the shape of the input, {shape}, or that without its last axis, or with one "
                f"axis of length 1, got {given}"
            )
    raised = xg.clip(var.detach(), eps, None)
    var = raised + (var - var.detach())  # the value of `raised`, the derivative of var
    loss = 0.5 * (xg.log(var) + xg.square(input - target) / var)
    return reduce(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
