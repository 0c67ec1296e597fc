"""What a trainer is made of, and where its run is: the part of it that steps, callbacks and checkpoints use."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import xgrad as xg
from xgrad import amp, nn, optim
from xgrad.diagnose.keeping import Kept
from xgrad.trainer.batches import mean_loss
from xgrad.trainer.history import History


def in_precision(precision: str | None) -> AbstractContextManager[Any]:
    """A block in which the model and the loss are computed in that precision; None changes nothing."""
    if precision is None:
        return nullcontext()
    return amp.autocast(enabled=False) if precision == "float32" else amp.autocast(precision)


class Training:
    """The parts and options of a `Trainer`, and where its run is. The arguments are described there."""

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[..., Any] | None,
        optimizer: optim.Optimizer,
        *,
        scheduler: Any,
        scheduler_interval: str,
        clip_grad_norm: float | None,
        clip_grad_value: float | None,
        accumulate: int,
        compile: bool,
        diagnose: bool,
        nonfinite: str,
        precision: str | None,
    ) -> None:
        self.model, self.loss_function, self.optimizer = model, loss, optimizer
        self.scheduler, self.scheduler_interval = scheduler, scheduler_interval
        self.clip_grad_norm, self.clip_grad_value, self.accumulate = clip_grad_norm, clip_grad_value, accumulate
        self.compile, self.diagnose, self.nonfinite = compile, diagnose, nonfinite
        self.precision = precision
        self.scaler = amp.GradScaler(enabled=precision == "float16")
        self.has_own_loss = type(self).compute_loss is not Training.compute_loss or loss is None
        self.report: Any = None  # a diagnose.Report
        self.programs: dict[Any, Any] = {}  # compiled steps, which a later run finds again
        self._start()

    def _start(self) -> None:
        """Forget the last run."""
        self.history = History()
        self.best: Any = None  # a dict
        self.step = self.epoch = self.batch = self.skipped = 0
        self.batches: int | None = None  # in an epoch
        self.is_within_epoch = False
        self.logged: dict[str, float] = {}  # of this epoch, by `log`
        self.should_stop = False
        self.stopped_because: str | None = None
        self.interrupted_by: int | None = None
        self.of_step: tuple[list[Any], list[Any]] = ([], [])  # the losses and the batches of the last step
        self.default_monitor = "loss"
        self.run: Any = None  # the Run of the last fit

    def compute_loss(self, batch: tuple[Any, ...]) -> Any:
        """The loss of a batch: one number. Override this for a loss that is not `loss(model(*inputs), target)`.

        Return the loss, or the loss and the model's output, which metrics need.
        """
        return self.loss_and_output(batch)

    def loss_and_output(self, batch: tuple[Any, ...], loss: Callable[..., Any] | None = None) -> tuple[Any, Any]:
        """The loss of a batch, and the model's output, or None where it is not known."""
        with in_precision(self.precision):
            return self._loss_and_output(batch, loss)

    def _loss_and_output(self, batch: tuple[Any, ...], loss: Callable[..., Any] | None) -> tuple[Any, Any]:
        if self.has_own_loss:
            found = self.model(*batch) if type(self).compute_loss is Training.compute_loss else self.compute_loss(batch)
            return found if isinstance(found, tuple) else (found, None)
        if len(batch) < 2:
            raise ValueError(
                "a batch has one part, and the loss needs two, the input and the target: give (x, y); to reconstruct x, (x, x)"
            )
        output = self.model(*batch[:-1])
        assert self.loss_function is not None
        return (loss or self.loss_function)(output, batch[-1]), output

    def stop(self, because: str = "") -> None:
        """End the run after this step, or after this epoch if it is called at its end."""
        self.should_stop = True
        self.stopped_because = because

    def log(self, name: str, value: float) -> None:
        """Put a number into the history, in the row of this epoch. A callback may monitor such a column.

        `Checkpoint` and `EarlyStopping` see it if it is logged before them: in `on_batch_end`, or by an earlier callback.
        """
        if self.is_within_epoch:
            self.logged[name] = float(value)
        else:
            self.history.set_last(name, value)
            if self.run is not None:
                self.run.keep_best()

    @property
    def loss(self) -> Any:
        """The loss of the last step, a 0-d tensor without a graph. RuntimeError before the first step."""
        losses, batches = self.of_step
        if not losses:
            raise RuntimeError("Trainer.loss: no step has been taken yet")
        with xg.no_grad():
            return mean_loss([loss.detach() for loss in losses], batches)

    @property
    def lr(self) -> float:
        """The learning rate of the first parameter group; nan for an optimizer that has none."""
        return float(self.optimizer.param_groups[0].get("lr", float("nan")))

    # --- for the loop ---

    @contextmanager
    def on_its_backend(self) -> Iterator[None]:
        """In this block, new tensors are on the backend and device of the model."""
        first = next(iter(self.model.parameters()), None)
        if first is None or first.backend is xg.get_backend():
            yield
            return
        with xg.use_backend(first.backend):
            yield

    @contextmanager
    def undone(self) -> Iterator[None]:
        """At the end of this block, buffers and random generators are as at its start."""
        kept = Kept(self.model)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            kept.restore()
