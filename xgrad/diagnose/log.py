"""Writing the numbers of a watched run, with the loggers of `xgrad.trainer` or a function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad._words import one_line
from xgrad.diagnose.gradients import Gradients
from xgrad.diagnose.look import Look
from xgrad.diagnose.run import Run

Row = dict[str, float]


class Log:
    """Writes a row of numbers for each step at which the watcher looks at the layers.

    It stands in the place of the trainer for the loggers of `xgrad.trainer`, which read what it has: the history, the step and
    the loss. They are imported by name, since the trainer stands above the diagnosis. A logger that cannot write ends no
    training: the report says so.
    """

    def __init__(self, run: Run, to: Any) -> None:
        self.model, self.optimizer = run.model, run.optimizer
        self.history = import_module("xgrad.trainer.history").History(unit="step")
        self.step = 0
        self.fault = ""
        self.losses: list[float] = []  # since the last row
        self.waiting: Row | None = None  # a row that still lacks its loss
        self.functions: list[Callable[[Row], Any]] = []
        self.loggers: list[Any] = []
        for each in to if isinstance(to, Sequence) and not isinstance(to, str) else [to]:
            self._add(each)
        for logger in self.loggers:  # where it cannot write, this says so before the training
            logger.on_fit_start(self)
            logger.on_epoch_end(self)

    def _add(self, to: Any) -> None:
        if isinstance(to, str | Path):
            made = import_module("xgrad.trainer.logs")
            is_csv = str(to).endswith(".csv")
            self.loggers.append(made.CSVLog(to) if is_csv else made.TensorBoard(to, every_steps=None))
        elif hasattr(to, "on_epoch_end") and not isinstance(to, type):
            self.loggers.append(to)
        elif callable(to) and not isinstance(to, type):
            self.functions.append(to)
        else:
            raise TypeError(
                "watch(log): expected the name of a .csv file, the folder of a TensorBoard, a logger of xgrad.trainer, or a "
                f"function of a row of numbers, got {type(to).__name__}"
            )

    @property
    def epoch(self) -> int:
        """What the loggers count rows by: the number of the step."""
        return self.history.numbers[-1] if self.history.numbers else 0

    @property
    def loss(self) -> xg.Tensor:
        """The last loss."""
        loss: xg.Tensor = xg.asarray(self.losses[-1] if self.losses else math.nan)
        return loss

    # --- what the watcher calls ---

    def looked(self, run: Run, step: int, here: Gradients, look: Look | None) -> None:
        """Begin a row: what was seen before the update of a step."""
        shown = [] if look is None else look.activities
        self.waiting = {
            "step": step,
            "lr": run.rate if run.optimizer is not None else math.nan,
            "grad_norm": math.hypot(*(here.norm(place) for place in range(len(here.squares)))),
            "dead_units": max((a.dead_units for a in shown), default=math.nan),
            "saturated": max((a.flat for a in shown), default=math.nan),
            "findings": len(run.found),
        }

    def passed(self, loss: float) -> None:
        """Take in the loss of a step, and write the row that waits for it."""
        self.step += 1
        self.losses.append(loss)
        for logger in self.loggers:
            self._write(logger.on_batch_end, self)
        if self.waiting is None:
            return
        row = {"step": self.waiting.pop("step"), "loss": sum(self.losses) / len(self.losses), **self.waiting}
        self.history.add({name: value for name, value in row.items() if name != "step"}, int(row["step"]))
        for logger in self.loggers:
            self._write(logger.on_epoch_end, self)
        for function in self.functions:
            self._write(function, row)
        self.losses, self.waiting = [], None

    def close(self) -> None:
        """Close the files."""
        for logger in self.loggers:
            self._write(logger.on_fit_end, self)

    def _write(self, write: Callable[[Any], Any], what: Any) -> None:
        try:
            write(what)
        except OSError as error:
            self.fault = f"was not written: {one_line(error.strerror or str(error))}"
