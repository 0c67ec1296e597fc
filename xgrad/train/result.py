"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xgrad.train.bundle import Bundle
from xgrad.trainer import History, Trainer


@dataclass
class Trained:
    """The result of a run: `train` gives it.

    >>> from xgrad.train import Trained
    >>> def accuracy(run: Trained) -> float:
    ...     return run.numbers["validation"]["accuracy"]

    Args:
        folder: where its files are.
        bundle: the model, and what a prediction needs.
        trainer: with the history, the report of the diagnosis, and the best epoch.
        numbers: the best epoch, and the loss and metrics for each part of the samples.
        written: the names of the files in the folder that were written.
        unwritten: why others were not, by their names.
        interrupted_by: the number of the signal that ended the run, or None.
        fault: what ended the run before its end, or None.

    Raises nothing.

    https://toml.io/en/v1.0.0 is what a config is written in.
    """

    folder: Path
    bundle: Bundle
    trainer: Trainer
    numbers: dict[str, Any]
    written: list[str] = field(default_factory=list)
    unwritten: dict[str, str] = field(default_factory=dict)
    interrupted_by: int | None = None
    fault: str | None = None

    @property
    def history(self) -> History:
        """The history of the run."""
        return self.trainer.history
