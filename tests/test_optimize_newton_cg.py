"""Newton-CG: SciPy's results and counts, products with the Hessian included."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.minimizing import assert_counts, assert_same, named, ours, problems, scipys

COUNTS = ("nit", "nfev", "njev", "nhev")


def test_results_and_counts_are_scipys(backend):
    for problem in problems(backend):
        found, theirs = ours(problem, "newton-cg"), scipys(problem, "newton-cg")
        assert_same(found, theirs, checks_gradient=False)  # SciPy returns the gradient before the last step
        assert_counts(found, theirs, COUNTS, 0.02)


@pytest.mark.parametrize("options", [{"xtol": 1e-10}, {"maxiter": 3}, {"maxiter": -1}, {"c1": 0.1, "c2": 0.5}])
def test_options_are_scipys(options):
    with xg.use_backend("numpy"):
        problem = named("rosen, 5")
        found, theirs = ours(problem, "Newton-CG", options=options), scipys(problem, "newton-cg", **options)
        assert_same(found, theirs, checks_gradient=False)  # SciPy returns the gradient before the last step
        assert_counts(found, theirs, COUNTS, 0.0)


def test_no_tolerance(xp):
    """The iteration ends where the function is flat, as in SciPy's test of xtol = 0."""
    found = xg.optimize.minimize(lambda x: xg.cos(x[0]), make(xp, [0.1]), method="newton-cg", options={"xtol": 0})
    assert found.status == 0
    np.testing.assert_allclose(to_numpy(found.x), [math.pi], rtol=1e-12)


def test_negative_curvature_at_the_start(xp):
    """The first direction is the steepest descent."""
    found = xg.optimize.minimize(lambda x: xg.sum((x * x - 1.0) ** 2), make(xp, [0.1, -0.2]), method="newton-cg")
    np.testing.assert_allclose(to_numpy(found.x), [1.0, -1.0], atol=1e-5)
    assert found.success
