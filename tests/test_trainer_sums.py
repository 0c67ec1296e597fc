"""Numbers of many batches, read together."""

from __future__ import annotations

import math
from fractions import Fraction

import xgrad as xg
from xgrad.trainer import sums
from xgrad.trainer.sums import Sums


def test_the_mean_is_weighted_by_the_counts(xp):
    found = Sums()
    found.add(xg.asarray(0.25), 3)
    found.add(xg.asarray(1.0), 1)
    found.add(2.0, 2)
    assert found.mean() == float(Fraction(3, 4) + 1 + 4) / 6
    assert found.read()[0] == (0.25, 3)


def test_nothing_has_no_mean_and_nan_stays():
    assert math.isnan(Sums().mean())
    found = Sums()
    for value in (math.inf, -math.inf, 1.0):
        found.add(value)
    assert math.isnan(found.mean())


def test_values_are_read_when_many_wait(monkeypatch):
    monkeypatch.setattr(sums, "MOST", 3)
    found = Sums()
    for i in range(7):
        found.add(xg.asarray(float(i)))
    assert len(found.waiting) == 1
    assert [value for value, _ in found.read()] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_the_state_goes_on():
    found, other = Sums(), Sums()
    found.add(xg.asarray(3.0), 2)
    other.load_state_dict(found.state_dict())
    other.add(1.0, 2)
    assert other.mean() == 2.0
    other.clear()
    assert other.read() == []
