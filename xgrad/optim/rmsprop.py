"""RMSprop: steps divided by a running root mean square of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import Check, at_least_zero, flag
from xgrad.optim.state import kept


class RMSprop(Optimizer):
    """`s = alpha * s + (1 - alpha) * g * g; p -= lr * g / (sqrt(s) + eps)`, with momentum on the scaled gradient.

    Args:
        params: the tensors to train, or dicts (param groups) with "params" and options of their own.
        lr: the learning rate, 0 or more.
        alpha: how much of the mean square is kept from step to step, 0 or more.
        eps: keeps the division finite, 0 or more.
        weight_decay: adds `weight_decay * p` to the gradient.
        momentum: how much of the velocity is kept from step to step, 0 or more.
        centered: divide by the standard deviation of the gradients instead.
        maximize: climb instead of descend.

    Raises:
        ValueError: an option out of its range, or no parameters.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.RMSprop([w], lr=0.5, alpha=0.75)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.0]
    """

    checks: ClassVar[Mapping[str, Check]] = {
        "lr": at_least_zero,
        "alpha": at_least_zero,
        "eps": at_least_zero,
        "weight_decay": at_least_zero,
        "momentum": at_least_zero,
        "centered": flag,
        "maximize": flag,
    }
    factors = ("lr", "eps", "weight_decay", "momentum")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
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
        alpha: float,
        eps: float,
        weight_decay: float,
        momentum: float,
        centered: bool,
        maximize: bool,
    ) -> Any:
        if maximize:
            g = -g
        if weight_decay:
            g = g + weight_decay * p
        square = g * g
        square *= 1 - alpha
        mean_square = kept(xp, state, "square_avg", p)
        mean_square *= alpha
        mean_square += square
        state["square_avg"] = mean_square
        if centered:
            mean = kept(xp, state, "grad_avg", p)
            mean *= alpha
            mean += (1 - alpha) * g
            state["grad_avg"] = mean
            mean_square = mean_square - mean * mean
        change = xp.sqrt(mean_square)
        change += eps
        change = g / change
        if momentum:
            v = kept(xp, state, "momentum_buffer", p)
            v *= momentum
            v += change
            state["momentum_buffer"] = v
            change = lr * v
        else:
            change *= lr
        p -= change
        return p
