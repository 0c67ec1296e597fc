"""LOSS_TASK: a distance of classes and a cross-entropy of numbers, and where a distance does no harm."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.watched import blobs, curve, named, network, rows, trained
from xgrad import nn, optim

X, N = blobs()


def clipped(p, y):
    p = xg.clip(p, 1e-7, 1 - 1e-7)
    return -xg.mean(y * xg.log(p) + (1 - y) * xg.log(1 - p))


def found(model, loss, y, x=X, steps=60, rate=0.01):
    return named(trained(model, optim.Adam(model.parameters(), lr=rate), loss, x, y, steps), "LOSS_TASK")


def test_an_absolute_error_of_classes_is_a_warning():
    (finding,) = found(network(2, 16, 3, end=nn.Softmax(dim=-1)), nn.L1Loss(), rows(N, 3))
    assert (finding.severity, finding.evidence["power"]) == ("warning", 1)


def test_a_squared_error_of_classes_is_a_note_where_it_does_well():
    (finding,) = found(network(2, 16, 3, end=nn.Softmax(dim=-1)), nn.MSELoss(), rows(N, 3), steps=200)
    assert (finding.severity, finding.evidence["power"]) == ("note", 2)
    (finding,) = found(network(2, 16, 3, end=nn.Softmax(dim=-1)), nn.MSELoss(), rows(N, 3), steps=2, rate=1e-5)
    assert finding.severity == "warning"


def test_numbers_of_classes_in_one_column():
    shuffled = np.array([2, 0, 3, 1])[blobs(4)[1]].astype(np.float32)[:, None]  # an order that no line follows
    (finding,) = found(network(2, 1, hidden=None), nn.MSELoss(), shuffled, blobs(4)[0])
    assert "class 2 for twice class 1" in finding.says


@pytest.mark.parametrize(("end", "loss"), [(nn.Sigmoid(), clipped), (None, nn.BCEWithLogitsLoss())])
def test_a_cross_entropy_of_numbers_is_an_error(end, loss):
    x, y = curve()
    (finding,) = found(network(1, 16, 1, end=end), loss, 40 * y + 0.5, x)
    assert finding.severity == "error"
    assert finding.evidence["high"] > 1


@pytest.mark.parametrize(
    ("width", "end", "loss", "y"),
    [
        (3, None, nn.CrossEntropyLoss(), N),
        (1, nn.Sigmoid(), nn.BCELoss(), (N[:, None] == 0).astype(np.float32)),
        (1, nn.Sigmoid(), clipped, (N[:, None] / 2).astype(np.float32)),  # shares, as pixels are
    ],
)
def test_losses_that_go_with_their_targets(width, end, loss, y):
    assert found(network(2, 16, width, end=end), loss, y) == []


def test_a_regression():
    x, y = curve()
    assert found(network(1, 16, 1), nn.L1Loss(), y, x) == []
    assert found(network(1, 16, 1), nn.MSELoss(), y, x) == []
