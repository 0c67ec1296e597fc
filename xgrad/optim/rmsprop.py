"""RMSprop: steps divided by a running root mean square of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import Check, at_least_zero, flag
from xgrad.optim.state import fused, kept


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
        names = _names(centered, bool(momentum))
        arrays = p, g, *[kept(xp, state, name, p) for name in names]
        numbers = lr, alpha, 1 - alpha, eps, weight_decay, momentum
        flags = bool(weight_decay), maximize, centered, bool(momentum)
        p, *after = fused(state, _descend)(xp, arrays, numbers, flags)
        state.update(zip(names, after, strict=True))
        return p


def _names(centered: bool, rolls: bool) -> tuple[str, ...]:
    return "square_avg", *(("grad_avg",) if centered else ()), *(("momentum_buffer",) if rolls else ())


def _descend(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, mean_square, *others = arrays
    lr, alpha, share, eps, weight_decay, momentum = numbers
    decays, maximize, centered, rolls = flags
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * p
    square = g * g
    square *= share
    mean_square = alpha * mean_square
    mean_square += square
    after, variance = [mean_square], mean_square
    if centered:
        mean = alpha * others[0]
        mean += share * g
        after.append(mean)
        variance = mean_square - mean * mean
    change = xp.sqrt(variance)
    change += eps
    change = g / change
    if rolls:
        v = momentum * others[-1]
        v += change
        after.append(v)
        change = lr * v
    else:
        change *= lr
    p -= change
    return p, *after
