"""Levenberg-Marquardt: MINPACK's results and counts on its test problems, and the damped steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from bench.minimizer_problems import RESIDUALS
from tests.support.arrays import make, to_numpy
from tests.support.minimizing import assert_counts, problems, scipys
from xgrad.optimize.levenberg_marquardt import Steps

SQUARES = "levenberg-marquardt"
# Its Jacobian is singular at the solution. MINPACK's decomposition and this one differ there.
SINGULAR = {"powell singular"}
# Two of its terms are equal at the start. The last bits, which differ from run to run with the alignment of arrays, decide
# whether MINPACK goes on to the solution or stops on the way.
SYMMETRIC = {"biggs"}


def test_results_and_counts_are_minpacks(backend):
    for problem in problems(backend, RESIDUALS, "bard"):
        theirs = scipys(problem, SQUARES)
        found = xg.optimize.least_squares(problem.f, make(xg, problem.x0))
        if problem.name in SYMMETRIC:
            assert found.success
            assert found.cost <= max(theirs.cost, 1e-12)
            continue
        np.testing.assert_allclose(to_numpy(found.x), theirs.x, atol=1e-6, rtol=1e-6)
        np.testing.assert_allclose(found.cost, theirs.cost, atol=1e-12, rtol=1e-9)
        assert found.success
        if problem.name not in SINGULAR:
            assert_counts(found, theirs, ("nfev", "njev"), 0.0)
            if backend.name == "numpy":
                assert found.status == theirs.status


@pytest.mark.parametrize("radius", [0.05, 0.7])
def test_a_damped_step(xp, radius):
    """It solves the damped normal equations, has the length of the radius to 10 %, and its gain is that of the linear model."""
    rng = np.random.default_rng(1)
    j, f, weights = rng.normal(size=(6, 3)), rng.normal(size=6), np.asarray([1.0, 2.0, 0.5])
    step = Steps(make(xp, j), make(xp, weights), make(xp, f), 2.0**-52).within(radius, 0.0)
    a, q = j / weights, to_numpy(step.q)
    np.testing.assert_allclose((a.T @ a + step.damping * np.eye(3)) @ q, -a.T @ f, rtol=1e-9, atol=1e-12)
    assert np.linalg.norm(q) == pytest.approx(step.length, rel=1e-12)
    assert abs(step.length - radius) <= 0.1 * radius
    damped = step.damping * (q @ q)
    assert step.gain == pytest.approx(f @ f - np.sum((f + a @ q) ** 2), rel=1e-9)
    assert step.slope == pytest.approx(f @ a @ q, rel=1e-9)
    assert step.gain == pytest.approx(-step.slope + damped, rel=1e-9)


def test_a_large_radius_gives_the_gauss_newton_step(xp):
    rng = np.random.default_rng(2)
    j, f = rng.normal(size=(5, 3)), rng.normal(size=5)
    step = Steps(make(xp, j), make(xp, np.ones(3)), make(xp, f), 2.0**-52).within(1e3, 0.5)
    np.testing.assert_allclose(to_numpy(step.q), np.linalg.lstsq(j, -f, rcond=None)[0], rtol=1e-9)
    assert step.damping == 0


def test_a_singular_jacobian_gives_the_shortest_step(xp):
    j, f = np.asarray([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]), np.asarray([1.0, 1.0, 1.0])
    step = Steps(make(xp, j), make(xp, np.ones(2)), make(xp, f), 2.0**-52).within(1e3, 0.0)
    np.testing.assert_allclose(to_numpy(step.q), np.linalg.pinv(j) @ -f, rtol=1e-9)


def test_residuals_that_become_nan_are_not_taken():
    with xg.use_backend("numpy"), np.errstate(invalid="ignore"):
        found = xg.optimize.least_squares(lambda x: xg.log(x) - 1.0, [40.0])
    np.testing.assert_allclose(to_numpy(found.x), [math.e], rtol=1e-6)
    assert found.success
