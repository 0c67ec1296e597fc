"""Callbacks: their moments, early stopping, and errors that they raise."""

from __future__ import annotations

import math
import signal

import pytest

import xgrad as xg
from tests.support.trainers import data, network, numbers, trainer
from xgrad.trainer import Callback, EarlyStopping
from xgrad.trainer.callbacks import HOOKS, as_callback, overriding


class Notes(Callback):
    """Notes each moment."""

    def __init__(self):
        self.seen = []


def _noting(name):
    def hook(self, run, *error):
        self.seen.append((name.removeprefix("on_"), run.epoch, run.batch, run.step))

    return hook


for _name in HOOKS:
    setattr(Notes, _name, _noting(_name))


def test_the_moments_and_what_is_known_then():
    notes = Notes()
    trainer(callbacks=[notes]).fit(data(), 2, batch_size=16)
    assert notes.seen == [
        ("fit_start", 0, 0, 0),
        ("epoch_start", 1, 0, 0),
        ("batch_start", 1, 1, 0),
        ("batch_end", 1, 1, 1),
        ("batch_start", 1, 2, 1),
        ("batch_end", 1, 2, 2),
        ("epoch_end", 1, 2, 2),
        ("epoch_start", 2, 0, 2),
        ("batch_start", 2, 1, 2),
        ("batch_end", 2, 1, 3),
        ("batch_start", 2, 2, 3),
        ("batch_end", 2, 2, 4),
        ("epoch_end", 2, 2, 4),
        ("fit_end", 2, 2, 4),
    ]


def test_an_exception_ends_the_run_and_handlers_are_back():
    notes, before = Notes(), signal.getsignal(signal.SIGINT)

    def fails(run):
        assert signal.getsignal(signal.SIGINT) is not before
        raise KeyError("mine")

    model = network()
    model.eval()
    with pytest.raises(KeyError, match="mine"):
        trainer(model, callbacks=[notes, fails]).fit(data(), 2)
    assert notes.seen[-1][0] == "exception"
    assert "fit_end" not in [name for name, *_ in notes.seen]
    assert signal.getsignal(signal.SIGINT) is before
    assert not model.training


def test_functions_are_called_after_each_epoch_and_losses_can_be_read():
    losses = []

    class Read(Callback):
        def on_batch_end(self, run):
            losses.append(run.loss.item())

    epochs = []
    run = trainer(accumulate=2)
    history = run.fit(
        data(16), 3, batch_size=8, callbacks=[Read(), lambda each: epochs.append((each.epoch, each.history.epochs))]
    )
    assert epochs == [(1, 1), (2, 2), (3, 3)]
    assert losses == pytest.approx(history["loss"])
    with pytest.raises(RuntimeError, match="no step has been taken"):
        trainer().loss  # noqa: B018


def test_a_callback_stops_the_run():
    class Stop(Callback):
        def on_batch_end(self, run):
            if run.step == 4:
                run.stop("enough")

    run = trainer()
    history = run.fit(data(24), 5, batch_size=8, callbacks=[Stop()])
    assert (run.step, history.epochs, run.stopped_because) == (4, 1, "enough")
    assert run.fit(data(24), 1).epochs == 1


def test_early_stopping_restores_the_best_weights():
    x, y = data()
    weights = []

    class Worse(Callback):
        """From epoch 4 on, training goes the wrong way."""

        def on_epoch_start(self, run):
            if run.epoch == 4:
                run.optimizer.param_groups[0]["lr"] = 9.0

    model = network()
    stopping = EarlyStopping(patience=2)
    run = trainer(model, callbacks=[Worse(), lambda each: weights.append(numbers(model)), stopping])
    history = run.fit((x, y), 50, validation=(x, y))
    assert history.epochs == stopping.stopped_epoch == 5
    assert stopping.best_epoch == history.best_epoch("val_loss") == 3
    assert numbers(model) == weights[2]
    assert "val_loss was best in epoch 3" in (run.stopped_because or "")
    assert run.best["epoch"] == 3
    assert run.best["value"] == stopping.best_value == min(history["val_loss"])
    assert run.best["model"]["0.weight"].tolist() == weights[2][0]


def run_of_values(stopping, values):
    """The number of epochs that a run takes whose history has these values."""

    class Values(Callback):
        def on_epoch_end(self, run):
            run.log("accuracy", values[run.epoch - 1])

    run = trainer(callbacks=[Values(), stopping])
    return run.fit(data(), len(values)).epochs


def test_patience_least_difference_and_mode():
    assert run_of_values(EarlyStopping("accuracy", patience=2), [1.0, 2.0, 2.0, 1.5, 3.0]) == 4
    assert run_of_values(EarlyStopping("accuracy", patience=2, mode="min"), [3.0, 2.0, 2.5, 2.6, 0.0]) == 4
    assert run_of_values(EarlyStopping("accuracy", patience=2, min_delta=0.5), [1.0, 1.4, 1.5, 3.0, 9.0]) == 3
    assert run_of_values(EarlyStopping("accuracy", patience=3), [1.0, 2.0, 2.0, 1.5, 3.0]) == 5
    assert run_of_values(EarlyStopping("accuracy", patience=0), [1.0, 0.5, 2.0]) == 2


@pytest.mark.parametrize(("restore", "epoch"), [(True, 1), (False, 3)], ids=["restored", "kept"])
def test_the_best_weights_are_restored_at_the_end_too_unless_not_wanted(restore, epoch):
    model, weights = network(), []
    ascend = lambda output, target: -xg.nn.functional.mse_loss(output, target)  # noqa: E731
    stopping = EarlyStopping("loss", mode="max", patience=10, restore_best=restore)
    run = trainer(model, loss=ascend, callbacks=[lambda each: weights.append(numbers(model)), stopping])
    run.fit(data(), 3)
    assert (stopping.best_epoch, stopping.stopped_epoch) == (1, None)
    assert numbers(model) == weights[epoch - 1]


def test_wrong_callbacks_are_named():
    with pytest.raises(TypeError, match=r"EarlyStopping is a class; write EarlyStopping\(...\)"):
        as_callback(EarlyStopping)
    with pytest.raises(TypeError, match="got int"):
        as_callback(3)
    with pytest.raises(ValueError, match="patience and min_delta"):
        EarlyStopping(patience=-1)
    with pytest.raises(ValueError, match="no 'val_acc' in the history, which has loss"):
        trainer(callbacks=[EarlyStopping("val_acc")]).fit(data())
    assert overriding([Callback(), EarlyStopping()], "on_batch_end") == []


@pytest.mark.parametrize("metrics", [None, ["r2"]])
def test_what_is_logged_in_one_epoch_is_missing_in_the_next(metrics):
    def once(run):
        if run.epoch == 1:
            run.log("mine", 7.0)

    history = trainer(metrics=metrics, callbacks=[once]).fit(data(), 2)
    assert history["mine"][0] == 7.0
    assert math.isnan(history["mine"][1])
