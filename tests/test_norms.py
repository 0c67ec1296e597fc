"""Norms, variances and standard deviations where formulas break: zeros, overflow and underflow, infinities, no elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from xgrad.backends import load
from xgrad.engine.op import OPS

ORDERS = [2, 3, 1.5, 0.5, -1, -2]
SCALES = [("float64", 1.0), ("float64", 1e200), ("float64", 1e-200), ("float32", 1e25), ("float32", 1e-25)]
ROUNDING = {"float64": 1e-13, "float32": 1e-5}


def hessian_of(xp, f, x):
    return xg.hessian(lambda x: xp.sum(f(x)))(x)


def norm_by_hand(x, ord):
    """The norm, its gradient and its second derivative, of elements of a size that has powers."""
    y = np.sum(np.abs(x) ** ord) ** (1 / ord)
    share = np.abs(x) / y
    g = np.sign(x) * share ** (ord - 1)
    return y, g, (ord - 1) / y * (np.diag(share ** (ord - 2)) - np.outer(g, g))


@pytest.mark.parametrize("ord", ORDERS)
@pytest.mark.parametrize(("dtype", "scale"), SCALES)
def test_a_norm_of_any_size_has_both_derivatives(xp, ord, dtype, scale):
    x = np.array([3.0, -4.0])
    y, g, h = norm_by_hand(x, ord)
    tensor = make(xp, x * scale, dtype)

    def norm(x):
        return xp.linalg.vector_norm(x, ord=ord)

    rtol = ROUNDING[dtype]
    assert_matches(norm(tensor) / scale, np.array(y), xp=xp, dtype=dtype, rtol=rtol)
    assert_matches(xg.grad(norm)(tensor), g, xp=xp, dtype=dtype, rtol=rtol)
    assert_matches(
        xg.jvp(norm, (tensor,), (make(xp, [1.0, 2.0], dtype),))[1], g @ [1, 2], xp=xp, dtype=dtype, rtol=rtol
    )
    second = to_numpy(hessian_of(xp, norm, tensor)).astype("float64") * scale
    np.testing.assert_allclose(second, h, rtol=0, atol=20 * rtol)


@pytest.mark.parametrize(("dtype", "scale"), SCALES)
@pytest.mark.parametrize("correction", [0.0, 1.0])
def test_a_spread_of_any_size_has_both_derivatives(xp, dtype, scale, correction):
    x, rtol = np.array([3.0, -4.0, 0.5]), ROUNDING[dtype]
    y, deviation, count = np.std(x, ddof=int(correction)), x - x.mean(), len(x) - correction
    g = deviation / count / y
    h = ((np.eye(3) - 1 / 3) / count - np.outer(g, g)) / y
    tensor = make(xp, x * scale, dtype)

    def std(x):
        return xp.std(x, correction=correction)

    assert_matches(std(tensor) / scale, np.array(y), xp=xp, dtype=dtype, rtol=rtol)
    assert_matches(xg.grad(std)(tensor), g, xp=xp, dtype=dtype, rtol=rtol)
    second = to_numpy(hessian_of(xp, std, tensor)).astype("float64") * scale
    np.testing.assert_allclose(second, h, rtol=0, atol=20 * rtol)


def test_a_spread_around_a_large_mean_keeps_its_digits(xp):
    x = 1e9 + np.array([0.0, 1.0, 2.0])
    assert_matches(xp.std(make(xp, x)), np.std(x), xp=xp, rtol=1e-15)


@pytest.mark.parametrize("ord", [*ORDERS, 1, math.inf, -math.inf, 0])
def test_a_norm_that_is_zero_has_no_gradient(xp, ord):
    """Nor has an element beside the zero that makes a norm of a negative order 0."""
    rows = make(xp, [[0.0, 0.0], [3.0, 0.0]])
    negative = ord < 0

    def norm(x):
        return xp.linalg.vector_norm(x, ord=ord, axis=1)

    with np.errstate(all="ignore"):  # 0 to a negative power
        g = to_numpy(xg.grad(lambda x: xp.sum(norm(x)))(rows))
        second = to_numpy(hessian_of(xp, norm, rows))
    np.testing.assert_array_equal(g, [[0, 0], [0 if negative or ord == 0 else 1, 0]])
    assert np.isfinite(second).all()
    assert not second[0].any()


@pytest.mark.parametrize("name", ["std", "hypot"])
def test_no_spread_and_no_length_have_derivatives_of_zero(xp, name):
    f = {"std": lambda x: xp.std(x, axis=1), "hypot": lambda x: xp.hypot(x[:, 0], x[:, 1])}[name]
    rows = make(xp, [[0.0, 0.0], [3.0, 4.0]])
    second = to_numpy(hessian_of(xp, f, rows))
    assert np.isfinite(second).all()
    assert not second[0].any()
    slope = {"std": [[0, 0], [-0.5, 0.5]], "hypot": [[0, 0], [0.6, 0.8]]}[name]
    assert_matches(xg.grad(lambda x: xp.sum(f(x)))(rows), slope, xp=xp, dtype="float64", rtol=1e-15)


@pytest.mark.parametrize(
    ("ord", "x", "want"),
    [
        (0.5, [1e200, 1e-200, 1.0], [1.0, 1e200, 1e100]),
        (1.5, [1e200, 1e-200, 1.0], [1.0, 1e-200, 1e-100]),
        (-1, [math.inf, 1.0, 2.0], [0.0, 4 / 9, 1 / 9]),
        (math.inf, [math.inf, 1.0, -2.0], [1.0, 0.0, 0.0]),
        (-math.inf, [math.inf, 1.0, -2.0], [0.0, 1.0, 0.0]),
        (1, [math.inf, 1.0, -2.0], [1.0, 1.0, -1.0]),
    ],
)
def test_elements_far_apart(xp, ord, x, want):
    with np.errstate(all="ignore"):
        g = to_numpy(xg.grad(lambda x: xp.linalg.vector_norm(x, ord=ord))(make(xp, x)))
    np.testing.assert_allclose(g, want, rtol=1e-12)


@pytest.mark.parametrize("ord", [2, 3, 0.5, math.inf])
def test_a_norm_of_complex_numbers_at_the_ends(xp, ord):
    x = np.array([[0, 0], [3 + 4j, 0], [3e200 + 4e200j, 0], [3e-200 + 4e-200j, 0]])

    def norm(x):
        return xp.sum(xp.linalg.vector_norm(x, ord=ord, axis=1) * make(xp, [1.0, 1.0, 1e-200, 1e-200]))

    g = to_numpy(xg.grad(norm)(make(xp, x)))
    phase = 0.6 + 0.8j
    want = np.array([[0, 0], [phase, 0], [phase * 1e-200, 0], [phase * 1e-200, 0]])
    np.testing.assert_allclose(g, want, rtol=1e-12)


def test_a_norm_over_several_axes_and_over_nothing(xp):
    x = np.array([[[0.0, 3.0], [4.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    g = xg.grad(lambda x: xp.sum(xp.linalg.vector_norm(x, axis=(1, 2))))(make(xp, x))
    assert_matches(g, x / 5, xp=xp)
    for shape in ((0,), (2, 0), (0, 2)):
        empty = make(xp, np.zeros(shape))
        assert_matches(xg.grad(lambda x: xp.sum(xp.linalg.vector_norm(x, axis=-1)))(empty), np.zeros(shape), xp=xp)


@pytest.mark.parametrize("ord", [math.inf, -math.inf])
def test_the_element_that_a_norm_is_of_is_found_where_the_library_rounds_it_otherwise(monkeypatch, ord):
    """dpnp's kernels of the norm and of the absolute value differ in the last digit of a complex number."""
    numpy: Any = load("numpy")

    def norm(*args, **options):
        return np.linalg.vector_norm(*args, **options) * (1 + 4e-16)

    monkeypatch.setitem(OPS["linalg.vector_norm"].raw, numpy, norm)
    with xg.use_backend("numpy"):
        x = xg.asarray([[3.0, -4.0], [-6.0, 1.0]])
        g = xg.grad(lambda x: xg.sum(xg.linalg.vector_norm(x, axis=1, ord=ord)))(x)
    assert_matches(g, [[0.0, -1.0], [-1.0, 0.0]] if ord > 0 else [[1.0, 0.0], [0.0, 1.0]], xp=xg)


@pytest.mark.parametrize("ord", ["fro", "nuc", 2, 1, math.inf, -2, -1, -math.inf])
def test_the_gradient_of_a_norm_of_a_zero_matrix_is_zero(xp, ord):
    x = np.zeros((2, 2, 2))
    x[1] = [[3.0, 0.0], [0.0, 4.0]]
    g = to_numpy(xg.grad(lambda x: xp.sum(xp.linalg.matrix_norm(x, ord=ord)))(make(xp, x)))
    np.testing.assert_array_equal(g[0], np.zeros((2, 2)))
    large, small = [[0, 0], [0, 1]], [[1, 0], [0, 0]]
    at_one = large if not isinstance(ord, str) and ord > 0 else small
    want = np.asarray({"fro": x[1] / 5, "nuc": np.eye(2)}.get(ord, at_one))
    np.testing.assert_allclose(g[1], want, atol=1e-15)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
@pytest.mark.parametrize("ord", ["fro", "nuc", 2, 1, math.inf, -2, -1, -math.inf])
def test_the_norm_of_a_matrix_of_any_size(xp, ord, scale):
    x = np.array([[3.0, 1.0], [1.0, 4.0]])

    def norm(x):
        return xp.linalg.matrix_norm(x, ord=ord)

    want = to_numpy(xg.grad(norm)(make(xp, x)))
    assert_matches(norm(make(xp, x * scale)), np.linalg.norm(x, ord) * scale, xp=xp, rtol=1e-13)
    assert_matches(xg.grad(norm)(make(xp, x * scale)), want, xp=xp, rtol=1e-13)
