"""The line search of Nocedal and Wright, and the one that BFGS and Newton-CG use: Moré and Thuente's, or else this one.

J. Nocedal and S. J. Wright, Numerical Optimization, 2nd edition, section 3.5, https://doi.org/10.1007/978-0-387-40065-5.
"""

from __future__ import annotations

import math

from xgrad.optimize.line import At, Trial, minimum_of_cubic, minimum_of_parabola
from xgrad.optimize.more_thuente import End, Rules, more_thuente

TRIALS = 10  # for a bracket, and again for narrowing it down


def wolfe(at: At, start: Trial, previous: float | None, rules: Rules, largest: float | None) -> Trial | None:
    """A trial that satisfies the strong Wolfe conditions, or the last one that might do; None if there is none.

    The first step length makes the value fall as it did in the previous iteration, and is at most 1.

    Args:
        at: makes the trial of a step length.
        start: the trial of step length 0.
        previous: the value before the previous iteration; None in the first one.
        rules: the conditions.
        largest: the largest step length of the second search; None for no bound.
    """
    if not start.slope < 0:
        return None
    t = 1.0
    if previous is not None:
        t = min(1.0, 1.01 * 2.0 * (start.value - previous) / start.slope)
        t = t if t >= 0 else 1.0
    if rules.least <= t <= rules.largest:
        trial, end = more_thuente(at, start, t, rules)
        if end is End.FOUND:
            return trial
    return bracketed(at, start, t, rules, math.inf if largest is None else largest)


def bracketed(at: At, start: Trial, t: float, rules: Rules, largest: float) -> Trial | None:
    """Algorithm 3.5: longer and longer steps, until two of them bracket a good one."""
    conditions = Conditions(start, rules)
    previous, trial = start, at(min(t, largest))
    for n in range(TRIALS):
        if trial.t == 0 or previous.t > largest:
            return None
        if conditions.is_too_high(trial) or (n > 0 and trial.value >= previous.value):
            return zoomed(at, conditions, previous, trial)
        if conditions.is_level(trial):
            return trial
        if trial.slope >= 0:
            return zoomed(at, conditions, trial, previous)
        previous, trial = trial, at(min(2.0 * trial.t, largest))
    return trial


def zoomed(at: At, conditions: Conditions, low: Trial, high: Trial) -> Trial | None:
    """Algorithm 3.6: narrow a bracket down. `low` has the lower value of its ends, and a slope that points to `high`."""
    dropped = conditions.start
    for n in range(TRIALS + 1):
        way = high.t - low.t
        least, largest = min(low.t, high.t), max(low.t, high.t)
        t = minimum_of_cubic(low, high, dropped) if n else math.nan
        if not least + 0.2 * abs(way) <= t <= largest - 0.2 * abs(way):
            t = minimum_of_parabola(low, high.t, high.value)
            if not least + 0.1 * abs(way) <= t <= largest - 0.1 * abs(way):
                t = low.t + 0.5 * way
        trial = at(t)
        if conditions.is_too_high(trial) or trial.value >= low.value:
            dropped, high = high, trial
            continue
        if conditions.is_level(trial):
            return trial
        if trial.slope * way >= 0:
            dropped, high = high, low
        else:
            dropped = low
        low = trial
    return None


class Conditions:
    """The strong Wolfe conditions. A value that is nan or infinite is too high."""

    def __init__(self, start: Trial, rules: Rules) -> None:
        self.start = start
        self.rules = rules

    def is_too_high(self, trial: Trial) -> bool:
        return not trial.value <= self.start.value + self.rules.decrease * trial.t * self.start.slope

    def is_level(self, trial: Trial) -> bool:
        return abs(trial.slope) <= -self.rules.curvature * self.start.slope
