"""Callbacks: both of SciPy's kinds, StopIteration, and the list of all places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy

METHODS = ("lbfgs", "bfgs", "newton-cg", "trust-ncg", "levenberg-marquardt")


def bowl(p):
    return (p["a"] - 1.0) ** 2 + 3.0 * xg.sum((p["b"] + 2.0) ** 4)


def residuals(p):
    return [p["a"] - 1.0, (p["b"] + 2.0) ** 2]


def minimized(xp, method, **arguments):
    start = {"a": make(xp, 0.0), "b": make(xp, [0.0, 1.0])}
    return xg.optimize.minimize(residuals if method == METHODS[-1] else bowl, start, method=method, **arguments)


@pytest.mark.parametrize("method", METHODS)
def test_both_kinds_of_callback(xp, method):
    places: list[Any] = []
    results: list[Any] = []

    def callback(intermediate_result):
        results.append(intermediate_result)

    found = minimized(xp, method, callback=places.append, options={"maxiter": 3, "return_all": True})
    again = minimized(xp, method, callback=callback, options={"maxiter": 3})
    assert len(places) == len(results) == found.nit == 3
    assert [to_numpy(p["b"]).tolist() for p in places] == [to_numpy(r.x["b"]).tolist() for r in results]
    assert [to_numpy(p["b"]).tolist() for p in found.allvecs[1:]] == [to_numpy(p["b"]).tolist() for p in places]
    assert results[-1].fun == again.fun < results[0].fun
    assert "allvecs" not in again


@pytest.mark.parametrize("method", METHODS)
def test_stop_iteration(method):
    with xg.use_backend("numpy"):

        def callback(intermediate_result):
            raise StopIteration

        found = minimized(xg, method, callback=callback)
    assert (found.nit, found.status, found.success) == (1, 99, False)
    assert found.message == "The callback raised StopIteration."


def test_another_error_of_the_callback_is_raised():
    with xg.use_backend("numpy"), pytest.raises(ZeroDivisionError):
        minimized(xg, "lbfgs", callback=lambda x: 1 / 0)


def test_a_callback_without_a_signature_gets_the_place():
    with xg.use_backend("numpy"):
        found = xg.optimize.minimize(lambda x: xg.sum(x * x), np.ones(2), callback=max)
    assert found.success
