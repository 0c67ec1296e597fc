"""The output files of a run, checked before it trains."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xgrad.cli import main
from xgrad.fit import FitError
from xgrad.fit import targets as module
from xgrad.fit.targets import check, check_ending, standard_output_is_one_of

POINTS = "x,y\n0,1\n1,3\n2,5\n"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_text(POINTS, encoding="utf-8")


@pytest.fixture(autouse=True)
def _untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xgrad.fit.run.train", lambda *a, **k: pytest.fail("it trained"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that changes no file."""
    before = {path: path.is_symlink() or path.is_fifo() or path.read_bytes() for path in Path.cwd().iterdir()}
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert {path: path.is_symlink() or path.is_fifo() or path.read_bytes() for path in Path.cwd().iterdir()} == before
    return err


# --- two that are the same --------------------------------------------------------------------------------------


def alias(kind: str) -> str:
    """Another name of points.csv."""
    if kind == "symlink":
        Path("other.csv").symlink_to("points.csv")
    elif kind == "hard link":
        os.link("points.csv", "other.csv")
    elif kind == "chain":
        Path("more.csv").symlink_to(Path.cwd() / "points.csv")
        Path("other.csv").symlink_to("more.csv")
    elif kind == "folder":
        Path("here").symlink_to(".")
        return "here/points.csv"
    elif kind == "way":
        return "./../" + Path.cwd().name + "//points.csv"
    elif kind == "absolute":
        return str(Path("points.csv").resolve())
    else:
        return "points.csv"
    return "other.csv"


@pytest.mark.parametrize("kind", ["itself", "symlink", "hard link", "chain", "folder", "way", "absolute"])
@pytest.mark.parametrize("option", ["--history", "--out", "--gif"])
def test_the_data_are_not_written_over(option: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = alias(kind)
    said = refused(capsys, "fit", "--quiet", "--out", "", "--data", "points.csv", option, other)
    assert said == f"xgrad fit: error: --data and {option} name the same file, {other}\n"


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="has no /dev/fd")
def test_nor_through_an_open_file(capsys: pytest.CaptureFixture[str]) -> None:
    with open("points.csv", "ab") as file:
        name = f"/dev/fd/{file.fileno()}"
        said = refused(capsys, "fit", "--quiet", "--out", "", "--data", "points.csv", "--history", name)
        assert f"--data and --history name the same file, {name}" in said
        Path("link").symlink_to(name)
        said = refused(capsys, "fit", "--quiet", "--out", "", "--data", "link", "--history", "points.csv")
        assert "--data and --history name the same file" in said


def test_results_are_not_written_over_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.gif").symlink_to("a.png")  # which is not there yet
    for pair in (("--out", "a.png", "--gif", "b.gif"), ("--out", "a.png", "--history", "./x/../a.png")):
        assert "name the same file" in refused(capsys, "fit", "--quiet", *pair)


def test_a_page_is_not_written_over_the_history_or_its_data(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.json").write_text('{"config": {"data": "points.csv"}}', encoding="utf-8")
    os.link("run.json", "run.html")
    for name in ("run.json", "run.html"):
        said = refused(capsys, "diagnose", "run.json", "--html", name)
        assert said == f"xgrad diagnose: error: the history and --html name the same file, {name}\n"
    said = refused(capsys, "diagnose", "run.json", "--html", "points.csv")
    assert "the data of the history and --html name the same file" in said


def test_names_that_differ_in_case_are_one_file_where_the_file_system_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    check({"--out": "Fit.png", "--history": "fit.PNG"}, {})
    monkeypatch.setattr(module, "_ignores_case", lambda folder: True)
    with pytest.raises(FitError, match="name the same file"):
        check({"--out": "Fit.png", "--history": "fit.PNG"}, {})
    with pytest.raises(FitError, match="name the same file"):
        check({"--out": "caf\u00e9.png", "--history": "cafe\u0301.png"}, {})
    check({"--out": "fit1.png", "--history": "fit2.png"}, {})


def test_whether_case_matters_is_tried_and_leaves_nothing_behind() -> None:
    Path("probe").write_text("", encoding="utf-8")
    before = sorted(Path.cwd().iterdir())
    assert module._ignores_case(str(Path.cwd())) == Path("PROBE").exists()
    assert sorted(Path.cwd().iterdir()) == before


def test_the_null_device_may_be_named_more_than_once() -> None:
    check({"--out": os.devnull, "--history": os.devnull}, {"--data": os.devnull})


def test_files_that_differ() -> None:
    check({"--out": "a.png", "--gif": "a.gif", "--history": "a.json"}, {"--data": "points.csv"})


# --- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "fit"], "--out fit: the name must end in .png, .jpg,"),
        (["--out", "fit."], "the name must end in .png"),
        (["--out", ".png"], "the name must end in .png"),
        (["--out", "fit.png.txt"], "the name must end in .png"),
        (["--out", "fit.docx"], "--out fit.docx: the name must end in .png"),
        (["--gif", "fit"], "--gif fit: the name must end in .gif"),
        (["--gif", "fit.png"], "the name must end in .gif"),
        (["--out", "-"], "--out - : name a file, or /dev/stdout for the standard output"),
        (["--gif", "-"], "--gif - : name a file"),
        (["--history", "-"], "--history - : name a file"),
        (["--data", "-"], "/dev/stdin is the standard input"),
        (["--history", "absent/"], "this is a folder"),
        (["--history", "."], "this is a folder"),
        (["--out", "absent/fit.png"], "the folder "),
        (["--history", "points.csv/run.json"], "cannot be written: Not a directory"),
        (["--history", "n" * 300], "--history nnn"),
        (["--history", "n" * 5000], "File name too long"),
        (["--history", "loop"], "--history loop cannot be written: "),
        (["--history", "a\nb/run.json"], "--history a b/run.json: the folder"),
        (["--history", "\udcff/run.json"], "--history \\udcff/run.json: the folder"),
        (["--history", "/proc/run.json"], "--history /proc/run.json cannot be written: "),
        (["--history", "/dev/fd/777"], "--history /dev/fd/777: this is not open for writing"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_what_cannot_be_written_is_said_before_training(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments[-1].startswith("/") and not Path("/proc/self").exists():
        pytest.skip("has no /proc")
    Path("loop").symlink_to("loop")
    line = refused(capsys, "fit", "--quiet", *([] if "--out" in arguments else ["--out", ""]), *arguments)
    assert said in line
    assert len(line) < 700


def test_a_diagnosis_names_its_page_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.json").write_text('{"config": {}}', encoding="utf-8")
    assert "--html - : name a file" in refused(capsys, "diagnose", "run.json", "--html", "-")
    assert "--html absent/a.html: the folder" in refused(capsys, "diagnose", "run.json", "--html", "absent/a.html")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(capsys: pytest.CaptureFixture[str]) -> None:
    Path("shut").mkdir(mode=0o500)
    said = refused(capsys, "fit", "--quiet", "--out", "shut/fit.png")
    assert said == "xgrad fit: error: --out shut/fit.png cannot be written: Permission denied\n"


@pytest.mark.skipif(os.name != "posix", reason="a folder in use cannot be removed")
def test_a_folder_that_is_gone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    os.rmdir("../gone")
    assert main(["fit", "--quiet"]) == 2
    assert capsys.readouterr() == ("", "xgrad fit: error: --out fit.png cannot be written: No such file or directory\n")


def test_a_file_that_is_open_for_reading_only() -> None:
    with open("points.csv", "rb") as file, pytest.raises(FitError, match="not open for writing"):
        check({"--history": f"/dev/fd/{file.fileno()}"}, {})


@pytest.mark.parametrize("name", ["a.PNG", "a.b.svg", "dir.x/a.Jpeg"])
def test_an_ending_that_is_known(name: str) -> None:
    check_ending(name, "--out", ("png", "svg", "jpeg"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no FIFOs")
def test_what_is_no_regular_file_needs_no_ending() -> None:
    os.mkfifo("pipe")
    check({"--out": "pipe", "--history": os.devnull}, {})
    check_ending("pipe", "--out", ("png",))
    check_ending(os.devnull, "--gif", ("gif",))


def test_what_is_the_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert standard_output_is_one_of([None, "/dev/stdout"])
    assert standard_output_is_one_of(["/dev/fd/1"])
    assert not standard_output_is_one_of([None, "points.csv", os.devnull, "absent"])
