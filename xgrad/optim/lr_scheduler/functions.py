"""Schedules by functions of the step, and what of a function is saved."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xgrad.optim.lr_scheduler.groups import checked_optimizer, current_lrs, of_each_group
from xgrad.optim.lr_scheduler.scheduler import LRScheduler
from xgrad.optim.optimizer import Optimizer

Function = Callable[[int], float]


def saved_function(function: Any) -> dict[str, Any] | None:
    """What is saved of a function: the attributes of a callable object, nothing of a function."""
    if isinstance(function, types.FunctionType) or not hasattr(function, "__dict__"):
        return None
    return dict(vars(function))


def load_function(function: Any, saved: Mapping[str, Any] | None) -> None:
    """Give a callable object the attributes that were saved."""
    if saved is not None and hasattr(function, "__dict__"):
        vars(function).update(saved)


class FunctionLR(LRScheduler):
    """A schedule with a function for each group."""

    not_saved = LRScheduler.not_saved | {"lr_lambdas"}

    def __init__(self, optimizer: Optimizer, lr_lambda: Function | Sequence[Function], last_epoch: int = -1) -> None:
        name = type(self).__name__
        self.optimizer = checked_optimizer(name, optimizer)
        self.lr_lambdas = of_each_group(name, "lr_lambda", optimizer, lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{name}: lr_lambda must be a function of the step, got {type(function).__name__}")
        super().__init__(optimizer, last_epoch)

    def _factors(self) -> list[float]:
        return [function(self.last_epoch) for function in self.lr_lambdas]

    def _follow_groups(self) -> None:
        """Take up the groups that the optimizer has got since, if all groups have one function."""
        super()._follow_groups()
        groups = len(self.base_lrs)
        if len(set(map(id, self.lr_lambdas))) == 1:
            self.lr_lambdas = self.lr_lambdas[:1] * groups
        elif len(self.lr_lambdas) != groups:
            raise ValueError(
                f"{type(self).__name__}: the optimizer has got more param groups: {groups}, and there are "
                f"{len(self.lr_lambdas)} functions. Append to lr_lambdas"
            )

    def state_dict(self) -> dict[str, Any]:
        """The state. Of an lr_lambda that is an object, its attributes are saved; of a function, None."""
        return {**super().state_dict(), "lr_lambdas": [saved_function(each) for each in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state. The functions are those that this schedule was made with."""
        self._take(state_dict, "lr_lambdas")
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=False):
            load_function(function, saved)


class LambdaLR(FunctionLR):
    """The learning rate at the start times a function of the step: lr = initial_lr * lr_lambda(t).

    Args:
        optimizer: the optimizer whose learning rates change.
        lr_lambda: a function of the number t of the step, or a list with one for each group.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad, or is not a function.
        ValueError: for another number of functions than groups, and in `step` for a learning rate below 0, nan or infinite.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
    """

    def get_lr(self) -> list[float]:
        """The learning rate of each group at the start times its function."""
        self._warn_outside_step()
        return [base * factor for base, factor in zip(self.base_lrs, self._factors(), strict=True)]


class MultiplicativeLR(FunctionLR):
    """The learning rate times a function of the step, at each step: lr = lr * lr_lambda(t).

    Args:
        optimizer: the optimizer whose learning rates change.
        lr_lambda: a function of the number t of the step, or a list with one for each group.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad, or is not a function.
        ValueError: for another number of functions than groups, and in `step` for a learning rate below 0, nan or infinite.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html
    """

    def get_lr(self) -> list[float]:
        """The current learning rate of each group times its function."""
        self._warn_outside_step()
        lrs = current_lrs(self.optimizer)
        return lrs if self._is_initial else [lr * factor for lr, factor in zip(lrs, self._factors(), strict=True)]
