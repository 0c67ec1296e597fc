"""Pictures of a run. What they look like was looked at; here are their contents."""

from __future__ import annotations

import sys

import pytest

from xgrad.trainer import History, LRCurve

pytest.importorskip("matplotlib")

COLUMNS = {
    "loss": [4.0, 1.0, 0.1],
    "accuracy": [0.5, 0.7, 0.9],
    "val_loss": [4.0, 0.5, 0.8],
    "val_accuracy": [0.4, 0.8, 0.7],
    "lr": [0.1, 0.05, 0.02],
    "seconds": [1.0, 1.0, 1.0],
}


def test_a_panel_for_each_loss_and_metric_and_for_a_rate_that_changes(tmp_path):
    figure = History(COLUMNS).plot(tmp_path / "run.png")
    loss, accuracy, lr = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy", "learning rate"]
    assert loss.get_yscale() == "log"
    assert accuracy.get_yscale() == "linear"
    training, validation, best = loss.lines
    assert training.get_ydata().tolist() == COLUMNS["loss"]
    assert validation.get_ydata().tolist() == COLUMNS["val_loss"]
    assert list(best.get_xdata()) == [2, 2]
    assert list(accuracy.lines[2].get_xdata()) == [2, 2]
    assert lr.lines[0].get_ydata().tolist() == COLUMNS["lr"]
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert len(History({"loss": [1.0], "lr": [0.1]}).plot().axes) == 1
    with pytest.raises(ValueError, match="no epochs"):
        History().plot()


def test_the_curve_of_the_finder(tmp_path):
    curve = LRCurve([0.001, 0.01, 0.1, 1.0], [4.0, 3.0, 1.0, 9.0], smooth=0.0)
    figure = curve.plot(tmp_path / "lr.svg")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.lines[1].get_ydata().tolist() == curve.smoothed
    assert list(axes.lines[2].get_xdata()) == [curve.suggestion] * 2
    assert "<svg" in (tmp_path / "lr.svg").read_text()


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'xgrad\[fit\]'"):
        History(COLUMNS).plot()


def test_a_column_of_nan_has_no_best_epoch(tmp_path):
    pytest.importorskip("matplotlib")
    history = History({"loss": [1.0, 0.5], "val_loss": [float("nan"), float("nan")]})
    history.plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000
