"""Adagrad: a learning rate per weight, falling with the squares of its gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import Check, at_least_zero, flag
from xgrad.optim.state import Rule, follow_rule


class Adagrad(Optimizer):
    """`s += g * g; p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)` at step t.

    Where g * g overflows (in float32, for elements of g from 1.8e19 on), p stands still from then on, as in PyTorch; where it
    underflows (below about 1e-23), g counts as nothing beside `eps`. Clip such gradients, or scale the loss.

    Args:
        params: the tensors to train, or dicts (param groups) with "params" and options of their own.
        lr: the learning rate, 0 or more.
        lr_decay: how fast the learning rate falls with the steps, 0 or more.
        weight_decay: adds `weight_decay * p` to the gradient.
        initial_accumulator_value: where s starts, 0 or more.
        eps: keeps the division finite, 0 or more.
        maximize: climb instead of descend.

    Raises:
        ValueError: an option out of its range, or no parameters.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.Adagrad([w], lr=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.5]
    """

    checks: ClassVar[Mapping[str, Check]] = {
        "lr": at_least_zero,
        "lr_decay": at_least_zero,
        "weight_decay": at_least_zero,
        "initial_accumulator_value": at_least_zero,
        "eps": at_least_zero,
        "maximize": flag,
    }
    keeps: ClassVar[Mapping[str, str]] = {"step": "", "sum": ""}
    factors = ("eps",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
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
        lr_decay: float,
        weight_decay: float,
        initial_accumulator_value: float,
        eps: float,
        maximize: bool,
    ) -> Any:
        step = state.get("step", 0) + 1
        if "sum" not in state:
            state["sum"] = xp.full_like(p, initial_accumulator_value)
        numbers = lr / (1 + (step - 1) * lr_decay), eps, weight_decay
        p = follow_rule(xp, _RULE, p, g, state, ("sum",), numbers, (bool(weight_decay), maximize))
        state["step"] = step
        return p


def _direction(p: Any, g: Any, weight_decay: float, decays: bool, maximize: bool) -> Any:
    if maximize:
        g = -g
    return g + weight_decay * p if decays else g


def _roll(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, total = arrays
    if any(flags):
        g = _direction(p, g, numbers[-1], *flags)
    total += g * g
    return (total,)


def _descend(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
    p, g, total = arrays
    rate, eps, weight_decay = numbers
    change = xp.sqrt(total)
    change += eps
    change = xp.divide_into(_direction(p, g, weight_decay, *flags), change)
    change *= rate
    p -= change
    return (p,)


_RULE = Rule(_roll, _descend)
