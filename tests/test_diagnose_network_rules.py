"""VANISHING and LINEAR_NETWORK, on networks that have the fault and on those that look alike."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.watched import blobs, curve, named, network, trained
from xgrad import nn, optim

X, N = blobs()


def test_deep_sigmoids_vanish():
    model = network(2, 16, 16, 16, 16, 3, hidden=nn.Sigmoid)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.1, generator=xg.random.Generator(1))
    report = trained(model, optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss(), X, N, 120)
    (finding,) = named(report, "VANISHING")
    assert finding.evidence["share"] < 0.02
    assert "each sigmoid layer" in finding.says


@pytest.mark.parametrize("hidden", [nn.ReLU, nn.Tanh, nn.GELU])
def test_networks_whose_gradients_arrive(hidden):
    model = network(2, 16, 16, 16, 3, hidden=hidden)
    report = trained(model, optim.SGD(model.parameters(), lr=1e-5), nn.CrossEntropyLoss(), X, N, 120)
    assert named(report, "VANISHING") == []


class Swish(nn.Module):
    """An activation of one's own."""

    def forward(self, x):
        return x * xg.where(x > 0, 1.0, 0.1)


def test_layers_without_an_activation():
    x, y = curve()
    model = network(1, 16, 16, 1, hidden=None)
    (finding,) = named(
        trained(model, optim.Adam(model.parameters(), lr=0.01), nn.MSELoss(), x, y, 200), "LINEAR_NETWORK"
    )
    assert finding.evidence["layers"] == ["0", "1", "2"]
    fix = trained(model, optim.Adam(model.parameters(), lr=0.01), nn.MSELoss(), x, y, 300).try_fix()
    assert fix.best is not None
    assert "ReLU between the layers" in str(fix.best.change)


@pytest.mark.parametrize("hidden", [nn.ReLU, nn.Tanh, Swish])
def test_with_one_even_if_the_network_does_badly(hidden):
    x, y = curve()
    model = network(1, 16, 16, 1, hidden=hidden)
    assert named(trained(model, optim.SGD(model.parameters(), lr=1e-6), nn.MSELoss(), x, y, 60), "LINEAR_NETWORK") == []


def test_a_linear_network_that_is_all_it_takes():
    x = np.linspace(-1.7, 1.7, 64, dtype=np.float32)[:, None]
    model = network(1, 4, 1, hidden=None)
    report = trained(model, optim.Adam(model.parameters(), lr=0.05), nn.MSELoss(), x, 2 * x + 1, 300)
    assert named(report, "LINEAR_NETWORK") == []
