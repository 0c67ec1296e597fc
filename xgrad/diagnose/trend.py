"""Whether a loss still falls."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xgrad.diagnose.run import Run

FLAT = 0.01  # relative change from one tenth of the run to the next


def change(losses: Sequence[float]) -> float:
    """The relative fall of the mean loss from the second last tenth of the run to the last; nan if a loss is not finite."""
    tenth = max(1, len(losses) // 10)
    last, before = losses[-tenth:], losses[-2 * tenth : -tenth]
    if not last or not before or not all(map(math.isfinite, (*last, *before))):
        return math.nan
    now, then = sum(last) / len(last), sum(before) / len(before)
    return (then - now) / abs(then) if then else 0.0


def is_flat(losses: Sequence[float]) -> bool:
    """Whether the loss neither falls nor rises."""
    return abs(change(losses)) < FLAT


def fall(run: Run) -> float:
    """The relative fall of the loss of the sample in a tenth of the run, near its end.

    The losses of single batches would not tell it in short runs: the noise of batches is larger. It is `change` of the losses of
    the steps where there are no looks to compare, or where one batch is all of x.
    """
    seen = [(look.step, look.loss) for look in run.looks if math.isfinite(look.loss)]
    last = run.last
    is_whole = run.x is not None and run.batch is not None and run.batch[0].shape == run.x.shape
    if is_whole or last is None or not math.isfinite(last.loss) or last.step < 2:
        return change(run.losses)
    earlier = [(step, loss) for step, loss in seen if step <= 0.9 * last.step]
    if not earlier:
        return change(run.losses)
    step, loss = earlier[-1]
    tenths = 10 * (last.step - step) / last.step
    return (loss - last.loss) / abs(loss) / tenths if loss else 0.0
