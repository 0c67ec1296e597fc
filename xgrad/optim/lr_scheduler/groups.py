"""Numbers of the param groups: reading and setting learning rates and momentums, and arguments that differ by group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xgrad.optim.optimizer import Optimizer

ROUND_OFF = 1e-12  # times the learning rate at the start


def checked_optimizer(name: str, optimizer: Any) -> Optimizer:
    """The optimizer. TypeError for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}: expected an Optimizer, got {type(optimizer).__name__}")
    return optimizer


def current_lrs(optimizer: Optimizer) -> list[float]:
    """The learning rate of each group."""
    return [group["lr"] for group in optimizer.param_groups]


def set_lrs(optimizer: Optimizer, lrs: Iterable[float]) -> None:
    """Set the learning rate of each group. A formula that ends at 0 may end a round-off below it: this becomes 0."""
    for group, lr in zip(optimizer.param_groups, lrs, strict=True):
        nearly_zero = -ROUND_OFF * group.get("initial_lr", 0.0) <= lr < 0
        group["lr"] = 0.0 if nearly_zero else lr


def of_each_group(name: str, argument: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """An argument for each group: a list or tuple of as many values, or one value for all."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{name}: {argument} must have a value for each of {groups} param groups, got {len(value)}")
    return list(value)


class Momentums:
    """The momentum of each group: the option `momentum`, or the first of `betas`."""

    def __init__(self, name: str, optimizer: Optimizer) -> None:
        if not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(
                f"{name}: cycle_momentum needs an optimizer with the option momentum or betas, and "
                f"{type(optimizer).__name__} has neither: pass cycle_momentum=False"
            )
        self.optimizer = optimizer
        self.use_beta1 = "betas" in optimizer.defaults

    def start(self, base: list[float], largest: list[float]) -> None:
        """Set each group to its largest momentum. The group keeps both bounds."""
        for group, low, high in zip(self.optimizer.param_groups, base, largest, strict=True):
            group["max_momentum"], group["base_momentum"] = high, low
        self.set(largest)

    def set(self, momentums: Iterable[float]) -> None:
        """Set the momentum of each group."""
        for group, momentum in zip(self.optimizer.param_groups, momentums, strict=True):
            if self.use_beta1:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


def positive_integer(name: str, argument: str, value: Any) -> int:
    """The value, if it is an integer, 1 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: {argument} must be an integer, 1 or more, got {value!r}")
    return value


def one_of(name: str, argument: str, value: Any, choices: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The value, if it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        words = " or ".join(map(repr, choices))
        raise ValueError(f"{name}: {argument} must be {words}, got {value!r}")
    return value
