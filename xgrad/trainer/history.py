"""The history of a run: a column of numbers for each loss and metric, with one number for each epoch."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LARGER_IS_BETTER = ("accuracy", "top5", "r2", "precision", "recall", "f1")


class History(Mapping[str, list[float]]):
    """What happened in each epoch, as columns: `history["loss"]` is a list with one number for each epoch.

    A history may count steps instead, and have a row for some of them: `unit` and `numbers` say so.

    The columns are `loss`, then `val_loss` if there is validation, the metrics (`accuracy`, `val_accuracy`, ...), `lr`, the
    learning rate of the first parameter group in the epoch, and `seconds`. A number that is missing is nan.

    >>> from xgrad.trainer import History
    >>> history = History({"loss": [3.0, 1.0, 2.0]})
    >>> history["loss"], history.epochs, history.best_epoch("loss")
    ([3.0, 1.0, 2.0], 3, 2)
    >>> print(history.csv(), end="")
    epoch,loss
    1,3.0
    2,1.0
    3,2.0

    Args:
        columns: the columns to start with.
        unit: what a row is of, which is the name of the first column of `csv()`.

    Raises:
        KeyError: for a column that does not exist; it names those that do.
        ValueError: for columns of different lengths.

    Keras has the same: https://keras.io/api/models/model_training_apis/
    """

    def __init__(self, columns: Mapping[str, list[float]] | None = None, unit: str = "epoch") -> None:
        self._columns = {name: list(values) for name, values in (columns or {}).items()}
        lengths = {len(values) for values in self._columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"History: the columns have different lengths: {sorted(lengths)}")
        self.unit = unit
        self.numbers = list(range(1, 1 + self.epochs))  # of the rows

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._columns:
            raise KeyError(f"{name!r} is not in the history, which has {', '.join(self._columns) or 'no columns yet'}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def epochs(self) -> int:
        """The number of epochs."""
        return max(map(len, self._columns.values()), default=0)

    @property
    def last(self) -> dict[str, float]:
        """The numbers of the last epoch, by name; empty before the first."""
        return {name: values[-1] for name, values in self._columns.items() if values}

    def add(self, row: Mapping[str, float], number: int | None = None) -> None:
        """Add an epoch. A column that is new is nan for the epochs before, and one that is not given is nan for this one.

        Its number is the next one, unless it is given.
        """
        before = self.epochs
        self.numbers.append((self.numbers[-1] if self.numbers else 0) + 1 if number is None else number)
        for name in row:
            self._columns.setdefault(name, [math.nan] * before)
        for name, values in self._columns.items():
            values.append(float(row.get(name, math.nan)))

    def set_last(self, name: str, value: float) -> None:
        """Set a number of the last epoch. A column that is new is nan before. ValueError where there is no epoch yet."""
        if not self.epochs:
            raise ValueError(f"History: there is no epoch yet to have {name!r}")
        self._columns.setdefault(name, [math.nan] * self.epochs)[-1] = float(value)

    def best_epoch(self, name: str, mode: str = "auto") -> int:
        """The epoch, counted from 1, with the smallest or (`mode="max"`) the largest number. ValueError if there is none."""
        values = [(value, i) for i, value in enumerate(self[name], 1) if not math.isnan(value)]
        if not values:
            raise ValueError(f"the history has no numbers for {name!r}")
        sign = -1.0 if is_maximized(name, mode) else 1.0
        return min(values, key=lambda pair: (sign * pair[0], pair[1]))[1]

    def csv(self) -> str:
        """The history as text, a line for each epoch, with the names of the columns in the first line."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([self.unit, *self])
        for i in range(self.epochs):
            writer.writerow([self.numbers[i], *(values[i] for values in self.values())])
        return text.getvalue()

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the curves: the losses, each metric, and the learning rate if it changes.

        Args:
            path: a file to write, whose ending names the format; None to write nothing.

        Returns:
            The figure of matplotlib.

        Raises:
            ImportError: without matplotlib: `pip install "xgrad[fit]"`.
            ValueError: for a history without epochs.
        """
        from xgrad.trainer.curves import draw_history

        return draw_history(self, path)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in self.last.items())
        return f"<History: {self.epochs} epochs{'; last: ' + shown if shown else ''}>"


def is_maximized(name: str, mode: str = "auto") -> bool:
    """Whether a larger number of this column is better. ValueError for a mode that is not "min", "max" or "auto"."""
    if mode not in ("min", "max", "auto"):
        raise ValueError(f'mode must be "min", "max" or "auto", got {mode!r}')
    return mode == "max" or (mode == "auto" and name.removeprefix("val_") in LARGER_IS_BETTER)


def is_better(name: str, value: float, best: float, mode: str = "auto", by: float = 0.0) -> bool:
    """Whether the value of a column is better than the best so far, by more than `by`. Any number is better than nan."""
    if math.isnan(value) or math.isnan(best):
        return math.isnan(best)
    return value > best + by if is_maximized(name, mode) else value < best - by
