"""BFGS: SciPy's results, counts and inverse Hessian."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.minimizing import assert_counts, assert_same, named, ours, problems, scipys
from xgrad.optimize.bfgs import corrected


def test_results_counts_and_inverse_hessian_are_scipys(backend):
    for problem in problems(backend, also_long=True):
        found, theirs = ours(problem, "bfgs"), scipys(problem, "bfgs")
        assert_same(found, theirs)
        assert_counts(found, theirs, ("nit", "nfev", "njev"), 0.03)  # SciPy updates the matrix by two products
        if found.nit == theirs.nit and theirs.nit < 50:
            scale = np.abs(theirs.hess_inv).max()
            np.testing.assert_allclose(to_numpy(found.hess_inv) / scale, theirs.hess_inv / scale, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        *({"norm": math.inf, "gtol": 1e-2}, {"norm": 2, "gtol": 1e-3}, {"norm": -math.inf}, {"maxiter": 4}),
        *({"xrtol": 1e-3}, {"c1": 1e-8}, {"c2": 0.05}, {"hess_inv0": 0.01 * np.eye(5)}),
    ],
)
def test_options_are_scipys(options):
    with xg.use_backend("numpy"):
        problem = named("rosen, 5")
        found, theirs = ours(problem, "bfgs", options=options), scipys(problem, "bfgs", **options)
        assert_same(found, theirs)
        assert_counts(found, theirs, ("nit", "nfev"), 0.0)


@pytest.mark.parametrize("matrix", [-np.eye(2), np.diag([1.0, 0.0]), np.asarray([[1.0, 0.5], [0.0, 1.0]]), np.eye(3)])
def test_a_first_inverse_hessian_that_is_none(xp, matrix):
    with pytest.raises(ValueError, match="hess_inv0 must be"):
        xg.optimize.minimize(
            lambda x: xg.sum(x * x), make(xp, [1.0, 2.0]), method="bfgs", options={"hess_inv0": matrix}
        )


def test_the_update_of_the_matrix(xp):
    rng = np.random.default_rng(0)
    a, s, y = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=3)
    h, rho = a @ a.T, 1 / (s @ y)
    left = np.eye(3) - rho * np.outer(s, y)
    want = left @ h @ left.T + rho * np.outer(s, s)
    got = corrected(make(xp, h), make(xp, s), make(xp, y), float(rho))
    np.testing.assert_allclose(to_numpy(got), want, rtol=1e-12)


def test_a_minimum_of_minus_infinity():
    with xg.use_backend("numpy"), np.errstate(over="ignore", invalid="ignore"):
        found = xg.optimize.minimize(lambda x: -xg.exp(-x[0]), [0.0], method="bfgs")
        assert found.fun == -math.inf
        assert not found.success
