"""Regression by a Gaussian process: SciPy's L-BFGS-B maximises the marginal likelihood over the kernel's three parameters."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

import xgrad as xg

STEPS, FEW, TOLERANCE = 100, 3, 1e-6
X = np.sort(np.random.default_rng(0).uniform(-3, 3, size=40))
Y = np.sin(2 * X) + 0.2 * np.random.default_rng(1).normal(size=40)
UNSEEN = np.linspace(-2.5, 2.5, 9)
START = np.array([0.0, 0.0, -1.0])  # the logarithms of the length, the amplitude and the noise


def kernel(a, b, log_parameters):
    distance = (a[:, None] - b[None, :]) / xg.exp(log_parameters[0])
    return xg.exp(2 * log_parameters[1] - distance**2 / 2)


def factor(log_parameters):
    """The Cholesky factor of the covariance of the measurements."""
    return xg.linalg.cholesky(kernel(X, X, log_parameters) + xg.exp(2 * log_parameters[2]) * np.eye(len(X)))


def negative_log_likelihood(log_parameters):
    L = factor(log_parameters)
    z = xg.linalg.solve(L, Y)
    return xg.sum(z * z) / 2 + xg.sum(xg.log(xg.linalg.diagonal(L))) + len(X) / 2 * np.log(2 * np.pi)


def predict(log_parameters):
    """The mean of the process at new points."""
    L = factor(log_parameters)
    return kernel(UNSEEN, X, log_parameters) @ xg.linalg.solve(L.mT, xg.linalg.solve(L, Y))


def for_scipy(x):
    """The value and the gradient on the host, where SciPy works."""
    value, gradient = xg.value_and_grad(negative_log_likelihood)(x)
    return value.item(), gradient.numpy()


def run(steps: int = STEPS) -> dict[str, float]:
    options = {"maxiter": steps, "ftol": 1e-15, "gtol": 1e-9}
    found = minimize(for_scipy, START, jac=True, method="L-BFGS-B", options=options)
    log_parameters = xg.asarray(found.x)
    error = predict(log_parameters) - np.sin(2 * UNSEEN)
    length, amplitude, noise = xg.exp(log_parameters).tolist()
    return {
        "negative log likelihood": float(found.fun),
        "length": length,
        "amplitude": amplitude,
        "noise": noise,
        "error": xg.sqrt(xg.mean(error**2)).item(),
    }
