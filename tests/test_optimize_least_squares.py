"""least_squares: the result that SciPy's has, trees of residuals and variables, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy


def residuals(p, t, shift=0.0):
    return {"fit": p["a"] * xg.exp(p["b"] * t) - 2.0 * xg.exp(-t) + shift, "prior": [0.1 * (p["a"] - 2.0)]}


def data(xp):
    return make(xp, np.linspace(0.0, 1.0, 6).reshape(2, 3))


def test_trees_of_residuals_and_variables(xp):
    start = {"a": make(xp, 1.0), "b": make(xp, [0.5])}
    found = xg.optimize.least_squares(residuals, start, args=(data(xp),), kwargs={"shift": 0.0})
    assert found.success
    np.testing.assert_allclose(to_numpy(found.x["a"]), 2.0, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(found.x["b"]), [-1.0], rtol=1e-6)
    assert (found.x["a"].shape, found.grad["b"].shape) == ((), (1,))
    assert (found.fun.shape, found.jac.shape) == ((7,), (7, 2))
    assert found.cost < 1e-15


def test_the_jacobian_is_that_of_differences(xp):
    t = np.linspace(0.0, 1.0, 6)
    found = xg.optimize.least_squares(residuals, {"a": 1.0, "b": 0.5}, args=(data(xp),), max_nfev=1)
    assert (found.status, found.success) == (0, False)
    a, b = to_numpy(found.x["a"]).item(), to_numpy(found.x["b"]).item()

    def host(a, b):
        return np.concatenate([a * np.exp(b * t) - 2.0 * np.exp(-t), [0.1 * (a - 2.0)]])

    h = 1e-6
    want = [(host(a + h, b) - host(a - h, b)) / (2 * h), (host(a, b + h) - host(a, b - h)) / (2 * h)]
    np.testing.assert_allclose(to_numpy(found.jac), np.stack(want, axis=1), atol=1e-7)
    np.testing.assert_allclose(to_numpy(found.fun), host(a, b), atol=1e-12)
    gradient = np.stack(want) @ host(a, b)
    np.testing.assert_allclose(to_numpy(found.grad["a"]), gradient[0], atol=1e-6)
    assert found.optimality == pytest.approx(np.abs(gradient).max(), rel=1e-5)
    assert found.cost == pytest.approx(0.5 * np.sum(host(a, b) ** 2))


@pytest.mark.parametrize("x_scale", [None, "jac", 1.0, [1.0, 0.2]])
def test_scales_are_scipys(x_scale):
    optimize = pytest.importorskip("scipy.optimize")

    def f(x):
        return xg.stack([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])

    with xg.use_backend("numpy"):
        theirs = optimize.least_squares(
            lambda x: f(xg.asarray(x)).numpy(), [-2.0, 1.0], jac=lambda x: xg.jacobian(f)(x).numpy(), method="lm",
            x_scale=x_scale,
        )  # fmt: skip
        found = xg.optimize.least_squares(f, [-2.0, 1.0], x_scale=x_scale)
    assert (found.nfev, found.njev, found.status) == (theirs.nfev, theirs.njev, theirs.status)


@pytest.mark.parametrize("x_scale", ["auto", -1.0, [1.0], [1.0, 0.0]])
def test_scales_that_are_none(x_scale):
    with xg.use_backend("numpy"), pytest.raises(ValueError, match="x_scale"):
        xg.optimize.least_squares(lambda x: x, [1.0, 2.0], x_scale=x_scale)


def test_fewer_residuals_than_variables(xp):
    found = xg.optimize.least_squares(lambda x: (x[0] + 2.0 * x[1] - 3.0)[None], make(xp, [0.0, 0.0]))
    assert found.cost < 1e-20
    np.testing.assert_allclose(to_numpy(found.x) @ [1.0, 2.0], 3.0, rtol=1e-10)


def test_single_precision(xp):
    t = make(xp, np.linspace(0.0, 1.0, 5), "float32")
    found = xg.optimize.least_squares(
        lambda p: p[0] * xg.exp(p[1] * t) - 2.0 * xg.exp(-t), make(xp, [1.0, 0.0], "float32")
    )
    assert found.x.dtype == found.jac.dtype == xp.float32
    np.testing.assert_allclose(to_numpy(found.x), [2.0, -1.0], rtol=1e-4)


def test_a_callback_stops():
    with xg.use_backend("numpy"):
        seen = []

        def callback(x):
            seen.append(to_numpy(x).copy())
            if len(seen) == 2:
                raise StopIteration

        found = xg.optimize.least_squares(lambda x: x**2 - 2.0, [5.0], callback=callback)
    assert (found.status, found.success, found.nit) == (-2, False, 2)
    np.testing.assert_array_equal(seen[-1], to_numpy(found.x))


def test_what_is_refused():
    def f(x):
        return x

    with xg.use_backend("numpy"):
        with pytest.raises(ValueError, match="the method is 'lm', not 'trf'"):
            xg.optimize.least_squares(f, [1.0], method="trf")
        with pytest.raises(NotImplementedError, match=r"Use SciPy"):
            xg.optimize.least_squares(f, [1.0], bounds=(0, 1))
        with pytest.raises(ValueError, match="not finite at x0"):
            xg.optimize.least_squares(lambda x: x * float("inf"), [1.0])
        with pytest.raises(ValueError, match="returned no residuals"):
            xg.optimize.least_squares(lambda x: x[:0], [1.0])
        with pytest.raises(TypeError, match="complex"):
            xg.optimize.least_squares(lambda x: x * 1j, [1.0])
        with pytest.raises(TypeError, match="it returned str"):
            xg.optimize.least_squares(lambda x: "1", [1.0])


def test_a_jacobian_that_is_not_finite():
    with xg.use_backend("numpy"), np.errstate(divide="ignore", invalid="ignore"):
        found = xg.optimize.least_squares(lambda x: xg.sqrt(x), [0.0])
    assert (found.status, found.success) == (-1, False)
