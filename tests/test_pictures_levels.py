"""The losses to compare a watched run with."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

import xgrad as xg
from xgrad import nn
from xgrad.fit.pictures.levels import levels


def found(loss: Any, y: Any, *, output: Any = None, target: Any = None, is_regression: bool = False) -> Any:
    """The levels of a run by the first words of their labels."""
    run = SimpleNamespace(
        loss=loss,
        y=None if y is None else xg.asarray(y),
        target=target,
        last=None if output is None else SimpleNamespace(output=xg.asarray(output)),
        is_regression=is_regression,
    )
    return levels(run)  # type: ignore[arg-type]


def test_the_squared_error_has_the_variance() -> None:
    (best, zero) = found(nn.MSELoss(), [[1.0], [3.0]])
    assert best == ("best constant (mean): Var(y) = 1", pytest.approx(1.0))
    assert zero[1] == pytest.approx(5.0)


def test_several_outputs_have_the_mean_of_their_variances() -> None:
    ((label, value),) = found(nn.MSELoss(), [[1.0, 10.0], [3.0, 20.0]])
    assert label.startswith("best constants: Var(y)")
    assert value == pytest.approx((1 + 25) / 2)


def test_the_best_constant_is_what_a_constant_network_reaches() -> None:
    y = xg.asarray([[0.0, 5.0], [1.0, 7.0], [5.0, 6.0]])
    for loss in (nn.MSELoss(), nn.L1Loss(), nn.HuberLoss()):
        ((_, value), *_) = found(loss, y)
        tries = [
            float(loss(xg.zeros((3, 2)) + xg.asarray([a / 4, b / 4]), y)) for a in range(24) for b in range(20, 30)
        ]
        assert value <= min(tries) + 1e-6


def test_a_regression_by_another_loss_has_the_loss_of_the_mean() -> None:
    y = [[1.0], [3.0]]
    ((label, value),) = found(nn.SmoothL1Loss(), y, is_regression=True)
    assert (label, value) == ("output mean(y): loss = 0.5", 0.5)
    assert found(nn.SmoothL1Loss(), y, is_regression=False) == []


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.NLLLoss()])
def test_labels_have_their_entropy(loss: nn.Module) -> None:
    entropy, equal = found(loss, [0, 0, 0, 1])
    assert entropy[1] == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert equal == ("equal shares: log(2) = 0.6931", pytest.approx(math.log(2)))


def test_the_network_knows_how_many_classes_there_are() -> None:
    assert found(nn.CrossEntropyLoss(), [0, 1], output=[[0.0] * 5] * 2)[1][1] == pytest.approx(math.log(5))
    of_a_sequence = xg.zeros((2, 3, 7))
    assert found(nn.CrossEntropyLoss(), [[0, 1, 0]] * 2, output=of_a_sequence)[1][1] == pytest.approx(math.log(7))


def test_one_line_where_all_classes_are_as_frequent() -> None:
    ((label, value),) = found(nn.CrossEntropyLoss(), [0, 1, 2])
    assert label == "entropy of the labels = log(3) = 1.099: the best constant"
    assert value == pytest.approx(math.log(3))


def test_the_entropy_is_what_the_best_constant_logits_reach() -> None:
    for smooth in (0.0, 0.3):
        loss = nn.CrossEntropyLoss(label_smoothing=smooth)
        shares = [(1 - smooth) * p + smooth / 3 for p in (0.5, 0.25, 0.25)]
        logits = xg.zeros((4, 3)) + xg.log(xg.asarray(shares))
        one_hot = [[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]
        for y in ([0, 0, 1, 2], one_hot):
            assert found(loss, y)[0][1] == pytest.approx(float(loss(logits, xg.asarray(y))), rel=1e-5)


@pytest.mark.parametrize("loss", [nn.BCELoss(), nn.BCEWithLogitsLoss()])
def test_a_binary_loss_has_the_mean_entropy_of_its_columns(loss: nn.Module) -> None:
    ((_, value), _) = found(loss, [[1.0, 1.0], [0.0, 1.0]])
    assert value == pytest.approx(math.log(2) / 2)


def test_the_last_batch_does_where_not_all_targets_are_known() -> None:
    ((label, value), _) = found(nn.MSELoss(), None, target=xg.asarray([[1.0], [3.0]]))
    assert label.endswith("(the last batch)")
    assert value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (None, [[1.0], [3.0]]),
        (nn.MSELoss(), None),
        (nn.MSELoss(reduction="sum"), [[1.0], [3.0]]),
        (nn.CrossEntropyLoss(xg.asarray([1.0, 2.0])), [0, 1]),
        (nn.BCEWithLogitsLoss(pos_weight=xg.asarray(2.0)), [[1.0], [0.0]]),
        (nn.CrossEntropyLoss(), [-100, -100]),
        (nn.MSELoss(), [[float("nan")], [3.0]]),
        (lambda output, target: 1 / 0, [[1.0]]),
    ],
)
def test_there_is_no_line_without_a_meaning(loss: Any, y: Any) -> None:
    assert found(loss, y, is_regression=not isinstance(loss, nn.Module)) == []
