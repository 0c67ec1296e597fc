"""Trust-region Newton-CG: SciPy's results and counts, with fewer products with the Hessian."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.minimizing import assert_counts, assert_same, named, ours, problems, scipys
from xgrad.optimize.trust_ncg import crossings


def test_results_and_counts_are_scipys(backend):
    for problem in problems(backend):
        found, theirs = ours(problem, "trust-ncg"), scipys(problem, "trust-ncg")
        assert_same(found, theirs)
        assert_counts(found, theirs, ("nit", "nfev", "njev"), 0.02)
        assert found.nhev < theirs.nhev  # the value of the model needs none of its own


@pytest.mark.parametrize(
    "options",
    [
        *({"gtol": 1e-8}, {"maxiter": 3}, {"initial_trust_radius": 0.1}, {"eta": 0.2}),
        {"initial_trust_radius": 0.05, "max_trust_radius": 0.1},
    ],
)
def test_options_are_scipys(options):
    with xg.use_backend("numpy"):
        problem = named("rosen, 5")
        found, theirs = ours(problem, "trust-ncg", options=options), scipys(problem, "trust-ncg", **options)
        assert_same(found, theirs)
        assert_counts(found, theirs, ("nit", "nfev", "njev"), 0.0)


@pytest.mark.parametrize(
    "options", [{"eta": 0.25}, {"eta": -0.1}, {"initial_trust_radius": 0.0}, {"initial_trust_radius": 2e3}]
)
def test_options_that_make_no_sense(options):
    with xg.use_backend("numpy"), pytest.raises(ValueError, match=r"eta must be|initial_trust_radius must be"):
        xg.optimize.minimize(lambda x: xg.sum(x * x), [1.0], method="trust-ncg", options=options)


def test_the_start_is_the_minimum(xp):
    found = xg.optimize.minimize(lambda x: xg.sum((x - 1.0) ** 2), make(xp, [1.0, 1.0]), method="trust-ncg")
    assert (found.nit, found.nfev, found.success) == (0, 1, True)


def test_where_a_line_leaves_the_ball():
    z, d = np.asarray([0.3, -0.2]), np.asarray([1.0, 2.0])
    back, forth = crossings(z @ z, z @ d, d @ d, 1.5)
    assert back < 0 < forth
    for t in (back, forth):
        assert math.hypot(*(z + t * d)) == pytest.approx(1.5, rel=1e-14)


def test_where_a_line_touches_the_ball_or_is_none():
    assert crossings(2.25, 0.0, 1.0, 1.5) == (0.0, 0.0)
    assert crossings(1.0, 0.0, 0.0, 1.5) == (0.0, 0.0)
    assert crossings(2.25 + 1e-15, 0.0, 1.0, 1.5) == pytest.approx((0.0, 0.0), abs=1e-7)


def test_nan_makes_the_region_smaller():
    """sqrt(1 - x) is nan beyond 1, where the first step leads."""
    with xg.use_backend("numpy"), np.errstate(invalid="ignore"):
        found = xg.optimize.minimize(
            lambda x: xg.sum(-x * xg.sqrt(1.0 - x)), [0.9], method="trust-ncg", options={"initial_trust_radius": 5.0}
        )
    assert found.success
    np.testing.assert_allclose(to_numpy(found.x), [2 / 3], atol=1e-4)
