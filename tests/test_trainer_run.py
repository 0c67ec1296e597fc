"""A run: schedules, signals, modes, and the best weights."""

from __future__ import annotations

import math
import os
import signal
import threading

import pytest

import xgrad as xg
from tests.support.trainers import adam, data, network, numbers, sgd, trainer
from xgrad import nn, optim
from xgrad._interrupt import Interrupted
from xgrad.optim import lr_scheduler
from xgrad.trainer import Callback, Checkpoint, EarlyStopping, Trainer

posix = pytest.mark.skipif(os.name != "posix", reason="sends signals")


class Send(Callback):
    """Sends signals to this process in the step of this number."""

    def __init__(self, *sent, step=4):
        self.sent, self.step = sent, step

    def on_batch_start(self, run):
        if run.step == self.step:
            for number in self.sent:
                signal.raise_signal(number)


@pytest.fixture
def _heard():
    """Signals do what they do in a terminal, also where the tests run in the background and ignore them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@posix
@pytest.mark.usefixtures("_heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_last_and_the_best(number, tmp_path):
    pytest.importorskip("safetensors")
    model, expected = network(), network()
    weights = []
    run = trainer(model, callbacks=[lambda each: weights.append(numbers(model)), EarlyStopping(), Checkpoint(tmp_path)])
    history = run.fit(data(24), 10, batch_size=8, callbacks=[Send(number)])
    assert (run.interrupted_by, history.epochs, run.step) == (number, 1, 5)  # the step that was begun is completed
    trainer(expected).fit(data(24), 2, batch_size=8, callbacks=[StopAt(5)])
    assert numbers(model) == numbers(expected)  # the last weights, not the best
    assert run.best["epoch"] == 1
    assert [value.tolist() for value in run.best["model"].values()] == weights[0]
    saved = xg.load(tmp_path / "last.safetensors")
    assert (saved["run"]["step"], saved["run"]["batch"]) == (5, 2)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert run.fit(data(24), 1).epochs == 1
    assert run.interrupted_by is None


class StopAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_batch_end(self, run):
        if run.step == self.step:
            run.stop()


@posix
@pytest.mark.usefixtures("_heard")
def test_a_second_signal_ends_at_once():
    run = trainer()
    with pytest.raises(Interrupted):
        run.fit(data(24), 10, batch_size=8, callbacks=[Send(signal.SIGINT, signal.SIGINT)])
    assert run.step == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@posix
@pytest.mark.usefixtures("_heard")
def test_a_signal_in_the_last_step_of_an_epoch_completes_the_epoch():
    run = trainer()
    history = run.fit(data(24), 10, validation=data(), batch_size=8, callbacks=[Send(signal.SIGINT, step=2)])
    assert history.epochs == 1
    assert list(history) == ["loss", "val_loss", "lr", "seconds"]


@posix
def test_another_thread_trains_without_handlers():
    run = trainer()
    thread = threading.Thread(target=lambda: run.fit(data(), 2))
    thread.start()
    thread.join()
    assert run.history.epochs == 2


def test_schedules_step_after_epochs_or_steps():
    def rates(make, epochs=4, **options):
        model, seen = network(), []
        optimizer = sgd(model.parameters())
        run = xg.Trainer(
            model, nn.MSELoss(), optimizer, scheduler=make(optimizer), progress=False, diagnose=False, **options
        )

        class Rate(Callback):
            def on_batch_start(self, run):
                seen.append(run.lr)

        history = run.fit(data(16), epochs, batch_size=8, callbacks=[Rate()])
        return seen, history["lr"]

    seen, of_epochs = rates(lambda o: lr_scheduler.StepLR(o, 1, gamma=0.5))
    assert seen == [0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125]
    assert of_epochs == [0.1, 0.05, 0.025, 0.0125]
    seen, _ = rates(lambda o: lr_scheduler.StepLR(o, 1, gamma=0.5), 2, scheduler_interval="step")
    assert seen == [0.1, 0.05, 0.025, 0.0125]
    seen, _ = rates(lambda o: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=8))
    assert max(seen) == pytest.approx(1.0, abs=0.1)
    assert len(set(seen)) == 8
    seen, _ = rates(lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.1, patience=0, threshold=10.0), 3)
    assert seen[-1] < 0.05  # the loss never falls by so much


def test_a_plateau_is_one_of_the_column_that_is_monitored():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    run = xg.Trainer(
        model, nn.MSELoss(), optimizer, scheduler=lr_scheduler.ReduceLROnPlateau(optimizer), metrics=["r2"],
        progress=False, diagnose=False,
    )  # fmt: skip
    with pytest.raises(ValueError, match="follows the column 'r2', of which the maximum is best"):
        run.fit(data(), 2, callbacks=[xg.trainer.EarlyStopping("r2")])


def test_the_modes_of_the_layers():
    """A layer that is frozen in evaluation stays so; a model in evaluation is trained in training."""
    x, y = data()
    frozen = network(noisy=True)
    frozen[1].eval()
    seen = []
    look = lambda run: seen.append([each.training for each in run.model])  # noqa: E731
    trainer(frozen, callbacks=[look]).fit((x, y), 2, validation=(x, y))
    assert seen == [[True, False, True, True, True]] * 2
    assert frozen[1].num_batches_tracked.item() == 0
    model = network(noisy=True).eval()
    trainer(model).fit((x, y), 2, batch_size=22)
    assert not model.training
    assert not model[1].training
    assert model[1].num_batches_tracked.item() == 2


def test_the_best_is_kept_by_validation():
    x, y = data()
    run = trainer(make=lambda parameters: optim.SGD(parameters, lr=0.3))
    history = run.fit((x, y), 6, validation=(-x, y))
    assert run.best["monitor"] == "val_loss"
    assert run.best["value"] == min(history["val_loss"])
    assert run.best["epoch"] == history.best_epoch("val_loss")


def test_a_loss_of_ones_own():
    class Physics(Trainer):
        """y' = y, y(0) = 1."""

        def compute_loss(self, batch):
            (t,) = batch
            y, slope = xg.jvp(self.model, (t,), (xg.ones_like(t),))
            start = self.model(xg.zeros((1, 1)))
            return xg.mean((slope - y) ** 2) + xg.mean((start - 1.0) ** 2)

    rng = xg.random.Generator(0)
    model = nn.Sequential(nn.Linear(1, 8, rng=rng), nn.Tanh(), nn.Linear(8, 1, rng=rng))
    run = Physics(model, None, optim.Adam(model.parameters(), lr=0.02), progress=False, diagnose=False)
    t = xg.linspace(0.0, 1.0, 32)[:, None]
    run.fit(t, 150)
    assert run.predict(xg.ones((1, 1))).item() == pytest.approx(math.e, abs=0.1)


def test_a_model_that_gives_its_loss():
    class Fit(nn.Module):
        def __init__(self):
            self.inner = network()

        def forward(self, x, y):
            output = self.inner(x)
            return xg.mean((output - y) ** 2), output

    model, other = Fit(), network()
    run = xg.Trainer(
        model, None, adam(model.parameters()), metrics="mae", progress=False, generator=xg.random.Generator(3)
    )
    history = run.fit(data(), 2, batch_size=8)
    assert numbers(model) == trained(other)
    assert history["mae"][1] < history["mae"][0]
    assert run.report is not None


def trained(model):
    trainer(model).fit(data(), 2, batch_size=8)
    return numbers(model)


def test_numbers_of_ones_own_in_the_history():
    class Count(Callback):
        def on_batch_end(self, run):
            run.log("batches", run.batch)

        def on_epoch_end(self, run):
            run.log("twice", 2 * run.epoch)

    history = trainer(callbacks=[Count()]).fit(data(24), 2, batch_size=8)
    assert history["batches"] == [3.0, 3.0]
    assert history["twice"] == [2.0, 4.0]
