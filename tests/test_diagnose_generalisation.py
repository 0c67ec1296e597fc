"""OVERFITTING and IMBALANCE."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.watched import blobs, named, network, trained
from xgrad import nn, optim
from xgrad.diagnose import watch

RNG = np.random.default_rng(0)


def noise(count):
    return RNG.normal(size=(count, 20)).astype(np.float32), RNG.integers(0, 2, count)


def test_samples_learned_by_heart():
    (x, y), (x_val, y_val) = noise(60), noise(60)
    model = network(20, 64, 2)
    report = trained(
        model, optim.Adam(model.parameters(), lr=0.01), nn.CrossEntropyLoss(), x, y, 150, x_val=x_val, y_val=y_val
    )
    (finding,) = named(report, "OVERFITTING")
    assert finding.evidence["score"] > 0.95
    assert finding.evidence["score_val"] < 0.75


def test_a_network_that_does_well_on_both():
    (x, y), (x_val, y_val) = blobs(seed=0), blobs(seed=1)
    model = network(2, 16, 3)
    report = trained(
        model, optim.Adam(model.parameters(), lr=0.01), nn.CrossEntropyLoss(), x, y, 150, x_val=x_val, y_val=y_val
    )
    assert named(report, "OVERFITTING") == []
    assert "OVERFITTING" not in report.lacking


def test_what_held_out_samples_must_be():
    model = network(2, 3)
    with pytest.raises(ValueError, match="go together"):
        watch(model, x_val=xg.zeros((2, 2)))
    with pytest.raises(ValueError, match="the same number of samples"):
        watch(model, x_val=xg.zeros((2, 2)), y_val=xg.zeros(3))


def test_the_most_frequent_class_alone():
    x = RNG.normal(size=(400, 4)).astype(np.float32)
    y = (RNG.uniform(size=400) < 0.04).astype(np.int64)
    model = network(4, 8, 2)
    report = trained(model, optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss(), x, y, 100)
    (finding,) = named(report, "IMBALANCE")
    assert finding.evidence["right"] == pytest.approx(max(finding.evidence["shares"]), abs=0.02)


def test_a_rare_class_that_is_found():
    x, n = blobs(2, 400)
    y = (np.arange(400) < 40) & (n == 1)
    x[y] += 6
    model = network(2, 16, 2)
    report = trained(model, optim.Adam(model.parameters(), lr=0.02), nn.CrossEntropyLoss(), x, y.astype(np.int64), 200)
    assert named(report, "IMBALANCE") == []
