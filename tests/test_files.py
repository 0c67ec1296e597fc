"""Output files: each is written whole or not at all."""

import json
import math
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.support.processes import output
from xgrad._files import is_special, replacing
from xgrad.fit import FitError
from xgrad.fit.files import check_writable, descriptor, write, write_history

posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX")


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
    with pytest.raises(FitError, match=r"^--out [^:]*: the folder [^:]* does not exist$"):
        check_writable(tmp_path / "absent" / "fit.png", "--out")
    with pytest.raises(FitError, match="cannot be written"):
        check_writable(tmp_path / ("n" * 300), "--out")
    check_writable(tmp_path / "fit.png", "--out")
    assert list(tmp_path.iterdir()) == []


# --- what is written ----------------------------------------------------------------------------------------------


def test_the_permissions_of_a_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write(tmp_path / "a", b"new")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".png")
    check_writable(path, "--out")
    write(path, b"new")
    path = tmp_path / ("." + "n" * 254)  # which is all ending
    check_writable(path, "--out")
    write(path, b"new")
    assert len(list(tmp_path.iterdir())) == 2


@posix
def test_names_of_any_bytes_come_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.csv")
    write_history(tmp_path / "a", {"config": {"data": name, "function": "x\u00b2 \u4e2d"}})
    assert (tmp_path / "a").read_bytes().isascii()
    assert json.loads((tmp_path / "a").read_bytes())["config"] == {"data": name, "function": "x\u00b2 \u4e2d"}


# The process may write files of at most 1000 bytes, as if the disk were full.
FULL = """
import os, resource, sys
from pathlib import Path
from xgrad.fit.files import write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
path = Path(sys.argv[1])
write(path, b"small")
try:
    write(path, bytes(5000))
except OSError as error:
    print(error.strerror, path.read_bytes(), os.listdir(path.parent))
"""


@posix
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    assert output(FULL, str(tmp_path / "a")) == "File too large b'small' ['a']"


@posix
def test_a_full_device(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("has no /dev/full")
    check_writable("/dev/full", "--history")
    with pytest.raises(OSError, match="No space left"):
        write("/dev/full", b"new")


# --- what is no regular file --------------------------------------------------------------------------------------


@posix
def test_a_fifo_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    found = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()))
    reader.start()
    check_writable(path, "--history")
    write(path, b"new")
    reader.join()
    assert found == [b"new"]
    assert path.is_fifo()


@posix
def test_an_open_file_is_written_to_where_it_stands(tmp_path: Path) -> None:
    """As in `xgrad fit --history /dev/stdout >> log`: what stands in the file stays."""
    path = tmp_path / "log"
    with path.open("wb", buffering=0) as file:
        file.write(b"before ")
        name = f"/dev/fd/{file.fileno()}"
        assert descriptor(name) == file.fileno()
        check_writable(name, "--history")
        write(name, b"new")
        (tmp_path / "link").symlink_to(name)
        write(tmp_path / "link", b" and more")
        file.write(b" after")
    assert path.read_bytes() == b"before new and more after"


@posix
def test_a_pipe_is_written_to() -> None:
    out, into = os.pipe()
    check_writable(f"/dev/fd/{into}", "--history")
    write(f"/dev/fd/{into}", b"new")
    os.close(into)
    with os.fdopen(out, "rb") as file:
        assert file.read() == b"new"


def test_what_is_special(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_special(os.devnull)
    assert not is_special(tmp_path)
    assert not is_special(tmp_path / "file")
    assert not is_special(tmp_path / "absent")
    assert descriptor(tmp_path / "7") is None
