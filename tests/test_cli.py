"""The `xgrad` command."""

import json
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.processes import environment
from xgrad.cli import main
from xgrad.fit import Config

SHORT = ["--range", "-2", "2", "--points", "11", "--hidden", "4", "--steps", "12"]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def command(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """`python -m xgrad` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "xgrad", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment() | variables,
        check=False,
    )


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a command that does nothing."""
    before = set(Path.cwd().iterdir())
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = int(stop.code or 0)
    seen = capsys.readouterr()
    assert status == 2
    assert seen.out == ""
    assert seen.err.count("\n") == 1
    assert set(Path.cwd().iterdir()) == before
    return seen.err


# --- xgrad fit


def test_a_run_from_the_shell() -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")
    done = command("fit", *SHORT, "--history", "run.json", "--gif", "run.gif")
    assert done.returncode == 0
    assert "R^2 = " in done.stdout
    assert "wrote fit.png, run.gif, run.json" in done.stdout
    assert "12/12" in done.stderr
    assert "step/s" in done.stderr
    assert "loss" in done.stderr
    assert Path("fit.png").read_bytes().startswith(b"\x89PNG")
    assert Path("run.gif").read_bytes().startswith(b"GIF8")
    assert len(json.loads(Path("run.json").read_text(encoding="utf-8"))["loss"]) == 12


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", *SHORT, "--quiet", "--out", ""]) == 0
    assert capfd.readouterr() == ("", "")
    assert list(Path.cwd().iterdir()) == []


def test_a_run_that_diverges_exits_0_and_says_so() -> None:
    pytest.importorskip("tqdm")
    done = command("fit", "--raw", "--optimizer", "sgd", "--activation", "leaky_relu",
                   "--steps", "9", "--out", "", "--history", "run.json")  # fmt: skip
    assert done.returncode == 0
    assert "this run diverged" in done.stdout
    assert "Warning" not in done.stderr
    assert json.loads(Path("run.json").read_text(encoding="utf-8"))["r2"] == "nan"


def test_every_option_reaches_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = shlex.split("""--function sin(3*x) --range -1e0 .5 --points 9 --raw --activation tanh
        --output-activation softplus --hidden 3,2 --init xavier_normal --dtype float64
        --optimizer sgd --lr 1e-4 --steps 5 --batch 4 --loss huber --seed 3 --backend numpy
        --device cpu --every 2 --history run.json --quiet --compile""")
    assert main(["fit", *arguments, "--out", ""]) == 0
    config = json.loads(Path("run.json").read_text(encoding="utf-8"))["config"]
    assert config == {
        "function": "sin(3*x)", "data": None, "range": [-1.0, 0.5], "points": 9,
        "standardize": False, "activation": "tanh", "output_activation": "softplus",
        "hidden": [3, 2], "init": "xavier_normal", "loss": "huber", "optimizer": "sgd",
        "lr": 1e-4, "steps": 5, "batch": 4, "seed": 3, "dtype": "float64", "backend": "numpy",
        "device": "cpu", "out": None, "gif": None, "history": "run.json", "every": 2,
        "quiet": True, "compile": True,
    }  # fmt: skip


def test_absurd_numbers_that_simply_work() -> None:
    arguments = ["--steps", "2", "--every", "1" + "0" * 18, "--seed", "9" * 500, "--lr", "1e300", "--batch", "100000"]
    assert main(["fit", "--quiet", "--out", "", *arguments]) == 0
    assert main(["fit", "--quiet", "--out", "", "--steps", "2", "--hidden", "none"]) == 0
    assert main(["fit", "--quiet", "--out", "", "--steps", "2", "--hidden", "1," * 99 + "1"]) == 0


@pytest.mark.parametrize(
    "error", [MemoryError(), MemoryError("much"), RecursionError("too deep"), OSError(5, "oops"), KeyError(1)]
)
def test_any_error_is_one_line(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("xgrad.fit.run.train", fail)
    status = main(["fit", "--quiet", "--out", ""])
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    if isinstance(error, MemoryError):
        assert status == 2
        assert err == f"xgrad fit: error: out of memory{': much' if error.args else ''}\n"
    else:
        assert status == 1
        assert f"unexpected {type(error).__name__} at " in err
        assert "test_cli.py:" in err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for field in fields(Config):
        assert f"--{field.name.replace('_', '-')}" in text
    assert "--raw" in text


def test_a_csv_file() -> None:
    Path("points.csv").write_text("x,y\n0,1\n1,3\n2,5\n")
    assert main(["fit", "--data", "points.csv", "--hidden", "none", "--steps", "300", "--lr", "0.1",
                 "--out", "", "--history", "run.json", "--quiet"]) == 0  # fmt: skip
    history = json.loads(Path("run.json").read_text(encoding="utf-8"))
    assert history["x"] == [0, 1, 2]
    assert history["prediction"] == pytest.approx([1, 3, 5], abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--function", "__import__('os').system('true')"], "unknown name '__import__'"),
        (["--function", "3x"], "column 2"),
        (["--function", ""], "empty"),
        (["--data", "absent.csv"], "no such file"),
        (["--data", "absent.csv", "--function", "x"], "exclude each other"),
        (["--out", "absent/fit.png"], "--out absent/fit.png: the folder"),
        (["--history", "absent/run.json"], "--history absent/run.json: the folder"),
        (["--gif", "absent/run.gif"], "--gif absent/run.gif: the folder"),
        (["--lr", "nan"], "--lr must be a finite number"),
        (["--lr", "fast"], "invalid float value: 'fast'"),
        (["--steps", "-3"], "--steps must be a whole number, 1 or more; it is -3"),
        (["--steps", "1.5"], "'1.5' is not a whole number"),
        (["--hidden", "32,x"], "'32,x' is not a list of whole numbers such as 32,32"),
        (["--hidden", "-4"], "--hidden must be a whole number, 1 or more"),
        (["--activation", "rel"], "invalid choice: 'rel'"),
        (["--optimizer", "newton"], "invalid choice: 'newton'"),
        (["--range", "5", "-5"], "LO < HI, not 5 -5: LO is larger than HI"),
        (["--range", "5", "5"], "LO < HI, not 5 5: they are equal"),
        (["--range", "-inf", "inf"], "LO < HI, not -inf inf: LO is -inf"),
        (["--range", "0", "-NaN"], "LO < HI, not 0 nan: HI is nan"),
        (["--range", "-1e308", "1e308"], "they are too far apart"),
        (["--range", "-1e400", "1"], "LO is -inf"),
        (["--range", "-1x", "1"], "invalid float value: '-1x'"),
        (["--hidden", "0"], "--hidden must be a whole number, 1 or more; it is 0"),
        (["--hidden", "-4,5"], "--hidden must be a whole number, 1 or more; it is -4"),
        (["--hidden", "1e3"], "'1e3' is not a list of whole numbers such as 32,32"),
        (["--hidden", "1000000000"], "--hidden 1000000000 is too large: the network has 3000000001 parameters"),
        (["--hidden", "1000000000,1000000000"], "1000000000,1000000000 is too large"),
        (["--hidden", "1" * 2000], "is not a list of whole numbers"),
        (["--hidden", "9" * 900], "parameters; at most 100000000 are trained"),
        (["--hidden", "1000", "--points", "10000000"], "--hidden 1000 is too large for 10000000 points"),
        (["--hidden", "1000", "--batch", "10000000"], "--hidden 1000 is too large for 10000000 points"),
        (["--lr", "inf"], "--lr must be a finite number, 0 or more; it is inf"),
        (["--lr", "1e400"], "it is inf"),
        (["--lr", "-1e-3"], "it is -0.001"),
        (["--steps", "1" + "0" * 18], "--steps must be 1000000000 or less; it is 1000000000000000000"),
        (["--steps", "9" * 5000], "has 5000 characters"),
        (["--batch", "0"], "--batch must be a whole number, 1 or more; it is 0"),
        (["--batch", "1" + "0" * 12], "--batch must be 10000000 or less"),
        (["--points", "1"], "--points must be a whole number, 2 or more; it is 1"),
        (["--seed", "-1"], "--seed must be a whole number, 0 or more; it is -1"),
        (["--every", "0"], "--every must be a whole number, 1 or more; it is 0"),
        (["--function", "x" * 900], "unknown name 'xxx"),
        (["--function", "x+" * 400], "it ends where"),
        (["--function", "1/x + " * 100 + "1/x"], "function '1/x + 1/x"),
        (["--function", "x\x00\n\u2028"], "is not allowed"),
        (["--activation", "a" * 5000], "invalid choice: 'aaa"),
        (["--backend", ""], "--backend is empty; leave it out for the default one"),
        (["--device", ""], "--device is empty; leave it out for the default one"),
        (["--backend", "b" * 5000], "there is no backend 'bbb"),
        (["--" + "m" * 5000], "unrecognized arguments: --mmm"),
        (["--data", "d" * 5000], "File name too long"),
        (["--range", "5"], "expected 2 arguments"),
        (["--backend", "abacus"], "abacus"),
        (["--standardize", "--raw"], "not allowed with"),
        (["--mystery"], "--mystery"),
    ],
)
def test_what_cannot_be_done_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    line = refused(capsys, "fit", "--quiet", "--out", "", *arguments)
    assert said in line
    assert line.startswith("xgrad")
    assert len(line) < 1300


def test_bad_rows_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("points.csv").write_text("x,y\n0,1\noops,3\n2,5\n4\n")
    line = refused(capsys, "fit", "--data", "points.csv")
    assert "line 3: x is 'oops'" in line
    assert "line 5: y is missing" in line


@pytest.mark.parametrize("library", ["matplotlib", "tqdm"])
def test_a_missing_library_is_said_before_training(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setattr("xgrad.fit.run.train", lambda *a, **k: pytest.fail("it trained"))
    if library == "tqdm":
        pytest.importorskip("matplotlib")
    assert "pip install 'xgrad[fit]'" in refused(capsys, "fit")


def test_the_environment_chooses_the_backend() -> None:
    pytest.importorskip("array_api_strict")
    done = command("fit", *SHORT, "--quiet", "--out", "", "--history", "run.json",
                   XGRAD_BACKEND="strict")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    versions = json.loads(Path("run.json").read_text(encoding="utf-8"))["versions"]
    assert {"strict", "device"} < set(versions)
    done = command("fit", "--quiet", XGRAD_BACKEND="abacus")
    assert done.returncode == 2
    assert "abacus" in done.stderr
    assert done.stderr.count("\n") == 1


# --- xgrad info, and what is neither


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    main(["info"])
    text = capsys.readouterr().out
    for name in ("numpy", "cupy", "dpnp", "torch", "jax", "dask", "strict"):
        assert any(line.startswith(name) for line in text.splitlines())
    assert "gradient right" in text
    assert "default backend: " in text


def test_info_counts_what_a_library_cannot_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from xgrad.backends.numpy import NumPy

    monkeypatch.setattr("xgrad.info.names", lambda: ["numpy"])
    monkeypatch.setattr(NumPy, "cannot", {"sort": "a reason", "linalg.eig": "another"})
    main(["info"])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("numpy")]
    assert re.search(r"; cannot do 2 of \d{3} functions$", line)


def test_info_succeeds_where_every_gradient_is_right(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xgrad.info.names", lambda: ["numpy"])
    assert main(["info"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "gradient" in line]
    assert "cpu" in line
    assert "memory" in line


def test_info_says_why_a_backend_is_not_usable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "array_api_strict", None)
    monkeypatch.delitem(sys.modules, "xgrad.backends.strict", raising=False)
    main(["info"])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("strict")]
    assert "not usable" in line
    assert "pip install" in line


def test_info_fails_where_a_gradient_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import xgrad as xg

    monkeypatch.setattr(xg, "grad", lambda f: lambda x: x)
    assert main(["info"]) == 1
    assert "WRONG: [1.0, -2.0, 3.0], not [3, 12, 27]" in capsys.readouterr().out


def test_variables_that_are_empty_count_as_not_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xgrad.info.names", lambda: ["numpy"])
    monkeypatch.setenv("XGRAD_BACKEND", "")
    monkeypatch.setenv("XGRAD_DEVICE", "")
    assert main(["info"]) == 0
    assert "default backend: numpy on cpu (XGRAD_BACKEND is not set)" in capsys.readouterr().out


def test_no_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "fit | diagnose | train | predict | info" in refused(capsys)
    assert "invalid choice: 'teach'" in refused(capsys, "teach")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("xgrad ")
