"""A function along a line: the trials that line searches make, and the cubics and parabolas that fit them.

Line searches see numbers only. The vectors stay on the device, in the points that the trials hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple


class Trial(NamedTuple):
    """The value at a step length, and the slope there along the direction."""

    t: float
    value: float
    slope: float
    point: Any = None  # whatever else was computed there

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.value) and math.isfinite(self.slope)


At = Callable[[float], Trial]


def share_of_cubic(a: Trial, b: Trial) -> tuple[float, float]:
    """Where the cubic with the values and slopes of two trials has its minimum: as a share of the way from a to b.

    The second number is 0 if the cubic has no minimum: if it does not tend to infinity in the direction of the step.

    Nocedal and Wright, Numerical Optimization, 2nd edition, equation 3.59. The numbers are scaled against overflow, as Moré and
    Thuente do.
    """
    theta = 3.0 * ratio(a.value - b.value, b.t - a.t) + a.slope + b.slope
    scale = max(abs(theta), abs(a.slope), abs(b.slope))
    if not 0 < scale < math.inf:
        return math.nan, 0.0
    gamma = scale * math.sqrt(max(0.0, (theta / scale) ** 2 - (a.slope / scale) * (b.slope / scale)))
    if b.t < a.t:
        gamma = -gamma
    return ratio((gamma - a.slope) + theta, ((gamma - a.slope) + gamma) + b.slope), gamma


def minimum_of_parabola(a: Trial, t: float, value: float) -> float:
    """Where the parabola through a, with its slope, and through another value has its minimum."""
    way = t - a.t
    return a.t - ratio(a.slope, 2.0 * ((value - a.value - a.slope * way) / (way * way)))


def minimum_of_cubic(a: Trial, b: Trial, c: Trial) -> float:
    """Where the cubic through three trials, with the slope of the first, has its minimum; nan if it has none."""
    db, dc = b.t - a.t, c.t - a.t
    if db == 0 or dc == 0 or db == dc:
        return math.nan
    rest_b, rest_c = b.value - a.value - a.slope * db, c.value - a.value - a.slope * dc
    below = (db * dc) ** 2 * (db - dc)
    if below == 0:
        return math.nan
    cube = (dc**2 * rest_b - db**2 * rest_c) / below
    square = (db**3 * rest_c - dc**3 * rest_b) / below
    radical = square * square - 3.0 * cube * a.slope
    return a.t + ratio(-square + math.sqrt(radical), 3.0 * cube) if radical >= 0 else math.nan


def ratio(a: float, b: float) -> float:
    """a / b; nan for b = 0."""
    return a / b if b else math.nan
