"""The schedule of stochastic weight averaging: the learning rate goes to a constant."""

from __future__ import annotations

import math
from collections.abc import Callable

from xgrad.optim.lr_scheduler.groups import checked_optimizer, of_each_group, one_of
from xgrad.optim.lr_scheduler.scheduler import LRScheduler
from xgrad.optim.optimizer import Optimizer

ANNEALING: dict[str, Callable[[float], float]] = {
    "cos": lambda share: (1 - math.cos(math.pi * share)) / 2,
    "linear": lambda share: share,
}


class SWALR(LRScheduler):
    """The learning rate goes from where it is to `swa_lr` in `anneal_epochs` steps, and stays there.

    lr = swa_lr * alpha + initial_lr * (1 - alpha), where alpha goes from 0 to 1. The learning rate at the start is found from the
    current one at each step, so that other schedules may change it in between.

    Izmailov et al., https://arxiv.org/abs/1803.05407.

    Args:
        optimizer: the optimizer whose learning rates change.
        swa_lr: the learning rate at the end, or a list with one for each group.
        anneal_epochs: the number of steps, 0 or more.
        anneal_strategy: "cos" for half a cosine, "linear" for a straight line.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for an argument out of its range, or a list of another length than there are groups.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = xg.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> lrs = []
    >>> for _ in range(4):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> lrs
    [1.0, 0.75, 0.5, 0.5]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.SWALR.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        checked_optimizer("SWALR", optimizer)
        self._anneal_strategy = one_of("SWALR", "anneal_strategy", anneal_strategy, ANNEALING)
        if not isinstance(anneal_epochs, int) or isinstance(anneal_epochs, bool) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must be an integer, 0 or more, got {anneal_epochs!r}")
        self.anneal_epochs = anneal_epochs
        for group, lr in zip(optimizer.param_groups, of_each_group("SWALR", "swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = lr
        super().__init__(optimizer, last_epoch)

    def _alpha(self, step: int) -> float:
        """The share of `swa_lr` after so many steps."""
        share = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return ANNEALING[self._anneal_strategy](share)

    def get_lr(self) -> list[float]:
        """The next learning rate of each group, from the current one."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._alpha(step - 1), self._alpha(step)
        lrs = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            lrs.append(end * now + start * (1 - now))
        return lrs
