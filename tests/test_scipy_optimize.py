"""SciPy's optimizers take functions, gradients, Hessians and Jacobians of xgrad's as they are."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg

optimize = pytest.importorskip("scipy.optimize")

X0 = np.asarray([-1.2, 1.0, 0.8])
T = np.linspace(0.0, 2.0, 12)
Y = 2.5 * np.exp(-1.3 * T)


def rosenbrock(x):
    """Its minimum, 0, is at ones."""
    return xg.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


@pytest.fixture(autouse=True)
def _on_the_host(backend):
    """A backend whose tensors SciPy may copy. (On a device they say what to call, which is tested elsewhere.)"""
    if not backend.on_host:
        pytest.skip("its values are on a device")


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG", "SLSQP"])
def test_minimize_with_value_and_grad(method):
    found = optimize.minimize(xg.value_and_grad(rosenbrock), X0, jac=True, method=method)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)
    assert float(found.fun) < 1e-5


@pytest.mark.parametrize("method", ["trust-ncg", "trust-exact", "Newton-CG", "trust-krylov"])
def test_minimize_with_grad_and_hessian(method):
    found = optimize.minimize(rosenbrock, X0, jac=xg.grad(rosenbrock), hess=xg.hessian(rosenbrock), method=method)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)


def test_minimize_with_hessian_vector_products():
    found = optimize.minimize(
        rosenbrock,
        X0,
        jac=xg.grad(rosenbrock),
        hessp=lambda x, v: xg.hvp(rosenbrock, x, v),
        method="Newton-CG",
    )
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares(method):
    def residuals(p):
        return p[0] * xg.exp(-p[1] * T) - Y

    found = optimize.least_squares(residuals, np.asarray([1.0, 0.5]), jac=xg.jacobian(residuals), method=method)
    np.testing.assert_allclose(found.x, [2.5, 1.3], rtol=1e-6)


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root(method):
    def f(x):
        return xg.stack([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])

    found = optimize.root(f, np.zeros(2), jac=xg.jacobian(f), method=method)
    assert found.success
    x, y = found.x
    np.testing.assert_allclose([x + 0.5 * (x - y) ** 3, 0.5 * (y - x) ** 3 + y], [1.0, 0.0], atol=1e-8)


def test_root_scalar_and_curve_fit():
    def f(x):
        return x**3 - 2.0

    found = optimize.root_scalar(f, x0=1.5, fprime=xg.grad(f), method="newton")
    assert abs(float(found.root) - 2 ** (1 / 3)) < 1e-6

    def model(t, a, b):
        return a * np.exp(-b * t)

    def jacobian(t, a, b):
        return xg.jacobian(lambda p: p[0] * xg.exp(-p[1] * t))(np.asarray([a, b]))

    (a, b), _ = optimize.curve_fit(model, T, Y, p0=[1.0, 1.0], jac=jacobian)
    np.testing.assert_allclose([a, b], [2.5, 1.3], rtol=1e-6)
