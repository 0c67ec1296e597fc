"""Checkpoints: a run that was stopped anywhere goes on with the numbers of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import xgrad as xg
from tests.support.processes import environment
from tests.support.trainers import data, network, numbers, trainer
from xgrad import nn, optim
from xgrad.state import StateError
from xgrad.trainer import Callback, Checkpoint, EarlyStopping

pytest.importorskip("safetensors")


class StopAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_batch_end(self, run):
        if run.step == self.step:
            run.stop()


def make(model, **options):
    """A trainer with everything that has a state."""
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    return xg.Trainer(
        model,
        nn.MSELoss(),
        optimizer,
        scheduler=scheduler,
        metrics=["mae", "r2"],
        progress=False,
        diagnose=False,
        **options,
    )


def run_of(model, folder=None, stop=None, resume=None, epochs=4, **options):
    """Train with validation, early stopping and checkpoints. Without a generator, the default one orders the data."""
    xg.random.seed(5)
    callbacks: list[Callback] = [EarlyStopping(patience=2)]
    callbacks += [] if folder is None else [Checkpoint(folder, every_steps=2)]
    callbacks += [] if stop is None else [StopAt(stop)]
    run = make(model, **options)
    run.fit(data(), epochs, validation=data(), batch_size=8, callbacks=callbacks, resume=resume)
    return run


def columns(run):
    return {name: values for name, values in run.history.items() if name != "seconds"}


@pytest.fixture(scope="module")
def whole():
    model = network(noisy=True)
    return run_of(model), numbers(model)


@pytest.mark.parametrize("stop", range(1, 12))
def test_a_run_that_stops_at_any_step_goes_on_bit_for_bit(tmp_path, whole, stop):
    run, expected = whole
    run_of(network(noisy=True), tmp_path, stop)
    model = network(noisy=True)
    for p in model.parameters():  # nothing of this is kept
        p.data[...] = 7.0
    resumed = run_of(model, tmp_path, resume=tmp_path)
    assert numbers(model) == expected
    assert columns(resumed) == columns(run)
    assert resumed.step == run.step == 12
    best = {name: value.tolist() for name, value in resumed.best["model"].items()}
    assert best == {name: value.tolist() for name, value in run.best["model"].items()}


def test_a_compiled_run_goes_on_bit_for_bit(tmp_path):
    models = [network(noisy=True) for _ in range(2)]
    run_of(models[0], compile=True)
    run_of(network(noisy=True), tmp_path, stop=5, compile=True)
    run_of(models[1], tmp_path, resume=tmp_path, compile=True)
    assert numbers(models[1]) == numbers(models[0])


def test_on_each_backend(xp, tmp_path):
    models = [network() for _ in range(3)]
    trainer(models[0]).fit(data(), 2, batch_size=16)
    trainer(models[1], callbacks=[StopAt(3), Checkpoint(tmp_path)]).fit(data(), 2, batch_size=16)
    trainer(models[2]).fit(data(), 2, batch_size=16, resume=tmp_path)
    assert numbers(models[2]) == numbers(models[0])


def test_foreign_batches_are_skipped_up_to_the_next_one(tmp_path):
    x, y = data(24)
    batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 24, 8)]
    models = [network() for _ in range(3)]
    trainer(models[0]).fit(batches, 2)
    trainer(models[1], callbacks=[StopAt(4), Checkpoint(tmp_path)]).fit(batches, 2)
    trainer(models[2]).fit(batches, 2, resume=tmp_path)
    assert numbers(models[2]) == numbers(models[0])


KILLED = """
import sys
import xgrad as xg
from tests.support.trainers import data, network, numbers, trainer
from xgrad.trainer import Checkpoint
model = network(noisy=True)
def slow(run):
    print(run.epoch, flush=True)
run = trainer(model, callbacks=[Checkpoint(sys.argv[1], every_steps=1), slow])
run.fit(data(), int(sys.argv[2]), batch_size=8, resume=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "SIGTERM"])
def test_a_process_that_is_killed_resumes_where_it_was(tmp_path, which):
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", KILLED, str(tmp_path), "100000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=environment())
    assert process.stdout is not None
    while process.stdout.readline().strip() != "3":
        assert process.poll() is None
    process.send_signal(which)
    process.stdout.close()
    code = process.wait(60)
    assert code == (-9 if which == signal.SIGKILL else 0)  # fit returns, and the program ends as it wants
    step = xg.load(tmp_path / "last.safetensors")["run"]["step"]
    assert step >= 9
    epochs = step // 3 + 2
    resumed, expected = network(noisy=True), network(noisy=True)
    trainer(resumed, callbacks=[Checkpoint(tmp_path)]).fit(data(), epochs, batch_size=8, resume=True)
    trainer(expected).fit(data(), epochs, batch_size=8)
    assert numbers(resumed) == numbers(expected)


def test_last_best_and_numbered_files(tmp_path):
    def files():
        return sorted(path.name for path in tmp_path.iterdir())

    run = trainer(callbacks=[Checkpoint(tmp_path, keep=2)])
    run.fit(data(), 4)
    assert files() == [f"{name}.safetensors" for name in ("best", "epoch-000003", "epoch-000004", "last")]
    assert xg.load(tmp_path / "best.safetensors")["run"]["epochs"] == run.history.best_epoch("loss")
    trainer(callbacks=[Checkpoint(tmp_path, every=3, every_steps=2, keep=None)]).fit(data(16), 4, batch_size=8)
    kept = [name for name in files() if name.startswith("step")]
    assert kept == [f"step-0000000{n}.safetensors" for n in (2, 4, 6, 8)]
    assert xg.load(tmp_path / "last.safetensors")["run"]["epochs"] == 4


def test_the_best_of_a_column(tmp_path):
    class Values(Callback):
        def on_epoch_end(self, run):
            run.log("accuracy", (0.5, 0.9, 0.7)[run.epoch - 1])

    run = trainer(callbacks=[Values(), Checkpoint(tmp_path, "accuracy")])
    run.fit(data(), 3)
    assert run.best["epoch"] == 2
    assert xg.load(tmp_path / "best.safetensors")["run"]["epochs"] == 2
    with pytest.raises(ValueError, match="no 'mse' in the history"):
        trainer(callbacks=[Checkpoint(tmp_path, "mse")]).fit(data())


def test_the_last_weights_are_saved_before_the_best_are_restored(tmp_path):
    ascend = lambda output, target: -nn.functional.mse_loss(output, target)  # noqa: E731
    model = network()
    callbacks = [EarlyStopping("loss", mode="max"), Checkpoint(tmp_path, every=10)]
    trainer(model, loss=ascend, callbacks=callbacks).fit(data(), 3)
    saved = xg.load(tmp_path / "last.safetensors")
    assert saved["model"]["0.weight"].tolist() != model[0].weight.tolist()
    assert saved["run"]["step"] == 3


def test_resume_true_starts_where_there_is_nothing(tmp_path):
    run = trainer(callbacks=[Checkpoint(tmp_path / "new" / "folder")])
    assert run.fit(data(), 2, resume=True).epochs == 2
    assert run.fit(data(), 5, resume=True).epochs == 5
    assert run.step == 5
    with pytest.raises(ValueError, match="resume=True needs a Checkpoint"):
        trainer().fit(data(), resume=True)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        trainer().fit(data(), resume=tmp_path / "no.safetensors")


def test_a_model_can_be_saved_and_loaded_without_a_run(tmp_path):
    run, other = trainer(), trainer(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    run.save(tmp_path / "before")
    run.fit(data(), 2)
    run.save(tmp_path / "after")
    other.load(tmp_path / "after")
    assert numbers(other.model) == numbers(run.model)
    assert columns(other) == columns(run)
    with pytest.raises(StateError, match="written before a fit"):
        other.fit(data(), resume=tmp_path / "before")


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    run = trainer()
    run.fit(data(), 1)
    run.save(tmp_path / "run")
    xg.save({"w": xg.ones(2)}, tmp_path / "weights")
    larger = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    for model, name, why in (
        (larger, "run", "0.weight"),
        (network(noisy=True), "run", "random generator 2.rng"),
        (network(), "weights", "no checkpoint of a Trainer"),
    ):
        before, other = numbers(model), trainer(model)
        with pytest.raises(StateError, match=why):
            other.fit(data(), 3, resume=tmp_path / name)
        assert numbers(model) == before
        assert other.step == 0
    with pytest.raises(StateError, match="no scheduler"):
        make(network(), generator=xg.random.Generator(3)).fit(data(), resume=tmp_path / "run")


def test_wrong_numbers_are_named():
    wrongs: list[dict[str, Any]] = [{"every": 0}, {"every_steps": 0}, {"keep": -1}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="must be 1 or more, keep 0 or more"):
            Checkpoint("folder", **wrong)


def test_another_monitor_than_before_begins_anew(tmp_path):
    """The best of one column is not compared with the numbers of another one."""
    model = network()
    trainer(model, metrics=["r2"]).fit(
        data(), 3, callbacks=[Checkpoint(tmp_path, "r2"), EarlyStopping("r2", patience=2)]
    )
    run, early = trainer(model, metrics=["r2"]), EarlyStopping("loss", patience=2)
    checkpoint = Checkpoint(tmp_path, "loss")
    history = run.fit(data(), 8, callbacks=[checkpoint, early], resume=True)
    assert len(history["loss"]) == 8
    assert early.best_epoch > 3
    assert checkpoint.best_value == min(history["loss"][3:])


def test_other_metrics_within_an_epoch_are_an_error_that_changes_nothing(tmp_path):
    trainer(network(), metrics=["r2"], callbacks=[StopAt(2), Checkpoint(tmp_path)]).fit(data(), 2, batch_size=8)
    model = network(noisy=False)
    before = numbers(model)
    with pytest.raises(StateError, match="was written within an epoch, and has no metric mae of it"):
        trainer(model, metrics=["mae"]).fit(data(), 2, batch_size=8, callbacks=[Checkpoint(tmp_path)], resume=True)
    assert numbers(model) == before
