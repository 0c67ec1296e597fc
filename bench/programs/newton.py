"""Poisson regression by SciPy's trust region, with the likelihood's gradient and Hessian, and the parameters' errors from it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

import xgrad as xg

STEPS, FEW, TOLERANCE = 50, 2, 1e-9
TRUE = np.array([0.5, 0.8, -0.4])


def data(n: int = 200):
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    return x, rng.poisson(np.exp(x @ TRUE))


X, COUNTS = data()


def negative_log_likelihood(w):
    """The negative log-likelihood, without the term that does not depend on w."""
    rate = X @ w
    return xg.sum(xg.exp(rate) - COUNTS * rate)


def run(steps: int = STEPS) -> dict[str, float]:
    found = minimize(
        lambda w: negative_log_likelihood(w).item(),
        np.zeros(3),
        jac=lambda w: xg.grad(negative_log_likelihood)(w).numpy(),
        hess=lambda w: xg.hessian(negative_log_likelihood)(w).numpy(),
        method="trust-ncg",
        options={"maxiter": steps, "gtol": 1e-9},
    )
    errors = xg.sqrt(xg.linalg.diagonal(xg.linalg.inv(xg.hessian(negative_log_likelihood)(found.x)))).tolist()
    ends = {f"w{i}": float(w) for i, w in enumerate(found.x)}
    return {"negative log likelihood": float(found.fun), **ends, "error of w1": errors[1]}
