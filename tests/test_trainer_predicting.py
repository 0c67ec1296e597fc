"""Evaluation and prediction: all samples, in evaluation, without gradients."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.trainers import data, loader, network, numbers, trainer
from xgrad import nn


def test_predictions_are_those_of_the_model_in_evaluation(xp):
    x, y = data(11)
    model = network(noisy=True)
    run = trainer(model)
    found = run.predict(x, batch_size=4)
    model.eval()
    np.testing.assert_allclose(found.numpy(), model(x).detach().numpy(), rtol=1e-12)
    assert not found.requires_grad
    expected = np.mean((found.numpy() - y.numpy()) ** 2)
    assert run.evaluate((x, y), batch_size=4) == {"loss": pytest.approx(expected, rel=1e-12)}


def test_nothing_of_the_model_changes():
    model = network(noisy=True)
    model[1].eval()
    before, modes = numbers(model), [each.training for each in model.modules()]
    run = trainer(model)
    run.predict(data()[0])
    run.evaluate(data(), metrics="r2")
    assert numbers(model) == before
    assert [each.training for each in model.modules()] == modes


def test_inputs_of_each_kind():
    x, y = data()
    run = trainer()
    expected = run.predict(x, batch_size=100).numpy()
    inputs = xg.data.DataLoader(xg.data.TensorDataset(x), batch_size=5)
    pairs = xg.data.DataLoader(xg.data.TensorDataset(x, y), batch_size=5)
    for given in (x.numpy(), (x,), inputs, pairs, xg.data.TensorDataset(x, y), [(x[:10], y[:10]), (x[10:], y[10:])]):
        np.testing.assert_allclose(run.predict(given).numpy(), expected, rtol=1e-12)


def test_several_outputs_and_no_data():
    class Two(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([2.0])

        def forward(self, x):
            return self.w * x, x

    run = trainer(Two(), loss=lambda output, target: xg.mean((output[0] - target) ** 2))
    twice, once = run.predict(xg.ones((7, 1)), batch_size=3)
    assert twice.tolist() == [[2.0]] * 7
    assert once.shape == (7, 1)
    with pytest.raises(ValueError, match="predict: the data gave no batches"):
        run.predict(iter([]))
    with pytest.raises(ValueError, match="evaluate: the data gave no batches"):
        run.evaluate(iter([]))


def test_the_loss_is_weighted_by_the_samples():
    x, y = data(22)
    run = trainer()
    whole = run.evaluate((x, y), batch_size=22)["loss"]
    assert run.evaluate(loader(x, y, 9))["loss"] == pytest.approx(whole, rel=1e-13)
