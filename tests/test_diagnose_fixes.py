"""Which changes are tried for which findings, what they change, and what counts as a fix."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.watched import blobs, curve, network, rows, trained
from xgrad import nn, optim
from xgrad.diagnose.changes import LINEAR, LOG_SOFTMAX, SIGMOID, SOFTMAX, Change
from xgrad.diagnose.changes import apply as apply_or_not
from xgrad.diagnose.fixes import Fix, Trial, _helped
from xgrad.diagnose.proposals import changes

X, N = blobs()


def report(model, loss=None, y=N, x=X, steps=12, lr=0.01, **options):
    return trained(model, optim.SGD(model.parameters(), lr=lr, **options), loss or nn.CrossEntropyLoss(), x, y, steps)


def apply(change, run):
    made = apply_or_not(change, run)
    assert made is not None
    return made


def kinds(model):
    return [type(layer).__name__ for layer in model]


@pytest.mark.parametrize(
    ("change", "layers"),
    [
        (Change(output=LINEAR), ["Linear", "Tanh", "Linear"]),
        (Change(output=SIGMOID), ["Linear", "Tanh", "Linear", "Sigmoid"]),
        (Change(output=SOFTMAX), ["Linear", "Tanh", "Linear", "Softmax"]),
        (Change(output=LOG_SOFTMAX), ["Linear", "Tanh", "Linear", "LogSoftmax"]),
        (Change(relu=True), ["Linear", "ReLU", "Linear", "Softmax"]),
        (Change(proper_loss=True), ["Linear", "Tanh", "Linear"]),
    ],
)
def test_layers(change, layers):
    run = report(network(2, 8, 3, hidden=nn.Tanh, end=nn.Softmax(dim=-1))).run
    made = apply(change, run)
    assert kinds(made.model) == layers
    assert kinds(run.model) == ["Linear", "Tanh", "Linear", "Softmax"]
    made.loss(made.model(made.x), made.y).backward()
    made.optimizer.step()


def test_activations_between_layers():
    made = apply(Change(between=True), report(network(2, 8, 8, 3, hidden=None)).run)
    assert kinds(made.model) == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]


def test_optimizers():
    run = report(network(2, 8, 3), weight_decay=0.5, momentum=0.9).run
    made = apply(Change(no_decay=True, lr=0.3), run)
    (group,) = made.optimizer.param_groups
    assert (group["weight_decay"], group["lr"], group["momentum"]) == (0.0, 0.3, 0.9)
    assert run.optimizer.param_groups[0]["weight_decay"] == 0.5
    assert type(apply(Change(adam=0.01), run).optimizer) is optim.Adam


def test_classes_in_a_column_get_an_output_each():
    run = report(network(2, 8, 1), nn.MSELoss(), N[:, None].astype(np.float32)).run
    made = apply(Change(proper_loss=True), run)
    assert made.model(made.x).shape == (150, 3)
    assert made.y.tolist() == N.tolist()


def test_only_numbers_are_standardised():
    x, y = curve()
    made = apply(Change(standardise=True), report(network(1, 8, 1), nn.MSELoss(), 50 * y, 9 * x, lr=1e-6).run)
    assert [round(float(xg.std(each).item()), 3) for each in (made.x, made.y)] == [1, 1]
    kept = rows(N, 3)
    assert apply(Change(standardise=True), report(network(2, 8, 3), nn.MSELoss(), kept).run).y.tolist() == kept.tolist()


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3, dtype=xg.float32)

    def forward(self, x):
        return self.layer(x)


def test_a_network_of_ones_own_keeps_its_layers():
    run = report(Own()).run
    assert apply_or_not(Change(output=LINEAR), run) is None
    assert apply_or_not(Change(adam=0.1), run) is not None


def test_each_change_is_tried_once():
    found = report(network(2, 8, 3, end=nn.Softmax(dim=-1)))
    tried = list(changes(found.findings, found.run))
    assert len(set(tried)) == len(tried)
    assert tried[0].output == LINEAR


def trial(right=math.nan, usual=0.5, r2=math.nan, loss=1.0, errors=()):
    return Trial(Change(), r2, loss, errors, right, usual, is_good=right > 0.9 or r2 > 0.9)


def test_what_counts_as_a_fix():
    assert _helped(trial(0.5), trial(0.9))
    assert not _helped(trial(0.5), trial(0.52))  # hardly better than the most frequent class
    assert not _helped(trial(0.9), trial(0.9))
    assert _helped(trial(0.95), trial(0.99))  # most of what was left is gone
    assert not _helped(trial(r2=-400.0), trial(r2=-1.0))  # far below a constant
    assert _helped(trial(r2=-400.0), trial(r2=0.5))
    assert not _helped(trial(0.5), trial(0.99, errors=("NONFINITE",)))
    assert _helped(trial(), trial(loss=0.5))
    assert not _helped(trial(), trial(loss=0.95))


def test_better_is_not_called_the_fix():
    assert str(Fix(trial(0.5), [trial(0.8)], trial(0.8))).splitlines()[-1].startswith("better, not good: ")
    assert Fix(trial(0.5), [trial(0.95)], trial(0.95)).line().startswith("the fix: ")
    assert Fix(trial(0.5), [trial(0.8)], trial(0.8)).json()["good"] is False
