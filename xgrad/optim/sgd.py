"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import Check, at_least_zero, finite, flag
from xgrad.optim.state import fused


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
    factors = ("lr", "momentum", "weight_decay")

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
            return fused(state, _descend)(xp, (p, g), (lr, weight_decay), (bool(weight_decay), maximize))[0]
        numbers = lr, weight_decay, momentum, 1 - dampening
        v = state.get("momentum_buffer")
        flags = bool(weight_decay), maximize, v is None, bool(dampening), nesterov
        arrays = p, g, xp.zeros_like(p) if v is None else v
        p, state["momentum_buffer"] = fused(state, _roll)(xp, arrays, numbers, flags)
        return p


def _descend(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g = arrays
    lr, weight_decay = numbers
    decays, maximize = flags
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * p
    p -= lr * g
    return (p,)


def _roll(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, v = arrays
    lr, weight_decay, momentum, share = numbers
    decays, maximize, starts, dampened, nesterov = flags
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * p
    if starts:
        v = g * 1  # a copy
    else:
        v = momentum * v
        v += share * g if dampened else g
    p -= lr * (g + momentum * v if nesterov else v)
    return p, v
