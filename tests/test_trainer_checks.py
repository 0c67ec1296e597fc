"""The check of the first batch: a loss that is no number, and shapes that broadcast silently."""

from __future__ import annotations

import pytest

import xgrad as xg
from tests.support.trainers import data, network, numbers, trainer
from xgrad import nn


def squared(output, target):
    return xg.mean((output - target) ** 2)


@pytest.mark.parametrize("loss", [squared, nn.MSELoss(), nn.L1Loss()], ids=["function", "MSELoss", "L1Loss"])
def test_shapes_that_broadcast_are_an_error_with_the_fix(loss):
    x, y = data()
    with pytest.raises(ValueError, match=r"\(22, 1\) and the target \(22,\).* to \(22, 22\).*y = y\[:, None\]"):
        trainer(loss=loss).fit((x, y[:, 0]), batch_size=22)
    flat = nn.Sequential(network(), nn.Flatten(0))
    with pytest.raises(ValueError, match=r"\(22,\) and the target \(22, 1\).*y = y\[:, 0\]"):
        trainer(flat, loss=loss).fit((x, y), batch_size=22)


def test_on_each_backend(xp):
    x, y = data(4)
    model = network()
    before = numbers(model)
    with pytest.raises(ValueError, match=r"broadcasts them to \(4, 4\)"):
        trainer(model, loss=squared).fit((x, y[:, 0]))
    assert numbers(model) == before


def test_shapes_that_are_meant_are_not():
    x, y = data()
    trainer(loss=lambda output, target: squared(output[:, 0], target)).fit((x, y[:, 0]))
    classes = xg.astype(y[:, 0] > 0, "int64")
    trainer(nn.Linear(3, 22), loss=nn.CrossEntropyLoss()).fit((x, classes), batch_size=22)


def test_the_loss_must_be_a_number_with_a_gradient():
    x, y = data()
    with pytest.raises(ValueError, match=r"the loss has shape \(22, 1\).*take its mean"):
        trainer(loss=nn.MSELoss(reduction="none")).fit((x, y))
    with pytest.raises(TypeError, match=r"the loss is a float.*without \.item"):
        trainer(loss=lambda output, target: squared(output, target).item()).fit((x, y))
    with pytest.raises(ValueError, match="the loss requires no gradient"):
        trainer(loss=lambda output, target: squared(output.detach(), target)).fit((x, y))


def test_the_check_leaves_no_trace():
    """It draws no masks and moves no statistics: the numbers are those of the plain loop (test_trainer_steps.py)."""
    model = network(noisy=True)
    before, state = numbers(model), model[2].rng.get_state()
    with pytest.raises(ValueError, match="broadcasts"):
        trainer(model, loss=squared).fit((data()[0], data()[1][:, 0]))
    assert numbers(model) == before
    assert model[2].rng.get_state() == state
