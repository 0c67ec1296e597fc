"""Several schedules for one optimizer: one after the other, or all at each step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from xgrad.optim.lr_scheduler.groups import current_lrs
from xgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from xgrad.optim.lr_scheduler.scheduler import LRScheduler
from xgrad.optim.optimizer import Optimizer


class Combined(LRScheduler):
    """Schedules for one optimizer, and their states."""

    not_saved = LRScheduler.not_saved | {"_schedulers"}
    _schedulers: list[LRScheduler]

    def _checked(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        """The optimizer of all the schedulers."""
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name}: there are no schedulers; give at least one")
        for i, each in enumerate(schedulers):
            kind = type(each).__name__
            if not hasattr(each, "optimizer"):
                raise TypeError(f"{name}: scheduler {i} must be an LRScheduler, got {kind}")
            if isinstance(each, ReduceLROnPlateau):
                raise ValueError(
                    f"{name}: scheduler {i} is ReduceLROnPlateau, whose step needs a quantity: call it yourself"
                )
            optimizer = each.optimizer if optimizer is None else optimizer
            if each.optimizer is not optimizer:
                raise ValueError(f"{name}: scheduler {i}, {kind}, belongs to another optimizer")
        assert optimizer is not None
        return optimizer

    def _restart(self) -> None:
        """Let the schedulers make their first step, from the learning rates at the start."""
        raise NotImplementedError

    def _update_lr(self, epoch: int | None = None) -> None:
        """Start at step 0. SequentialLR calls this at a milestone."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self.last_epoch = 0
        self._restart()
        self._last_lr = current_lrs(self.optimizer)

    def state_dict(self) -> dict[str, Any]:
        """The state, with those of the schedulers as "_schedulers"."""
        return {**super().state_dict(), "_schedulers": [each.state_dict() for each in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state, with those of the schedulers. ValueError for another number of them."""
        states = state_dict.get("_schedulers", ()) if isinstance(state_dict, Mapping) else ()
        if len(states) != len(self._schedulers):
            raise ValueError(
                f"{type(self).__name__}: there are {len(self._schedulers)} schedulers, the loaded state has {len(states)}"
            )
        self._take(state_dict, "_schedulers")
        for scheduler, state in zip(self._schedulers, states, strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(Combined):
    """Several schedules, one after the other: each starts at its milestone.

    A schedule that starts at a milestone begins at its step 0, by its closed form where it has one.

    Args:
        optimizer: the optimizer whose learning rates change.
        schedulers: the schedules, all for this optimizer.
        milestones: the numbers of the steps at which the second, the third, ... schedule takes over.
        last_epoch: the number of the last step; -1 to start.

    Raises:
        TypeError: for what is not a schedule.
        ValueError: for no schedules, one of another optimizer, a ReduceLROnPlateau, milestones that decrease, or a number of them
            that is not one less than that of the schedules.

    >>> import xgrad as xg
    >>> from xgrad.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> warmup, decay = ConstantLR(optimizer, factor=0.25, total_iters=2), ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = SequentialLR(optimizer, [warmup, decay], milestones=[2])
    >>> lrs = []
    >>> for _ in range(5):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> lrs
    [0.25, 0.25, 1.0, 0.5, 0.25]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self.optimizer = self._checked(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} milestones, got {len(milestones)}"
            )
        if any(first > second for first, second in pairwise(milestones)):
            raise ValueError(f"SequentialLR: milestones must not decrease, got {milestones!r}")
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        # Each schedule has made its first step when it was created. All of these are undone, and the first made again.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self.recursive_undo()
        self._restart()
        self._last_lr = current_lrs(optimizer)

    def _restart(self) -> None:
        self._schedulers[bisect_right(self._milestones, 0)]._initial_step()

    def recursive_undo(self, sched: Any = None) -> None:
        """Count the step of each schedule back by one, also within schedules of schedules."""
        sched = self if sched is None else sched
        if hasattr(sched, "_schedulers"):
            for each in sched._schedulers:
                self.recursive_undo(each)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Set the next learning rates. Call it after `optimizer.step()`."""
        self.last_epoch += 1
        now = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[now]
        if now > 0 and self._milestones[now - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(Combined):
    """Several schedules that all change the learning rates at each step, in their order.

    Args:
        schedulers: the schedules, all for one optimizer.
        optimizer: the optimizer; None for that of the first schedule.

    Raises:
        TypeError: for what is not a schedule.
        ValueError: for no schedules, one of another optimizer, or a ReduceLROnPlateau.

    >>> import xgrad as xg
    >>> from xgrad.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> warmup, decay = ConstantLR(optimizer, factor=0.25, total_iters=2), ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = ChainedScheduler([warmup, decay])
    >>> lrs = []
    >>> for _ in range(4):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> lrs
    [0.25, 0.125, 0.25, 0.125]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.optimizer = self._checked(schedulers, optimizer)
        self._schedulers = list(schedulers)
        self._last_lr = current_lrs(self.optimizer)

    def _restart(self) -> None:
        for scheduler in self._schedulers:
            scheduler._initial_step()

    def step(self) -> None:  # type: ignore[override]
        """Let each schedule set the next learning rates. Call it after `optimizer.step()`."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = current_lrs(self.optimizer)
