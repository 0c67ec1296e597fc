"""RMSprop: steps divided by a running root mean square of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import Check, at_least_zero, flag
from xgrad.optim.state import Rule, follow_rule


class RMSprop(Optimizer):
    """`s = alpha * s + (1 - alpha) * g * g; p -= lr * g / (sqrt(s) + eps)`, with momentum on the scaled gradient.

    Where g * g overflows (in float32, for elements of g from about 1e20 on), p stands still from then on, as in PyTorch; where it
    underflows (below about 1e-23), g counts as nothing beside `eps`. Clip such gradients, or scale the loss.

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
    keeps: ClassVar[Mapping[str, str]] = {"square_avg": "", "grad_avg": "centered", "momentum_buffer": "momentum"}
    factors = ("lr", "eps")

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
        names = ("square_avg", *(("grad_avg",) if centered else ()), *(("momentum_buffer",) if momentum else ()))
        numbers = lr, alpha, 1 - alpha, eps, weight_decay, momentum
        flags = bool(weight_decay), maximize, centered, bool(momentum)
        return follow_rule(xp, _RULE, p, g, state, names, numbers, flags)


def _direction(p: Any, g: Any, weight_decay: float, decays: bool, maximize: bool) -> Any:
    if maximize:
        g = -g
    return g + weight_decay * p if decays else g


def _roll(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, mean_square, *others = arrays
    _, alpha, share, _, weight_decay, _ = numbers
    decays, maximize, centered, _ = flags
    g = _direction(p, g, weight_decay, decays, maximize)
    part = share * g
    square = part * g  # which overflows later than the whole square
    if centered:
        mean = others[0]
        mean *= alpha
        mean += part
    mean_square *= alpha
    mean_square += square
    return (mean_square, mean) if centered else (mean_square,)


def _descend(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, mean_square, *others = arrays
    lr, _, _, eps, weight_decay, momentum = numbers
    decays, maximize, centered, rolls = flags
    change = xp.sqrt(mean_square)
    if centered:  # the root of mean_square - mean**2: rounded, that may fall below 0, and it is nan where both overflow
        size = xp.abs(others[0])
        change = xp.sqrt(xp.relu(change - size) * (change + size))
    change += eps
    change = xp.divide_into(_direction(p, g, weight_decay, decays, maximize), change)
    if not rolls:
        change *= lr
        p -= change
        return (p,)
    v = momentum * others[-1]
    v += change
    p -= lr * v
    return p, v


_RULE = Rule(_roll, _descend)
