"""The line search of Moré and Thuente on the functions of its paper: the numbers of evaluations in its tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xgrad.optimize.line import Trial
from xgrad.optimize.more_thuente import End, Rules, more_thuente


def first(t):
    """Equation 5.1, with beta = 2."""
    return -t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2


def second(t):
    """Equation 5.2, with beta = 0.004."""
    s = t + 0.004
    return s**5 - 2 * s**4, 5 * s**4 - 8 * s**3


def third(t):
    """Equation 5.3, with beta = 0.01 and l = 39."""
    beta, waves = 0.01, 39.0
    if t <= 1 - beta:
        base, slope = 1 - t, -1.0
    elif t >= 1 + beta:
        base, slope = t - 1, 1.0
    else:
        base, slope = (t - 1) ** 2 / (2 * beta) + beta / 2, (t - 1) / beta
    angle = waves * math.pi * t / 2
    return base + 2 * (1 - beta) / (waves * math.pi) * math.sin(angle), slope + (1 - beta) * math.cos(angle)


def yanai(one, other):
    """Equation 5.4."""
    a, b = (math.sqrt(1 + beta * beta) - beta for beta in (one, other))

    def f(t):
        left, right = math.hypot(1 - t, other), math.hypot(t, one)
        return a * left + b * right, -a * (1 - t) / left + b * t / right

    return f


# The function, the two shares of the conditions, and for the starts 1e-3, 1e-1, 1e1 and 1e3 the number of evaluations and the
# step of tables I to VI.
TABLES = {
    "I": (first, 1e-3, 0.1, ((6, 1.4), (3, 1.4), (1, 10.0), (4, 37.0))),
    "II": (second, 0.1, 0.1, ((12, 1.6), (8, 1.6), (8, 1.6), (11, 1.6))),
    "III": (third, 0.1, 0.1, ((12, 1.0), (12, 1.0), (10, 1.0), (13, 1.0))),
    "IV": (yanai(1e-3, 1e-3), 1e-3, 1e-3, ((4, 0.085), (1, 0.10), (3, 0.35), (4, 0.83))),
    "V": (yanai(1e-2, 1e-3), 1e-3, 1e-3, ((6, 0.075), (3, 0.078), (7, 0.073), (8, 0.076))),
    "VI": (yanai(1e-3, 1e-2), 1e-3, 1e-3, ((13, 0.93), (11, 0.93), (8, 0.92), (11, 0.92))),
}


def searched(f, t, rules):
    tried = []

    def at(t):
        tried.append(t)
        return Trial(t, *f(t))

    return more_thuente(at, Trial(0.0, *f(0.0)), t, rules), tried


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("row", range(4))
def test_the_tables_of_the_paper(table, row):
    f, decrease, curvature, rows = TABLES[table]
    (trial, end), tried = searched(f, 10.0 ** (2 * row - 3), Rules(decrease, curvature, 1e-14, 0.0, 1e10, 100))
    assert end is End.FOUND
    assert (len(tried), float(f"{trial.t:.2g}")) == rows[row]
    assert trial.value <= f(0)[0] + decrease * trial.t * f(0)[1]
    assert abs(trial.slope) <= curvature * abs(f(0)[1])


def test_the_longest_step():
    """The function falls without end: the search stops at the longest step."""
    (trial, end), _ = searched(lambda t: (-t * t - t, -2 * t - 1.0), 1.0, Rules(1e-4, 0.9, 1e-14, 0.0, 50.0, 100))
    assert (trial.t, end) == (50.0, End.STUCK)


def test_the_trials_are_counted():
    (_, end), tried = searched(second, 1e-3, Rules(0.1, 0.1, 1e-14, 0.0, 1e10, 5))
    assert (len(tried), end) == (5, End.OUT_OF_TRIALS)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_trials_that_are_not_finite_are_not_taken(bad):
    """The minimum at 1 is found from a first step into a region without values, which begins at 3."""
    (trial, end), tried = searched(
        lambda t: ((t - 1.0) ** 2, 2.0 * (t - 1.0)) if t < 3 else (bad, bad),
        40.0,
        Rules(1e-4, 0.1, 1e-14, 0.0, 1e10, 30),
    )
    assert end is End.FOUND
    assert trial.t == pytest.approx(1.0)
    assert len(tried) < 10


def test_nothing_is_finite():
    (_, end), tried = searched(
        lambda t: (0.0, -1.0) if t == 0 else (math.nan, math.nan), 1.0, Rules(1e-4, 0.9, 0.1, 0.0, 1e10, 20)
    )
    assert (end, len(tried)) == (End.OUT_OF_TRIALS, 20)


def test_wolfe_holds_for_random_quartics():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b, c = rng.uniform(0.01, 1.0), rng.normal(), rng.normal()
        f = lambda t, a=a, b=b, c=c: (a * t**4 + b * t**3 + c * t**2 - t, 4 * a * t**3 + 3 * b * t**2 + 2 * c * t - 1)  # noqa: E731
        (trial, end), _ = searched(f, float(rng.uniform(1e-3, 10.0)), Rules(1e-3, 0.1, 1e-14, 0.0, 1e10, 60))
        assert end is End.FOUND
        assert trial.value <= -1e-3 * trial.t
        assert abs(trial.slope) <= 0.1
