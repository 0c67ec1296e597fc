"""The log of a watched run: a CSV file, a TensorBoard, a function."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import xgrad as xg
from tests.test_trainer_logs import scalars
from xgrad import nn, optim
from xgrad.diagnose import Watch, watch
from xgrad.trainer import CSVLog


def train(steps: int, log: Any) -> tuple[Watch, list[float]]:
    rng = xg.random.Generator(0)
    model = nn.Sequential(nn.Linear(1, 8, rng=rng), nn.ReLU(), nn.Linear(8, 1, rng=rng))
    x, loss_function, losses = xg.linspace(-1, 1, 16)[:, None], nn.MSELoss(), []
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer, loss=loss_function, x=x, y=x * x, log=log)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_function(model(x), x * x)
        loss.backward()
        optimizer.step()
        w.step(loss)
        losses.append(loss.item())
    w.close()
    return w, losses


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_file_has_a_line_for_each_look(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    w, losses = train(31, str(path))
    found = rows(path)
    assert list(found[0]) == ["step", "loss", "lr", "grad_norm", "dead_units", "saturated", "findings"]
    assert [row["step"] for row in found] == [*map(str, range(10)), "10", "20", "30"]
    assert float(found[3]["loss"]) == losses[3]
    assert float(found[11]["loss"]) == pytest.approx(sum(losses[11:21]) / 10)  # of the steps since the line before
    assert {row["lr"] for row in found} == {"0.1"}
    squares = [norm**2 for norm in w.run.looks[2].norms.values()]
    assert float(found[2]["grad_norm"]) == pytest.approx(sum(squares) ** 0.5)


def test_a_logger_and_a_function_together(tmp_path: Path) -> None:
    path, seen = tmp_path / "run.csv", list[dict[str, float]]()
    train(12, [CSVLog(path), seen.append])
    assert [row["step"] for row in seen] == list(range(11))
    assert [float(row["loss"]) for row in rows(path)] == [row["loss"] for row in seen]


def test_a_function_alone() -> None:
    seen = list[Any]()
    _, losses = train(3, seen.append)
    assert [row["loss"] for row in seen] == losses


def test_a_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    _, losses = train(12, tmp_path / "board")
    found = scalars(tmp_path / "board")
    assert [value for tag, _, value in found if tag == "step/loss"] == pytest.approx(losses[:11], rel=1e-6)
    assert [step for tag, step, _ in found if tag == "step/grad_norm"] == list(range(11))


def test_a_log_that_cannot_be_written_is_refused_before_the_training(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        train(1, tmp_path / "none" / "run.csv")


def test_a_log_that_fails_later_ends_no_training() -> None:
    class Full(CSVLog):
        def on_epoch_end(self, trainer: Any) -> None:
            if trainer.history.epochs > 2:
                raise OSError(28, "No space left on device")

    w, losses = train(6, Full("unused.csv"))
    assert len(losses) == 6
    assert w.report().lacking["the log"] == "was not written: No space left on device"
