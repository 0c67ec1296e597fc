"""The confusion matrix: scikit-learn's numbers, and its picture."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from xgrad.trainer import confusion_matrix, plot_confusion_matrix

RNG = np.random.default_rng(0)
TRUE, FOUND = RNG.integers(0, 4, size=50), RNG.integers(0, 4, size=50)


def test_the_numbers_are_scikit_learns(xp):
    sk = pytest.importorskip("sklearn.metrics")
    for normalize in (None, "true", "pred", "all"):
        expected = sk.confusion_matrix(TRUE, FOUND, normalize=normalize)
        found = confusion_matrix(xp.asarray(TRUE), xp.asarray(FOUND), normalize=normalize)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14)


def test_scores_classes_that_are_missing_and_other_shapes():
    scores = RNG.normal(size=(5, 10, 6))
    classes = RNG.integers(0, 3, size=(5, 10))
    found = confusion_matrix(classes, scores)
    assert found.shape == (6, 6)
    assert xg.sum(found).item() == 50
    for i, j in ((0, 1), (2, 5)):
        assert found[i, j].item() == np.sum((classes == i) & (scores.argmax(-1) == j))
    assert confusion_matrix(xg.asarray([0]), xg.asarray([0]), num_classes=3, normalize="true").tolist()[1] == [0.0] * 3
    assert confusion_matrix(xg.asarray([True, False]), xg.asarray([True, True])).tolist() == [[0, 1], [0, 1]]


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"y_true has shape \(50,\) and y_pred \(49,\)"):
        confusion_matrix(TRUE, FOUND[:49])
    with pytest.raises(ValueError, match="from 0 to 3, outside of 0 to 2"):
        confusion_matrix(TRUE, FOUND, num_classes=3)
    with pytest.raises(ValueError, match="from -1"):
        confusion_matrix(TRUE - 1, FOUND)
    with pytest.raises(TypeError, match="y_pred must be the numbers of classes"):
        confusion_matrix(TRUE, FOUND.astype(float))
    with pytest.raises(ValueError, match='"true", "pred", "all" or None'):
        confusion_matrix(TRUE, FOUND, normalize="rows")


def test_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    matrix = confusion_matrix(TRUE, FOUND)
    figure = plot_confusion_matrix(matrix, tmp_path / "matrix.png", labels=["a", "b", "$c", "d"])
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "$c", "d"]
    assert sorted(text.get_text() for text in axes.texts) == sorted(str(n) for n in matrix.numpy().ravel() if n)
    share = np.mean(TRUE == FOUND)
    assert axes.get_title(loc="left") == f"{share:.2%} of 50 samples are right"
    assert (tmp_path / "matrix.png").stat().st_size > 1000
    assert plot_confusion_matrix([[0.5, 0.5], [0.0, 1.0]]).axes[0].get_title(loc="left") == ""
    with pytest.raises(ValueError, match="must be square"):
        plot_confusion_matrix([[1, 2]])
    with pytest.raises(ValueError, match="3 labels for 4 classes"):
        plot_confusion_matrix(matrix, labels="abc")
