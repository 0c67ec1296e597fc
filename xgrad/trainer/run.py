"""One run of `fit`: its epochs, its steps, and its end."""

from __future__ import annotations

import contextlib
import warnings
from time import perf_counter
from typing import Any

import xgrad as xg
from xgrad._interrupt import Ending, ending
from xgrad.diagnose.hooks import needs_closure
from xgrad.diagnose.keeping import Modes
from xgrad.optim import lr_scheduler
from xgrad.trainer.batches import OnBackend, batch_length, groups, mean_loss
from xgrad.trainer.callbacks import HOOKS, Callback, overriding
from xgrad.trainer.checks import check_loss, checked
from xgrad.trainer.diagnosis import Diagnosis, samples_of
from xgrad.trainer.finite import NonFiniteError, error_of
from xgrad.trainer.history import is_better
from xgrad.trainer.metrics import Metric, update_all
from xgrad.trainer.predicting import evaluate
from xgrad.trainer.progress import Quiet
from xgrad.trainer.steps import Step, step_of
from xgrad.trainer.sums import Sums
from xgrad.trainer.training import Training

NUMPYS_WARNINGS = r"(overflow|underflow|invalid value|divide by zero) encountered"


class Run:
    """The epochs of one call of `fit`. What callbacks may read is in the trainer; what the loop needs is here.

    Args:
        trainer: whose model is trained.
        loader: gives the batches of an epoch when it is iterated.
        validation: the same for validation, or None.
        metrics: are computed in training and in validation.
        callbacks: are called at their moments.
        progress: shows how far the run is.
    """

    def __init__(
        self,
        trainer: Training,
        loader: Any,
        validation: Any,
        metrics: list[Metric],
        callbacks: list[Callback],
        progress: Quiet,
    ) -> None:
        self.trainer, self.loader, self.validation = trainer, loader, validation
        self.metrics, self.callbacks, self.progress = metrics, callbacks, progress
        watching = [each for each in callbacks if getattr(each, "monitor", None) == trainer.default_monitor]
        self.mode = next((getattr(each, "mode", "auto") for each in watching), "auto")
        self.losses = Sums()
        self.place = OnBackend(trainer.model)
        self.hooks = {hook: overriding(callbacks, hook) for hook in HOOKS}
        self.eager = step_of(trainer, bool(metrics), compiled=False)
        self.compiled = self._compiled(bool(metrics)) if trainer.compile else None
        self.diagnosis: Diagnosis | None = None
        self.to_skip = 0  # batches of the first epoch that a run before this one has used
        self.seconds = 0.0  # that a run before this one has spent in the first epoch
        self.is_checked = False

    def _compiled(self, wants_outputs: bool) -> Step:
        """The step as programs. A later run of the same options finds them again."""
        trainer = self.trainer
        key = (wants_outputs, trainer.clip_grad_norm, trainer.clip_grad_value, trainer.nonfinite)
        if key not in trainer.programs:
            trainer.programs[key] = step_of(trainer, wants_outputs, compiled=True)
        found: Step = trainer.programs[key]
        return found

    # --- the run ---

    def go(self, epochs: int) -> None:
        """Train up to so many epochs."""
        trainer = self.trainer
        modes = Modes(trainer.model)
        with ending() as asked, warnings.catch_warnings(), contextlib.ExitStack() as stack:
            if (
                trainer.nonfinite != "ignore" or trainer.scaler.is_enabled()
            ):  # they are reported, with their place or the scale
                warnings.filterwarnings("ignore", NUMPYS_WARNINGS, RuntimeWarning)
            stack.callback(modes.restore)
            if not trainer.model.training:
                trainer.model.train()
            stack.callback(self.progress.close)
            try:
                if trainer.diagnose and not needs_closure(trainer.optimizer) and not trainer.scaler.is_enabled():
                    samples = None if trainer.has_own_loss else samples_of(self.loader)
                    self.diagnosis = Diagnosis(trainer, samples)
                    stack.callback(self.diagnosis.close)
                self.call("on_fit_start")
                self.progress.start(trainer, epochs)
                for epoch in range(trainer.history.epochs + 1, epochs + 1):
                    if trainer.should_stop or not self.epoch(epoch, asked):
                        break
                trainer.interrupted_by = asked.number
                asked.saving = True  # a second signal does not stop what follows
                self.report()
                self.call("on_fit_end")
            except BaseException as error:
                trainer.interrupted_by = asked.number
                for hook in self.hooks["on_exception"]:
                    hook(trainer, error)
                raise

    def call(self, hook: str) -> None:
        """Call a method of every callback."""
        methods = self.hooks[hook]
        if hook == "on_fit_end":
            methods = sorted(methods, key=lambda method: method.__self__.end_order)
        for method in methods:
            method(self.trainer)

    def report(self) -> None:
        """Make the report of the diagnosis, and show what it has found."""
        if self.diagnosis is not None:
            report = self.trainer.report = self.diagnosis.report()
            self.progress.close()
            if report.findings:
                self.progress.say("\n".join(map(str, report.findings)))

    # --- an epoch ---

    def epoch(self, epoch: int, asked: Ending) -> bool:
        """Train for an epoch. False if it was interrupted before its end."""
        trainer = self.trainer
        trainer.epoch, trainer.batch = epoch, self.to_skip
        if not self.to_skip:
            self.losses.clear()
            for metric in self.metrics:
                metric.reset()
            trainer.logged = {}
        self.call("on_epoch_start")
        began, lr = perf_counter() - self.seconds, trainer.lr
        self.began = began
        if not self.steps(asked):
            return False
        trainer.is_within_epoch = False
        self.to_skip, self.seconds = 0, 0.0
        row = {"loss": self.losses.mean(), **{metric.name: metric.compute() for metric in self.metrics}}
        if self.validation is not None:
            found = evaluate(trainer, self.validation, self.metrics)
            row.update({f"val_{name}": value for name, value in found.items()})
        row.update(**trainer.logged, lr=lr, seconds=perf_counter() - began)
        trainer.history.add(row)
        self.keep_best()
        self.schedule_epoch()
        self.call("on_epoch_end")
        self.progress.epoch(trainer)
        return not asked() and not trainer.should_stop

    def steps(self, asked: Ending) -> bool:
        """Take the steps of an epoch. False if a signal, or a callback, ended it before its last batch."""
        trainer, place, size = self.trainer, self.place, self.trainer.accumulate
        starts, ends, shows = self.hooks["on_batch_start"], self.hooks["on_batch_end"], self.progress.every_step
        by_step = trainer.scheduler is not None and trainer.scheduler_interval == "step"
        loader = iter(self.loader)
        if self.to_skip and not hasattr(self.loader, "load_state_dict"):
            for _ in zip(range(self.to_skip), loader, strict=False):
                pass
        trainer.is_within_epoch = True
        for group in groups(loader, size) if size > 1 else ([batch] for batch in loader):
            batches = [place(batch) for batch in group]
            trainer.batch += len(group)
            for hook in starts:
                hook(trainer)
            if self.step(batches):
                trainer.step += 1
                if by_step:
                    trainer.scheduler.step()
                for hook in ends:
                    hook(trainer)
                if shows:
                    self.progress.step(trainer)
            # Here, before the next batch is taken from the loader. After the last batch, the epoch is completed.
            if (asked() or trainer.should_stop) and trainer.batch != trainer.batches:
                return False
        if trainer.batch == 0:
            raise ValueError(
                "fit: the data gave no batches. Either there are fewer samples than batch_size and drop_last leaves them out, or "
                "the data is an iterator, which is exhausted after one epoch: give arrays, a Dataset, a DataLoader or a list"
            )
        if not self.losses.counts:
            raise NonFiniteError(
                f"no batch of epoch {trainer.epoch} had a finite loss and finite gradients: all were skipped",
                trainer.step, trainer.epoch, trainer.batch, None,
            )  # fmt: skip
        return True

    def step(self, batches: list[tuple[Any, ...]]) -> bool:
        """Take a step. False if it was skipped because a value is not finite."""
        trainer = self.trainer
        if not self.is_checked:
            self.check(batches[0])
        watched = self.diagnosis is not None and self.diagnosis.before()
        step = self.compiled if self.compiled is not None and not watched else self.eager
        if not step.take(batches):
            self.broken(batches, step.losses)
            return False
        if step.overflowed:
            trainer.skipped += len(batches)
            if trainer.scaler.get_scale() < 1 and trainer.nonfinite == "stop":  # no scale is small enough
                self.broken(batches, step.losses)
        losses = step.losses
        trainer.of_step = (losses, batches)
        for loss, batch in zip(losses, batches, strict=True):
            self.losses.add(loss, batch_length(batch))
        if self.diagnosis is not None:
            self.diagnosis.after(losses[0] if len(losses) == 1 else mean_loss(losses, batches))
        if self.metrics:
            with xg.no_grad():
                for output, batch in zip(step.outputs, batches, strict=True):
                    update_all(self.metrics, output, batch[-1])
        return True

    def check(self, batch: tuple[Any, ...]) -> None:
        """Compute the loss of the first batch once, to find out whether it is one number and whether shapes fit."""
        trainer = self.trainer
        self.is_checked = True
        with trainer.undone(), checked(trainer.loss_function) as loss_function:
            loss, _ = trainer.loss_and_output(batch, loss_function)
            check_loss(loss)

    def broken(self, batches: list[tuple[Any, ...]], losses: list[Any]) -> None:
        """A value is not finite: stop the run, or skip the batches."""
        trainer = self.trainer
        if trainer.nonfinite == "skip":
            trainer.skipped += len(batches)
            if trainer.skipped == len(batches):
                warnings.warn(
                    f"step {trainer.step} (epoch {trainer.epoch}, batch {trainer.batch}): a loss or a gradient is not finite; "
                    "the batch is skipped, as later ones will be without a warning: trainer.skipped counts them",
                    stacklevel=6,
                )
            trainer.optimizer.zero_grad()
            return
        if self.diagnosis is not None:
            self.diagnosis.watch.pause()
        error = error_of(trainer, mean_loss(losses, batches), batches)
        if self.diagnosis is not None:
            self.diagnosis.broken(error.anomaly)
            self.report()
        trainer.optimizer.zero_grad()
        raise error

    # --- the end of an epoch ---

    def keep_best(self) -> None:
        """Keep the weights if this epoch was the best so far."""
        trainer = self.trainer
        name = trainer.default_monitor
        if name not in trainer.history:
            return
        value, best = trainer.history[name][-1], trainer.best
        if best is None or best["monitor"] != name or is_better(name, value, best["value"], self.mode):
            trainer.best = {
                "epoch": trainer.epoch,
                "monitor": name,
                "value": value,
                "model": trainer.model.state_dict(),
            }

    def schedule_epoch(self) -> None:
        """Let the schedule set the learning rates of the next epoch."""
        trainer = self.trainer
        if trainer.scheduler is None or trainer.scheduler_interval != "epoch":
            return
        if isinstance(trainer.scheduler, lr_scheduler.ReduceLROnPlateau):
            trainer.scheduler.step(trainer.history[trainer.default_monitor][-1])
        else:
            trainer.scheduler.step()

    # --- saving ---

    def state_dict(self) -> dict[str, Any]:
        """Where the run is, as values that JSON has."""
        trainer = self.trainer
        within = trainer.is_within_epoch
        return {
            "epochs": trainer.history.epochs,
            "batch": trainer.batch if within else 0,
            "step": trainer.step,
            "skipped": trainer.skipped,
            "seconds": perf_counter() - self.began if within else 0.0,
            "history": dict(trainer.history),
            "logged": dict(trainer.logged) if within else {},
            "losses": self.losses.state_dict() if within else None,
            "metrics": {metric.name: metric.sums.state_dict() for metric in self.metrics} if within else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where the state says."""
        self.to_skip, self.seconds = state["batch"], state["seconds"]
        self.trainer.logged = dict(state["logged"])
        if state["losses"] is not None:
            self.losses.load_state_dict(state["losses"])
            for metric in self.metrics:
                metric.sums.load_state_dict(state["metrics"][metric.name])
