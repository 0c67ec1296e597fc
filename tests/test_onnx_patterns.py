"""Constant arrays whose shape depends on a size: their pattern is found from two or three of them."""

from __future__ import annotations

import numpy as np
import pytest

from xgrad.onnx.patterns import Pattern, pattern
from xgrad.onnx.sizes import Size

SIZES = (4, 5, 7)
N = Size(SIZES)


def of(f):
    return pattern([np.asarray(f(n)) for n in SIZES])


def test_an_array_that_is_always_the_same_is_itself():
    assert of(lambda n: np.arange(3.0)).tolist() == [0, 1, 2]


def test_repeated_arrays():
    found = of(lambda n: np.full((2, n, 3), [1.0, 2.0, 3.0]))
    assert (found.kind, found.shape, found.base.tolist()) == ("repeated", (2, N, 3), [[[1, 2, 3]], [[1, 2, 3]]])


@pytest.mark.parametrize(("first", "step"), [(0, 1), (5, -2), (0.5, 0.25)])
def test_counts(first, step):
    found = of(lambda n: (first + step * np.arange(n))[:, None] + np.zeros((n, n), np.asarray(step).dtype))
    assert (found.kind, found.axis, found.step, found.base.item()) == ("count", 0, step, first)


@pytest.mark.parametrize("k", [-2, -1, 0, 1])
def test_triangles(k):
    found = of(lambda n: np.where(np.tril(np.ones((n, n)), k) > 0, 0.0, -np.inf))
    assert (found.kind, found.base, found.other, found.diagonal) == ("triangle", 0, -np.inf, k)
    found = of(lambda n: np.broadcast_to(np.triu(np.ones((n, n), bool), k + 1), (n, n, n)))
    assert (found.kind, found.base, found.other, found.diagonal) == ("triangle", False, True, k)


def test_diagonals():
    found = of(lambda n: np.eye(n))
    assert (found.kind, found.base, found.other, found.diagonal) == ("diagonal", 1, 0, 0)


def test_a_number_that_is_a_size():
    assert of(lambda n: 3 * n) == Pattern("number", (), np.asarray(12), number=3 * N)


@pytest.mark.parametrize("f", [lambda n: 1 / n, lambda n: np.arange(n) ** 2, lambda n: np.zeros((n,) * (n % 2 + 1))])
def test_others_are_not_known(f):
    assert of(f) is None
