"""Files that are written whole or not at all."""

import json
import math
from pathlib import Path

import pytest

from xgrad.fit import FitError
from xgrad.fit.files import check_writable, replacing, write_history


def test_a_finished_file_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text(encoding="utf-8") == "old"
        assert temporary.suffix == ".txt"
    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_history(path, {"loss": [1.0, object()]})
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    check_writable("/dev/null", "--history")
    write_history("/dev/null", {})
    assert Path("/dev/null").is_char_device()


def test_what_is_not_finite_becomes_a_string(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_history(path, {"loss": [1.5, math.nan, math.inf, -math.inf], "config": {"hidden": (3, 4)}})
    found = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found == {"loss": [1.5, "nan", "inf", "-inf"], "config": {"hidden": [3, 4]}}


def test_unwritable_places_are_found(tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"--out .*this is a folder"):
        check_writable(tmp_path, "--out")
    with pytest.raises(FitError, match=r"--out .*does not exist"):
        check_writable(tmp_path / "absent" / "fit.png", "--out")
    with pytest.raises(FitError, match="cannot be written"):
        check_writable(tmp_path / ("n" * 300), "--out")
    check_writable(tmp_path / "fit.png", "--out")
    assert list(tmp_path.iterdir()) == []
