"""The `xgrad` command with streams that are closed, full or without a reader, and in unusual environments."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import environment
from xgrad._streams import Forgiving

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")

FIT = "fit --points 11 --hidden 4 --steps 12 --out ''"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def shell(line: str, **variables: str) -> tuple[int, str, str]:
    """Run a line of shell in which `xgrad` is the command, and give its status and what it said."""
    command = f'xgrad() {{ {shlex.quote(sys.executable)} -m xgrad "$@"; }}\n{line}'
    done = subprocess.run(["sh", "-c", command], env=environment() | variables, capture_output=True, check=False)
    out, err = (stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr))
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    return done.returncode, out, err


def steps(name: str = "run.json") -> int:
    return len(json.loads(Path(name).read_text(encoding="utf-8"))["loss"])


def test_the_history_goes_into_a_pipe() -> None:
    pytest.importorskip("tqdm")
    status, out, err = shell(f"xgrad {FIT} --history /dev/stdout | cat")
    assert status == 0
    assert len(json.loads(out)["loss"]) == 12
    assert "R^2 = " in err  # which would not be JSON


def test_the_picture_goes_into_a_pipe() -> None:
    pytest.importorskip("matplotlib")
    line = "xgrad fit --quiet --points 11 --hidden 4 --steps 2 --out /dev/stdout > fit.png"
    assert shell(line) == (0, "", "")
    assert Path("fit.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_goes_to_the_standard_output() -> None:
    pytest.importorskip("matplotlib")
    Path("run.json").write_text('{"config": {"steps": 3, "hidden": [4]}}', encoding="utf-8")
    status, out, err = shell("xgrad diagnose run.json --html /dev/stdout")
    assert status == 0
    assert out.startswith("<!DOCTYPE html>")
    assert out.endswith("</html>\n")
    assert err


def test_a_log_is_not_written_over() -> None:
    pytest.importorskip("tqdm")
    status, out, _ = shell(f"echo before; xgrad {FIT} --history /dev/stdout >> log; cat log", LC_ALL="C")
    assert status == 0
    assert out.startswith("before\n")
    assert len(json.loads(Path("log").read_text(encoding="utf-8"))["loss"]) == 12


def test_the_standard_error_is_closed() -> None:
    pytest.importorskip("tqdm")
    status, out, err = shell(f"xgrad {FIT} --history run.json 2>&-")
    assert (status, err) == (0, "")
    assert out.startswith("R^2 = ")
    assert steps() == 12


def test_an_error_with_no_standard_error_is_said_nowhere() -> None:
    assert shell("xgrad fit --steps 0 2>&-") == (2, "", "")
    assert shell("xgrad fit --mystery 2>&-") == (2, "", "")
    assert shell("xgrad fit --backend auto --quiet --out '' --steps 1 2>&-") == (0, "", "")


def test_the_standard_output_is_closed() -> None:
    pytest.importorskip("tqdm")
    status, out, err = shell(f"xgrad {FIT} --history run.json >&-")
    assert (status, out) == (0, "")
    assert "12/12" in err
    assert steps() == 12
    assert shell("xgrad --version >&-") == (0, "", "")


def test_all_three_are_closed() -> None:
    assert shell(f"xgrad {FIT} --history run.json <&- >&- 2>&-") == (0, "", "")
    assert steps() == 12


def test_nobody_reads() -> None:
    pytest.importorskip("tqdm")
    # the pipe's reader has gone before the command starts: `exec 3>` opens it, and only `cat` would read it
    gone = "mkfifo pipe; true < pipe & exec 3> pipe; wait; "
    status, _, err = shell(f"{gone} xgrad {FIT} --history run.json >&3")
    assert (status, err.count("BrokenPipe")) == (0, 0)
    assert steps() == 12
    for line in ("info", "--help", "--version", "diagnose run.json"):
        assert shell(f"rm -f pipe; {gone} xgrad {line} >&3")[::2] == (0, "")
    status, _, err = shell(f"rm -f pipe; {gone} xgrad fit --quiet --steps 2 --out '' --history /dev/fd/3")
    assert (status, err) == (2, "xgrad fit: error: --history /dev/fd/3 was not written: Broken pipe\n")
    status, _, err = shell(f"rm -f pipe; {gone} xgrad {FIT} 2>&3")
    assert (status, err) == (0, "")


def test_a_progress_bar_on_a_pipe_that_nobody_reads_leaves_nothing_to_write() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        bar = Forgiving(stream)
        bar.write("1/12")
        bar.flush()
        stream.flush()  # as Python does when it ends; it must not fail


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
def test_the_standard_output_is_full() -> None:
    pytest.importorskip("tqdm")
    status, _, err = shell(f"xgrad {FIT} --history run.json > /dev/full")
    assert status == 2
    assert err.endswith("xgrad fit: error: the standard output cannot be written: No space left on device\n")
    assert steps() == 12
    status, _, err = shell("xgrad --version > /dev/full")
    assert (status, err) == (2, "xgrad: error: the standard output cannot be written: No space left on device\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
@pytest.mark.parametrize("full", ["--history", "--out", "--gif"])
def test_one_file_that_cannot_be_written_keeps_no_other_away(full: str) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")
    files = {"--history": "run.json", "--out": "fit.png", "--gif": "fit.gif"}
    named = " ".join(f"{option} {'/dev/full' if option == full else name}" for option, name in files.items())
    status, out, err = shell(f"xgrad fit --points 11 --hidden 4 --steps 3 {named}")
    assert status == 2
    assert err.splitlines()[-1] == f"xgrad fit: error: {full} /dev/full was not written: No space left on device"
    written = [name for option, name in files.items() if option != full]
    assert sorted(path.name for path in Path.cwd().iterdir()) == sorted(written)
    (line,) = [line for line in out.splitlines() if line.startswith("wrote ")]
    assert all(name in line for name in written)
    assert "/dev/full" not in line


def test_a_full_disk() -> None:
    """As a limit to the size of a file has it: the picture is larger, and the history is not."""
    pytest.importorskip("matplotlib")
    Path("fit.png").write_bytes(b"old")
    status, _, err = shell("ulimit -f 32; xgrad fit --quiet --points 11 --hidden 4 --steps 3 --history run.json")
    assert (status, err) == (2, "xgrad fit: error: --out fit.png was not written: File too large\n")
    assert Path("fit.png").read_bytes() == b"old"
    assert steps() == 3
    assert len(list(Path.cwd().iterdir())) == 2


def test_names_that_are_no_text() -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")
    name = os.fsdecode(b"caf\xe9")
    Path(f"{name}.csv").write_text("x,y\n0,1\n1,3\n2,5\n", encoding="utf-8")
    line = r"f=$(printf 'caf\351'); xgrad fit --data $f.csv --steps 3 --out $f.png --gif $f.gif --history $f.json"
    status, out, _ = shell(line)
    assert status == 0
    assert r"wrote caf\udce9.png" in out
    assert Path(f"{name}.gif").exists()
    status, out, err = shell(r"f=$(printf 'caf\351'); xgrad diagnose $f.json --html $f.html --json")
    assert (status, err) == (0, "")
    assert json.loads(out)["steps"] == 3
    assert r"caf\udce9.csv" in Path(f"{name}.html").read_text(encoding="utf-8")
    status, _, err = shell(r"f=$(printf 'caf\351'); rm $f.csv; xgrad diagnose $f.json")
    assert (status, err) == (2, "xgrad diagnose: error: caf\\udce9.csv: there is no such file\n")


@pytest.mark.parametrize("chosen", ["qtagg", "module://nowhere"])
def test_a_picture_needs_no_window(chosen: str) -> None:
    pytest.importorskip("matplotlib")
    line = "xgrad fit --quiet --points 11 --hidden 4 --steps 2"
    assert shell(line, MPLBACKEND=chosen, DISPLAY="") == (0, "", "")
    assert Path("fit.png").read_bytes().startswith(b"\x89PNG")


def test_libraries_that_fail_when_they_are_imported() -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")
    Path("settings").write_bytes(b"\xff" * 5000)
    status, _, err = shell("xgrad fit --quiet", MATPLOTLIBRC="settings")
    assert status == 2
    assert err.startswith("xgrad fit: error: a picture needs matplotlib, which fails when it is imported: ")
    assert len(err) < 500
    status, _, err = shell("xgrad fit --out ''", TQDM_MININTERVAL="often")
    assert status == 2
    assert err.startswith(
        "xgrad fit: error: the progress bar needs tqdm, which fails when it is imported: ValueError: "
    )


def test_warnings_that_are_errors_and_a_language_of_ascii() -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")
    odd = {"PYTHONWARNINGS": "error", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "abc"}
    status, out, _ = shell("xgrad fit --points 11 --hidden 4 --steps 3 --function '\\' 2>&1", **odd)
    assert status == 2
    status, out, _ = shell("xgrad fit --points 11 --hidden 4 --steps 3 2>&1; xgrad --help", **odd)
    assert status == 0
    assert "wrote fit.png" in out
