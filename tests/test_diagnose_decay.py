"""REGULARISATION: decay that outweighs the loss, and decay that does not."""

from __future__ import annotations

import pytest

from tests.support.watched import blobs, named, network, trained
from xgrad import nn, optim

X, N = blobs()


@pytest.mark.parametrize("decay", [1.0, 2.0])
def test_decay_that_outweighs_the_loss(decay):
    model = network(2, 16, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1, weight_decay=decay)
    (finding,) = named(trained(model, optimizer, nn.CrossEntropyLoss(), X, N, 200, batch=32), "REGULARISATION")
    assert finding.evidence["weight_decay"] == decay
    assert finding.evidence["norm"] < finding.evidence["norm_before"]


@pytest.mark.parametrize("make", [optim.SGD, optim.AdamW, optim.Adam])
@pytest.mark.parametrize("decay", [0.0, 1e-4, 1e-2])
def test_decay_that_does_not(make, decay):
    model = network(2, 16, 3)
    optimizer = make(model.parameters(), lr=0.1 if make is optim.SGD else 0.01, weight_decay=decay)
    assert named(trained(model, optimizer, nn.CrossEntropyLoss(), X, N, 200, batch=32), "REGULARISATION") == []


def test_the_fix_has_no_decay():
    model = network(2, 16, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1, weight_decay=1.0)
    fix = trained(model, optimizer, nn.CrossEntropyLoss(), X, N, 200, batch=32).try_fix()
    assert fix.best is not None
    assert "no weight decay" in str(fix.best.change)
    assert fix.best.right > 0.95
