"""The pool of results: an array is handed out again once nothing but the pool refers to it."""

import numpy as np

from xgrad.compile.engines import pool
from xgrad.compile.engines.pool import Slot


def slot():
    return Slot(lambda: np.empty(5))


def test_an_array_that_was_dropped_comes_again():
    s = slot()
    address = s.take().ctypes.data
    assert {s.take().ctypes.data for _ in range(5)} == {address}


def test_an_array_that_is_held_does_not_come_again():
    s = slot()
    held = [s.take() for _ in range(6)]
    assert len({y.ctypes.data for y in held}) == 6


def test_a_view_holds_its_array():
    s = slot()
    views = [s.take()[1:3] for _ in range(6)]
    assert len({y.ctypes.data for y in views}) == 6


def test_the_one_before_the_latest_comes_again():
    s = slot()
    latest = s.take()
    addresses = {latest.ctypes.data}
    for _ in range(10):
        latest = s.take()
        addresses.add(latest.ctypes.data)
    assert len(addresses) == 2


def test_few_arrays_are_kept():
    s = slot()
    held = [s.take() for _ in range(20)]
    assert len(s) <= 2
    del held


def test_without_reference_counts_every_array_is_new(monkeypatch):
    monkeypatch.setattr(pool, "refs", pool._never)
    s = slot()
    first = s.take()
    address = first.ctypes.data
    del first
    assert s[0].ctypes.data == address  # the pool has it still
    assert s.take().ctypes.data != address
