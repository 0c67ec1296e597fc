"""NPY and NPZ files: read and mapped, cut off, foreign, hostile, and shrinking while they are in use."""

import io
import os
import pickle
import zipfile
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches
from xgrad.backends import host_files
from xgrad.data import DataError, DataLoader, NPYDataset, NPZDataset, TensorDataset, read_npy, read_npz

X = np.arange(24.0).reshape(6, 4)
ARRAYS = {
    "C": X,
    "Fortran": np.asfortranarray(X),
    "big-endian": X.astype(">f4"),
    "bool": np.array([True, False]),
    "complex": np.arange(3) + 1j,
    "empty": np.zeros((0, 3)),
    "0-d": np.zeros(()),
    "3-d": X[None],
}


@pytest.fixture
def npy(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return tmp_path / "x.npy"


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "data.npz", x=X, y=np.arange(6))
    return tmp_path / "data.npz"


@pytest.mark.parametrize("mmap", [False, True, None])
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_reads_what_numpy_saves(tmp_path, array, mmap):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", array, named=array)
    np.savez_compressed(tmp_path / "c.npz", array)
    found = [read_npy(tmp_path / "a.npy", mmap=mmap), *read_npz(tmp_path / "a.npz", mmap=mmap).values()]
    found += read_npz(tmp_path / "c.npz", mmap=mmap).values()
    for each in found:
        assert each.shape == array.shape
        assert each.dtype == array.dtype.newbyteorder("=")
        got = np.asarray(each)
        assert type(got) is np.ndarray
        assert got.dtype.isnative
        assert (got == array).all()
    assert isinstance(found[0], np.ndarray) == (mmap is not True or array.size == 0)
    assert list(read_npz(tmp_path / "a.npz")) == ["arr_0", "named"] or set(read_npz(tmp_path / "a.npz")) == {
        "arr_0",
        "named",
    }


def test_a_mapped_array_gives_copies(npy):
    mapped = read_npy(npy, mmap=True)
    assert (len(mapped), mapped.ndim, mapped.nbytes) == (6, 2, 192)
    for part, want in (
        (mapped[1:3], X[1:3]),
        (mapped[4], X[4]),
        (mapped.take([5, 0]), X[[5, 0]]),
        (mapped[..., 1], X[:, 1]),
    ):
        assert type(part) is np.ndarray
        assert part.flags.owndata
        assert (part == want).all()
    assert (np.asarray(mapped) == X).all()
    assert "x.npy" in repr(mapped)


def test_large_arrays_are_mapped_unasked(npy, npz, monkeypatch):
    monkeypatch.setattr(host_files, "MAP_FROM", 100)
    assert not isinstance(read_npy(npy), np.ndarray)
    found = read_npz(npz)
    assert not isinstance(found["x"], np.ndarray)
    assert isinstance(found["y"], np.ndarray)  # 48 bytes


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_batches(xp, npy, npz, mmap, shuffle):
    for data in (NPZDataset(npz, ["x", "y"], mmap=mmap), NPYDataset(npy, mmap=mmap)):
        rows = []
        for batch in DataLoader(data, batch_size=4, shuffle=shuffle):
            x = batch[0]
            found = (x.numpy()[:, 0] / 4).astype(int)
            assert_matches(x, X[found], xp=xp)
            rows += found.tolist()
        assert sorted(rows) == list(range(6))


def test_names(npz):
    assert NPZDataset(npz, ["y", "x"]).names == ["y", "x"]
    assert list(read_npz(npz, "y")) == ["y"]
    with pytest.raises(DataError, match=r"data\.npz has no array 'z'; it has x, y"):
        read_npz(npz, ["z"])


def test_arrays_that_do_not_belong_together(tmp_path, npy):
    np.savez(tmp_path / "a.npz", x=X, y=np.arange(5))
    with pytest.raises(DataError, match=r"a.npz: all arrays .* x \(6, 4\), y \(5,\)"):
        NPZDataset(tmp_path / "a.npz")
    np.save(tmp_path / "n.npy", np.float64(1))
    with pytest.raises(DataError, match=r"n.npy \(\)"):
        NPYDataset(tmp_path / "n.npy")
    reader: Any = read_npy
    with pytest.raises(TypeError, match="mmap must be True, False or None"):
        reader(npy, mmap="r")


# --- files that shrink


@pytest.mark.parametrize("of_numpy", [False, True])
def test_a_mapped_file_that_shrinks_is_an_error(npy, of_numpy):
    array = np.load(npy, mmap_mode="r") if of_numpy else read_npy(npy, mmap=True)
    loader = iter(DataLoader(TensorDataset(array), batch_size=2))
    next(loader)
    os.truncate(npy, 150)
    with pytest.raises(DataError, match=r"x.npy has shrunk from \d+ to 150 bytes"):
        next(loader)


def test_an_archive_that_shrinks_is_an_error(npz):
    data = NPZDataset(npz, mmap=True)
    os.truncate(npz, 300)
    for use in (lambda: data[5], lambda: data.tensors[0].take([0]), lambda: np.asarray(data.tensors[0])):
        with pytest.raises(DataError, match=r"data\.npz has shrunk"):
            use()


def test_a_file_that_is_replaced_stays_as_it_was(npy):
    mapped = read_npy(npy, mmap=True)
    np.save(npy.with_name("new.npy"), X + 1)
    os.replace(npy.with_name("new.npy"), npy)
    assert (np.asarray(mapped) == X).all()


# --- files that are damaged, foreign or hostile


@pytest.mark.parametrize("mmap", [False, True])
def test_npy_files_that_are_cut_anywhere(npy, mmap):
    content = npy.read_bytes()
    for length in range(0, len(content), 7):
        npy.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"x\.npy is (cut off|not an NPY file)") as caught:
            read_npy(npy, mmap=mmap)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_files_that_are_cut_anywhere(npz, mmap, save):
    save(npz, x=X, y=np.arange(6))
    content = npz.read_bytes()
    for length in range(0, len(content), 13):
        npz.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"data\.npz") as caught:
            read_npz(npz, mmap=mmap)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_files_with_a_byte_changed(npz, save):
    save(npz, x=X)
    content = npz.read_bytes()
    noticed = 0
    for place in range(0, len(content), 5):
        npz.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            found = read_npz(npz)
        except DataError:
            noticed += 1
        else:
            assert all(value.tobytes() == X.tobytes() for value in found.values())  # a name or a date changed
    assert noticed > 10


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("hostile",)


@pytest.mark.parametrize("mmap", [False, True])
def test_objects_are_not_unpickled(tmp_path, mmap, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.array([Hostile()], dtype=object))
    np.savez("a.npz", x=np.array([Hostile()], dtype=object))
    (tmp_path / "p.npy").write_bytes(pickle.dumps(Hostile()))
    for read in (lambda: read_npy("a.npy", mmap=mmap), lambda: read_npz("a.npz", mmap=mmap)):
        with pytest.raises(DataError, match="holds Python objects, which are not loaded"):
            read()
    with pytest.raises(DataError, match=r"p\.npy is not an NPY file"):
        read_npy("p.npy", mmap=mmap)
    assert not (tmp_path / "hostile").exists()


def header(text):
    """An NPY file of version 1 with that header, and no data."""
    padded = text + " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode("latin-1")


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,)}"),
            "is cut off: its array has 8",
        ),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "is damaged: its shape is (-1,)"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}"), "is damaged: its shape is (True,)"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': 3}"), "is not an NPY file"),
        (header("{'descr': '<U3', 'fortran_order': False, 'shape': (0,)}"), "of dtype <U3, which holds no numbers"),
        (header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (0,)}"), "which holds no numbers"),
        (header("__import__('os').mkdir('hostile')"), "is not an NPY file"),
        (header("(" * 5000), "is not an NPY file"),
        (b"\x93NUMPY\x09\x00" + bytes(100), "not an NPY file"),
        (b"x,y\n1,2\n", "is not an NPY file"),
        (b"", "is not an NPY file"),
        (b"PK\x03\x04" + bytes(50), "is not an NPY file"),
    ],
)
def test_foreign_and_hostile_npy_files(tmp_path, content, said, mmap, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_npy("a.npy", mmap=mmap)
    assert said in str(caught.value)
    assert "a.npy" in str(caught.value)
    assert not (tmp_path / "hostile").exists()
    with zipfile.ZipFile("a.npz", "w") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(DataError, match=r"a\.npz"):
        read_npz("a.npz", mmap=mmap)


def test_archives_without_arrays(tmp_path, npy):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError, match=r"a\.npz has no arrays"):
        read_npz(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"x\.npy is not an NPZ file"):
        read_npz(npy)


def test_an_array_that_unpacks_to_too_much(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(100_000))
    with pytest.raises(
        DataError, match="is compressed and takes 800128 bytes, more than max_bytes=1000; an array that was"
    ):
        read_npz(tmp_path / "a.npz", max_bytes=1000)
    assert len(read_npz(tmp_path / "a.npz")["x"]) == 100_000


def test_a_member_that_is_longer_than_its_array(tmp_path):
    raw = io.BytesIO()
    np.save(raw, X)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", raw.getvalue() + b"more")
    with pytest.raises(DataError, match="is damaged: it has 192 bytes by its header, and 196 are there"):
        read_npz(tmp_path / "a.npz")


def test_names_that_are_paths_write_nothing(tmp_path):
    raw = io.BytesIO()
    np.save(raw, X)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("../../x.npy", raw.getvalue())
    assert (read_npz(tmp_path / "a.npz")["../../x"] == X).all()
    assert os.listdir(tmp_path) == ["a.npz"]


def test_files_that_cannot_be_read(tmp_path):
    for read in (read_npy, read_npz, NPYDataset, NPZDataset):
        with pytest.raises(DataError, match="no such file"):
            read(tmp_path / "absent")
        with pytest.raises(DataError, match="is a folder"):
            read(tmp_path)
        with pytest.raises(DataError, match="cannot be the name of a file"):
            read("a\0b")
    assert issubclass(xg.data.DataError, ValueError)
