"""xgrad.numpy: what it shares with NumPy, and its functions that make arrays of tensors."""

from __future__ import annotations

import inspect

import numpy
import pytest

import xgrad as xg
import xgrad.numpy as np
from tests.support.arrays import assert_matches, make, raw
from xgrad.numpy import making

OURS = {"c_", "r_", "vectorize"} | {
    *("array", "asarray", "asanyarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "require"),
    *("full", "full_like", "ones_like", "zeros_like", "empty_like"),
}


def test_all_else_is_numpys_own():
    assert set(np.__all__) == set(numpy.__all__)
    for name in set(dir(numpy)) - OURS:
        if not name.startswith("__"):
            assert getattr(np, name) is getattr(numpy, name), name
    assert set(dir(np)) >= OURS


def test_a_name_that_numpy_does_not_have():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        np.nothing  # noqa: B018


@pytest.mark.parametrize("name", sorted(OURS - {"c_", "r_", "vectorize"}))
def test_plain_arrays_are_numpys(name):
    args = ((2, 2), 3.0) if name == "full" else ([1.0, 2.0], 3.0) if name == "full_like" else ([1.0, 2.0],)
    got, want = getattr(np, name)(*args), getattr(numpy, name)(*args)
    assert type(got) is numpy.ndarray
    assert (got.shape, got.dtype, got.flags.writeable) == (want.shape, want.dtype, True)
    if name != "empty_like":
        numpy.testing.assert_array_equal(got, want)
    assert getattr(np, name).__doc__ == getattr(numpy, name).__doc__


@pytest.mark.parametrize(
    "name", ["array", "asarray", "asanyarray", "asarray_chkfinite", "ascontiguousarray", "require"]
)
def test_lists_that_hold_tensors(xp, name):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = getattr(np, name)([[x[0], 3.0], [4, xg.sum(x)]])
    assert_matches(y.detach(), [[1.0, 3.0], [4.0, 3.0]], xp=xp)
    xg.sum(y * y).backward()
    assert_matches(x.grad, [8.0, 6.0], xp=xp)


def test_beside_arrays_and_numbers_of_numpys(xp):
    x = make(xp, [1.0, 2.0])
    assert_matches(np.array([x, numpy.ones(2)]), [[1.0, 2.0], [1.0, 1.0]], xp=xp)
    assert_matches(np.array([numpy.float64(5.0), x[1]]), [5.0, 2.0], xp=xp)
    assert_matches(np.array((0, x[1])), [0.0, 2.0], xp=xp)


def test_dtypes_and_axes(xp):
    x = make(xp, [1.0, 2.0])
    assert_matches(np.array([x], dtype=numpy.float32), [[1.0, 2.0]], xp=xp, dtype="float32")
    assert np.array(x, ndmin=3).shape == (1, 1, 2)
    assert np.array(x) is not x
    assert np.asarray(x) is x
    assert np.ascontiguousarray(x[0]).shape == (1,)
    assert np.asfortranarray(x[0]).shape == (1,)
    with pytest.raises(TypeError, match="like= is not supported"):
        np.asarray(x, like=x)


def test_only_finite_values(xp):
    with pytest.raises(ValueError, match="must not contain infs or NaNs"):
        np.asarray_chkfinite(make(xp, [1.0, float("inf")]))


def test_full_and_like(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = np.full((2, 2), x)
    xg.sum(y * make(xp, [[1.0, 2.0], [3.0, 4.0]])).backward()
    assert_matches(x.grad, [4.0, 6.0], xp=xp)
    assert_matches(np.full(3, x[1]).detach(), [2.0, 2.0, 2.0], xp=xp)
    z = np.full(2, x[1])
    z[0] = 7.0  # its own memory
    assert_matches(z.detach(), [7.0, 2.0], xp=xp)
    assert_matches(np.ones_like([x[0], 2.0]), [1.0, 1.0], xp=xp)
    assert_matches(np.zeros_like([x, x]), [[0.0, 0.0], [0.0, 0.0]], xp=xp)
    assert_matches(np.full_like(numpy.ones(2), x[1]).detach(), [2.0, 2.0], xp=xp)
    assert np.empty_like([x]).shape == (1, 2)


def test_the_signatures_are_numpys():
    for name, function in inspect.getmembers(making, inspect.isfunction):
        if name in OURS:
            mine = inspect.signature(inspect.unwrap(function, stop=lambda f: False))
            assert mine == inspect.signature(getattr(numpy, name))


def test_a_program_says_numpy(backend):
    def f(x):
        rows = np.array([np.sin(x[0]), np.cos(x[1]), 1.0])
        return np.sum(np.linalg.norm(np.outer(rows, rows), axis=0))

    with xg.use_backend(backend):
        x = xg.asarray(raw(backend, [0.3, 0.4]))
        xg.check_grads(f, x)
