"""The base class of schedules: when the learning rates change, who is warned, and what is saved."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from copy import copy
from typing import Any

from xgrad.optim.lr_scheduler.groups import checked_optimizer, current_lrs, set_lrs
from xgrad.optim.optimizer import Optimizer

STEP_BEFORE = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first learning rate of the schedule is skipped. "
    "Call optimizer.step() first. See https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)
EPOCH_IS_DEPRECATED = (
    "The epoch parameter in `scheduler.step()` is deprecated in PyTorch: call step() without arguments. With an epoch, "
    "the learning rates come from the closed form of the schedule where it has one."
)
GET_LR_OUTSIDE = "`get_lr()` computes the next learning rates; use `get_last_lr()` for those that step() has set."


class LRScheduler:
    """The base class of learning rate schedules. A new schedule is a class with `get_lr`.

    `get_lr()` returns the next learning rate of each group, computed from the current ones, so that several schedules can change
    the same optimizer in turn. It may read `self.last_epoch`, the number of the step that it is computed for: 0, 1, 2, ...;
    `self.base_lrs`, the learning rates at the start; and `self.optimizer`. In the step that is made on creation,
    `self._is_initial` is True.

    A schedule with a closed form may give it as `_get_closed_form_lr()`. `step(epoch)` and `SequentialLR` use it.

    A group's learning rate at the start is its "initial_lr". The optimizer's state_dict has it.

    Args:
        optimizer: the optimizer whose learning rates change.
        last_epoch: the number of the last step, to go on from there; -1 to start.

    Raises:
        TypeError: for what is not an Optimizer of xgrad.
        KeyError: for a `last_epoch` other than -1, where a group has no "initial_lr".

    >>> import xgrad as xg
    >>> class InverseRoot(xg.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / (1 + self.last_epoch) ** 0.5 for lr in self.base_lrs]
    >>> optimizer = xg.optim.SGD([xg.asarray([1.0], requires_grad=True)], lr=1.0)
    >>> scheduler = InverseRoot(optimizer)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LRScheduler.html
    """

    # PyTorch's names: schedules that are written for it read them.
    optimizer: Optimizer
    base_lrs: list[float]
    last_epoch: int
    _last_lr: list[float]
    _step_count: int
    _is_initial = False
    _get_lr_called_within_step = False

    not_saved = frozenset({"optimizer", "_is_initial", "_get_lr_called_within_step"})

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        self.optimizer = checked_optimizer(name, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{name}: param group {i} has no 'initial_lr', which last_epoch={last_epoch} needs: load the optimizer's "
                    "state first, or start with last_epoch=-1"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the learning rates of the first step."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[float]:
        """The next learning rate of each group, from the current ones. NotImplementedError in this base class."""
        raise NotImplementedError(
            f"{type(self).__name__} defines get_lr(), which returns the learning rate of each group"
        )

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group that the last step has set."""
        return list(self._last_lr)

    def step(self, epoch: int | None = None) -> None:
        """Set the next learning rates. Call it after `optimizer.step()`.

        Args:
            epoch: the number of the step to go to. It is deprecated in PyTorch. None is the next one.

        Warns:
            UserWarning: before the first `optimizer.step()`, and for an epoch.
        """
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(STEP_BEFORE, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_IS_DEPRECATED, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        """Go to the next step by `get_lr`, or to the step `epoch` by the closed form."""
        self._follow_groups()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed_form = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._set(closed_form or self.get_lr)

    def _set(self, lrs: Any) -> None:
        self._get_lr_called_within_step = True
        try:
            set_lrs(self.optimizer, lrs())
        finally:
            self._get_lr_called_within_step = False
        self._last_lr = current_lrs(self.optimizer)

    def _follow_groups(self) -> None:
        """Take up the groups that the optimizer has got since."""
        for group in self.optimizer.param_groups[len(self.base_lrs) :]:
            self.base_lrs.append(group.setdefault("initial_lr", group["lr"]))

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(GET_LR_OUTSIDE, UserWarning, stacklevel=3)

    def state_dict(self) -> dict[str, Any]:
        """The state, by the names of the attributes: numbers, and lists and dicts of numbers. The optimizer has its own."""
        return {name: copy(value) for name, value in vars(self).items() if name not in self.not_saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` returned, here or in PyTorch. Load the optimizer's state too: it has the learning rates.

        Raises ValueError for a state that lacks an entry. Then nothing has changed.
        """
        self._take(state_dict)

    def _take(self, state: Mapping[str, Any], *apart: str) -> None:
        """Take over a state but for the entries `apart`, which it must have too."""
        name = type(self).__name__
        if not isinstance(state, Mapping):
            raise ValueError(f"{name}: a loaded state is a dict, got {type(state).__name__}")
        missing = [each for each in (*self.state_dict(), *apart) if each not in state]
        if missing:
            raise ValueError(f"{name}: the loaded state lacks {', '.join(missing)}: is it the state of another class?")
        taken = {k: copy(v) for k, v in state.items() if k not in self.not_saved and k not in apart}
        wrong = [
            k
            for k, v in taken.items()
            if callable(getattr(type(self), str(k), None)) or not _fits(vars(self).get(k), v)
        ]
        groups = len(self.optimizer.param_groups)
        if wrong:
            raise ValueError(f"{name}: the loaded state has something else as {wrong[0]}, {taken[wrong[0]]!r:.60}")
        if len(taken.get("base_lrs", ())) > groups:
            raise ValueError(
                f"{name}: the optimizer has {groups} param groups, the loaded state {len(taken['base_lrs'])}"
            )
        vars(self).update(taken)


def _fits(own: Any, loaded: Any) -> bool:
    """Whether a loaded value can take the place of a schedule's own: a list that of a list, and a number that of a number."""
    if isinstance(own, list):
        return isinstance(loaded, list | tuple)
    is_number = isinstance(own, int | float) and not isinstance(own, bool)
    return not is_number or isinstance(loaded, int | float) or hasattr(loaded, "item")


class FormulaLR(LRScheduler):
    """A schedule by a formula for one group: from the current learning rate, and in closed form from the one at the start."""

    def _next(self, lr: float, base_lr: float) -> float:
        """The learning rate of step `last_epoch`, from the current one and the one at the start."""
        raise NotImplementedError

    def _closed(self, base_lr: float) -> float:
        """The learning rate of step `last_epoch`, from the one at the start."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """The next learning rate of each group, from the current ones."""
        self._warn_outside_step()
        return [self._next(lr, base) for lr, base in zip(current_lrs(self.optimizer), self.base_lrs, strict=True)]

    def _get_closed_form_lr(self) -> list[float]:
        return [self._closed(base) for base in self.base_lrs]
