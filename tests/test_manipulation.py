"""Numbers among arrays: they take the arrays' dtype, as in arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.arrays import assert_matches, dtype_name, make

# dtype of the arrays, number, dtype of both
BESIDE = [
    ("float32", 2.5, "float32"),
    ("float32", 2, "float32"),
    ("float32", True, "float32"),
    ("float32", 2j, "complex64"),
    ("float64", np.float32(2.5), "float64"),
    ("complex64", 2.5, "complex64"),
    ("int32", 2, "int32"),
    ("int32", True, "int32"),
    ("bool", True, "bool"),
]


@pytest.mark.parametrize(("dtype", "number", "want"), BESIDE)
def test_a_number_takes_the_dtype_of_the_arrays(xp, dtype, number, want):
    x = make(xp, [1, 0], dtype)
    a, b = xp.broadcast_arrays(x, number)
    assert_matches(a, np.array([1, 0], dtype), xp=xp)
    assert_matches(b, np.array([number, number], want), xp=xp)
    rows, columns = xp.meshgrid(x, number, indexing="ij")
    assert_matches(rows, np.array([[1], [0]], dtype), xp=xp)
    assert_matches(columns, np.array([[number], [number]], want), xp=xp)
    if dtype == want:  # not every library joins arrays of two dtypes
        assert_matches(xp.stack([x[0], number]), np.array([1, number], want), xp=xp)
        assert_matches(xp.stack([number, x[0]]), np.array([number, 1], want), xp=xp)
        assert_matches(xp.concat([x, number], axis=None), np.array([1, 0, number], want), xp=xp)


def test_numbers_alone(xp):
    default = dtype_name(xp.asarray(1.0).dtype)
    assert_matches(xp.broadcast_arrays(1.0, 2.0)[0], np.array(1.0), xp=xp, dtype=default)
    assert_matches(xp.stack([1.0, 2.0]), np.array([1.0, 2.0]), xp=xp, dtype=default)


def test_gradients_pass_beside_numbers(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    a, b = xp.broadcast_arrays(x, 3.0)
    xp.sum(xp.stack([a * b, a]) + xp.stack([x[0], 5.0])).backward()
    assert_matches(x.grad, np.array([6.0, 4.0]), xp=xp)
