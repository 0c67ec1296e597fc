"""Metrics: the numbers of scikit-learn, over all samples whatever the sizes of the batches."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.trainers import data, network, trainer
from xgrad import nn
from xgrad.trainer import Callback
from xgrad.trainer.metrics import Metric, class_axis, metrics_of

RNG = np.random.default_rng(0)
SCORES, CLASSES = RNG.normal(size=(23, 7)), RNG.integers(0, 7, size=23)
LOGITS, LABELS = RNG.normal(size=23), RNG.integers(0, 2, size=23)
Y, P = RNG.normal(size=(23, 2)) + 1e6, RNG.normal(size=(23, 2)) + 1e6


def over_batches(given, prediction, target, loss=None, sizes=(10, 10, 3)):
    """The numbers of metrics that get the samples in batches of these sizes."""
    metrics = metrics_of(given, loss)
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        for metric in metrics:
            metric.update(xg.asarray(prediction[part]), xg.asarray(target[part]))
        start += size
    return [metric.compute() for metric in metrics]


def test_classification_is_scikit_learns(xp):
    sk = pytest.importorskip("sklearn.metrics")
    found = SCORES.argmax(axis=1)
    several = {"average": "macro", "zero_division": 0}
    expected = [
        sk.accuracy_score(CLASSES, found),
        sk.top_k_accuracy_score(CLASSES, SCORES, k=5, labels=range(7)),
        sk.precision_score(CLASSES, found, **several),
        sk.recall_score(CLASSES, found, **several),
        sk.f1_score(CLASSES, found, **several),
    ]
    names = ["accuracy", "top5", "precision", "recall", "f1"]
    np.testing.assert_allclose(over_batches(names, SCORES, CLASSES), expected, rtol=1e-12)


def test_two_classes_are_scikit_learns():
    sk = pytest.importorskip("sklearn.metrics")
    names = ["accuracy", "precision", "recall", "f1"]
    scores = [sk.accuracy_score, sk.precision_score, sk.recall_score, sk.f1_score]
    for loss, threshold in ((nn.BCEWithLogitsLoss(), 0.0), (nn.BCELoss(), 0.5)):
        expected = [score(LABELS, threshold < LOGITS) for score in scores]
        for labels in (LABELS, LABELS.astype(float)):
            np.testing.assert_allclose(over_batches(names, LOGITS, labels, loss), expected, rtol=1e-12)
            np.testing.assert_allclose(
                over_batches(names, LOGITS[:, None], labels[:, None], loss), expected, rtol=1e-12
            )


def test_regression_is_scikit_learns(xp):
    sk = pytest.importorskip("sklearn.metrics")
    scores = [sk.mean_squared_error, sk.root_mean_squared_error, sk.mean_absolute_error]
    near = Y + 0.1 * RNG.normal(size=Y.shape)
    for y, p in ((Y[:, 0], P[:, 0]), (Y[:, :1], P[:, :1])):
        expected = [score(y, p) for score in (*scores, sk.r2_score)]
        np.testing.assert_allclose(over_batches(["mse", "rmse", "mae", "r2"], p, y), expected, rtol=1e-6)
    np.testing.assert_allclose(over_batches("r2", near, Y), sk.r2_score(Y, near), rtol=1e-9)


def test_r2_of_equal_targets():
    sk = pytest.importorskip("sklearn.metrics")
    same = np.ones(23)
    for predicted in (same, LOGITS):
        assert over_batches("r2", predicted, same) == [sk.r2_score(same, predicted)]


def test_r2_keeps_its_digits_where_the_mean_is_large():
    """Each batch lies around a mean of its own."""
    y = np.concatenate([np.full(10, 1e9), np.full(10, -1e9), np.full(3, 5.0)]) + LOGITS
    expected = 1 - np.sum(np.float64(0.25) * np.ones(23)) / np.sum((y - y.mean()) ** 2)
    assert over_batches("r2", y + 0.5, y) == [pytest.approx(expected, rel=1e-15)]


def test_classes_on_other_axes_and_as_probabilities():
    images, text = RNG.normal(size=(4, 3, 5, 5)), RNG.normal(size=(4, 6, 9))
    labels, letters = RNG.integers(0, 3, size=(4, 5, 5)), RNG.integers(0, 9, size=(4, 6))
    np.testing.assert_allclose(
        over_batches("accuracy", images, labels, sizes=(3, 1)), [np.mean(images.argmax(1) == labels)]
    )
    np.testing.assert_allclose(
        over_batches("accuracy", text, letters, sizes=(3, 1)), [np.mean(text.argmax(-1) == letters)]
    )
    shares = np.eye(7)[CLASSES]
    for name in ("accuracy", "top5"):
        np.testing.assert_allclose(over_batches(name, SCORES, shares), over_batches(name, SCORES, CLASSES))
    with pytest.raises(ValueError, match=r"shape \(4, 3\).*shape \(5,\)"):
        class_axis(xg.zeros((4, 3)), xg.zeros(5))


def test_a_function_is_averaged_over_the_samples():
    def largest(prediction, target):
        return xg.max(xg.abs(prediction - target))

    found = over_batches({"worst": largest, "two": lambda p, t: 2}, Y[:, 0], P[:, 0])
    worst = [np.abs(Y - P)[part, 0].max() for part in (slice(0, 10), slice(10, 20), slice(20, 23))]
    np.testing.assert_allclose(found, [np.average(worst, weights=(10, 10, 3)), 2.0])


def test_a_metric_of_ones_own_counts_anew_in_each_epoch():
    class Count(Metric):
        def update(self, prediction, target):
            self.sums.add(float(prediction.shape[0]))

        def compute(self):
            return sum(value for value, _ in self.sums.read())

    x, y = xg.ones((10, 3)), xg.ones((10, 1))
    run = trainer(network(), metrics=[Count("samples"), "mae"])
    history = run.fit((x, y), 3, validation=(x[:4], y[:4]), batch_size=4)
    assert history["samples"] == [10.0] * 3
    assert history["val_samples"] == [4.0] * 3
    assert list(history) == ["loss", "samples", "mae", "val_loss", "val_samples", "val_mae", "lr", "seconds"]


def test_training_metrics_are_those_of_the_steps():
    """With a learning rate of 0, training sees what evaluation sees."""
    x, y = xg.random.Generator(0).normal((11, 3)), xg.ones((11, 1))
    for how in ({}, {"compile": True}, {"accumulate": 2}):
        run = trainer(network(), lambda p: xg.optim.SGD(p, lr=0.0), metrics=["mae", "r2"], **how)
        history = run.fit((x, y), 1, batch_size=4)
        expected = np.mean(np.abs(run.predict(x).numpy() - 1.0))
        np.testing.assert_allclose(history["mae"], [expected])
        np.testing.assert_allclose(run.evaluate((x, y))["mae"], expected)


def test_wrong_metrics_are_named():
    with pytest.raises(ValueError, match="there is no 'acc'; the names are accuracy, top5"):
        metrics_of("acc", None)
    with pytest.raises(ValueError, match="'mae' is in use"):
        metrics_of(["mae", "mae"], None)
    with pytest.raises(ValueError, match="'lr' is in use"):
        metrics_of({"lr": lambda p, t: 0.0}, None)
    with pytest.raises(TypeError, match="got int"):
        metrics_of([3], None)
    with pytest.raises(ValueError, match=r"gave shape \(2,\)"):
        over_batches(lambda p, t: p[:2], LOGITS, LOGITS)
    with pytest.raises(ValueError, match=r"shape \(10, 2\) and the target \(10,\)"):
        over_batches("mae", P, LOGITS)


def test_evaluating_within_an_epoch_leaves_its_metrics_alone():
    x, y = data(24)

    class Looks(Callback):
        def on_batch_end(self, trainer):
            trainer.evaluate((x * 100.0, y))

    histories = []
    for callbacks in ([], [Looks()]):
        run = trainer(network(), metrics=["mse"])
        histories.append(run.fit((x, y), 2, batch_size=8, callbacks=callbacks)["mse"])
    assert histories[0] == histories[1]


def test_names_are_compared_between_the_trainer_and_a_call():
    run = trainer(network(), metrics=["mse"])
    with pytest.raises(ValueError, match="'mse' is in use"):
        run.fit(data(), 1, metrics={"mse": "mae"})
    with pytest.raises(ValueError, match="'mse' is in use"):
        run.evaluate(data(), metrics={"mse": "mae"})
    (named,) = metrics_of({"score": "f1"}, None)
    assert named.name == "score"


def test_each_label_of_several_is_one_of_two():
    scores, labels = xg.asarray([[2.0, -1.0, 3.0], [-2.0, 1.0, -3.0]]), xg.asarray([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    (metric,) = metrics_of("accuracy", nn.BCEWithLogitsLoss())
    metric.update(scores, labels)
    assert metric.compute() == pytest.approx(5 / 6)


def test_scores_that_are_nan_are_not_among_the_best():
    (metric,) = metrics_of("top5", None)
    metric.update(xg.asarray([[float("nan")] * 7]), xg.asarray([0]))
    assert metric.compute() == 0.0
