"""What a run shows: a bar on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

import io
import sys

import pytest

from tests.support.trainers import data, trainer
from xgrad.trainer import progress
from xgrad.trainer.progress import Bar, Lines, progress_of


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_where_nobody_looks(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    trainer(progress=True).fit(data(), 3, validation=data())
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert "loss" in err
    assert "val_loss" in err


def test_many_short_epochs_are_few_lines(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PAUSE", 1e9)
    trainer(progress="lines").fit(data(), 30)
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["epoch 1/30", "epoch 30/30"]


def test_nothing_if_it_is_not_wanted(capsys):
    trainer(progress=False, diagnose=True).fit((data()[0] * 1e3, data()[1]), 2)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    trainer(progress=True, accumulate=2).fit(data(24), 3, validation=data(), batch_size=8)
    shown = terminal.getvalue()
    assert "6/6" in shown
    assert "epoch 3/3" in shown
    assert "val_loss" in shown


def test_a_bar_closes_after_an_error(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", Terminal())

    def fails(run):
        raise KeyError("mine")

    run = trainer(progress="bar", callbacks=[fails])
    with pytest.raises(KeyError):
        run.fit(data(), 2)
    assert run.run is not None
    assert isinstance(run.run.progress, Bar)
    assert run.run.progress.bar.disable  # closed


def test_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert type(progress_of(True)) is Lines
    with pytest.raises(ImportError, match=r'pip install "xgrad\[fit\]"'):
        progress_of("bar")
    assert type(progress_of(False)) is not Bar
