"""The histories that `xgrad diagnose` reads; anything else is refused in one line that names the field."""

from __future__ import annotations

import copy
import gzip
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from xgrad.cli import main
from xgrad.fit import FitError, fit
from xgrad.fit import history as module
from xgrad.fit.history import FINDING, HISTORY, configuration, read
from xgrad.fit.schema import Named


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A history as it is written, with a finding and what came of it."""
    path = tmp_path_factory.mktemp("run") / "run.json"
    options: dict[str, Any] = {
        "standardize": False,
        "optimizer": "sgd",
        "lr": 0.01,
        "output_activation": "relu",
        "steps": 20,
    }
    fit(history=path, fix=True, **options)
    history: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert history["findings"]
    assert history["fix"]["trials"]
    return history


def written(folder: Path, content: object) -> Path:
    path = folder / "run.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that `xgrad diagnose` says; `configuration` says the same."""
    with pytest.raises(FitError) as caught:
        configuration(path)
    assert main(["diagnose", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("xgrad diagnose: error: ")
    assert err.count("\n") == 1
    assert len(err) < 600 + len(str(path))
    return str(caught.value)


def test_what_is_written_is_read(right: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, right)
    assert read(path) == right
    config = configuration(path)
    assert (config.lr, config.hidden, config.output_activation) == (0.01, (32, 32), "relu")
    assert config.history is None
    assert config.quiet


def test_every_field_that_is_written_is_in_the_schema(right: dict[str, Any]) -> None:
    assert set(HISTORY.fields) == set(right)
    config = HISTORY.fields["config"]
    assert isinstance(config, Named)
    assert set(config.fields) == set(right["config"]) | {"fix"}
    assert set(FINDING) == set(right["findings"][0])


def test_findings_of_an_earlier_version_are_read(right: dict[str, Any], tmp_path: Path) -> None:
    earlier = copy.deepcopy(right)
    for finding in earlier["findings"]:
        del finding["because"]
    path = tmp_path / "earlier.json"
    path.write_text(json.dumps(earlier), encoding="utf-8")
    assert read(path)["findings"] == earlier["findings"]


def places(value: Any, at: tuple[Any, ...] = ()) -> Any:
    """Every place in a history, of a list the first element."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            if at[-1:] != ("evidence",):
                yield from places(inner, (*at, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*at, 0))


def changed(history: dict[str, Any], at: tuple[Any, ...], value: object) -> dict[str, Any]:
    other = copy.deepcopy(history)
    inner: Any = other
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return other


NUMBERS = [True, -1, 10**400, 1.5, float("nan"), float("inf")]
WRONG: list[object] = [None, *NUMBERS, "", "x", "\ud800", "a\nb", [], [[]], [None], ["x"], {}, {"a": 1}]


def test_any_value_in_any_field_is_taken_or_refused_by_name(right: dict[str, Any], tmp_path: Path) -> None:
    """Thousands of histories, each with one thing in it that may be wrong: none of them is anything but read or refused."""
    path = tmp_path / "run.json"
    named = 0
    for at in places(right):
        for value in WRONG:
            path.write_text(json.dumps(changed(right, at, value)), encoding="utf-8")
            try:
                configuration(path)
            except FitError as error:
                said = str(error)
                assert said.startswith(str(path))
                field = next(str(key) for key in reversed(at) if isinstance(key, str))
                assert field in said or field.replace("_", "-") in said or "passed in" in said
                named += 1
    assert named > 500


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (("config",), [], "config must be an object; it is []"),
        (("config", "hidden"), "32", "config.hidden (--hidden) must be a list; it is '32'"),
        (("config", "hidden"), [4, "x"], "config.hidden[1] (--hidden) must be a whole number, 1 or more; it is 'x'"),
        (("config", "range"), [1], "config.range (--range) must be a list of 2; it has 1"),
        (("config", "range"), [1, [2]], "config.range[1] (--range) must be a number"),
        (("config", "range"), [2, 1], "--range needs two finite numbers LO < HI, not 2 1: LO is larger than HI"),
        (("config", "points"), True, "config.points (--points) must be a whole number, 2 or more; it is True"),
        (("config", "points"), 1e9, "config.points (--points) must be a whole number"),
        (("config", "steps"), 10**400, "config.steps (--steps) must be 1000000000 or less; it is 1000"),
        (("config", "steps"), "many", "config.steps (--steps) must be a whole number, 1 or more; it is 'many'"),
        (("config", "lr"), "fast", "config.lr (--lr) must be a finite number, 0 or more; it is 'fast'"),
        (("config", "lr"), float("nan"), "it is nan"),
        (("config", "lr"), 10**400, "config.lr (--lr) must be a finite number"),
        (("config", "standardize"), 1, "config.standardize (--standardize) must be true or false; it is 1"),
        (("config", "output_activation"), {}, "config.output_activation (--output-activation) {} is unknown; there are none"),
        (("config", "optimizer"), None, "config.optimizer (--optimizer) None is unknown; there are asgd"),
        (("config", "function"), 3, "config.function (--function) must be a text; it is 3"),
        (("config", "data"), ["a"], "config.data (--data) must be a text"),
        (("config", "seed"), -1, "config.seed (--seed) must be a whole number, 0 or more; it is -1"),
        (("config", "history"), 7, "config.history (--history) must be a text; it is 7"),
        (("config", "backend"), "", "--backend is empty"),
        (("config", "hidden"), [10**6, 10**6], "--hidden 1000000,1000000 is too large"),
        (("versions", "python"), 3, "versions.python must be a text; it is 3"),
        (("loss",), {"0": 1}, "loss must be a list; it is {'0': 1}"),
        (("loss", 0), "large", "loss[0] must be a number, \"nan\", \"inf\" or \"-inf\"; it is 'large'"),
        (("x", 0), "nan", "x[0] must be a finite number; it is 'nan'"),
        (("x",), [1, 2], "must be as long as x: it has"),
        (("prediction",), [1.0], "prediction must be as long as x: it has 1, x has 201"),
        (("findings", 0, "step"), "one", "findings[0].step must be a whole number, 0 or more; it is 'one'"),
        (("findings", 0, "severity"), "bad", "findings[0].severity 'bad' is unknown; there are error, warning, note"),
        (("findings", 0), {"rule": "x"}, "findings[0].severity is missing"),
        (("fix", "trials", 0, "errors"), [1], "fix.trials[0].errors[0] must be a text; it is 1"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(
    at: tuple[Any, ...],
    value: object,
    said: str,
    right: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said in refused(written(tmp_path, changed(right, at, value)), capsys)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b" \n\t ", "it is empty"),
        (b"\xef\xbb\xbf", "it is not JSON"),
        (b"{", "it is not JSON (line 1: "),
        (b'{"config": {}\n', "it is not JSON (line 2: "),
        (b"x,y\n1,2\n", "it is not JSON: it begins with 'x'"),
        (b"\x89PNG\r\n\x1a\n\0\0", "byte 1 is not text in UTF-8"),
        (b'{"config": "\xff"}', "byte 13 is not text in UTF-8"),
        (b"\0" * 5000, "it is not JSON: it begins with '\\x00'"),
        (gzip.compress(b'{"config": {}}'), "it is compressed; gunzip it first"),
        ('{"config": {}}'.encode("utf-16"), "byte 1 is not text in UTF-8"),
        (b"[]", "it has no config"),
        (b'"config"', "it is not JSON: it begins with '\"'"),
        (b"{}", "it has no config"),
        (b'{"config": null}', "config must be an object; it is None"),
        (b'{"config": {}, "config": {}}', "'config' occurs twice"),
        (b'{"config": {"lr": 1, "lr": 2}}', "'lr' occurs twice"),
        (b'{"config": ' + b"[" * 100_000, "it is nested too deeply"),
        (b'{"a":' * 100_000, "it is nested too deeply"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"config": {"seed": ' + b"9" * 5000 + b"}}", "it holds a number of 5000 digits"),
        (b'{"config": {"function": "' + b"x" * 5000 + b'"}}', "the function has 5000 characters"),
        (b'{"config": {"function": 1e400}}', "config.function (--function) must be a text; it is inf"),
        (b'{"config": {"lr": NaN}}', "config.lr (--lr) must be a finite number, 0 or more; it is nan"),
        (b'{"config": {"data": "a\\u0000b"}}', "cannot be the name of a file"),
        (b'{"config": {"data": "\\ud800"}}', "cannot be the name of a file"),
        (b'{"config": {"data": "' + b"a" * 5000 + b'"}}', "cannot be read: File name too long"),
        (b'{"config": {"data": "absent.csv"}}', "absent.csv: there is no such file"),
        (b'{"config": {"function": "x", "data": "a.csv"}}', "--function and --data exclude each other"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_history_is_refused(
    content: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, content)
    status = main(["diagnose", str(path)])
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert said in err.encode().decode("unicode_escape") or said in err
    assert len(err) < 800 + len(str(path))


def test_a_byte_order_mark_is_let_pass(right: dict[str, Any], tmp_path: Path) -> None:
    assert read(written(tmp_path, b"\xef\xbb\xbf" + json.dumps(right).encode())) == right


def test_options_that_a_history_lacks_or_has_too_many_of_make_no_difference(tmp_path: Path) -> None:
    config = configuration(written(tmp_path, {"config": {"steps": 7, "option_of_later_years": [1]}, "more": {}}))
    assert (config.steps, config.activation) == (7, "relu")


def test_a_folder_and_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is a folder" in refused(tmp_path, capsys)
    assert "cannot be read: No such file" in refused(tmp_path / "absent.json", capsys)


def test_a_file_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 3_000_000)
    path = written(tmp_path, b'{"config": {}, "more": "' + b"a" * 3_000_000 + b'"}')
    assert "it is larger than 3 MB" in refused(path, capsys)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no FIFOs")
def test_a_fifo_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b'{"config": {"steps": 7}}',))
    writer.start()
    assert configuration(path).steps == 7
    writer.join()
