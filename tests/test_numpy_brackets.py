"""np.r_ and np.c_ of tensors."""

from __future__ import annotations

import numpy
import pytest

import xgrad as xg
import xgrad.numpy as np
from tests.support.arrays import assert_matches, make


def keys(x, y):
    return [
        lambda np: np.r_[x, y], lambda np: np.r_[x], lambda np: np.r_[x, 1.0, 2:5, y[0]], lambda np: np.c_[x, y],
        lambda np: np.c_[x], lambda np: np.c_[x, [5.0, 6.0]], lambda np: np.c_[x[0], y[1]],
    ]  # fmt: skip


@pytest.mark.parametrize("i", range(7))
def test_values_are_numpys(xp, i):
    a, b = numpy.array([1.0, 2.0]), numpy.array([3.0, 4.0])
    with xg.use_backend(make(xp, a).backend):
        assert_matches(keys(make(xp, a), make(xp, b))[i](np), keys(a, b)[i](numpy), xp=xp, rtol=0)


def test_matrices_and_the_gradient(xp):
    m = numpy.arange(4.0).reshape(2, 2)
    x = make(xp, m, requires_grad=True)
    assert_matches(np.c_[x, numpy.ones(2)].detach(), numpy.c_[m, numpy.ones(2)], xp=xp, rtol=0)
    xg.sum(np.r_[x, x] * make(xp, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])).backward()
    assert_matches(x.grad, [[6.0, 8.0], [10.0, 12.0]], xp=xp)


def test_plain_arrays_and_words():
    assert type(np.r_[1:3, 5]) is numpy.ndarray
    assert numpy.r_["0,2", [1], [2]].tolist() == np.r_["0,2", [1], [2]].tolist()
    with pytest.raises(TypeError, match=r"use np\.concatenate"):
        np.r_["0,2", xg.ones(2)]
