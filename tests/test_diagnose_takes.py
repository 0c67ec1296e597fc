"""What a loss takes, found by calling it: losses of the library, of one's own, and such as raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad import nn
from xgrad.diagnose.takes import LOGARITHMS, LOGITS, PROBABILITIES, VALUES, is_of_one_class, what_it_takes

Loss = Callable[[Any, Any], Any]


def clipped(p: Any, y: Any) -> Any:
    p = xg.clip(p, 1e-7, 1 - 1e-7)
    return -xg.mean(y * xg.log(p) + (1 - y) * xg.log(1 - p))


def of_shares(p: Any, y: Any) -> Any:
    return -xg.mean(xg.sum(y * xg.log(xg.clip(p / xg.sum(p, axis=-1, keepdims=True), 1e-7, 1.0)), axis=-1))


def plain(p: Any, y: Any) -> Any:
    return -xg.mean(xg.sum(y * xg.log(p), axis=1))


def fails(output: Any, y: Any) -> Any:
    raise KeyError("no")


NUMBERS = np.arange(12) % 3
CASES: dict[str, tuple[Loss, int, bool, str | None]] = {  # loss, outputs, whether y has numbers of classes, answer
    "cross-entropy": (nn.CrossEntropyLoss(), 3, True, LOGITS),
    "of sums": (nn.CrossEntropyLoss(reduction="sum"), 3, True, LOGITS),
    "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.1), 3, True, LOGITS),
    "of rows": (nn.CrossEntropyLoss(), 3, False, LOGITS),
    "margins": (nn.MultiMarginLoss(), 3, True, LOGITS),
    "negative log-likelihood": (nn.NLLLoss(), 3, True, LOGARITHMS),
    "binary": (nn.BCELoss(), 1, False, PROBABILITIES),
    "binary of logits": (nn.BCEWithLogitsLoss(), 1, False, LOGITS),
    "labels of logits": (nn.BCEWithLogitsLoss(), 4, False, LOGITS),
    "clipped": (clipped, 1, False, PROBABILITIES),
    "clipped labels": (clipped, 3, False, PROBABILITIES),
    "of shares": (of_shares, 3, False, PROBABILITIES),
    "of logarithms": (plain, 3, False, PROBABILITIES),
    "squared": (nn.MSELoss(), 2, False, VALUES),
    "absolute": (nn.L1Loss(), 1, False, VALUES),
    "smooth": (nn.SmoothL1Loss(), 1, False, VALUES),
    "root": (lambda a, b: xg.sqrt(xg.mean((a - b) ** 2)), 1, False, VALUES),
    "below 0": (lambda a, b: xg.mean((a - b) ** 2) - 5.0, 1, False, VALUES),
    "counts": (nn.PoissonNLLLoss(), 1, False, None),
    "that raises": (fails, 1, False, None),
    "of each sample": (lambda a, b: (a - b) ** 2, 1, False, None),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_a_loss_takes(name: str, dtype: str) -> None:
    loss, width, has_numbers, answer = CASES[name]
    output = xg.zeros((12, width), dtype=dtype)
    y = xg.asarray(NUMBERS) if has_numbers else xg.zeros((12, width), dtype=dtype)
    assert what_it_takes(loss, output, y) == answer


def test_no_samples() -> None:
    assert what_it_takes(nn.MSELoss(), xg.zeros((0, 1)), xg.zeros((0, 1))) is None


@pytest.mark.parametrize(("loss", "answer"), [(of_shares, True), (plain, True), (clipped, False), (fails, False)])
def test_which_losses_look_at_the_true_class_alone(loss: Loss, answer: bool) -> None:
    y = xg.zeros((12, 4), dtype="float64")
    assert is_of_one_class(loss, y, y) == answer
