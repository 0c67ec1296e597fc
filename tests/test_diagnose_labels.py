"""LABEL_RANGE: targets that the loss does not take, beside those that it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.watched import blobs, curve, named, network, rows, trained
from xgrad import nn, optim

X, N = blobs()
COLUMN = N[:, None].astype(np.float32)


def run(width: int, end: Any, loss: Any, y: Any, x: Any = X) -> Any:
    model = network(x.shape[1], 16, width, end=end)
    return named(trained(model, optim.SGD(model.parameters(), lr=0.01), loss, x, y, 12), "LABEL_RANGE")


def clipped(p: Any, y: Any) -> Any:
    p = xg.clip(p, 1e-7, 1 - 1e-7)
    return -xg.mean(y * xg.log(p) + (1 - y) * xg.log(1 - p))


@pytest.mark.parametrize(("end", "loss"), [(nn.Sigmoid(), clipped), (None, nn.BCEWithLogitsLoss())])
def test_classes_into_a_loss_of_0_and_1(end: Any, loss: Any) -> None:
    (finding,) = run(1, end, loss, COLUMN)
    assert finding.severity == "error"
    assert (finding.evidence["low"], finding.evidence["high"]) == (0, 2)


def test_numbers_into_a_loss_of_probabilities() -> None:
    x, y = curve()
    (finding,) = run(1, nn.Sigmoid(), clipped, 40 * y, x)
    assert "reaches from" in finding.says


@pytest.mark.parametrize(("scale", "words"), [(255, "one value of 255"), (1 / 255, "one value of 0.003922")])
def test_rows_that_were_scaled(scale: float, words: str) -> None:
    (finding,) = run(3, nn.Softmax(dim=-1), nn.MSELoss(), (rows(N, 3) * scale).astype(np.float32))
    assert words in finding.says


def test_numbers_of_classes_that_were_scaled() -> None:
    (finding,) = run(1, None, nn.MSELoss(), COLUMN / 255)
    assert finding.severity == "warning"
    assert "steps of 1/255" in finding.says


def test_classes_that_never_occur() -> None:
    (finding,) = run(8, None, nn.CrossEntropyLoss(), N)
    assert (finding.severity, finding.evidence) == ("warning", {"classes": 3, "outputs": 8})
    (finding,) = run(4, None, nn.CrossEntropyLoss(), N)
    assert finding.severity == "note"


@pytest.mark.parametrize(
    ("width", "end", "loss", "y"),
    [
        (3, None, nn.CrossEntropyLoss(), N),
        (3, nn.Softmax(dim=-1), nn.MSELoss(), rows(N, 3)),
        (1, nn.Sigmoid(), nn.BCELoss(), (COLUMN == 0).astype(np.float32)),
        (1, nn.Sigmoid(), clipped, COLUMN / 2),  # shares
        (1, None, nn.MSELoss(), COLUMN),
    ],
)
def test_targets_that_fit(width: int, end: Any, loss: Any, y: Any) -> None:
    assert run(width, end, loss, y) == []
