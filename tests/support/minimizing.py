"""Comparing minimizers with SciPy's, which gets the derivatives by hand or from finite differences of the function itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from bench.minimizer_problems import FUNCTIONS, RESIDUALS, Problem
from bench.minimizers import by_scipy
from tests.support.arrays import make, raw, to_numpy

SLOW = {"jax", "dask", "dpnp"}
ON_FAST_BACKENDS = ("maximum entropy", "beale", "himmelblau", "rosen, 5")
LONG = ("meyer", "wood", "brown-dennis", "rosen, 5, far", "rosen, 10", "colville (wood)")  # some hundred evaluations


def problems(
    backend: Any, of: tuple[Problem, ...] = FUNCTIONS, first: str = "maximum entropy", *, also_long: bool = False
) -> list[Problem]:
    """The problems for a backend: on NumPy all of them, or all but the long ones, and one where each evaluation takes long."""
    if backend.name == "numpy" and not backend.is_read_only(raw(backend, [0.0])):
        return [problem for problem in of if also_long or problem.name not in LONG]
    names = (first,) if backend.name in SLOW else (first, *ON_FAST_BACKENDS)
    return [problem for problem in of if problem.name in names]


def scipys(problem: Problem, method: str, **options: Any) -> Any:
    """SciPy's result on a problem, with NumPy's arrays."""
    pytest.importorskip("scipy")
    with warnings.catch_warnings(), xg.use_backend("numpy"):
        warnings.simplefilter("ignore")
        return by_scipy(problem, method, np.asarray(problem.x0), **options)


def ours(problem: Problem, method: str, **arguments: Any) -> Any:
    """The result here, on the current backend."""
    return xg.optimize.minimize(problem.f, make(xg, problem.x0), method=method, **arguments)


def assert_same(found: Any, theirs: Any, atol: float = 1e-6, *, checks_gradient: bool = True) -> None:
    """Assert that a result is SciPy's: the place, the value, the gradient, and whether it is a success."""
    np.testing.assert_allclose(to_numpy(found.x), theirs.x, atol=atol, rtol=atol)
    np.testing.assert_allclose(found.fun, theirs.fun, atol=1e-9, rtol=1e-9)
    if checks_gradient:
        np.testing.assert_allclose(to_numpy(found.jac), theirs.jac, atol=1e-4)
    assert found.success == bool(theirs.success)
    assert found.status == theirs.status


def assert_counts(found: Any, theirs: Any, names: tuple[str, ...], share: float) -> None:
    """Assert that the counts are SciPy's, within a share and one."""
    for name in names:
        assert abs(found[name] - theirs[name]) <= 1 + share * theirs[name], (name, found[name], theirs[name])


def named(name: str, of: tuple[Problem, ...] = FUNCTIONS + RESIDUALS) -> Problem:
    return next(problem for problem in of if problem.name == name)
