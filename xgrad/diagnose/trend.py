"""Whether a loss still falls."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
