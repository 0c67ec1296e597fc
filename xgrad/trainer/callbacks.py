"""Callbacks: what happens at certain moments of a run. Early stopping is one of them."""

from __future__ import annotations

import math
from typing import Any

from xgrad.trainer.history import is_better, is_maximized
from xgrad.trainer.training import Training


class Callback:
    """The base class of callbacks. Each method is called at the moment of its name, with the trainer.

    A callback reads `trainer.epoch` and `trainer.batch` (counted from 1), `trainer.step` (the number of steps taken),
    `trainer.loss` (of the last step, a tensor: `.item()` waits for the device), `trainer.history`, `trainer.model` and
    `trainer.optimizer`. It ends the run with `trainer.stop("why")`. An exception that it raises ends the run, and is raised by
    `fit`.

    >>> import xgrad as xg
    >>> class Short(xg.trainer.Callback):
    ...     def on_epoch_end(self, trainer):
    ...         if trainer.history["loss"][-1] < 0.1:
    ...             trainer.stop("the loss is small enough")

    Raises nothing.

    The names are those of https://lightning.ai/docs/pytorch/stable/extensions/callbacks.html
    """

    end_order = 2  # callbacks with a smaller number get `on_fit_end` earlier

    def on_fit_start(self, trainer: Training) -> None:
        """Before the first epoch. The history is that of the run that is resumed, or empty."""

    def on_epoch_start(self, trainer: Training) -> None:
        """Before the first batch of an epoch."""

    def on_batch_start(self, trainer: Training) -> None:
        """Before a step. `trainer.batch` is its number."""

    def on_batch_end(self, trainer: Training) -> None:
        """After a step, which may have taken several batches (`accumulate`). `trainer.loss` is its loss."""

    def on_epoch_end(self, trainer: Training) -> None:
        """After an epoch and its validation. `trainer.history.last` has its numbers."""

    def on_fit_end(self, trainer: Training) -> None:
        """After the last epoch, also where the run was stopped or interrupted; not after an exception."""

    def on_exception(self, trainer: Training, error: BaseException) -> None:
        """After an exception, which `fit` raises again."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback: values that JSON has, and tensors."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the state of a checkpoint."""


HOOKS = (
    "on_fit_start",
    "on_epoch_start",
    "on_batch_start",
    "on_batch_end",
    "on_epoch_end",
    "on_fit_end",
    "on_exception",
)


class Function(Callback):
    """A function of the trainer that is called at the end of each epoch."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def on_epoch_end(self, trainer: Training) -> None:
        self.function(trainer)


def as_callback(value: Any) -> Callback:
    """A callback, or a function as one. TypeError for anything else."""
    if isinstance(value, Callback):
        return value
    if callable(value) and not isinstance(value, type):
        return Function(value)
    if isinstance(value, type) and issubclass(value, Callback):
        raise TypeError(f"callbacks: {value.__name__} is a class; write {value.__name__}(...)")
    raise TypeError(f"callbacks: expected a Callback, or a function of the trainer, got {type(value).__name__}")


def overriding(callbacks: list[Callback], hook: str) -> list[Any]:
    """The methods `hook` of the callbacks that have one of their own, so that the others take no time."""
    return [
        getattr(each, hook)
        for each in callbacks
        if getattr(type(each), hook) is not getattr(Callback, hook) or hook in vars(each)
    ]


class EarlyStopping(Callback):
    """End the run when a number has not become better for some epochs, and put the best weights back.

    >>> import xgrad as xg
    >>> rng = xg.random.Generator(0)
    >>> x = rng.normal((64, 2))
    >>> model = xg.nn.Linear(2, 1, rng=rng)
    >>> stopping = xg.trainer.EarlyStopping("loss", patience=3, min_delta=1e-3)
    >>> trainer = xg.Trainer(model, xg.nn.MSELoss(), xg.optim.SGD(model.parameters(), lr=0.1), progress=False)
    >>> history = trainer.fit((x, x[:, :1]), epochs=100, callbacks=[stopping])
    >>> history.epochs < 100, stopping.stopped_epoch == history.epochs
    (True, True)

    Args:
        monitor: the column of the history that is watched; None for "val_loss", or "loss" where there is no validation.
        patience: after so many epochs without a better value, the run ends.
        min_delta: a value is better if it differs from the best by more than this.
        mode: whether the "min" or the "max" is best; "auto" is "max" for accuracy, r2 and the like, and "min" for the others.
        restore_best: whether the model gets its best weights and buffers back at the end of the run. A run that is interrupted
            keeps its last weights; the best ones are in `trainer.best`.

    Raises:
        ValueError: for a negative patience or min_delta, or an unknown mode; in `fit`, for a column that does not exist.

    Attributes: `best_value`, `best_epoch`, and `stopped_epoch`, which is None where the run was not ended by this callback.

    https://keras.io/api/callbacks/early_stopping/
    """

    end_order = 1  # after a checkpoint has the last weights

    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        if patience < 0 or not min_delta >= 0:
            raise ValueError(
                f"EarlyStopping: patience and min_delta must be 0 or more, got {patience!r}, {min_delta!r}"
            )
        is_maximized(monitor or "", mode)
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.mode, self.restore_best = mode, restore_best
        self._start()

    def _start(self) -> None:
        self.best_value, self.best_epoch = math.nan, 0
        self.waited = 0
        self.column: str | None = None  # of which these are the best
        self.stopped_epoch: int | None = None
        self.weights: dict[str, Any] | None = None

    def on_fit_start(self, trainer: Training) -> None:
        if not trainer.history.epochs:
            self._start()

    def on_epoch_end(self, trainer: Training) -> None:
        name = self.monitor or trainer.default_monitor
        if name not in trainer.history:
            names = ", ".join(trainer.history)
            raise ValueError(f"EarlyStopping: there is no {name!r} in the history, which has {names}")
        if self.column != name:  # also where a run is resumed that monitored another one
            self._start()
            self.column = name
        value = trainer.history[name][-1]
        if is_better(name, value, self.best_value, self.mode, self.min_delta):
            self.best_value, self.best_epoch, self.waited = value, trainer.epoch, 0
            if self.restore_best:
                self.weights = trainer.model.state_dict()
            return
        self.waited += 1
        if self.waited >= max(1, self.patience):
            self.stopped_epoch = trainer.epoch
            trainer.stop(
                f"{name} was best in epoch {self.best_epoch} ({self.best_value:.4g}), and not better in the "
                f"{self.waited} epochs since"
            )

    def on_fit_end(self, trainer: Training) -> None:
        if self.weights is not None and trainer.interrupted_by is None:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        names = ("best_value", "best_epoch", "waited", "weights", "column")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
