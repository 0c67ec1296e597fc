"""A schedule that goes up and down between two learning rates, again and again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from xgrad.optim.lr_scheduler.functions import load_function, saved_function
from xgrad.optim.lr_scheduler.groups import Momentums, checked_optimizer, of_each_group, one_of
from xgrad.optim.lr_scheduler.scheduler import LRScheduler
from xgrad.optim.optimizer import Optimizer

# The height of a cycle, by mode: what its number is called, and a function of it and of gamma.
MODES: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "triangular": ("cycle", lambda cycle, gamma: 1.0),
    "triangular2": ("cycle", lambda cycle, gamma: 1 / 2.0 ** (cycle - 1)),
    "exp_range": ("iterations", lambda iteration, gamma: gamma**iteration),
}


class CyclicLR(LRScheduler):
    """The learning rate goes up from `base_lr` to `max_lr` and down again along straight lines, in cycles.

    With `cycle_momentum`, the momentum (or the first of the optimizer's `betas`) goes the other way, from `max_momentum` down to
    `base_momentum` and up again.

    Smith, https://arxiv.org/abs/1506.01186.

    Args:
        optimizer: the optimizer whose learning rates change.
        base_lr: the lowest learning rate, or a list with one for each group.
        max_lr: the highest learning rate of the first cycle, or a list with one for each group.
        step_size_up: the number of steps up.
        step_size_down: the number of steps down; None for as many.
        mode: the heights of the cycles: "triangular" for all the same, "triangular2" for half at each new cycle, "exp_range" for
            gamma ** t at step t.
        gamma: the number of "exp_range".
        scale_fn: a function that gives the height, instead of a mode.
        scale_mode: what `scale_fn` is a function of: "cycle" for the number of the cycle, from 1 on, "iterations" for that of
            the step.
        cycle_momentum: whether the momentum cycles too.
        base_momentum: the lowest momentum, or a list with one for each group.
        max_momentum: the highest momentum, or a list with one for each group.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        ValueError: for an unknown mode, a list of another length than there are groups, steps that are not more than 0, or with
            `cycle_momentum` an optimizer that has no momentum.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0, momentum=0.9)
    >>> scheduler = xg.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> lrs = []
    >>> for _ in range(5):
    ...     lrs += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> lrs
    [0.0, 0.5, 1.0, 0.5, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html
    """

    not_saved = LRScheduler.not_saved | {"_momentums", "_scale_fn_custom", "_scale_fn_ref"}

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        name = "CyclicLR"
        self.optimizer = checked_optimizer(name, optimizer)
        down = step_size_up if step_size_down is None else step_size_down
        if not (step_size_up > 0 and down > 0):
            raise ValueError(
                f"{name}: step_size_up and step_size_down must be more than 0, got {step_size_up!r}, {down!r}"
            )
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode = one_of(name, "mode", mode, MODES) if scale_fn is None else mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        own_scale = MODES[mode][0] if scale_fn is None else scale_mode
        self.scale_mode = one_of(name, "scale_mode", own_scale, ("cycle", "iterations"))
        base_lrs = of_each_group(name, "base_lr", optimizer, base_lr)
        self.max_lrs = of_each_group(name, "max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._momentums = Momentums(name, optimizer)
            self.use_beta1 = self._momentums.use_beta1
            self.base_momentums = of_each_group(name, "base_momentum", optimizer, base_momentum)
            self.max_momentums = of_each_group(name, "max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                group["lr"] = lr
            if cycle_momentum:
                self._momentums.start(self.base_momentums, self.max_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of the cycle x, or (`scale_mode` "iterations") at step x, beside that of the first."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return MODES[self.mode][1](x, self.gamma)

    def get_lr(self) -> list[float]:
        """The learning rate of each group. Sets the momentums too."""
        self._warn_outside_step()
        position = self.last_epoch / self.total_size
        cycle = math.floor(1 + position)
        share = 1.0 + position - cycle  # of this cycle
        rising = share <= self.step_ratio
        height = share / self.step_ratio if rising else (share - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums, strict=True)
            self._momentums.set(high - (high - low) * height * scale for low, high in bounds)
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """The state. Of a `scale_fn` that is an object, its attributes are saved; of a function, None."""
        return {**super().state_dict(), "_scale_fn_custom": saved_function(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state. `scale_fn` is the one that this schedule was made with."""
        self._take(state_dict, "_scale_fn_custom")
        load_function(self._scale_fn_custom, state_dict["_scale_fn_custom"])
