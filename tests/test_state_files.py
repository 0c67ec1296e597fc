"""Files of states: what is written, and what is no such file. Every broken file is one StateError that names it."""

from __future__ import annotations

import errno
import json
import os
import pickle
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.processes import output
from xgrad.state import StateError

safetensors = pytest.importorskip("safetensors")

posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX")


def written(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    """A file with a header, which may be bytes, and data. `length` is what it says of the header's length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(dtype: str = "F32", shape: Any = (2,), start: Any = 0, stop: Any = 8) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


def error_of(path: Path) -> str:
    with pytest.raises(StateError) as caught:
        xg.load(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.safetensors"


@pytest.fixture
def run(path: Path) -> Path:
    """A file with all kinds of content."""
    tree = {
        "w": np.arange(6.0).reshape(2, 3),
        "mask": np.asarray([True, False]),
        "z": np.asarray(1j),
        "steps": {0: (1, 2.5)},
    }
    xg.save(tree, path)
    return path


# --- what is written ----------------------------------------------------------------------------------------------


def test_the_metadata_is_what_the_readme_says(run):
    with safetensors.safe_open(run, framework="np") as file:
        metadata = file.metadata()
        assert sorted(file.keys()) == ["mask", "w", "z"]
    assert metadata.keys() == {"xgrad.format", "xgrad.version", "xgrad.tree"}
    assert (metadata["xgrad.format"], metadata["xgrad.version"]) == ("1", xg.__version__)
    assert json.loads(metadata["xgrad.tree"]) == {
        "w": {"$tensor": "w"},
        "mask": {"$tensor": "mask"},
        "z": {"$tensor": "z", "dtype": "complex128"},
        "steps": {"$dict": [[0, {"$tuple": [1, 2.5]}]]},
    }


@posix
def test_permissions_and_links_stay(tmp_path, path):
    (tmp_path / "usual").touch()
    xg.save({}, path)
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    xg.save({"a": 1}, link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert xg.load(path) == {"a": 1}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.safetensors", "link", "usual"]


@posix
def test_names_of_any_bytes(tmp_path):
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    xg.save({"a": 1}, name)  # type: ignore[arg-type]
    assert xg.load(name) == xg.load(os.fsdecode(name)) == {"a": 1}  # type: ignore[arg-type]


def test_what_cannot_be_saved_leaves_the_old_file(run):
    before = run.read_bytes()
    with pytest.raises(TypeError, match="'b' is a value of type function"):
        xg.save({"a": np.zeros(3), "b": error_of}, run)
    assert run.read_bytes() == before
    assert os.listdir(run.parent) == [run.name]


def test_places_that_cannot_be_written(tmp_path):
    for place in (tmp_path, Path(os.devnull), tmp_path / "absent" / "a", tmp_path / ("n" * 300)):
        with pytest.raises(OSError, match=str(place)):
            xg.save({"a": np.zeros(3)}, place)
    assert os.listdir(tmp_path) == []
    assert not Path(os.devnull).is_file()


# The process may write files of at most 1000 bytes, as if the disk were full.
FULL = """
import os, resource, signal, sys
import numpy as np
import xgrad as xg
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = sys.argv[1]
xg.save({"a": np.zeros(1)}, path)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    xg.save({"a": np.zeros(1000)}, path)
except OSError as error:
    print(error.strerror, error.filename == path, xg.load(path)["a"].shape, os.listdir(os.path.dirname(path)))
"""


@posix
def test_a_full_disk_leaves_the_old_file(path):
    assert output(FULL, str(path)) == "File too large True (1,) ['a.safetensors']"


@pytest.mark.parametrize("where", ["fsync", "replace", "chmod"])
def test_an_error_while_saving_leaves_the_old_file(run, monkeypatch, where):
    def fail(*args: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = run.read_bytes()
    monkeypatch.setattr(Path if where == "chmod" else os, where, fail)
    with pytest.raises(OSError, match="No space left"):
        xg.save({"a": np.zeros(3)}, run)
    monkeypatch.undo()
    assert run.read_bytes() == before
    assert os.listdir(run.parent) == [run.name]


def test_more_than_the_format_can_hold(run):
    before = run.read_bytes()
    with pytest.raises(ValueError, match="header too large"):
        xg.save({"text": "x" * 100_000_001}, run)
    assert run.read_bytes() == before
    assert os.listdir(run.parent) == [run.name]


def test_without_the_library(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    for call in (lambda: xg.save({}, path), lambda: xg.load(__file__)):
        with pytest.raises(ImportError, match=r'pip install "xgrad\[state\]"'):
            call()


# --- what is no file of states --------------------------------------------------------------------------------------


def test_a_truncated_file(run, path):
    whole = run.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert "no complete safetensors file" in error_of(path)
    path.write_bytes(whole + b"\0")
    assert "no complete safetensors file" in error_of(path)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0", b"\0" * 100, b"\x89PNG\r\n\x1a\n" + bytes(100), pickle.dumps({"a": 1}), b'{"a": 1}'),
        *(b"x,y\n1,2\n", b"\xff" * 50, "täxt".encode("latin-1"), b"PK\x03\x04" + bytes(40)),
    ],
    ids=lambda content: repr(content[:6]),
)
def test_a_foreign_file(path, content):
    path.write_bytes(content)
    assert "no complete safetensors file" in error_of(path)


def test_what_is_no_file(tmp_path):
    assert error_of(tmp_path).endswith("it is a folder")
    assert error_of(Path(os.devnull)).endswith("it is special")
    with pytest.raises(FileNotFoundError, match="absent"):
        xg.load(tmp_path / "absent")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo")
        error_of(tmp_path / "fifo")  # without waiting for a writer


def test_a_pickle_that_would_run_something(tmp_path, path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    path.write_bytes(pickle.dumps(Bomb()))
    error_of(path)
    assert not (tmp_path / "ran").exists()


TERA = 1 << 42

HEADERS = {
    "too few bytes": ({"a": entry()}, bytes(7)),
    "too many bytes": ({"a": entry()}, bytes(9)),
    "a hole": ({"a": entry(), "b": entry(start=12, stop=20)}, bytes(20)),
    "an overlap": ({"a": entry(), "b": entry(start=4, stop=12)}, bytes(12)),
    "the same bytes twice": ({"a": entry(), "b": entry()}, bytes(8)),
    "offsets in reverse": ({"a": entry(start=8, stop=0)}, bytes(8)),
    "terabytes": ({"a": entry(shape=[TERA // 4], stop=TERA)}, bytes(8)),
    "an overflow": ({"a": entry(shape=[1 << 62, 1 << 62])}, bytes(8)),
    "a size beyond 64 bits": ({"a": entry(shape=[1 << 70])}, bytes(8)),
    "a huge empty shape": ({"a": entry(shape=[1 << 62, 1 << 62, 0], stop=0)}, b""),
    "a negative size": ({"a": entry(shape=[-2])}, bytes(8)),
    "a size that is no integer": ({"a": entry(shape=[2.0])}, bytes(8)),
    "a size that is true": ({"a": entry(shape=[True, 2])}, bytes(8)),
    "an unknown dtype": ({"a": entry("F33")}, bytes(8)),
    "a dtype that xgrad lacks": ({"a": entry("F8_E4M3", shape=[8])}, bytes(8)),
    "a hundred axes": ({"a": entry(shape=[1] * 99 + [2])}, bytes(8)),
    "truth values of 2": ({"a": entry("BOOL", shape=[8])}, b"\1\0\2" + bytes(5)),
    "no shape": ({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
    "no entry": ({"a": 3}, b""),
    "no header": (b"", b""),
    "a list as header": ([], b""),
    "no JSON": (b'{"a": }', b""),
    "NaN": (b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', bytes(8)),
    "deep nesting": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b""),
    "not UTF-8": (b'{"\xff":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
    "half a surrogate": (b'{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
    "a path out of the folder": ({"../../etc/passwd": entry()}, bytes(8)),
    "a Windows path": ({"a\\..\\b": entry()}, bytes(8)),
    "an absolute path": ({"/etc/passwd": entry()}, bytes(8)),
    "a NUL in a name": ({"a\0": entry()}, bytes(8)),
    "a name twice": (
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}',
        bytes(8),
    ),
    "metadata twice": (b'{"__metadata__":{"a":"b"},"__metadata__":{"a":"c"}}', b""),
    "a name twice in the metadata": (b'{"__metadata__":{"a":"b","a":"c"}}', b""),
    "metadata that are no strings": ({"__metadata__": {"xgrad.tree": {}}}, b""),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_hostile_header(path, kind):
    header, data = HEADERS[kind]
    error_of(written(path, header, data))


@pytest.mark.parametrize("length", [0, 1, 3, 100, 100_000_001, 1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_a_header_of_a_wrong_length(path, length):
    error_of(written(path, {"a": entry()}, bytes(8), length))


def with_tree(path: Path, tree: str, form: str = "1") -> Path:
    metadata = {"xgrad.format": form, "xgrad.version": "9", "xgrad.tree": tree}
    return written(path, {"__metadata__": metadata, "a": entry()}, bytes(8))


TREES = {
    "another format": ('{"$tensor":"a"}', "2", "written by xgrad '9' in format '2'"),
    "no format": ('{"$tensor":"a"}', "", "in format ''"),
    "no JSON": ("{", "1", "no valid JSON"),
    "NaN": ('[{"$tensor":"a"},NaN]', "1", "NaN is no JSON"),
    "a name twice": ('{"x":{"$tensor":"a"},"x":1}', "1", "'x' occurs twice"),
    "a huge integer": ('[{"$tensor":"a"},' + "1" * 5000 + "]", "1", "no valid JSON"),
    "deep nesting": ("[" * 100_000, "1", "nested too deeply"),
    "nesting of 150": ("[" * 150 + '{"$tensor":"a"}' + "]" * 150, "1", "more than 100 levels"),
    "deep complex numbers": ('{"$complex":[' * 300 + "1" + ",2]}" * 300, "1", ""),
    "a tensor that is not there": ('{"$tensor":"b"}', "1", "'b', which its tree names, is not in it"),
    "a tensor that is not named": ("{}", "1", "1 tensors that its tree does not name, such as 'a'"),
    "a tensor of another dtype": ('{"$tensor":"a","dtype":"complex128"}', "1", "of dtype F32"),
    "a dtype that is none": ('{"$tensor":"a","dtype":["int8"]}', "1", "of dtype F32"),
    "an order of other axes": ('{"$tensor":"a","order":[1,0]}', "1", "no order [1, 0]"),
    "an order that is none": ('{"$tensor":"a","order":"x"}', "1", "no order 'x'"),
    "an order with a truth value": ('{"$tensor":"a","order":[false]}', "1", "no order [False]"),
    "an unknown node": ('[{"$tensor":"a"},{"$code":"print(1)"}]', "1", "'$code'"),
}


@pytest.mark.parametrize("kind", TREES)
def test_a_hostile_tree(path, kind):
    tree, form, said = TREES[kind]
    assert said in error_of(with_tree(path, tree, form))


def test_one_tensor_at_two_places(path):
    tree = xg.load(with_tree(path, '[{"$tensor":"a"},{"$tensor":"a"}]'))
    assert tree[0] is tree[1]


def test_random_changes_give_a_state_or_the_one_error(run, path):
    """With a fixed seed; the changes are where they matter most, in the header."""
    rng, whole = random.Random(0), run.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    loaded = 0
    for _ in range(1500):
        content = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(8 if rng.random() < 0.1 else header if rng.random() < 0.9 else len(content))
            kind = rng.random()
            if kind < 0.5:
                content[at] = rng.choice((rng.randrange(256), *b'0123456789{}[]",:$eE.-'))
            elif kind < 0.75:
                del content[at : at + rng.randrange(1, 4)]
            else:
                content[at:at] = content[at : at + rng.randrange(1, 8)]
        if rng.random() < 0.7:  # let the length of the header be right again
            content[:8] = (len(content) - (len(whole) - header) - 8).to_bytes(8, "little", signed=True)
        path.write_bytes(content)
        try:
            xg.load(path)
            loaded += 1
        except StateError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
    assert 10 < loaded < 1000
