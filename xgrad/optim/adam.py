"""Adam and AdamW: running means of the gradient and of its square, corrected for their start at zero."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import Check, at_least_zero, flag, two_fractions
from xgrad.optim.state import Rule, follow_rule


class Adam(Optimizer):
    """`p -= lr * m / (sqrt(s) + eps)`, where m and s are running means of g and of g * g.

    Where g * g overflows (in float32, for elements of g from about 1e21 on), p stands still from then on, as in PyTorch; where it
    underflows (below about 1e-23), g counts as nothing beside `eps`. Clip such gradients, or scale the loss.

    Args:
        params: the tensors to train, or dicts (param groups) with "params" and options of their own.
        lr: the learning rate, 0 or more.
        betas: how much of m and of s is kept from step to step; each at least 0 and less than 1.
        eps: keeps the division finite, 0 or more.
        weight_decay: adds `weight_decay * p` to the gradient.
        amsgrad: divide by the largest s so far.
        maximize: climb instead of descend.
        decoupled_weight_decay: shrink p by `lr * weight_decay` instead of changing the gradient, as AdamW does.

    Raises:
        ValueError: an option out of its range, or no parameters.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.Adam([w], lr=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.5]
    """

    checks: ClassVar[Mapping[str, Check]] = {
        "lr": at_least_zero,
        "betas": two_fractions,
        "eps": at_least_zero,
        "weight_decay": at_least_zero,
        "amsgrad": flag,
        "maximize": flag,
        "decoupled_weight_decay": flag,
    }
    keeps: ClassVar[Mapping[str, str]] = {"step": "", "exp_avg": "", "exp_avg_sq": "", "max_exp_avg_sq": "amsgrad"}
    factors = ("eps",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    @staticmethod
    def update(
        xp: Any,
        p: Any,
        g: Any,
        state: dict[str, Any],
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        maximize: bool,
        decoupled_weight_decay: bool,
    ) -> Any:
        step = state.get("step", 0) + 1
        beta1, beta2 = betas
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if amsgrad else ("exp_avg", "exp_avg_sq")
        corrected = sqrt(1 - beta2**step), lr / (1 - beta1**step)
        shares = 1 - beta1, (1 - beta2) / (1 - beta1) ** 2
        numbers = beta1, beta2, *shares, eps, *corrected, weight_decay, 1 - lr * weight_decay
        flags = bool(weight_decay), decoupled_weight_decay, maximize
        p = follow_rule(xp, _RULE, p, g, state, names, numbers, flags)
        state["step"] = step
        return p


def _roll(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, mean, mean_square, *_ = arrays
    beta1, beta2, share, share_of_square, _, _, _, weight_decay, _ = numbers
    decays, decoupled, maximize = flags
    if maximize:
        g = -g
    if decays and not decoupled:
        g = g + weight_decay * p
    part = share * g
    mean *= beta1
    mean += part
    part *= part  # in the same array: a second one of its size would cost more than the arithmetic
    part *= share_of_square
    mean_square *= beta2
    mean_square += part
    return mean, mean_square


def _descend(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, _, mean, mean_square, *largest = arrays
    _, _, _, _, eps, correction, rate, _, shrink = numbers
    decays, decoupled, _ = flags
    if largest:
        largest = [xp.maximum(largest[0], mean_square)]
        mean_square = largest[0]
    change = xp.sqrt(mean_square)
    change /= correction
    change += eps
    change = xp.divide_into(mean, change)
    change *= rate
    if decays and decoupled:
        p *= shrink
    p -= change
    return p, *largest


_RULE = Rule(_roll, _descend)


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves, by `lr * weight_decay` a step.

    Arguments and errors are Adam's; only `weight_decay` has another default.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.AdamW([w], lr=0.5, weight_decay=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.25]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )
