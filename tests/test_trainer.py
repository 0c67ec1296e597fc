"""The trainer's arguments, and what it offers beside `fit`."""

from __future__ import annotations

from typing import Any

import pytest

import xgrad as xg
from tests.support.trainers import adam, data, network, sgd, trainer
from xgrad import nn, optim


def test_wrong_parts_are_named():
    model = network()
    good = (model, nn.MSELoss(), adam(model.parameters()))
    for place, wrong, why in (
        (0, nn.MSELoss, "expected a Module, got the class MSELoss"),
        (1, nn.MSELoss, r"write MSELoss\(\)"),
        (1, 3, "got a value of type int"),
        (2, optim.Adam, "expected an Optimizer of xgrad.optim, got the class Adam"),
    ):
        parts: list[Any] = list(good)
        parts[place] = wrong
        with pytest.raises(TypeError, match=why):
            xg.Trainer(*parts)
    with pytest.raises(ValueError, match="has no parameter of the model"):
        xg.Trainer(model, nn.MSELoss(), adam(network().parameters()))
    with pytest.raises(TypeError, match="expected a schedule"):
        xg.Trainer(*good, scheduler=0.1)
    with pytest.raises(ValueError, match="schedules another optimizer"):
        xg.Trainer(*good, scheduler=optim.lr_scheduler.StepLR(sgd(model.parameters()), 1))


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ({"clip_grad_norm": 0}, "clip_grad_norm must be more than 0"),
        ({"clip_grad_value": float("nan")}, "clip_grad_value must be more than 0"),
        ({"accumulate": 0}, "accumulate must be an integer, 1 or more"),
        ({"accumulate": True}, "accumulate must be an integer, 1 or more"),
        ({"nonfinite": "raise"}, '"stop", "skip" or "ignore"'),
        ({"scheduler_interval": "batch"}, '"epoch" or "step"'),
        ({"progress": "dots"}, '"bar" or "lines"'),
        ({"precision": "float8"}, '"float16" or "bfloat16"'),
        ({"metrics": "acc"}, "there is no 'acc'"),
    ],
)
def test_wrong_options_are_named(option, why):
    with pytest.raises(ValueError, match=why):
        trainer(**option)


@pytest.mark.parametrize("epochs", [-1, 1.5, True])
def test_epochs_are_an_integer(epochs):
    with pytest.raises(ValueError, match="epochs must be an integer"):
        trainer().fit(data(), epochs)


def test_no_epochs_train_nothing():
    assert trainer().fit(data(), 0).epochs == 0


def test_the_trainer_is_found_on_the_face():
    assert xg.Trainer is xg.trainer.Trainer
    assert "Trainer" in dir(xg)
    with pytest.raises(AttributeError):
        xg.Trainr  # noqa: B018
