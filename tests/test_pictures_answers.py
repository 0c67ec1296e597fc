"""The last outputs of a run beside their targets: as numbers, or as classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import xgrad as xg
from xgrad import nn
from xgrad.fit.pictures.answers import Bits, Classes, Values, final

OUT = [[0.1, 2.0, -1.0], [3.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 5.0, 1.0]]


def answers(output: Any, y: Any, loss: Any = None, **more: Any) -> Any:
    """`final` of a run that ended with this output for `x`."""
    out = output if isinstance(output, xg.Tensor) or output is None else xg.asarray(output)
    y = None if y is None else xg.asarray(y)
    x = None if out is None else xg.zeros((*out.shape[:1], 1))
    run = {"last": SimpleNamespace(output=out), "x": x, "y": y, "loss": loss, "batch": None, "target": None, **more}
    return final(SimpleNamespace(**run))  # type: ignore[arg-type]


def test_numbers_by_column() -> None:
    found = answers([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]])
    assert found == Values([[1.0, 3.0], [2.0, 4.0]], [[5.0, 7.0], [6.0, 8.0]], [0, 1], 2)


def test_targets_of_another_shape_are_numbers_of_the_same_order() -> None:
    assert answers([[1.0], [3.0]], [5.0, 7.0]) == Values([[1.0, 3.0]], [[5.0, 7.0]], [0], 1)
    assert answers([[1.0], [3.0]], [5, 7]) == Values([[1.0, 3.0]], [[5.0, 7.0]], [0], 1)


def test_numbers_without_targets() -> None:
    assert answers([[1.0], [3.0]], None) == Values([[1.0, 3.0]], None, [0], 1)
    assert answers([[1.0], [3.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).targets is None


@pytest.mark.parametrize(
    "y", [[1, 0, 2, 0], [[1], [0], [2], [0]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0, 0, 1.0], [1.0, 0, 0]]]
)
def test_labels_are_class_numbers_or_a_one_among_zeros(y: Any) -> None:
    assert answers(OUT, y) == Classes([1, 0, 2, 1], [1, 0, 2, 0], 3, 0, 0)


def test_shares_of_the_classes_are_labels_for_a_loss_of_classes_only() -> None:
    y = [[0.2, 0.7, 0.1]] * 4
    assert answers(OUT, y, nn.CrossEntropyLoss()).right == [1] * 4
    assert isinstance(answers(OUT, y, nn.MSELoss()), Values)


def test_the_classes_of_a_picture_are_on_the_second_axis() -> None:
    out = [[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]  # (1, 3 classes, 2 places)
    found = answers(out, [[0, 1]], nn.CrossEntropyLoss())
    assert (found.said, found.right, found.count) == ([0, 1], [0, 1], 3)


@pytest.mark.parametrize("y", [[[2, 0]], [2, 0]])
def test_the_classes_of_a_sequence_are_on_the_last_axis(y: Any) -> None:
    out = xg.asarray([[[1.0, 0.0, 2.0], [3.0, 1.0, 0.0]]])  # (1, 2 places, 3 classes)
    found = answers(out, None, nn.CrossEntropyLoss(), x=None, batch=(xg.zeros((1, 2)),), target=xg.asarray(y))
    assert (found.said, found.right, found.count) == ([2, 0], [2, 0], 3)


@pytest.mark.parametrize(("loss", "low"), [(nn.BCEWithLogitsLoss(), -1.0), (nn.BCELoss(), 0.1)])
def test_a_binary_loss_has_two_classes(loss: nn.Module, low: float) -> None:
    assert answers([[low], [0.9]], [[1.0], [1.0]], loss) == Classes([0, 1], [1, 1], 2, 0, 0)


def test_a_binary_loss_with_several_outputs_has_answers_of_yes_or_no() -> None:
    out, y = [[1.0, -1.0], [2.0, 2.0], [float("nan"), 1.0]], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    assert answers(out, y, nn.BCEWithLogitsLoss()) == Bits([2, 1], [1, 1], 3, 2, 1)
    assert isinstance(answers(out, [[0.5, 0.1]] * 3, nn.BCEWithLogitsLoss()), Values)  # as an autoencoder's


def test_what_is_no_class_is_left_out_and_counted() -> None:
    out = [[float("nan"), 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    assert answers(out, [0, 0, -100, 7]) == Classes([0], [0], 2, 1, 2)


def test_without_x_the_targets_are_those_of_the_last_batch() -> None:
    batch = {"x": None, "batch": (xg.zeros((2, 1)),), "target": xg.asarray([[7.0], [8.0]])}
    assert answers([[1.0], [2.0]], [[0.0]], **batch).targets == [[7.0, 8.0]]
    assert answers([[1.0], [2.0]], None, **{**batch, "target": object()}).targets is None


def test_there_is_nothing_to_show_without_a_real_output() -> None:
    assert answers(None, None) is None
    assert answers(xg.zeros((2, 0)), None) is None
    assert answers(xg.asarray([1, 2]), None) is None
    assert answers(xg.asarray(1.0), None, x=None) is None


def test_many_outputs_are_a_part_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xgrad.fit.pictures.answers.DRAWN", 4)
    monkeypatch.setattr("xgrad.fit.pictures.answers.MOST", 12)
    found = answers(xg.reshape(xg.arange(24.0), (4, 6)), xg.reshape(xg.arange(24.0), (4, 6)))
    assert (found.places, found.count) == ([0, 3], 6)
    assert found.outputs == found.targets == [[0.0, 18.0], [3.0, 21.0]]
