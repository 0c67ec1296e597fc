"""Schedules that let the learning rate fall: in steps, exponentially, or as a polynomial."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from xgrad.optim.lr_scheduler.scheduler import FormulaLR
from xgrad.optim.optimizer import Optimizer


class StepLR(FormulaLR):
    """The learning rate times gamma, after each `step_size` steps: lr = initial_lr * gamma ** (t // step_size).

    Args:
        optimizer: the optimizer whose learning rates change.
        step_size: the number of steps after which it changes, more than 0.
        gamma: the factor.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for a `step_size` that is not more than 0.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if not step_size > 0:
            raise ValueError(f"StepLR: step_size must be more than 0, got {step_size!r}")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base_lr: float) -> float:
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return lr
        return lr * self.gamma

    def _closed(self, base_lr: float) -> float:
        return base_lr * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(FormulaLR):
    """The learning rate times gamma, at each milestone: lr = initial_lr * gamma ** (the number of milestones up to t).

    Args:
        optimizer: the optimizer whose learning rates change.
        milestones: the numbers of the steps at which it changes. One that is listed twice counts twice.
        gamma: the factor.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad, or for milestones that are not listed.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 4], gamma=0.5)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base_lr: float) -> float:
        times = self.milestones.get(self.last_epoch, 0)
        return lr * self.gamma**times if times else lr

    def _closed(self, base_lr: float) -> float:
        return base_lr * self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """The state: numbers, and lists of numbers."""
        return {**super().state_dict(), "milestones": sorted(self.milestones.elements())}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state. The milestones may be counted, as in PyTorch's."""
        self._take(state_dict, "milestones")
        self.milestones = Counter(state_dict["milestones"])


class ExponentialLR(FormulaLR):
    """The learning rate times gamma, at each step: lr = initial_lr * gamma ** t.

    Args:
        optimizer: the optimizer whose learning rates change.
        gamma: the factor.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base_lr: float) -> float:
        return lr if self._is_initial else lr * self.gamma

    def _closed(self, base_lr: float) -> float:
        return base_lr * self.gamma**self.last_epoch


class PolynomialLR(FormulaLR):
    """The learning rate falls to 0 as a power: lr = initial_lr * (1 - t / total_iters) ** power, and 0 from `total_iters` on.

    Args:
        optimizer: the optimizer whose learning rates change.
        total_iters: the number of steps until 0.
        power: the power; 1.0 is a straight line.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(lr, 12) for lr in scheduler.get_last_lr()]
    [0.25]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base_lr: float) -> float:
        t, total = self.last_epoch, self.total_iters
        if self._is_initial or t > total:
            return lr
        left, left_before = 1.0 - t / total, 1.0 - (t - 1) / total
        return float(lr * (left / left_before) ** self.power)

    def _closed(self, base_lr: float) -> float:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return float(base_lr * left**self.power)
