"""The line search of Nocedal and Wright: scipy.optimize.line_search finds the same steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xgrad.optimize.line import Trial
from xgrad.optimize.more_thuente import Rules
from xgrad.optimize.zoom import bracketed, wolfe

RULES = Rules(1e-4, 0.9, 1e-14, 1e-8, 50.0, 100)
# A value and a slope along a line.
LINES = {
    "parabola": lambda t: ((t - 3.0) ** 2, 2.0 * (t - 3.0)),
    "far": lambda t: ((t / 40.0 - 1.0) ** 2, (t / 40.0 - 1.0) / 20.0),
    "near": lambda t: ((50.0 * t - 1.0) ** 2, 100.0 * (50.0 * t - 1.0)),
    "waves": lambda t: (
        math.cos(7.0 * t) / 5.0 - t * math.exp(-t),
        -1.4 * math.sin(7.0 * t) - (1.0 - t) * math.exp(-t),
    ),
    "quartic": lambda t: ((t - 0.3) ** 4 - 0.01 * t, 4.0 * (t - 0.3) ** 3 - 0.01),
    "exponential": lambda t: (math.exp(3.0 * t) - 9.0 * t, 3.0 * math.exp(3.0 * t) - 9.0),
}


def at(name):
    return lambda t: Trial(t, *LINES[name](t))


@pytest.mark.parametrize("curvature", [0.9, 0.1, 1e-3])
@pytest.mark.parametrize("name", LINES)
def test_steps_are_scipys(name, curvature):
    optimize = pytest.importorskip("scipy.optimize")
    line = LINES[name]
    theirs = optimize.line_search(
        lambda x: line(x[0])[0], lambda x: np.asarray([line(x[0])[1]]), np.zeros(1), np.ones(1), c2=curvature
    )
    found = bracketed(at(name), at(name)(0.0), 1.0, RULES._replace(curvature=curvature), math.inf)
    assert found is not None
    assert found.value <= line(0.0)[0] + 1e-4 * found.t * line(0.0)[1]
    assert abs(found.slope) <= curvature * abs(line(0.0)[1])
    if theirs[0] is not None:
        # Where its bracket runs backwards, SciPy takes interpolated steps that are too near to an end, or outside.
        backwards = (name, curvature) == ("exponential", 1e-3)
        assert found.t == pytest.approx(theirs[0], rel=1e-3 if backwards else 1e-12)


def test_values_that_are_nan_are_too_high():
    found = bracketed(
        lambda t: Trial(t, *LINES["parabola"](t)) if t < 0.4 else Trial(t, math.nan, math.nan),
        at("parabola")(0.0), 1.0, RULES, math.inf,
    )  # fmt: skip
    assert found is None or found.t < 0.4


def test_no_descent_is_no_step():
    assert wolfe(at("parabola"), Trial(0.0, 1.0, 0.5), None, RULES, None) is None
    assert wolfe(at("parabola"), Trial(0.0, 1.0, math.nan), None, RULES, None) is None


def test_the_first_step_repeats_the_last_fall():
    tried = []

    def noted(t):
        tried.append(t)
        return at("quartic")(t)

    start = at("quartic")(0.0)
    wolfe(noted, start, start.value + 0.001, RULES, None)
    assert tried[0] == pytest.approx(1.01 * 2 * 0.001 / -start.slope)
