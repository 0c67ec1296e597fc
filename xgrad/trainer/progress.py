"""What a run shows while it trains: a progress bar on a terminal, and a line for each epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from xgrad._streams import Forgiving, complain
from xgrad.trainer.training import Training

INTERVAL = 0.1  # seconds between two updates of the bar; each reads a loss, which waits for the device
PAUSE = 1.0  # seconds between two lines, except the first and the last


class Quiet:
    """Shows nothing. The base class of the others."""

    every_step = False  # whether `step` wants to be called

    def start(self, trainer: Training, epochs: int) -> None:
        """Before the first epoch."""

    def step(self, trainer: Training) -> None:
        """After a step."""

    def epoch(self, trainer: Training) -> None:
        """After an epoch."""

    def close(self) -> None:
        """At the end, also after an error."""

    def say(self, text: str) -> None:
        """Show a text."""


class Lines(Quiet):
    """A line for each epoch, but at most one a second."""

    def start(self, trainer: Training, epochs: int) -> None:
        self.epochs, self.said_at = epochs, -PAUSE

    def epoch(self, trainer: Training) -> None:
        now = perf_counter()
        if now - self.said_at >= PAUSE or trainer.epoch == self.epochs or trainer.should_stop:
            self.said_at = now
            self.say(f"epoch {trainer.epoch}/{self.epochs}: {shown(trainer.history.last)}")

    def say(self, text: str) -> None:
        complain(text)


class Bar(Quiet):
    """A bar of tqdm over all steps, with the epoch, the loss, and the numbers of the last epoch."""

    every_step = True

    def __init__(self, tqdm: Any) -> None:
        self.tqdm = tqdm
        self.bar: Any = None
        self.unseen, self.shown_at, self.last = 0, perf_counter(), ""

    def start(self, trainer: Training, epochs: int) -> None:
        count = trainer.batches
        total = None if count is None else epochs * -(-count // trainer.accumulate)
        self.bar = self.tqdm(
            total=total, unit="step", dynamic_ncols=True, file=Forgiving(sys.stderr), initial=trainer.step
        )
        self.epochs = epochs

    def step(self, trainer: Training) -> None:
        self.unseen += 1
        now = perf_counter()
        if now - self.shown_at >= INTERVAL:
            self.shown_at = now
            self._show(trainer, f"loss {trainer.loss.item():.4g}")

    def epoch(self, trainer: Training) -> None:
        self.last = shown(
            {name: value for name, value in trainer.history.last.items() if name not in ("lr", "seconds")}
        )
        self._show(trainer, "")

    def _show(self, trainer: Training, loss: str) -> None:
        self.bar.set_description_str(f"epoch {trainer.epoch}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(
            ", ".join(filter(None, (loss, f"last epoch: {self.last}" if loss and self.last else self.last)))
        )
        self.bar.update(self.unseen)
        self.unseen = 0

    def close(self) -> None:
        if self.bar is not None:
            self.bar.update(self.unseen)
            self.bar.close()

    def say(self, text: str) -> None:
        complain(text)


def progress_of(asked: bool | str) -> Quiet:
    """What shows the progress: "bar", "lines", or False for nothing. True is a bar on a terminal with tqdm, else lines.

    Raises:
        ValueError: for anything else.
        ImportError: for "bar" without tqdm; it says how to install it.
    """
    if asked is False:
        return Quiet()
    if asked == "lines":
        return Lines()
    if asked not in (True, "bar"):
        raise ValueError(f'progress must be True, False, "bar" or "lines", got {asked!r}')
    if asked is True and not _is_watched():
        return Lines()
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if asked is True:
            return Lines()
        raise ImportError('the progress bar needs tqdm: pip install "xgrad[fit]"') from None
    return Bar(tqdm)


def _is_watched() -> bool:
    """Whether somebody looks at the output: a terminal, or a notebook."""
    stream = sys.stderr
    return "ipykernel" in sys.modules or (stream is not None and hasattr(stream, "isatty") and stream.isatty())


def shown(row: Mapping[str, float]) -> str:
    """The numbers of an epoch on one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items())
