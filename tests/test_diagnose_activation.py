"""OUTPUT_ACTIVATION: each kind of output that does not go with its loss, beside the right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.watched import blobs, curve, named, network, rows, trained
from xgrad import nn, optim

X, N = blobs()
ROWS = rows(N, 3)
BITS = np.stack([N == 0, N < 2, N != 1], axis=1).astype(np.float32)  # labels that do not exclude each other
TRUTH = (N[:, None] == 0).astype(np.float32)


def of_shares(p: Any, y: Any) -> Any:
    p = p / xg.sum(p, axis=-1, keepdims=True)
    return -xg.mean(xg.sum(y * xg.log(xg.clip(p, 1e-7, 1.0)), axis=-1))


def clipped(p: Any, y: Any) -> Any:
    p = xg.clip(p, 1e-7, 1 - 1e-7)
    return -xg.mean(y * xg.log(p) + (1 - y) * xg.log(1 - p))


WRONG: dict[str, tuple[int, Any, Any, Any, str]] = {  # outputs, activation, loss, y, and words of the finding
    "softmax twice": (3, nn.Softmax(dim=-1), nn.CrossEntropyLoss(), N, "softmax runs twice"),
    "sigmoid and logits": (3, nn.Sigmoid(), nn.CrossEntropyLoss(), N, "the loss takes logits"),
    "sigmoid twice": (1, nn.Sigmoid(), nn.BCEWithLogitsLoss(), TRUTH, "the loss takes logits"),
    "tanh and logits": (1, nn.Tanh(), nn.BCEWithLogitsLoss(), TRUTH, "keeps them in"),
    "relu and logits": (3, nn.ReLU(), nn.CrossEntropyLoss(), N, "makes all negative ones 0"),
    "nothing and probabilities": (1, None, clipped, TRUTH, "has no activation at its end"),
    "relu and shares": (3, nn.ReLU(), of_shares, ROWS, "ends in relu"),
    "softmax of one": (1, nn.Softmax(dim=-1), clipped, TRUTH, "softmax over one unit"),
    "softmax of labels": (3, nn.Softmax(dim=-1), clipped, BITS, "do not exclude each other"),
    "softmax of labels, squared": (3, nn.Softmax(dim=-1), nn.MSELoss(), BITS, "do not exclude each other"),
    "sigmoids of classes": (3, nn.Sigmoid(), of_shares, ROWS, "Sigmoids do not compete"),
    "nothing and logarithms": (3, None, nn.NLLLoss(), N, "takes log-probabilities"),
    "softmax and logarithms": (3, nn.Softmax(dim=-1), nn.NLLLoss(), N, "the outputs are probabilities"),
}
RIGHT: dict[str, tuple[int, Any, Any, Any]] = {
    "logits": (3, None, nn.CrossEntropyLoss(), N),
    "log-softmax of logits": (3, nn.LogSoftmax(dim=-1), nn.CrossEntropyLoss(), N),  # it changes nothing
    "one logit": (1, None, nn.BCEWithLogitsLoss(), TRUTH),
    "sigmoid": (1, nn.Sigmoid(), nn.BCELoss(), TRUTH),
    "sigmoids of labels": (3, nn.Sigmoid(), clipped, BITS),
    "sigmoids, one against the rest": (3, nn.Sigmoid(), clipped, ROWS),
    "softmax": (3, nn.Softmax(dim=-1), of_shares, ROWS),
    "softmax, squared": (3, nn.Softmax(dim=-1), nn.MSELoss(), ROWS),
    "log-softmax": (3, nn.LogSoftmax(dim=-1), nn.NLLLoss(), N),
}


def run(width: int, end: Any, loss: Any, y: Any) -> Any:
    model = network(2, 16, width, end=end)
    return trained(model, optim.Adam(model.parameters(), lr=0.01), loss, X, y, 40)


@pytest.mark.parametrize("name", WRONG)
def test_an_output_that_does_not_go_with_its_loss(name: str) -> None:
    *program, words = WRONG[name]
    (finding,) = named(run(*program), "OUTPUT_ACTIVATION")
    assert words in finding.says
    assert finding.step == 0
    assert finding.fix


@pytest.mark.parametrize("name", RIGHT)
def test_one_that_does(name: str) -> None:
    assert named(run(*RIGHT[name]), "OUTPUT_ACTIVATION") == []


@pytest.mark.parametrize("end", [None, nn.Tanh(), nn.Sigmoid()])
def test_regressions_are_left_to_other_rules(end: Any) -> None:
    x, y = curve()
    model = network(1, 16, 1, end=end)
    assert named(trained(model, optim.Adam(model.parameters()), nn.MSELoss(), x, y, 12), "OUTPUT_ACTIVATION") == []


def test_the_fix_has_the_right_output() -> None:
    model = network(2, 16, 3, end=nn.Softmax(dim=-1))
    report = trained(model, optim.SGD(model.parameters(), lr=0.05), nn.CrossEntropyLoss(), X, N, 60)
    assert report.sentence.endswith("(OUTPUT_ACTIVATION). What to do: leave the softmax out of the model.")
    fix = report.try_fix()
    assert "a linear output" in str(fix.trials[0].change)
    assert fix.trials[0].loss < fix.before.loss / 2
