"""Schedules along a cosine: once down, or down again and again from restarts."""

from __future__ import annotations

import math
from typing import Any

from xgrad.optim.lr_scheduler.groups import positive_integer
from xgrad.optim.lr_scheduler.scheduler import FormulaLR, LRScheduler
from xgrad.optim.optimizer import Optimizer


class CosineAnnealingLR(FormulaLR):
    """The learning rate falls along half a cosine to `eta_min` at step `T_max`, and then rises along the other half.

    lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2

    Loshchilov and Hutter, https://arxiv.org/abs/1608.03983, without the restarts.

    Args:
        optimizer: the optimizer whose learning rates change.
        T_max: the number of steps down, more than 0.
        eta_min: the learning rate at the lowest point.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for a `T_max` that is not more than 0.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> lrs = []
    >>> for _ in range(5):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(lr, 3) for lr in lrs]
    [1.0, 0.854, 0.5, 0.146, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if not T_max > 0:
            raise ValueError(f"CosineAnnealingLR: T_max must be more than 0, got {T_max!r}")
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base_lr: float) -> float:
        if self._is_initial:
            return lr
        before = self.last_epoch - 1
        if (before - self.T_max) % (2 * self.T_max) == 0:  # at the lowest point the quotient below is 0 / 0
            return lr + (base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        return self._height(self.last_epoch) / self._height(before) * (lr - self.eta_min) + self.eta_min

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

    def _closed(self, base_lr: float) -> float:
        return self.eta_min + (base_lr - self.eta_min) * self._height(self.last_epoch) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """The learning rate falls along half a cosine to `eta_min`, and starts again at the top, each time for longer if wanted.

    lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2

    `T_cur` counts the steps since the last restart, and `T_i` is the number of steps until the next. `T_i` starts as `T_0`, and
    is multiplied by `T_mult` at each restart.

    Loshchilov and Hutter, https://arxiv.org/abs/1608.03983.

    Args:
        optimizer: the optimizer whose learning rates change.
        T_0: the number of steps until the first restart, 1 or more.
        T_mult: the factor of this number at each restart, 1 or more.
        eta_min: the learning rate at the lowest point.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for a `T_0` or `T_mult` that is not an integer, 1 or more, or an `eta_min` that is no number.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> lrs = []
    >>> for _ in range(6):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(lr, 3) for lr in lrs]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        name = "CosineAnnealingWarmRestarts"
        self.T_0 = positive_integer(name, "T_0", T_0)
        self.T_mult = positive_integer(name, "T_mult", T_mult)
        if not isinstance(eta_min, int | float):
            raise ValueError(f"{name}: eta_min must be a number, got {eta_min!r}")
        self.eta_min = eta_min
        self.T_i: float = T_0
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at `T_cur`."""
        self._warn_outside_step()
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: Any = None) -> None:
        """Set the next learning rates, or those at `epoch`, which may be a fraction: `step(epoch + batch / batches)`.

        Raises ValueError for an epoch below 0.
        """
        self._follow_groups()
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: epoch must be 0 or more, got {epoch!r}")
        else:
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr)

    def _go_to(self, epoch: float) -> None:
        """Set `T_cur` and `T_i`: the time since the last restart before `epoch`, and the number of steps from there."""
        if epoch < self.T_0:
            self.T_cur, self.T_i = epoch, self.T_0
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            # n restarts lie T_0 * (1 + T_mult + ... + T_mult**(n - 1)) steps from the start.
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n
