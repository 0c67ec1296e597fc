"""The cubics and parabolas of the line searches: NumPy's polynomials have the same minima."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xgrad.optimize.line import Trial, minimum_of_cubic, minimum_of_parabola, ratio, share_of_cubic

CUBIC = np.polynomial.Polynomial([0.5, -2.0, 0.3, 1.2])
LEAST = float(np.max(CUBIC.deriv().roots()))


def trial(t):
    return Trial(t, float(CUBIC(t)), float(CUBIC.deriv()(t)))


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (1.0, 0.0), (0.2, 3.0), (2.0, 0.9)])
def test_the_minimum_of_a_cubic_with_two_slopes(a, b):
    share, gamma = share_of_cubic(trial(a), trial(b))
    assert a + share * (b - a) == pytest.approx(LEAST, rel=1e-12)
    assert gamma != 0


def test_the_minimum_of_a_cubic_through_three_values():
    assert minimum_of_cubic(trial(0.1), trial(1.4), trial(0.6)) == pytest.approx(LEAST, rel=1e-9)
    assert math.isnan(minimum_of_cubic(trial(0.1), trial(0.1), trial(0.6)))


def test_the_minimum_of_a_parabola():
    first = Trial(1.0, 10.0, -4.0)  # of 2 (t - 2)**2 + 8
    assert minimum_of_parabola(first, 4.0, 16.0) == pytest.approx(2.0)


def test_numbers_that_are_not_finite_give_nan():
    assert math.isnan(share_of_cubic(Trial(0.0, 1.0, -1.0), Trial(1.0, math.inf, 1.0))[0])
    assert math.isnan(ratio(1.0, 0.0))
    assert Trial(0.0, 1.0, 2.0).is_finite
    assert not Trial(0.0, 1.0, math.nan).is_finite
