"""Determinants of singular matrices: the gradient is the cofactor matrix."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy


def minor(x, rows, columns):
    """The determinant without these rows and columns, by Leibniz's sum."""
    n = x.shape[-1]
    left = x[np.ix_([i for i in range(n) if i not in rows], [j for j in range(n) if j not in columns])]
    total = 0
    for order in itertools.permutations(range(len(left))):
        sign = (-1) ** sum(a > b for a, b in itertools.combinations(order, 2))
        total += sign * math.prod(left[i, j] for i, j in enumerate(order))
    return total


def cofactors_of(x):
    n = x.shape[-1]
    return np.array([[(-1) ** (i + j) * minor(x, [i], [j]) for j in range(n)] for i in range(n)]).reshape(n, n)


@pytest.fixture
def matrix(backend, name):
    if backend.name == "dask" and name == "0 by 0":
        pytest.skip("dask.array divides by the number of elements")
    return MATRICES[name]


def second_of(x):
    """The second derivative, n x n x n x n: of the cofactor at i, j by the element at k, l."""
    n = x.shape[-1]
    hessian = np.zeros((n, n, n, n), x.dtype)
    for i, j, k, l in itertools.product(range(n), repeat=4):  # noqa: E741
        if i != k and j != l:
            sign = (-1) ** (i + j + k + l) * (1 if (k > i) == (l > j) else -1)
            hessian[i, j, k, l] = sign * minor(x, [i, k], [j, l])
    return hessian


RANK_2 = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
RANK_1 = np.outer([1.0, -2.0, 0.5], [3.0, 1.0, 2.0])
MATRICES = {
    "2 by 2": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "zero": np.zeros((2, 2)),
    "rank 2 of 3": RANK_2,
    "rank 1 of 3": RANK_1,
    "rank 0 of 3": np.zeros((3, 3)),
    "rank 3 of 4": np.diag([1.0, 0.0, 2.0, -3.0]) + 0.0,
    "a row of zeros": np.array([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0], [0.5, 3.0, 2.0]]),
    "equal values": np.eye(3),
    "regular": np.array([[2.0, 1.0, 0.5], [-1.0, 3.0, 0.0], [0.3, 0.2, 1.0]]),
    "1 by 1": np.zeros((1, 1)),
    "0 by 0": np.zeros((0, 0)),
    "complex": np.array([[1.0, 2.0j], [1j, -2.0]]),
    "complex rank 2 of 3": RANK_2 * np.array([1, 1j, 1]) + 0j,
}


@pytest.mark.parametrize("name", MATRICES)
def test_the_gradient_is_the_matrix_of_cofactors(xp, matrix):
    a = matrix
    x, want = make(xp, a), cofactors_of(a)
    t = np.arange(a.size).reshape(a.shape) - 1.5
    (reverse,) = xg.vjp(xp.linalg.det, x)[1](make(xp, np.ones((), a.dtype)))
    assert_matches(reverse, np.conj(want), xp=xp, dtype=str(a.dtype), rtol=1e-13, floor=1.0)
    forward = xg.jvp(xp.linalg.det, (x,), (make(xp, t.astype(a.dtype)),))[1]
    assert_matches(forward, np.sum(want * t).astype(a.dtype), xp=xp, rtol=1e-12, floor=1.0)


@pytest.mark.parametrize("name", MATRICES)
def test_the_second_derivative_is_that_of_the_polynomial(xp, matrix):
    a = matrix
    if a.dtype == complex:
        pytest.skip("a Hessian is of real numbers; see the next test")
    x = make(xp, a)
    if a.size:
        assert_matches(xg.hessian(xp.linalg.det)(x), second_of(a), xp=xp, rtol=1e-12, floor=1.0)
    t = make(xp, np.cos(np.arange(a.size)).reshape(a.shape))
    assert_matches(
        xg.hvp(xp.linalg.det, (x,), (t,))[0],
        np.einsum("ijkl,kl->ij", second_of(a), to_numpy(t)),
        xp=xp,
        rtol=1e-12,
        floor=1.0,
    )


@pytest.mark.parametrize("name", ["complex", "complex rank 2 of 3"])
def test_the_second_derivative_at_complex_matrices(xp, name):
    a = MATRICES[name]
    t = np.cos(np.arange(a.size)).reshape(a.shape) + 0.5j
    moved = xg.jvp(lambda x: xp.linalg.cofactors(x, xp.linalg.det(x)), (make(xp, a),), (make(xp, t),))[1]
    assert_matches(moved, np.einsum("ijkl,kl->ij", second_of(a), t), xp=xp, rtol=1e-12, floor=1.0)


def test_a_singular_matrix_does_not_spoil_a_batch(xp):
    batch = np.stack([RANK_2, MATRICES["regular"], RANK_1, np.eye(3)])
    x = make(xp, batch, requires_grad=True)
    want = np.stack([cofactors_of(a) for a in batch])
    xp.sum(xp.linalg.det(x)).backward()
    assert_matches(x.grad, want, xp=xp, rtol=1e-13, floor=1.0)
    each = xg.vmap(xg.grad(xp.linalg.det))(make(xp, batch))
    assert_matches(each, want, xp=xp, rtol=1e-13, floor=1.0)
    hessians = xg.vmap(xg.hessian(xp.linalg.det))(make(xp, batch))
    assert_matches(hessians, np.stack([second_of(a) for a in batch]), xp=xp, rtol=1e-12, floor=1.0)


@pytest.mark.filterwarnings("ignore:invalid value encountered in det")  # NumPy's, of the value
def test_a_matrix_that_is_not_finite_spoils_only_itself(xp):
    batch = np.stack([np.full((2, 2), np.nan), np.array([[1.0, 2.0], [2.0, 4.0]])])
    gradient = xg.grad(lambda x: xp.sum(xp.linalg.det(x)))(make(xp, batch))
    assert_matches(gradient, np.stack([np.full((2, 2), np.nan), [[4.0, -2.0], [-2.0, 1.0]]]), xp=xp, rtol=1e-13)


@pytest.mark.filterwarnings("ignore:overflow encountered in det")
@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1e-30, 1e30, 1e160])
def test_a_determinant_may_overflow_or_underflow(xp, scale):
    a = np.array([[3.0, 1.0], [2.0, 4.0]]) * scale
    (gradient,) = xg.vjp(lambda x: xp.linalg.det(x), make(xp, a))[1](make(xp, 1.0))
    assert_matches(gradient / scale, [[4.0, -2.0], [-1.0, 3.0]], xp=xp, rtol=1e-13)


def test_third_derivatives_where_there_is_an_inverse(xp):
    """Of a 3 by 3 determinant along the directions of its three diagonal elements: 1."""
    x = make(xp, MATRICES["regular"])

    def along(f, i):
        direction = make(xp, np.diag(np.eye(3)[i]))
        return lambda x: xg.jvp(f, (x,), (direction,))[1]

    assert_matches(along(along(along(xp.linalg.det, 0), 1), 2)(x), np.array(1.0), xp=xp, rtol=1e-12)
    third = xg.grad(along(lambda x: xp.sum(xg.grad(xp.linalg.det)(x) * xp.eye(3)), 0))(x)
    want = np.einsum("iiklmn,kl->mn", third_of(), np.diag([1.0, 0, 0]))
    assert_matches(third, want, xp=xp, rtol=1e-12)


def test_third_derivatives_of_many(xp):
    """Under vmap too. They are the same at every matrix."""
    xs = make(xp, np.stack([MATRICES["regular"], np.diag([1.0, 2.0, 3.0])]))
    direction = make(xp, np.diag([1.0, 0, 0]))

    def third(x):
        return xg.hvp(lambda x: xp.sum(xg.grad(xp.linalg.det)(x) * xp.eye(3)), (x,), (direction,))[0]

    def along_the_cofactors(x):
        return xg.grad(lambda x: xp.sum(xg.jvp(xg.grad(xp.linalg.det), (x,), (direction,))[1] * xp.eye(3)))(x)

    want = np.einsum("iiklmn,kl->mn", third_of(), np.diag([1.0, 0, 0]))
    assert_matches(xg.vmap(along_the_cofactors)(xs), np.stack([want, want]), xp=xp, rtol=1e-12)
    assert_matches(xg.vmap(third)(xs), np.stack([want, want]), xp=xp, rtol=1e-12)


def third_of():
    """The third derivative of a 3 by 3 determinant: the sign of the permutation, or 0."""
    t = np.zeros((3,) * 6)
    for rows in itertools.permutations(range(3)):
        for columns in itertools.permutations(range(3)):
            sign = (-1) ** sum(
                (a > b) != (c > d)
                for (a, c), (b, d) in itertools.combinations(list(zip(rows, columns, strict=True)), 2)
            )
            t[rows[0], columns[0], rows[1], columns[1], rows[2], columns[2]] = sign
    return t
