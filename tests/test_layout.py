"""Any key on every backend: read and written as NumPy does, or refused."""

from __future__ import annotations

import random

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make
from tests.support.random_keys import some_key
from xgrad.backends.layout import arrays_first

REFUSED = (IndexError, NotImplementedError)  # the standard has neither arrays beside slices nor masks beside anything


@pytest.mark.parametrize(
    "key",
    [
        (0, slice(None), [1, 0]),
        ([1, 0], slice(None), 0),
        (0, [1, 0]),
        (slice(None), 0, [1, 0]),
        (slice(None), 0, ..., [1, 0]),
        ([1, 0], ..., [1, 2]),
        ([1, 0], None, 1, [1, 2]),
        (0, None, [1, 0]),
        (..., 1, [[1], [0]]),
        (-1, [True, False], slice(1, None)),
        (0, slice(None, None, -1), [1, 0]),
        ([[1, 0]], slice(None, None, -2), 1),
    ],
)
def test_integers_and_ellipses_beside_arrays(backend, xp, key):
    check(backend, xp, (2, 2, 3), [np.asarray(part) if isinstance(part, list) else part for part in key])


@pytest.mark.parametrize("seed", range(60))
def test_any_key(backend, xp, seed):
    rng = random.Random(seed)
    shape = tuple(rng.choice([1, 2, 3]) for _ in range(rng.randint(1, 4)))
    check(backend, xp, shape, some_key(rng, shape))


@pytest.mark.parametrize(
    "key",
    [
        ([1, 0], ..., [1, 2]),
        ([1, 0], slice(None), [1, 1]),
        ([1, 0], None, [1, 1]),
        (..., [1, 0], slice(1, None), [1, 1]),
        ([1, 0], slice(None, None, -1), [[1], [0]], None, 2),
        ([[True, False, True], [False, False, True]], ..., [1, 0, 1]),
    ],
)
def test_arrays_that_are_no_neighbours_come_first(key):
    x = np.arange(48.0).reshape(2, 3, 2, 4)
    key = tuple(np.asarray(part) if isinstance(part, list) else part for part in key)
    found = arrays_first(key, x.ndim)
    assert found is not None
    order, turned = found
    np.testing.assert_array_equal(x.transpose(order)[turned], x[key])
    assert arrays_first(key[:1], x.ndim) is arrays_first((0, *key[:1], 1), x.ndim) is None


def check(backend, xp, shape, parts):
    """The value, the gradient, and what is written, with the arrays of the key as tensors."""
    key = tuple(parts)
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    try:
        want = x[key]
    except IndexError:
        pytest.skip("a mask does not fit beside the other arrays of this key")
    weights = np.arange(1.0, 1 + want.size).reshape(want.shape)
    added, replaced = np.zeros(shape), x.copy()
    np.add.at(added, key, weights)
    replaced[key] = weights
    here = tuple(make(xp, part) if isinstance(part, np.ndarray) else part for part in key)
    tensor, w = make(xp, x), make(xp, weights)
    try:
        got = tensor[here]
        gradient = xg.grad(lambda x: xp.sum(x[here] * w))(tensor)
        written = xg.at(tensor, here).set(w)
    except REFUSED:
        assert backend.name in ("strict", "dask")
        return
    assert_matches(got, want, xp=xp, rtol=0)
    assert_matches(gradient, added, xp=xp, rtol=0)
    places = np.zeros(shape, dtype=int)
    np.add.at(places, key, 1)
    if places.max(initial=0) < 2:  # else one of the values stays, and which is the library's business
        assert_matches(written, replaced, xp=xp, rtol=0)
