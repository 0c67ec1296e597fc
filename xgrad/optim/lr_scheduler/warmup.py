"""Schedules that multiply the learning rate by a factor until a given step: a constant, or a straight line."""

from __future__ import annotations

from xgrad.optim.lr_scheduler.scheduler import FormulaLR
from xgrad.optim.optimizer import Optimizer


class ConstantLR(FormulaLR):
    """The learning rate times a factor, until step `total_iters`: lr = initial_lr * factor, then lr = initial_lr.

    Args:
        optimizer: the optimizer whose learning rates change.
        factor: the factor, from 0 to 1.
        total_iters: the number of steps with the factor.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for a factor that is not from 0 to 1.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> lrs = []
    >>> for _ in range(4):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> lrs
    [0.5, 0.5, 1.0, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor must be from 0 to 1, got {factor!r}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base_lr: float) -> float:
        if self.last_epoch == 0:
            return lr * self.factor
        if self.last_epoch != self.total_iters:
            return lr
        return lr * (1.0 / self.factor) if self.factor else base_lr  # a factor of 0 leaves nothing to divide

    def _closed(self, base_lr: float) -> float:
        return base_lr if self.last_epoch >= self.total_iters else base_lr * self.factor


class LinearLR(FormulaLR):
    """The learning rate times a factor that changes along a straight line until step `total_iters`, and stays from there on.

    lr = initial_lr * (start_factor + (end_factor - start_factor) * min(t, total_iters) / total_iters)

    Args:
        optimizer: the optimizer whose learning rates change.
        start_factor: the factor at the start, more than 0 and at most 1.
        end_factor: the factor at the end, from 0 to 1.
        total_iters: the number of steps from one to the other.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for a factor out of its range.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=4)
    >>> lrs = []
    >>> for _ in range(6):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(lr, 12) for lr in lrs]
    [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR: start_factor must be more than 0 and at most 1, got {start_factor!r}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor must be from 0 to 1, got {end_factor!r}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base_lr: float) -> float:
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        before = (
            self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        )  # total_iters times the last factor
        return lr * (1.0 + rise / before)

    def _closed(self, base_lr: float) -> float:
        rise = self.end_factor - self.start_factor
        return base_lr * (self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters)
