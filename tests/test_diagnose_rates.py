"""LR_LOW and LR_HIGH: rates that are far off, and those that are right."""

from __future__ import annotations

import pytest

from tests.support.watched import blobs, named, network, trained
from xgrad import nn, optim
from xgrad.diagnose.continuing import tried

X, N = blobs()


def report(make, lr, steps, batch=None):
    model = network(2, 32, 32, 3)
    return trained(model, make(model.parameters(), lr), nn.CrossEntropyLoss(), X, N, steps, batch=batch)


def sgd(parameters, lr):
    return optim.SGD(parameters, lr=lr)


def adam(parameters, lr):
    return optim.Adam(parameters, lr=lr)


@pytest.mark.parametrize(("make", "lr"), [(sgd, 1e-4), (adam, 1e-6)])
def test_a_rate_that_is_too_low(make, lr):
    found = report(make, lr, 100, batch=32)
    (finding,) = named(found, "LR_LOW")
    assert finding.evidence["larger_lr"] in (10 * lr, 100 * lr, 1000 * lr)
    assert finding.evidence["loss_after_larger"] < finding.evidence["loss_after"]
    assert named(found, "LR_HIGH") == []


@pytest.mark.parametrize(("make", "lr"), [(adam, 10.0)])
def test_a_rate_that_is_too_high_without_an_explosion(make, lr):
    found = report(make, lr, 60, batch=32)
    assert named(found, "LR_HIGH") or named(found, "STEP_UNSTABLE")
    assert named(found, "LR_LOW") == []


@pytest.mark.parametrize(("make", "lr"), [(sgd, 0.1), (adam, 0.01)])
@pytest.mark.parametrize("batch", [None, 32])
def test_a_rate_that_is_right(make, lr, batch):
    found = report(make, lr, 300, batch)
    assert named(found, "LR_LOW") == named(found, "LR_HIGH") == []


@pytest.mark.parametrize(("classes", "apart"), [(5, 1.2), (8, 3.0)])
def test_a_loss_that_rises_again_and_again(classes, apart):
    x, numbers = blobs(classes, 240, apart=apart)
    model = network(2, 64, 64, classes)
    optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    (finding,) = named(trained(model, optimizer, nn.CrossEntropyLoss(), x, numbers, 300, batch=8), "LR_HIGH")
    assert "rises again and again" in finding.says
    assert finding.evidence["smaller_lr"] < 0.2


def test_a_trial_leaves_the_run_alone():
    found = report(adam, 1e-3, 20)
    run = found.run
    before = [p.numpy().tolist() for p in run.model.parameters()]
    assert tried(run, from_start=False, rate=10.0) < run.last.loss
    assert tried(run, from_start=True, steps=0) == pytest.approx(run.looks[0].loss)
    assert [p.numpy().tolist() for p in run.model.parameters()] == before
    assert run.rate == 1e-3
