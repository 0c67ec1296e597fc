"""A schedule of one cycle: up from a small learning rate, and down to a much smaller one."""

from __future__ import annotations

import math
from typing import Any

from xgrad.optim.lr_scheduler.groups import Momentums, checked_optimizer, of_each_group, one_of, positive_integer
from xgrad.optim.lr_scheduler.scheduler import LRScheduler
from xgrad.optim.optimizer import Optimizer


def along_cosine(start: float, end: float, share: float) -> float:
    """From start to end along half a cosine."""
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


def along_line(start: float, end: float, share: float) -> float:
    """From start to end along a straight line. Behind the end it stays there: PyTorch's line goes on, to below 0."""
    return (end - start) * min(share, 1.0) + start


ANNEALING = {"cos": along_cosine, "linear": along_line}


class OneCycleLR(LRScheduler):
    """The learning rate goes up from `max_lr / div_factor` to `max_lr`, and then down to far below where it started.

    The lowest learning rate is that at the start divided by `final_div_factor`. With `three_phase`, the second phase goes down to
    the learning rate at the start, in as many steps as the first, and a third one from there. With `cycle_momentum`, the momentum
    (or the first of the optimizer's `betas`) goes the other way. Call step() after each batch.

    Smith and Topin, https://arxiv.org/abs/1708.07120.

    Args:
        optimizer: the optimizer whose learning rates change.
        max_lr: the highest learning rate, or a list with one for each group.
        total_steps: the number of steps of the cycle; None for `epochs * steps_per_epoch`.
        epochs: the number of passes through the data, if `total_steps` is None.
        steps_per_epoch: the number of steps in each.
        pct_start: the share of the steps that go up, from 0 to 1.
        anneal_strategy: "cos" for half a cosine, "linear" for a straight line.
        cycle_momentum: whether the momentum cycles too.
        base_momentum: the lowest momentum, or a list with one for each group.
        max_momentum: the highest momentum, or a list with one for each group.
        div_factor: the highest learning rate divided by that at the start.
        final_div_factor: the learning rate at the start divided by the lowest.
        three_phase: whether there is a third phase.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for no number of steps, an argument out of its range, a list of another length than there are groups, with
            `cycle_momentum` an optimizer that has no momentum, and in `step` for more than `total_steps`.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0, momentum=0.9)
    >>> scheduler = xg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=5, pct_start=0.6)
    >>> lrs = []
    >>> for _ in range(5):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(lr, 3) for lr in lrs]
    [0.04, 0.52, 1.0, 0.5, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
    """

    not_saved = LRScheduler.not_saved | {"_momentums"}

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        name = "OneCycleLR"
        self.optimizer = checked_optimizer(name, optimizer)
        self.total_steps = number_of_steps(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"{name}: pct_start must be from 0 to 1, got {pct_start!r}")
        self._schedule_phases = phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = one_of(name, "anneal_strategy", anneal_strategy, ANNEALING)
        max_lrs = of_each_group(name, "max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._momentums = Momentums(name, optimizer)
            self.use_beta1 = self._momentums.use_beta1
            base_momentums = of_each_group(name, "base_momentum", optimizer, base_momentum)
            max_momentums = of_each_group(name, "max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for group, highest in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = highest / div_factor
                group["max_lr"] = highest
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                self._momentums.start(base_momentums, max_momentums)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group. Sets the momentums too."""
        self._warn_outside_step()
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: step {t} lies behind the end: total_steps is {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases:
            if t <= phase["end_step"]:
                break
            if phase is not self._schedule_phases[-1]:
                start = phase["end_step"]
        length = phase["end_step"] - start
        share = (t - start) / length if length else 1.0  # a phase of one step is at its end
        groups = self.optimizer.param_groups
        anneal = ANNEALING[self._anneal_func_type]
        if self.cycle_momentum:
            ends = phase["start_momentum"], phase["end_momentum"]
            self._momentums.set(anneal(group[ends[0]], group[ends[1]], share) for group in groups)
        return [anneal(group[phase["start_lr"]], group[phase["end_lr"]], share) for group in groups]


def number_of_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    """The number of steps, given in one way or the other."""
    if total_steps is not None:
        return positive_integer("OneCycleLR", "total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
    epochs = positive_integer("OneCycleLR", "epochs", epochs)
    return epochs * positive_integer("OneCycleLR", "steps_per_epoch", steps_per_epoch)


def phases(total_steps: int, pct_start: float, three_phase: bool) -> list[dict[str, Any]]:
    """The phases: the step at which each ends, and between which values of its group it goes."""
    turn = float(pct_start * total_steps) - 1
    up = _phase(turn, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three_phase:
        return [up, _phase(total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    return [
        up,
        _phase(float(2 * pct_start * total_steps) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
        _phase(total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
    ]


def _phase(end: float, lr: str, end_lr: str, momentum: str, end_momentum: str) -> dict[str, Any]:
    return {
        "end_step": end,
        "start_lr": lr,
        "end_lr": end_lr,
        "start_momentum": momentum,
        "end_momentum": end_momentum,
    }
