"""The line search of Moré and Thuente, which MINPACK, L-BFGS-B and SciPy use: a step that satisfies the strong Wolfe conditions.

J. J. Moré and D. J. Thuente, Line search algorithms with guaranteed sufficient decrease, ACM Transactions on Mathematical
Software 20 (1994), https://doi.org/10.1145/192115.192132. The sections and equations below are those of this paper.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

from xgrad.optimize.line import At, Trial, ratio, share_of_cubic

SHRINK = 0.66  # in two trials the bracket must shrink to this share, or it is halved (section 4)
LEAST_EXTRAPOLATION, LARGEST_EXTRAPOLATION = 1.1, 4.0  # of the last step, while there is no bracket


class Rules(NamedTuple):
    """What a step must satisfy, and when the search gives up."""

    decrease: float  # the value falls by at least this share of what the slope promises
    curvature: float  # the slope becomes at most this share of what it was
    width: float  # the search ends when the bracket is narrower than this, relative to its upper end
    least: float  # step length
    largest: float  # step length
    trials: int  # the largest number of trials


class End(Enum):
    """How a search ended."""

    FOUND = "the last trial satisfies both conditions"
    STUCK = "the step can become no longer, no shorter, or the bracket no narrower: the last trial is the best one"
    OUT_OF_TRIALS = "no trial satisfies both conditions, and no more are allowed"


class Bracket(NamedTuple):
    """The interval of uncertainty. The value at `best` is the least so far, and the slope there points into the interval."""

    best: Trial
    other: Trial
    is_closed: bool  # whether it is known to have a minimum between its ends


def more_thuente(at: At, start: Trial, t: float, rules: Rules) -> tuple[Trial, End]:
    """The last trial, and how the search ended.

    A trial that is not finite is not used: the search goes halfway back to the best one.

    Args:
        at: makes the trial of a step length.
        start: the trial of step length 0, with a negative slope.
        t: the first step length to try.
        rules: the conditions.
    """
    promised = rules.decrease * start.slope
    bracket = Bracket(start, start, False)
    lower, upper = 0.0, t + LARGEST_EXTRAPOLATION * t
    widths = [2.0 * (rules.largest - rules.least), rules.largest - rules.least]
    is_first_stage = True
    largest = rules.largest
    trial = start
    for _ in range(rules.trials):
        trial = at(t)
        if not trial.is_finite:
            largest, t = t, bracket.best.t + 0.5 * (t - bracket.best.t)
            upper = min(upper, largest)
            if t in (bracket.best.t, largest):
                break
            continue
        limit = start.value + t * promised
        is_enough = trial.value <= limit
        if is_enough and abs(trial.slope) <= rules.curvature * -start.slope:
            return trial, End.FOUND
        if is_first_stage and is_enough and trial.slope >= 0:
            is_first_stage = False
        if bracket.is_closed and (not lower < t < upper or upper - lower <= rules.width * upper):
            return trial, End.STUCK
        if t == rules.largest and is_enough and trial.slope <= promised:
            return trial, End.STUCK
        if t == rules.least and (not is_enough or trial.slope >= promised):
            return trial, End.STUCK
        # In the first stage, a lower value that is not low enough is judged by psi(t) = value - promised * t (section 2).
        tilt = promised if is_first_stage and trial.value <= bracket.best.value and not is_enough else 0.0
        t, bracket = next_step(bracket, trial, tilt, lower, upper)
        best, other = bracket.best.t, bracket.other.t
        if bracket.is_closed:
            if abs(other - best) >= SHRINK * widths[0]:
                t = best + 0.5 * (other - best)
            widths = [widths[1], abs(other - best)]
            lower, upper = min(best, other), max(best, other)
        else:
            lower, upper = t + LEAST_EXTRAPOLATION * (t - best), t + LARGEST_EXTRAPOLATION * (t - best)
        if not math.isfinite(t):
            break
        t = min(max(t, rules.least), largest)
        if bracket.is_closed and (not lower < t < upper or upper - lower <= rules.width * upper):
            t = best
    return trial, End.OUT_OF_TRIALS


def next_step(bracket: Bracket, trial: Trial, tilt: float, lower: float, upper: float) -> tuple[float, Bracket]:
    """The next step length, and the bracket with the trial in it. `tilt` is taken off all slopes before they are compared."""
    best, other, new = (tilted(each, -tilt) for each in (bracket.best, bracket.other, trial))
    t, closes = chosen_step(best, other, new, bracket.is_closed, lower, upper)
    if new.value > best.value:
        other = new
    else:
        if new.slope * best.slope < 0:
            other = best
        best = new
    return t, Bracket(tilted(best, tilt), tilted(other, tilt), bracket.is_closed or closes)


def tilted(trial: Trial, slope: float) -> Trial:
    """The trial of the function with a line of this slope added."""
    return trial._replace(value=trial.value + slope * trial.t, slope=trial.slope + slope) if slope else trial


def chosen_step(
    best: Trial, other: Trial, new: Trial, is_closed: bool, lower: float, upper: float
) -> tuple[float, bool]:
    """The next step length, and whether a minimum is now bracketed: the four cases of section 4."""
    farthest = upper if new.t > best.t else lower
    secant = new.t + ratio(new.slope, new.slope - best.slope) * (best.t - new.t)
    if new.value > best.value:  # case 1: a higher value
        cubic = best.t + share_of_cubic(best, new)[0] * (new.t - best.t)
        bend = (best.value - new.value) / (new.t - best.t) + best.slope
        parabola = best.t + ratio(best.slope, bend) / 2.0 * (new.t - best.t)
        return cubic if abs(cubic - best.t) <= abs(parabola - best.t) else cubic + (parabola - cubic) / 2.0, True
    if new.slope * best.slope < 0:  # case 2: a lower value, and a slope of the other sign
        cubic = new.t + share_of_cubic(new, best)[0] * (best.t - new.t)
        return cubic if abs(cubic - new.t) > abs(secant - new.t) else secant, True
    if abs(new.slope) < abs(best.slope):  # case 3: a lower value, and a slope of the same sign that is smaller
        share, gamma = share_of_cubic(new, best)
        cubic = new.t + share * (best.t - new.t) if share < 0 and gamma != 0 else farthest
        if is_closed:
            t = cubic if abs(cubic - new.t) < abs(secant - new.t) else secant
            limit = new.t + SHRINK * (other.t - new.t)
            return min(limit, t) if new.t > best.t else max(limit, t), False
        t = cubic if abs(cubic - new.t) > abs(secant - new.t) else secant
        return min(max(t, lower), upper), False
    if is_closed:  # case 4: a lower value, and a slope of the same sign that is not smaller
        return new.t + share_of_cubic(new, other)[0] * (other.t - new.t), False
    return farthest, False
