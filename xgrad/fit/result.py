"""The result of a fit, and the error for files that could not be written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xgrad.diagnose import Report
from xgrad.diagnose.fixes import Fix
from xgrad.fit.errors import FitError
from xgrad.fit.record import Record
from xgrad.fit.samples import unit_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xgrad import nn


@dataclass(frozen=True)
class Result:
    """The result of a fit.

    Args:
        model: the trained network. It maps x to y in the units of the training, which differ from those of the data if the points
            were standardised.
        history: what `--history` writes, as a dict: "config", "versions", "seconds", "loss" (one float per step), "r2", "x", "y",
            "prediction", "findings", and "fix" where one was tried. Floats that are not finite stay floats.
        r2: the share of the variance of y that the prediction explains, in the units of the data: 1 is perfect, 0 is as good as
            the mean. nan where the prediction is not finite or all y are equal.
        record: what is drawn: the points, the learned curve at several steps, the loss, and the gradient norms of the layers.
        completed: whether all steps were taken.
        report: what was found wrong, as `xgrad.diagnose` reports it.
        fix: the fix that was tried, if one was asked for and something was found wrong.
        interrupted_by: the number of the signal that interrupted the training or the writing of files, if one did.
        fault: the error that ended the training, if one did.

    Raises:
        ImportError: by `figure`, without matplotlib.

    >>> from xgrad.fit import fit
    >>> result = fit(function="x**2", range=(-1, 1), steps=300)
    >>> result.completed, result.r2 > 0.99, len(result.history["loss"])
    (True, True, 300)

    R² is that of https://en.wikipedia.org/wiki/Coefficient_of_determination.
    """

    model: nn.Sequential
    history: dict[str, Any]
    r2: float
    record: Record
    completed: bool
    report: Report
    fix: Fix | None = None
    interrupted_by: int | None = None
    fault: str | None = None

    @cached_property
    def figure(self) -> Figure:
        """The picture of the run, drawn at the first access. Needs matplotlib."""
        from xgrad.fit.plot import draw

        return draw(self.record)


class NotWrittenError(FitError):
    """Some files of a run could not be written. The others were.

    `faults` maps the path of each such file to what was wrong; `result` is the Result of the run.

    >>> from xgrad.fit import NotWrittenError, fit
    >>> result = fit(steps=1)
    >>> error = NotWrittenError({"fit.json": "--history fit.json was not written: No space left on device"}, result)
    >>> print(error)
    --history fit.json was not written: No space left on device
    >>> error.result.completed
    True
    """

    def __init__(self, faults: dict[str, str], result: Result) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = faults
        self.result = result


def r_squared(targets: Sequence[float], prediction: Sequence[float]) -> float:
    """The share of the variance of the targets that the prediction explains: 1 is perfect, 0 is as good as their mean.

    nan where a prediction is not finite or the targets are all equal.
    """
    mean = math.fsum(targets) / len(targets)
    if min(targets) == max(targets) or not all(map(math.isfinite, prediction)):
        return math.nan
    away = [y - mean for y in targets]
    unit = unit_of(away)
    total = sum((d / unit) ** 2 for d in away)
    rest = sum(d * d for d in ((y - p) / unit for y, p in zip(targets, prediction, strict=True)))
    return 1 - rest / total
