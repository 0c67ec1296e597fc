"""The history: columns with a number for each epoch."""

from __future__ import annotations

import math

import pytest

from tests.support.trainers import data, trainer
from xgrad.trainer import History
from xgrad.trainer.history import is_maximized


def test_columns_grow_together():
    history = History()
    assert (history.epochs, history.last, len(history)) == (0, {}, 0)
    history.add({"loss": 2.0})
    history.add({"loss": 1.0, "val_loss": 3.0})
    history.add({"val_loss": 4.0})
    assert history["loss"][:2] == [2.0, 1.0]
    assert math.isnan(history["loss"][2])
    assert math.isnan(history["val_loss"][0])
    assert history.epochs == 3
    assert history.csv().splitlines()[:3] == ["epoch,loss,val_loss", "1,2.0,nan", "2,1.0,3.0"]
    assert "3 epochs" in repr(history)


def test_the_best_epoch():
    history = History({"loss": [3.0, 1.0, math.nan], "val_accuracy": [0.5, 0.9, 0.9], "other": [math.nan] * 3})
    assert history.best_epoch("loss") == 2
    assert history.best_epoch("val_accuracy") == 2
    assert history.best_epoch("val_accuracy", "min") == 1
    with pytest.raises(ValueError, match="no numbers for 'other'"):
        history.best_epoch("other")


def test_wrong_names_and_columns():
    with pytest.raises(KeyError, match="'acc' is not in the history, which has loss"):
        History({"loss": [1.0]})["acc"]
    with pytest.raises(ValueError, match="different lengths"):
        History({"loss": [1.0], "lr": []})
    with pytest.raises(ValueError, match='"min", "max" or "auto"'):
        is_maximized("loss", "smallest")


def test_a_fit_starts_a_new_history():
    run = trainer()
    first = run.fit(data(), 2)
    second = run.fit(data(), 1)
    assert (first.epochs, second.epochs) == (2, 1)
    assert run.history is second
    assert second["loss"][0] < first["loss"][1]
    assert second["lr"] == [0.01]
    assert second["seconds"][0] > 0
