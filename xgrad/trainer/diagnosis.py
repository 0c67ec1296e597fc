"""The diagnosis on board: xgrad.diagnose watches the steps in which it looks at the layers, and gets the losses of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xgrad import diagnose
from xgrad.trainer.sums import Sums
from xgrad.trainer.training import Training

if TYPE_CHECKING:
    from xgrad.diagnose.anomaly import Anomaly

ROWS = 2048  # samples that the rules see


class Diagnosis:
    """Watches a run. Only the steps that are `due` are watched; the others cost nothing but the reading of their losses."""

    def __init__(self, trainer: Training, data: tuple[Any, Any] | None) -> None:
        x, y = data or (None, None)
        self.watch = diagnose.watch(trainer.model, trainer.optimizer, loss=trainer.loss_function, x=x, y=y)
        self.losses = Sums()  # of the steps that were not watched, until they are read
        self.next = 0  # the next step that is due
        self.steps = 0
        self.watching = True

    def before(self) -> bool:
        """Whether the step that follows is watched."""
        if self.steps < self.next:
            if self.watching:
                self.watching = False
                self.watch.pause()
            return False
        self._tell()
        self.watching = True
        self.watch.resume()
        return True

    def after(self, loss: Any) -> None:
        """Count a step, of which this is the loss."""
        if not self.watching:
            self.losses.add(loss)
            self.steps += 1
            return
        self.watch.step(loss)
        self.steps += 1
        self.next = self.steps
        while not self.watch.looks_at(self.next):
            self.next += 1

    def _tell(self) -> None:
        """Pass on the losses of the steps that were not watched."""
        self.watch.pause()
        for loss, _ in self.losses.read():
            self.watch.passed(loss)
        self.losses.clear()

    def broken(self, anomaly: Anomaly | None) -> None:
        """Take in what made the value that ended the run."""
        self._tell()
        if anomaly is not None:
            self.watch.found(anomaly)

    def report(self) -> diagnose.Report:
        """The report so far. The run may go on."""
        self._tell()
        return self.watch.report()

    def close(self) -> None:
        """Take the hooks away from the model and the optimizer."""
        self.watch.close()


def samples_of(loader: Any) -> tuple[Any, Any] | None:
    """Some inputs and targets of a loader of arrays, for the rules; None for other data."""
    tensors = getattr(getattr(loader, "dataset", None), "tensors", None)
    if tensors is None or len(tensors) != 2:
        return None
    every = -(-tensors[0].shape[0] // ROWS)
    return tensors[0][::every], tensors[1][::every]
