"""Files of models: as a whole or not at all, with the weights beside the graph where they are too large."""

from __future__ import annotations

import os
import stat
import sys

import numpy as np
import pytest

import xgrad as xg
from xgrad import nn

onnx = pytest.importorskip("onnx")

X = np.ones((2, 3), dtype="float32")


def model(n=8):
    with xg.use_backend("numpy"):
        return nn.Sequential(nn.Linear(3, n), nn.ReLU(), nn.Linear(n, 2)).to(dtype="float32")


def test_the_file_is_what_is_returned(tmp_path):
    proto = xg.onnx.export(model(), X, tmp_path / "m.onnx")
    assert onnx.load(tmp_path / "m.onnx") == proto
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        xg.onnx.export(model(), X, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="links and permissions are POSIX's")
@pytest.mark.parametrize("most", [2**31, 4000])
def test_a_link_is_followed_and_permissions_are_kept(tmp_path, monkeypatch, most):
    monkeypatch.setattr("xgrad.onnx.model_file.MOST", most)
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "m.onnx", tmp_path / "link.onnx"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    proto = xg.onnx.export(model(400), X, link)
    assert link.is_symlink()
    assert onnx.load(link).graph.node == proto.graph.node == onnx.load(real, load_external_data=False).graph.node
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="pipes have no paths")
def test_a_special_file_is_written_into():
    reader, writer = os.pipe()
    with open(reader, "rb") as file:
        proto = xg.onnx.export(model(), X, f"/dev/fd/{writer}")
        os.close(writer)
        assert onnx.load_model_from_string(file.read()) == proto


def test_a_path_that_cannot_be_written_is_refused_first(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        xg.onnx.export(lambda x: 1 / 0, X, tmp_path / "missing" / "m.onnx")
    with pytest.raises(IsADirectoryError):
        xg.onnx.export(lambda x: 1 / 0, X, tmp_path)


def test_large_weights_are_in_a_file_of_their_own(tmp_path, monkeypatch):
    """A limit of a few bytes stands for the 2 GB of one file."""
    runtime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr("xgrad.onnx.model_file.MOST", 4000)
    net, path = model(400), tmp_path / "m.onnx"
    xg.onnx.export(net, X, str(path))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["m.onnx", "m.onnx.data"]
    assert path.stat().st_size < 4000 < (tmp_path / "m.onnx.data").stat().st_size
    got = runtime.InferenceSession(path).run(None, {"input": X})[0]
    np.testing.assert_allclose(got, net(X).detach().numpy(), atol=1e-6)


def test_an_invalid_graph_is_found(monkeypatch):
    monkeypatch.setattr("xgrad.onnx.nodes.Graph.ints", lambda self, values: self.array([0.5], "float32"))
    with pytest.raises(xg.onnx.ExportError, match="fault of xgrad"):
        xg.onnx.export(lambda x: xg.expand_dims(x, axis=0), X)
