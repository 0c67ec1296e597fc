"""Indices out of range: an error where the library checks them, and under debug() everywhere."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.helpers import make, to_numpy


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_out_of_range_is_an_error(backend, xp, index):
    if not backend.checks_indices:
        pytest.skip("this library wraps indices around; see the next test")
    x = make(xp, [1.0, 2.0])
    reads = [
        lambda: x[index],
        lambda: x[make(xp, [0, index])],
        lambda: xp.take(x, make(xp, [index])),
        lambda: xp.take_along_axis(x, make(xp, [index])),
    ]
    for read in reads:
        with pytest.raises(IndexError):
            to_numpy(read())


@pytest.mark.parametrize("index", [3, -4])
def test_debug_finds_what_a_library_would_wrap_around(backend, xp, index, monkeypatch):
    monkeypatch.setattr(type(backend), "checks_indices", False)
    if backend.name == "strict":
        pytest.skip("the check waits for the device, which the guard refuses")
    x = make(xp, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    i, rows = make(xp, [0, index]), make(xp, [0, 1])
    reads = [
        lambda: x[..., i],
        lambda: x[rows, i],
        lambda: x[None, 0, i],
        lambda: xp.take(x, i, axis=1),
        lambda: xp.take_along_axis(x, make(xp, [[index], [0]]), axis=1),
        lambda: xp.scatter(make(xp, [1.0, 1.0]), (rows, i), (2, 3)),
        lambda: xp.scatter_take(make(xp, np.ones((2, 2))), i, (2, 3), 1),
        lambda: xp.scatter_along_axis(make(xp, np.ones((2, 1))), make(xp, [[index], [0]]), (2, 3), 1),
        lambda: xg.at(x, (rows, i)).add(1.0),
        lambda: x.__setitem__((rows, i), 0.0),
    ]
    for read in reads:
        with xg.debug(), pytest.raises(IndexError, match=r"axis 1 of shape \(2, 3\) is out of range"):
            read()
    with xg.debug():
        assert to_numpy(x[..., make(xp, [0, -3])]).tolist() == [[1.0, 1.0], [4.0, 4.0]]
        x[rows, make(xp, [2, 2])] = 0.0
        scattered = xp.scatter(make(xp, [5.0]), make(xp, [7]), (8,))
    assert to_numpy(scattered).tolist() == [0.0] * 7 + [5.0]
    assert to_numpy(x).tolist() == [[1.0, 2.0, 0.0], [4.0, 5.0, 0.0]]
