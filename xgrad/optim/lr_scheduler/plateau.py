"""A schedule that lowers the learning rate when a measured quantity stops improving."""

from __future__ import annotations

import math
import warnings
from typing import Any, SupportsFloat

from xgrad.optim.lr_scheduler.groups import checked_optimizer, current_lrs, of_each_group, one_of
from xgrad.optim.lr_scheduler.scheduler import EPOCH_IS_DEPRECATED, LRScheduler
from xgrad.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """The learning rate times a factor, whenever a quantity has not improved for more than `patience` steps.

    Args:
        optimizer: the optimizer whose learning rates change.
        mode: "min" where less is better, "max" where more is better.
        factor: the factor, less than 1.
        patience: the number of steps without improvement that are allowed.
        threshold: the least change from the best value that counts as an improvement.
        threshold_mode: "rel" for a threshold that is a share of the best value, "abs" for a difference.
        cooldown: the number of steps after a reduction in which nothing is counted.
        min_lr: the least learning rate, or a list with one for each group.
        eps: a change of the learning rate up to this is left out.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for another mode, a factor of 1 or more, or another number of `min_lr` than groups.

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0, 1.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.5]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        if not factor < 1:
            raise ValueError(f"{name}: factor must be less than 1, got {factor!r}")
        self.optimizer = checked_optimizer(name, optimizer)
        self.mode = one_of(name, "mode", mode, ("min", "max"))
        self.threshold_mode = one_of(name, "threshold_mode", threshold_mode, ("rel", "abs"))
        self.threshold = threshold
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.min_lrs = of_each_group(name, "min_lr", optimizer, min_lr)
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr  # of groups that come later
        self.last_epoch = 0
        self._last_lr = current_lrs(optimizer)
        self._reset()

    def _reset(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    @property
    def in_cooldown(self) -> bool:
        """Whether the last reduction is so recent that nothing is counted."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of the quantity, and lower the learning rates if it has stopped improving.

        Args:
            metrics: the quantity: a number, or a tensor with one. A tensor is read from its device.
            epoch: the number of the step. It is deprecated in PyTorch. None is the next one.

        Raises:
            RuntimeError: where the optimizer has got more groups than there are in a list of `min_lr`.
        """
        value = float(metrics)
        if epoch is not None:
            warnings.warn(EPOCH_IS_DEPRECATED, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = current_lrs(self.optimizer)

    def _is_better(self, value: float, best: float) -> bool:
        if self.mode == "min":
            return value < (best * (1 - self.threshold) if self.threshold_mode == "rel" else best - self.threshold)
        return value > (best * (1 + self.threshold) if self.threshold_mode == "rel" else best + self.threshold)

    def _reduce(self) -> None:
        groups: list[Any] = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau: the optimizer has {len(groups)} param groups, and min_lrs {len(self.min_lrs)} values. "
                    "Set min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            lr = max(group["lr"] * self.factor, least)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr
