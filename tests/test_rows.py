"""Sums by BLAS equal NumPy's sums, for every choice of axes and for the layouts that they leave to NumPy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from xgrad.backends import load, rows

X = np.random.default_rng(0).normal(size=(2, 4, 9, 12))
LAYOUTS = {
    "contiguous": X,
    "transposed": X.T,
    "part": X[..., 1:],
    "few columns": X[..., :7].copy(),
    "one row": X[:1],
    "small": X[:1, :1],
    "integers": (10 * X).astype(int),
    "float32": X.astype(np.float32),
}
AXES = [axes for n in range(5) for axes in combinations(range(4), n)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sums(layout):
    x, xp = LAYOUTS[layout], load("numpy").xp
    for axes in AXES:
        for keepdims in (False, True):
            for chosen in (axes, tuple(a - 4 for a in axes)):
                got, want = xp.sum(x, axis=chosen, keepdims=keepdims), x.sum(axis=chosen, keepdims=keepdims)
                assert got.shape == want.shape
                assert got.dtype == want.dtype
                np.testing.assert_allclose(got, want, rtol=1e-5 if layout == "float32" else 1e-12, atol=1e-5)
            got = xp.sum_of_products(x, x, axis=axes, keepdims=keepdims)
            np.testing.assert_allclose(got, (x * x).sum(axis=axes, keepdims=keepdims), rtol=1e-5)
            assert got.shape == (x * x).sum(axis=axes, keepdims=keepdims).shape


def test_which_sums_blas_computes():
    """Else the test above would compare NumPy with itself."""
    found = {axes for axes in AXES if axes and rows.sum_by_blas(X, axes, False) is not None}
    assert found == {(0,), (1,), (0, 1), (0, 1, 2), (3,), (2, 3), (1, 2, 3), (0, 3), (0, 1, 3), (0, 2, 3)}
    assert rows.sum_by_blas(X[..., :7].copy(), (3,), False) is not None
    found = {axes for axes in AXES if rows.sum_of_products(X, X, axes) is not None}
    assert (0, 3) in found
    assert (0, 2, 3) in found
    assert (1, 2) not in found
    assert rows.sum_by_blas(X[..., 1:], (0,), False) is None
    assert rows.sum_by_blas(np.ones((2, 1 << 13)), (1,), False) is None  # a long sum rounds less in pairs


def test_sums_that_are_long_round_as_little_as_numpys():
    x = np.random.default_rng(1).uniform(size=(3, 4096)).astype(np.float32)
    error = np.abs(load("numpy").xp.sum(x, axis=1) - x.sum(axis=1, dtype=float)) / x.sum(axis=1)
    assert error.max() < 4 * 2.0**-24 * 12


@pytest.mark.parametrize("axis", [4, -5, (0, 4), (1, 1), (0, -4)])
def test_an_axis_that_does_not_exist_or_is_given_twice_is_an_error(axis):
    xp = load("numpy").xp
    for function in (lambda: xp.sum(X, axis=axis), lambda: xp.mean(X, axis=axis)):
        with pytest.raises(ValueError, match="axis"):
            function()
