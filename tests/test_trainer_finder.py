"""The learning-rate finder."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.trainers import data, loader, network, numbers, sgd, trainer
from xgrad.trainer import LRCurve
from xgrad.trainer.finder import smoothed, steepest


def test_the_rates_grow_by_one_factor_and_the_losses_rise_at_the_end():
    curve = trainer(make=sgd).find_lr(data(64), start=1e-4, end=100.0, steps=61, batch_size=16)
    factors = np.diff(np.log(curve.lrs))
    np.testing.assert_allclose(factors, math.log(1e6) / 60, rtol=1e-9)
    assert len(curve.lrs) < 61  # it diverged, and was stopped
    assert curve.smoothed[-1] > 4 * min(curve.smoothed)
    assert 1e-3 < (curve.suggestion or 0.0) < 0.5


def test_a_quadratic_whose_limit_is_known():
    """Gradient descent on c w^2 / 2 diverges above 2 / c."""
    model = xg.nn.Linear(1, 1, bias=False)
    run = trainer(model, sgd, lambda output, target: 50.0 * xg.mean(output**2))
    curve = run.find_lr((xg.ones((4, 1)), xg.ones((4, 1))), start=1e-5, end=10.0, steps=100, smooth=0.0)
    assert 0 < (curve.suggestion or 0.0) < 2 / 100
    assert min(zip(curve.losses, curve.lrs, strict=True))[1] < 3 * 2 / 100


@pytest.mark.parametrize("how", [{}, {"accumulate": 2}], ids=["plainly", "accumulated"])
def test_everything_is_put_back(how):
    searched, other = network(noisy=True), network(noisy=True)
    batches = loader(*data())
    run = trainer(searched, **how)
    before = numbers(searched), batches.state_dict()
    run.find_lr(batches, end=100.0)
    assert (numbers(searched), batches.state_dict()) == before
    assert all(p.grad is None for p in searched.parameters())
    assert run.lr == 0.01
    history = run.fit(batches, 3)
    expected = trainer(other, **how).fit(loader(*data()), 3)
    assert numbers(searched) == numbers(other)
    assert history["loss"] == expected["loss"]


def test_the_running_mean_and_the_steepest_slope():
    assert smoothed([4.0, 4.0, 4.0], 0.9) == pytest.approx([4.0] * 3)
    assert smoothed([1.0, 3.0], 0.5) == pytest.approx([1.0, (0.25 * 1 + 0.5 * 3) / 0.75])
    rates = [10.0**i for i in range(6)]
    assert steepest(rates, [5.0, 4.9, 3.0, 1.0, 0.9, 50.0]) == 100.0
    assert steepest(rates, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) is None
    assert steepest([1.0], [1.0]) is None
    assert "no rate" in repr(LRCurve([1.0], [1.0]))


def test_wrong_arguments_are_named():
    run = trainer()
    for wrong, why in (
        ({"start": 0.0}, "0 < start < end"),
        ({"start": 1.0, "end": 0.5}, "0 < start < end"),
        ({"steps": 5}, "steps must be 10 or more"),
        ({"smooth": 1.0}, "smooth in"),
    ):
        with pytest.raises(ValueError, match=why):
            run.find_lr(data(), **wrong)
    with pytest.raises(ValueError, match="find_lr: the data gave no batches"):
        run.find_lr(iter([]))


def test_a_loss_below_zero():
    loss = lambda output, target: xg.mean((output - target) ** 2) - 50.0  # noqa: E731
    found = trainer(network(), sgd, loss).find_lr(data(), steps=30)
    assert len(found.losses) > 10
    assert found.suggestion is not None
