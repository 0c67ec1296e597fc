"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import Check, at_least_zero, finite, flag
from xgrad.optim.state import Rule, follow_rule


class SGD(Optimizer):
    """`p -= lr * g`, with momentum, Nesterov momentum and weight decay.

    Args:
        params: the tensors to train, or dicts (param groups) with "params" and options of their own.
        lr: the learning rate, 0 or more.
        momentum: how much of the velocity is kept from step to step, 0 or more.
        dampening: the share of a new gradient that is left out of the velocity.
        weight_decay: adds `weight_decay * p` to the gradient.
        nesterov: look ahead along the velocity; needs momentum > 0 and dampening = 0.
        maximize: climb instead of descend.

    Raises:
        ValueError: an option out of its range, or no parameters.

    >>> import xgrad as xg
    >>> w = xg.asarray([4.0], requires_grad=True)
    >>> optimizer = xg.optim.SGD([w], lr=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     xg.sum(w).backward()
    ...     optimizer.step()
    >>> w.numpy().tolist()
    [2.75]
    """

    checks: ClassVar[Mapping[str, Check]] = {
        "lr": at_least_zero,
        "momentum": at_least_zero,
        "dampening": finite,
        "weight_decay": at_least_zero,
        "nesterov": flag,
        "maximize": flag,
    }
    keeps: ClassVar[Mapping[str, str]] = {"momentum_buffer": "momentum"}
    factors = ("lr",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check_together(self, options: dict[str, Any]) -> None:
        momentum, dampening = options["momentum"], options["dampening"]
        if options["nesterov"] and (momentum == 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum > 0 and dampening = 0, got momentum={momentum} and dampening={dampening}"
            )

    @staticmethod
    def update(
        xp: Any,
        p: Any,
        g: Any,
        state: dict[str, Any],
        *,
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
    ) -> Any:
        if not momentum:
            return follow_rule(xp, _PLAIN, p, g, state, (), (lr, weight_decay), (bool(weight_decay), maximize))
        numbers = lr, weight_decay, momentum, 1 - dampening
        flags = bool(weight_decay), maximize, "momentum_buffer" not in state, bool(dampening), nesterov
        return follow_rule(xp, _ROLLING, p, g, state, ("momentum_buffer",), numbers, flags)


def _direction(p: Any, g: Any, weight_decay: float, decays: bool, maximize: bool) -> Any:
    if maximize:
        g = -g
    return g + weight_decay * p if decays else g


def _descend(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g = arrays
    lr, weight_decay = numbers
    decays, maximize = flags
    p -= lr * (_direction(p, g, weight_decay, decays, maximize) if decays or maximize else g)
    return (p,)


def _roll(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, v = arrays
    _, weight_decay, momentum, share = numbers
    decays, maximize, starts, dampened, _ = flags
    if decays or maximize:
        g = _direction(p, g, weight_decay, decays, maximize)
    if starts:
        return (g * 1,)  # a copy
    if dampened:
        g = share * g
    v *= momentum
    v += g
    return (v,)


def _descend_rolling(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, v = arrays
    lr, weight_decay, momentum, _ = numbers
    decays, maximize, _, _, nesterov = flags
    if nesterov:
        v = _direction(p, g, weight_decay, decays, maximize) + momentum * v
    p -= lr * v
    return (p,)


_PLAIN = Rule(None, _descend)
_ROLLING = Rule(_roll, _descend_rolling)
