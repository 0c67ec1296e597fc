"""Callbacks that write the numbers of a run."""

from __future__ import annotations

import csv
import sys

import pytest

from tests.support.trainers import data, trainer
from xgrad.trainer import Checkpoint, CSVLog, ModelSummary, TensorBoard
from xgrad.trainer.logs import Writer, writer_of


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_file_has_a_line_for_each_epoch(tmp_path):
    path = tmp_path / "run.csv"
    history = trainer(callbacks=[CSVLog(path)], metrics="mae").fit(data(), 3, validation=data())
    found = rows(path)
    assert list(found[0]) == ["epoch", *history]
    for name in history:
        assert [float(row[name]) for row in found] == history[name]


def test_a_csv_file_of_a_run_that_is_resumed(tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "run.csv"
    for epochs in (2, 5):
        trainer(callbacks=[CSVLog(path), Checkpoint(tmp_path)]).fit(data(), epochs, resume=True)
    assert [row["epoch"] for row in rows(path)] == ["1", "2", "3", "4", "5"]


def scalars(folder):
    """The numbers in the event files of a folder, read without the library that has written them."""
    reader = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = []
    for file in folder.iterdir():
        content = file.read_bytes()
        while content:
            size = int.from_bytes(content[:8], "little")
            event = reader.Event()
            event.ParseFromString(content[12 : 12 + size])
            content = content[16 + size :]
            found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
    return found


def test_tensorboard_gets_epochs_and_steps(tmp_path):
    pytest.importorskip("tensorboardX")
    history = trainer(callbacks=[TensorBoard(tmp_path, every_steps=2)]).fit(data(24), 2, batch_size=8)
    found = scalars(tmp_path)
    losses = [value for tag, _, value in found if tag == "epoch/loss"]
    assert losses == pytest.approx(history["loss"], rel=1e-6)
    assert [step for tag, step, _ in found if tag == "step/loss"] == [2, 4, 6]


def test_tensorboards_own_library(tmp_path):
    pytest.importorskip("tensorboard")
    writer = Writer(str(tmp_path))
    writer.add_scalar("a", 0.5, 3)
    writer.flush()
    writer.close()
    assert ("a", 3, 0.5) in scalars(tmp_path)


def test_without_both_libraries(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(ImportError, match=r'pip install "xgrad\[tensorboard\]"'):
        writer_of("folder")
    with pytest.raises(ImportError, match="TensorBoard"):
        trainer(callbacks=[TensorBoard("folder")]).fit(data())
    with pytest.raises(ValueError, match="every_steps must be 1 or more"):
        TensorBoard("folder", every_steps=0)


def test_the_table_of_the_layers(capsys):
    trainer(callbacks=[ModelSummary()]).fit(data(), 2)
    shown = capsys.readouterr().err
    assert shown.count("0: Linear   (22, 4)") == 1
    assert "trainable parameters" in shown
