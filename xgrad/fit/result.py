"""What a fit returns, and the error where its files could not be written."""

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
    """A finished run.

    `model` maps training units to training units, `history` is what --history writes (with
    non-finite numbers as floats), `r2` is in the data's own units, `record` holds the stages,
    `report` what was found wrong, and `fix` what mends it, where that was asked for. `interrupted_by` is
    the signal that asked it to end, be it while training or while files were written; None where none did. `fault` is
    the error that ended the training, where one did.
    """

    model: nn.Sequential
    history: dict[str, Any]
    r2: float
    record: Record
    completed: bool  # False where fewer steps were taken than asked for
    report: Report
    fix: Fix | None = None
    interrupted_by: int | None = None
    fault: str | None = None

    @cached_property
    def figure(self) -> Figure:
        """The picture of the run; made when first asked for. Needs matplotlib."""
        from xgrad.fit.plot import draw

        return draw(self.record)


class NotWrittenError(FitError):
    """Files of a run could not be written; the others were. `faults` says by path what was wrong, `result` is the run."""

    def __init__(self, faults: dict[str, str], result: Result) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = faults
        self.result = result


def r_squared(targets: Sequence[float], prediction: Sequence[float]) -> float:
    """The share of the targets' variance that is explained: 1 is perfect, 0 is their mean.

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
