"""What was found wrong in STEP_UNSTABLE and NONFINITE on other people's programs, and in the losses that PLATEAU reads."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.watched import blobs, curve, named, network, rows, trained
from xgrad import nn, optim
from xgrad.diagnose import watch
from xgrad.diagnose.rules.unstable import _rise

X, N = blobs()


def rules(report):
    return {finding.rule for finding in report.findings}


def test_a_loss_below_0_that_falls_is_no_leap():
    model = network(2, 16, 3)
    report = trained(model, optim.Adam(model.parameters(), lr=0.05), nn.NLLLoss(), 30 * X, N, 3)
    assert not named(report, "STEP_UNSTABLE")
    assert _rise(-10.0, -33.0) < 0
    assert _rise(-10.0, 33.0) == pytest.approx(5.3)
    assert _rise(2.0, 6.0) == 3
    assert (_rise(0.0, 0.0), _rise(0.0, 1.0)) == (1, math.inf)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_curvature_that_is_nan_says_nothing_of_the_step():
    def naive(p, y):
        return -xg.mean(xg.sum(y * xg.log(p), axis=1))

    model = network(2, 16, 3, end=nn.Softmax(dim=-1))
    for p in model.parameters():
        p.data = p.data * 400
    report = trained(model, optim.SGD(model.parameters(), lr=1e-3), naive, X, rows(N, 3), 3)
    assert "STEP_UNSTABLE" not in rules(report)
    (finding,) = named(report, "NONFINITE")
    assert "cross-entropy of logits" in finding.fix


@pytest.mark.parametrize("batch", [8, 64])
def test_a_sum_is_checked_on_as_many_samples_as_a_batch_has(batch):
    x, y = curve(512)
    for lr, unstable in ((0.05 / batch, False), (40.0 / batch, True)):
        model = network(1, 16, 1, hidden=nn.Tanh)
        report = trained(model, optim.SGD(model.parameters(), lr=lr), nn.MSELoss(reduction="sum"), x, y, 2, batch=batch)
        assert ("STEP_UNSTABLE" in rules(report)) == unstable


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("batch", [None, 30])
def test_the_operation_is_named_for_a_plain_function_and_batches(batch):
    def loss(output, y):
        return xg.mean(xg.sqrt(xg.abs(output - output)) + (output - y) ** 2)  # its slope at 0 is infinite

    x, y = curve(120)
    model = network(1, 8, 1)
    (finding,) = named(trained(model, optim.SGD(model.parameters(), lr=0.01), loss, x, y, 3, batch=batch), "NONFINITE")
    assert (finding.evidence["op"], finding.evidence["phase"]) == ("sqrt", "backward")
    assert "the slope of the square root at 0 is infinite" in finding.fix


def test_a_short_run_on_batches_that_still_falls_is_no_plateau():
    x, numbers = blobs(4, 400, apart=1.0)
    model = network(2, 32, 4)
    report = trained(model, optim.SGD(model.parameters(), lr=0.02), nn.CrossEntropyLoss(), x, numbers, 12, batch=16)
    assert "PLATEAU" not in rules(report)
    assert "UNDERTRAINED" in rules(report)


def test_the_bias_before_a_batch_norm_may_stand_still():
    rng = xg.random.Generator(0)
    model = nn.Sequential(
        nn.Linear(2, 8, dtype=xg.float32, rng=rng), nn.BatchNorm1d(8, dtype=xg.float32), nn.ReLU(),
        nn.Linear(8, 3, dtype=xg.float32, rng=rng),
    )  # fmt: skip
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer, loss=nn.CrossEntropyLoss(), x=xg.asarray(X), y=xg.asarray(N))
    bias = model[0].bias
    kept = bias.data
    for _ in range(3):
        optimizer.zero_grad()
        value = nn.CrossEntropyLoss()(model(xg.asarray(X)), xg.asarray(N))
        value.backward()
        optimizer.step()
        bias.data = kept  # rounding moves it on some machines
        w.step(value)
    assert named(w.report(), "FROZEN") == []
    w.close()


def test_a_binary_loss_is_no_regression():
    y = (N[:, None] == 0).astype(np.float32)
    model = network(2, 16, 1, end=nn.Sigmoid())
    report = trained(model, optim.Adam(model.parameters(), lr=0.01), nn.BCELoss(), X, y, 120)
    assert not report.run.is_regression
    assert report.run.quality is not None
    assert report.run.quality.right > 0.9
    assert rules(report) == set()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_rules_that_run_the_start_leave_it_as_it_is(reduction):
    rng = xg.random.Generator(0)
    model = nn.Sequential(nn.Linear(1, 1, dtype=xg.float32, rng=rng), nn.BatchNorm1d(1, dtype=xg.float32))
    x, y = curve()
    report = trained(model, optim.SGD(model.parameters(), lr=1e-5), nn.MSELoss(reduction=reduction), x + 5, y, 3)
    (_, mean), *_ = report.run.start.named_buffers()
    assert mean.tolist() == [0.0]
    assert model[1].running_mean.tolist() != [0.0]
    report.try_fix()
    assert mean.tolist() == [0.0]
