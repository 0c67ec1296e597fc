"""Files that are loaded: parts of a map, which nothing writes to, also while the file is replaced."""

from __future__ import annotations

import errno
import mmap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.test_state_files import entry, written
from xgrad.state.files import read

safetensors = pytest.importorskip("safetensors")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.safetensors"


@pytest.fixture
def run(path: Path) -> Path:
    xg.save({"w": np.arange(6.0).reshape(2, 3)}, path)
    return path


def test_a_file_of_another_program(path):
    numpy_face = pytest.importorskip("safetensors.numpy")
    arrays: dict[str, Any] = {
        "b": np.arange(3, dtype=np.int16),
        "a.weight": np.ones((2, 2), dtype=np.float32),
        "none": np.zeros((0, 3)),
    }
    numpy_face.save_file(arrays, path, {"format": "np"})
    found = xg.load(path)
    assert {name: each.shape for name, each in found.items()} == {name: each.shape for name, each in arrays.items()}
    assert all((found[name].numpy() == each).all() for name, each in arrays.items())


def test_elements_that_are_not_aligned(path):
    values = np.asarray([1.5, -2.5, 3.5])
    written(path, {"a": entry("U8", [3], 0, 3), "b": entry("F64", [3], 3, 27)}, b"\1\2\3" + values.tobytes())
    found = xg.load(path)
    assert found["b"].tolist() == values.tolist()
    assert xg.sum(found["b"]).item() == 2.5


def test_arrays_are_parts_of_the_map_and_cannot_be_written(run):
    before = run.read_bytes()
    found = xg.load(run)["w"]
    assert not found.data.flags.writeable
    assert not found.data.flags.owndata
    found[0, 0] = 100.0  # xgrad writes to a copy
    assert found.tolist() == [[100.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert run.read_bytes() == before


def test_a_file_that_is_replaced_while_it_is_mapped(run):
    found = xg.load(run)["w"]
    xg.save({"w": np.zeros((2, 3))}, run)
    assert found.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert not xg.load(run)["w"].numpy().any()


def test_readers_while_the_file_is_replaced(path):
    """Each reader sees one whole file."""
    xg.save({"a": np.full(50, 0.0), "n": 0}, path)
    ended, seen = threading.Event(), []

    def look() -> None:
        while not ended.is_set():
            found = xg.load(path)
            seen.append(set(found["a"].tolist()) == {found["n"]})

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(1, 40):
        xg.save({"a": np.full(n, float(n)), "n": n}, path)
    ended.set()
    reader.join()
    assert seen
    assert all(seen)


def test_a_file_that_is_replaced_between_its_two_openings(run, monkeypatch):
    """What the library has checked is what is mapped."""
    check, calls = safetensors.safe_open, []

    def replace_after_checking(*args: Any, **kwargs: Any) -> Any:
        found = check(*args, **kwargs)
        calls.append(0)
        if len(calls) == 1:
            xg.save({"w": np.zeros(2)}, run)
        return found

    monkeypatch.setattr(safetensors, "safe_open", replace_after_checking)
    assert read(run).entries["w"].shape == (2,)
    assert len(calls) == 2


def test_a_system_that_cannot_map_for_writing(run, monkeypatch):
    real = mmap.mmap

    def refuse(number: int, length: int, access: int) -> mmap.mmap:
        if access == mmap.ACCESS_COPY:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return real(number, length, access=access)

    monkeypatch.setattr(mmap, "mmap", refuse)
    assert xg.load(run)["w"].shape == (2, 3)
