"""A line search for a step length that satisfies the strong Wolfe conditions. It sees numbers only."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

SUFFICIENT_DECREASE = 1e-4  # c1: the loss falls by at least this share of what its slope promises
CURVATURE = 0.9  # c2: the slope becomes at most this share of what it was
SHORTEST = 1e-9  # the search ends when no weight moves by more within the bracket
MARGIN = 0.1  # of the bracket: two trials so near to its ends are one too many


class Trial(NamedTuple):
    """The loss at a step length, and its slope along the direction."""

    t: float
    loss: float
    slope: float
    point: Any = None  # whatever else was computed there


def strong_wolfe(at: Callable[[float], Trial], start: Trial, t: float, reach: float, most: int) -> tuple[Trial, int]:
    """The trial of the step length found, and how many trials there were.

    First the step becomes longer until a bracket is known that contains a good one. Then the bracket becomes smaller.

    Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 3.5 and 3.6.

    Args:
        at: makes the trial of a step length.
        start: the trial of step length 0.
        t: the first step length to try.
        reach: the largest absolute value of an element of the direction.
        most: the number of trials after the first.
    """
    rules = Wolfe(start)
    trial, previous, n = at(t), start, 0
    ends = [start, trial]
    while n < most:
        is_worse = rules.is_too_high(trial) or (n > 1 and trial.loss >= previous.loss)
        if not is_worse and rules.is_level(trial):
            return trial, n + 1
        if is_worse or trial.slope >= 0:
            ends = [previous, trial]
            break
        longer = trial.t + 0.01 * (trial.t - previous.t), trial.t * 10
        previous, trial = trial, at(cubic_minimum(previous, trial, *longer))
        ends = [start, trial]
        n += 1
    return narrowed(at, rules, ends, reach, n, most)


class Wolfe:
    """The two conditions."""

    def __init__(self, start: Trial) -> None:
        self.start = start

    def is_too_high(self, trial: Trial) -> bool:
        """Whether the loss has not fallen enough."""
        return trial.loss > self.start.loss + SUFFICIENT_DECREASE * trial.t * self.start.slope

    def is_level(self, trial: Trial) -> bool:
        """Whether the slope is small enough."""
        return abs(trial.slope) <= -CURVATURE * self.start.slope


def narrowed(
    at: Callable[[float], Trial], rules: Wolfe, ends: list[Trial], reach: float, n: int, most: int
) -> tuple[Trial, int]:
    """Make the bracket smaller until one of its ends satisfies both conditions. The lower end is the result."""
    low, high = order(ends)
    was_near_an_end = False
    while n < most and not abs(ends[1].t - ends[0].t) * reach < SHORTEST:
        least, largest = min(ends[0].t, ends[1].t), max(ends[0].t, ends[1].t)
        t = cubic_minimum(ends[0], ends[1], least, largest)
        margin = MARGIN * (largest - least)
        is_near = min(largest - t, t - least) < margin
        if is_near and (was_near_an_end or t >= largest or t <= least):
            t = largest - margin if abs(t - largest) < abs(t - least) else least + margin
            is_near = False
        was_near_an_end = is_near
        trial = at(t)
        n += 1
        if rules.is_too_high(trial) or trial.loss >= ends[low].loss:
            ends[high] = trial
            low, high = order(ends)
        elif rules.is_level(trial):
            return trial, n + 1
        else:
            if trial.slope * (ends[high].t - ends[low].t) >= 0:
                ends[high] = ends[low]
            ends[low] = trial
    return ends[low], n + 1


def order(ends: list[Trial]) -> tuple[int, int]:
    """Which end has the lower loss, and which the higher one."""
    return (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)


def cubic_minimum(a: Trial, b: Trial, least: float, largest: float) -> float:
    """The minimum between two bounds of the cubic that has the losses and the slopes of two trials. If it has none: the middle.

    Nocedal and Wright, equation 3.59.
    """
    left, right = (a, b) if a.t <= b.t else (b, a)
    d1 = left.slope + right.slope - 3 * ratio(left.loss - right.loss, left.t - right.t)
    square = d1 * d1 - left.slope * right.slope
    if not square >= 0:
        return (least + largest) / 2
    d2 = math.sqrt(square)
    share = ratio(right.slope + d2 - d1, right.slope - left.slope + 2 * d2)
    return min(max(right.t - (right.t - left.t) * share, least), largest)


def ratio(a: float, b: float) -> float:
    """a / b, which is infinite or nan for b = 0."""
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
