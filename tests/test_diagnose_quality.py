"""How well outputs fit: against sums written out in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from xgrad.diagnose.quality import Quality, quality
from xgrad.diagnose.takes import LOGARITHMS, LOGITS, PROBABILITIES, VALUES
from xgrad.diagnose.targets import targets_of

RNG = np.random.default_rng(0)
N = RNG.integers(0, 3, 50)
Z = RNG.normal(size=(50, 3))
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def of(output, y, takes):
    y = xg.asarray(y)
    return quality(xg.asarray(output), y, targets_of(y), takes)


@pytest.mark.parametrize(("output", "takes"), [(Z, LOGITS), (P, PROBABILITIES), (np.log(P), LOGARITHMS), (P, VALUES)])
@pytest.mark.parametrize("y", [N, np.eye(3)[N]], ids=["numbers", "rows"])
def test_classes(output, takes, y):
    found = of(output, y, takes)
    shares = np.bincount(N) / 50
    loss, constant = -np.log(P[np.arange(50), N]).mean(), -(shares * np.log(shares)).sum()
    assert found.score == pytest.approx(1 - loss / constant)
    assert (found.right, found.usual) == ((P.argmax(axis=1) == N).mean(), shares.max())


def test_numbers():
    y = RNG.normal(size=(40, 2))
    found = of(y + 0.1, y, VALUES)
    assert found.score == pytest.approx(1 - 0.01 / y.var(axis=0).mean())
    assert math.isnan(found.right)
    assert found.is_good
    assert of(y * 0 + y.mean(axis=0), y, VALUES).score == pytest.approx(0)
    assert of(y[:, 0], y, VALUES) is None


def test_truths_and_labels():
    y = (RNG.uniform(size=(60, 1)) < 0.3).astype(float)
    z = RNG.normal(size=(60, 1))
    p, mean = 1 / (1 + np.exp(-z)), y.mean()
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    entropy = -(mean * math.log(mean) + (1 - mean) * math.log(1 - mean))
    assert of(z, y, LOGITS).score == pytest.approx(of(p, y, PROBABILITIES).score) == pytest.approx(1 - loss / entropy)
    assert of(p, y, VALUES).score == pytest.approx(1 - ((y - p) ** 2).mean() / y.var())
    labels = np.concatenate([y, 1 - y * y[::-1]], axis=1)
    assert of(labels, labels, PROBABILITIES).right == 1


def test_what_is_good_and_what_is_poor():
    assert Quality(0.5, right=0.95, usual=0.5).is_good
    assert not Quality(0.5, right=0.95, usual=0.94).is_good  # the most frequent class alone does as well
    assert Quality(0.1, right=0.6, usual=0.1).is_poor  # barely sure
    assert not Quality(0.1, right=0.95, usual=0.1).is_poor  # sure, and wrong at times
    assert Quality(0.5).is_poor
    assert of(np.full((50, 3), np.nan), N, LOGITS).is_poor
