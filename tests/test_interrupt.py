"""Ctrl-C, SIGTERM and SIGHUP at every moment of a run: what was computed is saved, and the exit status says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import environment
from xgrad._interrupt import PATIENCE, Interrupted, ending
from xgrad._starting import SIGNALS, is_command
from xgrad.cli import main
from xgrad.diagnose import Report, fixes
from xgrad.fit import fit, plot
from xgrad.fit import run as run_module
from xgrad.fit.pictures import scheme
from xgrad.fit.recorder import Recorder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

SHORT: dict[str, Any] = {"range": (-2, 2), "points": 11, "hidden": (4,), "steps": 12}
FIT = ["fit", "--quiet", "--range", "-2", "2", "--points", "11", "--hidden", "4", "--steps", "12"]


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Signals do what they do in a terminal, also where the tests run in the background and ignore them."""
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def send_before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *numbers: int, at: int = 0) -> None:
    """Send signals to this process at the start of the so-manieth call of a function."""
    calls = []
    call: Callable[..., Any] = getattr(owner, name)

    def send_and_call(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == at + 1:
            for number in numbers:
                signal.raise_signal(number)
        return call(*args, **options)

    monkeypatch.setattr(owner, name, send_and_call)


def history() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path("run.json").read_text(encoding="utf-8"))
    return loaded


# --- in the command's own process ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_training_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    pytest.importorskip("matplotlib")
    send_before(monkeypatch, Recorder, "step", number, at=7)
    handlers = [signal.getsignal(n) for n in SIGNALS]
    assert main([*FIT, "--history", "run.json", "--out", "fit.png"]) == 128 + number
    assert len(history()["loss"]) == 8  # the step is finished first
    assert len(history()["prediction"]) == 11
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["fit.png", "run.json"]
    assert [signal.getsignal(n) for n in SIGNALS] == handlers


MOMENTS = ["as_json", "draw", "encoded", "animated"]


@pytest.mark.parametrize(("moment", "number"), [(m, SIGNALS[i % len(SIGNALS)]) for i, m in enumerate(MOMENTS)])
def test_a_signal_while_files_are_written_loses_none(monkeypatch: pytest.MonkeyPatch, number: int, moment: str) -> None:
    pytest.importorskip("matplotlib")
    owner = run_module if moment == "as_json" else plot
    send_before(monkeypatch, owner, moment, *[number] * (PATIENCE - 1))
    files = ["--history", "run.json", "--out", "fit.png", "--gif", "fit.gif"]
    assert main([*FIT, "--steps", "3", *files]) == 128 + number
    assert len(history()["loss"]) == 3
    assert Path("fit.png").read_bytes().startswith(b"\x89PNG")
    assert Path("fit.gif").read_bytes().startswith(b"GIF8")
    assert len(list(Path.cwd().iterdir())) == 3


def test_the_report_and_the_result_of_a_run_that_was_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    send_before(monkeypatch, Report, "json", signal.SIGTERM)
    result = fit(**SHORT)
    assert result.completed
    assert result.interrupted_by == signal.SIGTERM
    assert fit(**SHORT).interrupted_by is None


def test_who_insists_while_a_picture_is_drawn_keeps_the_history(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    Path("fit.png").write_bytes(b"old")
    send_before(monkeypatch, plot, "encoded", *[signal.SIGTERM] * PATIENCE)
    assert main([*FIT, "--history", "run.json", "--out", "fit.png"]) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "xgrad fit: interrupted\n"
    assert len(history()["loss"]) == 12
    assert Path("fit.png").read_bytes() == b"old"
    assert len(list(Path.cwd().iterdir())) == 2


def test_ctrl_c_and_again_while_saving(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    send_before(monkeypatch, Recorder, "step", signal.SIGINT, at=3)
    send_before(monkeypatch, plot, "encoded", signal.SIGINT)
    assert main([*FIT, "--history", "run.json", "--out", "fit.png"]) == 130
    assert len(history()["loss"]) == 4
    assert Path("fit.png").exists()


@pytest.mark.parametrize("at", [7, 8])
def test_a_second_signal_within_a_step_breaks_it_off_and_keeps_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], at: int
) -> None:
    send_before(monkeypatch, Recorder, "step", signal.SIGTERM, signal.SIGTERM, at=at)
    assert main([*FIT, "--history", "run.json", "--out", ""]) == 143
    assert capsys.readouterr() == ("", "")
    assert len(history()["loss"]) == at  # the step that was broken off is not one of them
    assert len(history()["prediction"]) == 11


def test_a_second_signal_within_the_first_step_leaves_nothing_to_keep(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send_before(monkeypatch, Recorder, "step", signal.SIGTERM, signal.SIGTERM)
    assert main([*FIT, "--history", "run.json", "--out", ""]) == 143
    assert capsys.readouterr() == ("", "xgrad fit: interrupted\n")
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("moment", ["_fetch", "_add_stage", "_look_at_gradients", "_forward"])
def test_what_is_kept_of_a_step_that_is_broken_off_fits_together(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr("xgrad.fit.recorder.BLOCK", 4)
    send_before(monkeypatch, Recorder, moment, signal.SIGINT, signal.SIGINT, at=1)
    record = fit(**SHORT, every=2).record
    assert len(record.stages) == len(record.sampled) + 1
    for trace in record.layers:
        assert len(trace.gradient_norm) == len(record.sampled)
        assert trace.idle is None or len(trace.share) == len(record.sampled)
    assert record.stages[-1].step == len(record.loss)


def test_a_signal_in_the_last_step_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    send_before(monkeypatch, Recorder, "step", signal.SIGINT, at=11)
    result = fit(**SHORT)
    assert result.completed
    assert result.interrupted_by == signal.SIGINT
    assert len(result.history["loss"]) == 12


def test_a_signal_while_a_fix_is_tried_keeps_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send_before(monkeypatch, fixes, "_run", signal.SIGHUP)
    arguments = ["--raw", "--optimizer", "sgd", "--output-activation", "relu", "--steps", "30", "--quiet", "--fix"]
    assert main(["fit", *arguments, "--out", "", "--history", "run.json"]) == 128 + signal.SIGHUP
    assert capsys.readouterr().out == "no fix was tried: it was interrupted\n"
    assert history()["fix"]["why_not"] == "it was interrupted"
    assert len(history()["loss"]) == 30


def test_a_signal_while_a_diagnosis_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    fit(**SHORT, history="run.json")
    send_before(monkeypatch, scheme, "encoded", signal.SIGTERM)
    assert main(["diagnose", "run.json", "--html", "run.html"]) == 143
    assert "</html>" in Path("run.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out


def test_a_signal_while_the_run_of_a_diagnosis_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(**SHORT, history="run.json")
    send_before(monkeypatch, Recorder, "step", signal.SIGTERM, at=3)
    assert main(["diagnose", "run.json"]) == 143
    out, err = capsys.readouterr()
    assert "at step 4" in out
    assert err == "xgrad diagnose: interrupted after 4 of 12 steps\n"


def test_a_program_s_own_handlers_and_what_it_ignores_are_left_alone() -> None:
    heard = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    with ending() as asked:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
        assert not asked()
        signal.raise_signal(signal.SIGINT)
        assert asked.number == signal.SIGINT
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize(
    ("line", "is_it"),
    [
        ("/usr/bin/xgrad fit", True),
        ("python -m xgrad fit", True),
        ("python -mxgrad fit", True),
        ("python -m pytest xgrad", False),
        ("python program.py xgrad", False),
        ("python -c pass -m xgrad", False),
    ],
)
def test_only_the_command_leaves_at_once(line: str, is_it: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    words = line.split()
    monkeypatch.setattr(sys, "orig_argv", words)
    monkeypatch.setattr(sys, "argv", words if words[0] != "python" else [words[1][:2]])
    assert is_command() == is_it


# --- in a process of its own --------------------------------------------------------------------------------------


# What this process hears, a process that it starts hears too: see _heard. (What runs Python between fork and exec, as
# preexec_fn does, makes JAX warn of its threads where a test before has used it.)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_command_saves_what_there_is(number: int) -> None:
    pytest.importorskip("tqdm")
    command = [sys.executable, "-m", "xgrad", "fit", "--steps", "10000000", "--history", "run.json", "--out", ""]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stderr is not None
        seen = b""
        while b"loss" not in seen:  # which it says while it trains
            piece = os.read(process.stderr.fileno(), 1000)
            assert piece, seen
            seen += piece
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == 128 + number
    assert b"Traceback" not in err
    assert b"interrupted; 10000000 steps were asked for" in out
    assert 0 < len(history()["loss"]) < 10_000_000
    assert len(history()["prediction"]) == 201


# Sends a signal to its own process when a module is about to be imported.
AT_IMPORT = """
import signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            signal.raise_signal({number})
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize(
    ("module", "number"),
    [
        ("xgrad.engine.tape", signal.SIGINT),
        ("xgrad.cli", signal.SIGTERM),
        ("xgrad.fit", signal.SIGHUP),
        ("numpy", signal.SIGINT),
        ("matplotlib", signal.SIGINT),
    ],
)
def test_a_signal_in_the_first_moments_is_one_line(module: str, number: int, tmp_path: Path) -> None:
    if module == "matplotlib":
        pytest.importorskip(module)
    (tmp_path / "sitecustomize.py").write_text(AT_IMPORT.format(module=module, number=int(number)), encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-B", "-m", "xgrad", "fit", "--quiet", "--history", "run.json"],
        env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "xgrad: interrupted\n")
    assert sorted(tmp_path.iterdir()) == before
