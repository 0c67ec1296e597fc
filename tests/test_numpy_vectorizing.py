"""np.vectorize on tensors."""

from __future__ import annotations

import numpy
import pytest

import xgrad as xg
import xgrad.numpy as np
from tests.support.arrays import assert_matches, make


@np.vectorize
def softened(x, limit):
    """Linear above the limit."""
    return x * x if x < limit else 2 * limit * x - limit * limit


def test_values_and_gradients(xp):
    a = numpy.array([[0.5, 3.0], [1.5, -2.0]])
    x = make(xp, a, requires_grad=True)
    y = softened(x, 1.0)
    assert_matches(y.detach(), softened(a, 1.0), xp=xp)
    xg.sum(y).backward()
    assert_matches(x.grad, [[1.0, 2.0], [2.0, -4.0]], xp=xp)


def test_several_results(xp):
    x = make(xp, [1.0, 2.0])
    double, square = np.vectorize(lambda v: (2 * v, v * v))(x)
    assert_matches(double, [2.0, 4.0], xp=xp)
    assert_matches(square, [1.0, 4.0], xp=xp)


def test_it_is_numpys_on_plain_arrays():
    assert isinstance(softened, numpy.vectorize)
    assert type(softened(numpy.ones(2), 0.5)) is numpy.ndarray
    assert softened.__doc__ == "Linear above the limit."


def test_what_is_refused(xp):
    x = make(xp, [1.0, 2.0])
    with pytest.raises(TypeError, match="positional arguments only, and no signature="):
        np.vectorize(lambda v: v, signature="(n)->(n)")(x)
    with pytest.raises(TypeError, match="positional arguments only"):
        softened(x, limit=1.0)
    with pytest.raises(ValueError, match="there are no elements"):
        softened(x[:0], 1.0)
