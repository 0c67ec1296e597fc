"""L-BFGS: SciPy's results and counts, its restarts, and its estimate of the inverse Hessian."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.minimizing import assert_counts, assert_same, named, ours, problems, scipys
from xgrad.optimize import LbfgsInvHessProduct


def test_results_and_counts_are_scipys(backend):
    for problem in problems(backend, also_long=True):
        found, theirs = ours(problem, "lbfgs"), scipys(problem, "lbfgs")
        assert_same(found, theirs)
        assert_counts(found, theirs, ("nit", "nfev", "njev"), 0.02)


@pytest.mark.parametrize(
    "options", [{"maxcor": 3}, {"ftol": 0.0, "gtol": 1e-9}, {"maxiter": 5}, {"maxfun": 7}, {"maxls": 2}]
)
def test_options_are_scipys(options):
    with xg.use_backend("numpy"):
        problem = named("rosen, 5")
        found, theirs = ours(problem, "L-BFGS-B", options=options), scipys(problem, "lbfgs", **options)
        assert_same(found, theirs)
        assert_counts(found, theirs, ("nit", "nfev"), 0.0)


def test_the_inverse_hessian_is_scipys():
    optimize = pytest.importorskip("scipy.optimize")
    with xg.use_backend("numpy"):
        problem = named("rosen, 5")
        found, theirs = ours(problem, "lbfgs").hess_inv, scipys(problem, "lbfgs").hess_inv
        assert found.shape == (5, 5)
        assert found.n_corrs == theirs.n_corrs
        sk, yk = (np.stack([to_numpy(v) for v in vectors]) for vectors in (found.sk, found.yk))
        same = optimize.LbfgsInvHessProduct(sk, yk)
        v = np.linspace(-1.0, 1.0, 5)
        np.testing.assert_allclose(to_numpy(found @ v), same @ v, rtol=1e-10)
        np.testing.assert_allclose(to_numpy(found.todense()), same.todense(), rtol=1e-8, atol=1e-8)
        assert "n_corrs=10" in repr(found)


def test_the_inverse_hessian_without_corrections_is_the_identity(xp):
    h = LbfgsInvHessProduct([], [], make(xp, [1.0, 2.0], "float32"))
    np.testing.assert_array_equal(to_numpy(h.todense()), np.eye(2))
    assert h.todense().dtype == xp.float32
    with pytest.raises(ValueError, match=r"of shape \(2, 2\); it was multiplied by shape \(3,\)"):
        h @ make(xp, [1.0, 2.0, 3.0], "float32")


def test_the_inverse_hessian_times_each_column_of_a_matrix(xp):
    steps = [make(xp, [1.0, 0.5, -1.0]), make(xp, [0.5, 2.0, 0.0])]
    h = LbfgsInvHessProduct(steps, [2.0 * steps[0], 3.0 * steps[1] + 0.25 * steps[0]], steps[0])
    columns = [[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]]
    want = np.stack([to_numpy(h @ make(xp, column)) for column in columns], axis=1)
    np.testing.assert_allclose(to_numpy(h @ make(xp, np.stack(columns, axis=1))), want, rtol=1e-12)
    np.testing.assert_allclose(to_numpy(h.todense()) @ np.stack(columns, axis=1), want, rtol=1e-12)
    with pytest.raises(ValueError, match=r"of shape \(3, 3\); it was multiplied by shape \(3, 2, 2\)"):
        h @ make(xp, np.zeros((3, 2, 2)))


def test_the_inverse_hessian_times_unsigned_integers():
    with xg.use_backend("numpy"):
        h = LbfgsInvHessProduct([xg.asarray([1.0, 0.0])], [xg.asarray([2.0, 0.0])], xg.asarray([0.0, 0.0]))
        assert (h @ np.asarray([1, 2], dtype="uint8")).tolist() == [0.5, 2.0]


def test_a_gradient_that_is_not_the_functions_is_no_success(xp):
    wrong = xg.primitive(lambda x: xg.sum(x * x))
    wrong.defvjp(lambda g, out, x: -g * x)
    found = xg.optimize.minimize(wrong, make(xp, [1.0, 2.0]))
    assert (found.success, found.status) == (False, 2)
    assert "a gradient that is not the function's" in found.message
    np.testing.assert_array_equal(to_numpy(found.x), [1.0, 2.0])


def test_trials_outside_of_the_domain_are_not_taken():
    """A barrier: the function is nan where x >= 2, and the first steps lead there."""
    with xg.use_backend("numpy"), np.errstate(invalid="ignore"):
        found = xg.optimize.minimize(lambda x: xg.sum(x**2 * 50.0 - xg.log(2.0 - x) * 0.1), np.asarray([1.99, -30.0]))
    assert found.success
    np.testing.assert_allclose(to_numpy(found.x), [-0.0005, -0.0005], atol=1e-4)
