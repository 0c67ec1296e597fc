"""What the commands `xgrad fit` and `xgrad diagnose` report about a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xgrad.cli import main
from xgrad.diagnose.changes import Change
from xgrad.diagnose.fixes import Fix, Trial
from xgrad.fit import FitError, fit, plot
from xgrad.fit.history import configuration

DYING: dict[str, Any] = {
    "standardize": False,
    "optimizer": "sgd",
    "lr": 0.01,
    "activation": "relu",
    "output_activation": "relu",
    "steps": 120,
}
COMMAND = ["fit", "--raw", "--optimizer", "sgd", "--lr", "0.01", "--steps", "120"]
COMMAND += ["--activation", "relu", "--output-activation", "relu"]


def test_a_healthy_fit_has_no_findings() -> None:
    result = fit(steps=300)
    assert result.report.errors == []
    assert result.history["findings"] == result.report.json()["findings"]
    assert result.fix is None
    assert "fix" not in result.history


def test_a_dying_fit_says_why_and_its_layers_are_named() -> None:
    result = fit(**DYING, dtype="float64")
    found = {(f.rule, f.step, f.where) for f in result.report.errors}
    assert ("STEP_UNSTABLE", 0, "the whole network") in found
    assert ("STEP_UNSTABLE", 0, "layer 1, 0.weight") in found
    assert ("DEAD_LAYER", 3, "output") in found
    assert (3, "DEAD_LAYER") in result.record.marks
    assert result.history["findings"][0]["rule"] == "STEP_UNSTABLE"


def test_the_line_of_an_operation_is_the_training_loop_s() -> None:
    result = fit(**{**DYING, "activation": "leaky_relu", "output_activation": "leaky_relu"})
    (finding,) = [f for f in result.report.findings if f.rule == "NONFINITE"]
    assert str(Path("fit", "train.py")) in finding.evidence["line"]


def test_watching_does_not_change_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = fit(steps=40, batch=7)

    monkeypatch.setattr("xgrad.fit.run.watch", lambda *args, **options: _Sightless(watched))
    assert fit(steps=40, batch=7).history["loss"] == watched.history["loss"]


class _Sightless:
    """A watcher that sees nothing."""

    def __init__(self, other: Any) -> None:
        self.other = other

    def step(self, loss: Any) -> None:
        pass

    def close(self) -> None:
        pass

    def report(self) -> Any:
        return self.other.report


def test_the_picture_marks_the_findings() -> None:
    pytest.importorskip("matplotlib")
    result = fit(**DYING)
    _, loss, *_ = result.figure.axes
    texts = [text.get_text() for text in loss.texts]
    assert any("DEAD_LAYER" in text for text in texts)
    dashed = [line for line in loss.lines if line.get_color() == plot.MARK]
    assert len(dashed) == len({step for step, _ in result.record.marks})
    assert all(line.get_linestyle() == "--" for line in dashed)


def test_the_fix_is_tried_when_it_is_asked_for() -> None:
    result = fit(**{**DYING, "steps": 400}, fix=True)
    assert result.fix is not None
    assert result.fix.best is not None
    assert result.history["fix"]["fix"].startswith("x and y standardised, a linear output")


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_prints_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    assert main([*COMMAND, "--out", ""]) == 0
    assert "ERROR DEAD_LAYER at step 3, output" in capsys.readouterr().out
    assert main([*COMMAND, "--out", "", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_quiet_with_a_fix_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--out", "", "--quiet", "--fix", "--steps", "400"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("the fix: x and y standardised, a linear output")
    assert "before: " in line
    assert main(["fit", "--out", "", "--quiet", "--fix", "--steps", "300"]) == 0
    assert capsys.readouterr().out == "no fix was tried: nothing was found wrong\n"


def test_a_fix_in_one_line() -> None:
    before = Trial(Change(), -0.5, 2.0, ("DEAD_LAYER",))
    tried = [Trial(Change(lr=0.1), 0.25, 1.5, ()), Trial(Change(adam=0.01), 0.95, 0.1, (), is_good=True)]
    assert Fix(before, why_not="a reason").line() == "no fix was tried: a reason"
    best = "the fix: Adam with lr 0.01 (R^2 = 0.95, loss 0.1; before: R^2 = -0.5, loss 2, DEAD_LAYER)"
    assert Fix(before, tried, tried[1]).line() == best
    none = "nothing that was tried helped: lr 0.1 (R^2 = 0.25, loss 1.5); before: R^2 = -0.5, loss 2, DEAD_LAYER"
    assert Fix(before, tried[:1]).line() == none


def test_a_history_is_diagnosed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    history, page = tmp_path / "run.json", tmp_path / "run.html"
    assert main([*COMMAND, "--out", "", "--quiet", "--history", str(history)]) == 0
    before = history.read_bytes()
    assert main(["diagnose", str(history), "--html", str(page), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings == json.loads(before)["findings"]
    assert history.read_bytes() == before
    assert "<svg" in page.read_text(encoding="utf-8")
    assert main(["diagnose", str(history), "--fix"]) == 0
    assert "the fix: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[]", "no config"),
        ('{"config": {"data": "7 points"}}', "passed in"),
        ('{"config": {"lr": -1}}', "--lr"),
    ],
)
def test_what_is_no_history_is_said_so(
    text: str | None, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FitError, match=wrong):
        configuration(path)
    assert main(["diagnose", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("xgrad diagnose: error: ")
