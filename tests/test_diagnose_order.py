"""NOT_SHUFFLED: sorted samples in the order of the data, and orders that do no harm."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.watched import blobs, curve, named, network, rows, trained
from xgrad import nn, optim

X, N = blobs(count=240)
SORTED = np.argsort(N, kind="stable")


def found(x, y, loss, width, *, shuffle, batch=20):
    model = network(x.shape[1], 16, width)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    return named(trained(model, optimizer, loss, x, y, 40, batch=batch, shuffle=shuffle), "NOT_SHUFFLED")


@pytest.mark.parametrize("y", [N, rows(N, 3)], ids=["numbers", "rows"])
def test_samples_sorted_by_class(y):
    (finding,) = found(X[SORTED], y[SORTED], nn.CrossEntropyLoss(), 3, shuffle=False)
    assert finding.evidence["entropy_of_batches"] < 0.5 * finding.evidence["entropy"]


def test_samples_sorted_by_target():
    x, y = curve()
    (finding,) = found(x, y, nn.MSELoss(), 1, shuffle=False, batch=16)
    assert finding.evidence["ratio"] > 6


def test_orders_that_do_no_harm():
    loss = nn.CrossEntropyLoss()
    assert found(X[SORTED], N[SORTED], loss, 3, shuffle=True) == []
    assert found(X, N, loss, 3, shuffle=False) == []  # the classes take turns
    mixed = np.random.default_rng(0).permutation(240)
    assert found(X[mixed], N[mixed], loss, 3, shuffle=False) == []
    assert found(X[SORTED], N[SORTED], loss, 3, shuffle=False, batch=240) == []
    x, y = curve()
    assert found(x, y, nn.MSELoss(), 1, shuffle=True, batch=16) == []
