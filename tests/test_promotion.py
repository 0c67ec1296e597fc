"""Arrays of different dtypes in one operation: on every backend the dtype that NumPy gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from xgrad import nn
from xgrad.backends import load

FLOATS, INTEGERS, TRUTHS = np.array([1.0, 2.0, 3.0]), np.array([2, 0, 1]), np.array([True, False, True])

CASES = {
    "v * i": lambda v, i, m: v * i,
    "i * v": lambda v, i, m: i * v,
    "m * v": lambda v, i, m: m * v,
    "v + m": lambda v, i, m: v + m,
    "1 - m": lambda v, i, m: 1 - m,
    "i * m": lambda v, i, m: i * m,
    "v == i": lambda v, i, m: v == i,
    "i < v": lambda v, i, m: i < v,
    "v ** i": lambda v, i, m: v**i,
    "v / i[0]": lambda v, i, m: v / i[0],
    "v @ i": lambda v, i, m: v @ i,
    "where": lambda v, i, m: xg.where(m, v, i),
    "concat": lambda v, i, m: xg.concat([v, i]),
    "stack": lambda v, i, m: xg.stack([v, i]),
    "maximum": lambda v, i, m: xg.maximum(v, i),
    "outer": lambda v, i, m: xg.linalg.outer(v, i),
    "sum of truths": lambda v, i, m: xg.sum(m),
    "sum of truths along an axis": lambda v, i, m: xg.sum(m, axis=0),
    "running sum of truths": lambda v, i, m: xg.cumulative_sum(m),
    "mean of truths": lambda v, i, m: xg.mean(m),
    "mean of integers": lambda v, i, m: xg.mean(i, axis=0),
    "mse": lambda v, i, m: nn.functional.mse_loss(v, i),
    "written": lambda v, i, m: xg.setitem(v, i[0], 1),
    "added to": lambda v, i, m: xg.asarray(v, copy=True).__iadd__(i),
    "NumPy's integers": lambda v, i, m: v * np.array([1, 2, 3]),
    "NumPy's truths": lambda v, i, m: v * np.array([True, False, True]),
    "NumPy's bytes": lambda v, i, m: v * np.array([1, 2, 3], np.uint8),
}


def arguments(xp: Any) -> tuple[xg.Tensor, ...]:
    return make(xp, FLOATS), make(xp, INTEGERS), make(xp, TRUTHS)


@pytest.mark.parametrize("case", CASES)
def test_value_and_dtype_are_numpys(backend, xp, case):
    got = CASES[case](*arguments(xp))
    with xg.use_backend("numpy") as numpy:
        want = CASES[case](*arguments(numpy.view))
    assert got.backend is backend
    np.testing.assert_allclose(to_numpy(got), to_numpy(want), rtol=1e-15)
    assert to_numpy(got).dtype == to_numpy(want).dtype


DIFFERENTIABLE = ["v * i", "m * v", "v ** i", "v @ i", "where", "concat", "stack", "maximum", "outer", "mse", "written"]


@pytest.mark.parametrize("case", DIFFERENTIABLE)
def test_gradients(backend, xp, case):
    """First and second order, forward, and under vmap, against differences of NumPy's values."""
    _, i, m = arguments(xp)

    def f(v: Any) -> Any:
        return xg.sum(CASES[case](v, i, m) ** 2)

    with xg.use_backend("numpy"):
        numpy = load("numpy").view
        host = arguments(numpy)

        def value(at: Any) -> Any:
            return to_numpy(xg.sum(CASES[case](make(numpy, at), *host[1:]) ** 2))

        steps = 1e-5 * np.eye(3)
        shifted = FLOATS + np.array([0.1, 0.2, 0.3])
        want = [(value(shifted + d) - value(shifted - d)) / 2e-5 for d in steps]
    at = make(xp, shifted)
    np.testing.assert_allclose(to_numpy(xg.grad(f)(at)), want, rtol=1e-7, atol=1e-7)
    t = xg.jvp(f, (at,), (make(xp, [1.0, 1.0, 1.0]),))[1]
    np.testing.assert_allclose(to_numpy(t), np.sum(want), rtol=1e-7)
    xg.check_grads(f, at, order=2)
    if case != "written":  # one example's write is no write into many
        rows = xg.vmap(xg.grad(f))(xg.stack([at, at]))
        np.testing.assert_allclose(to_numpy(rows), [want, want], rtol=1e-7, atol=1e-7)


def test_what_no_other_dtype_helps_is_still_the_librarys_error(backend, xp):
    v, i, _ = arguments(xp)
    with pytest.raises((TypeError, ValueError, RuntimeError, IndexError), match="multiply"):
        v * make(xp, [1, 2])
    for call in (lambda: v & i, lambda: ~v):
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            call()
