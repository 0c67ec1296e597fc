"""Exports that are run: an ONNX model under ONNX Runtime, beside xgrad's own result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import xgrad as xg
from xgrad.engine.trees import flatten

Host = np.ndarray[Any, Any]


def arrays_of(tree: Any) -> list[Host]:
    """The arrays and tensors of a tree as NumPy arrays, in order."""
    leaves = flatten(tree)[0]
    return [leaf.detach().numpy() if isinstance(leaf, xg.Tensor) else leaf for leaf in leaves if hasattr(leaf, "dtype")]


def run(proto: Any, feeds: Sequence[Host]) -> list[Host]:
    """The outputs of a model under ONNX Runtime, for these inputs in order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {each.name: feed for each, feed in zip(session.get_inputs(), feeds, strict=True)}
    found: list[Host] = session.run(None, given)
    return found


def assert_equal(got: Sequence[Host], want: Sequence[Host], tolerance: float = 1e-5) -> None:
    """The same shapes and dtypes, and numbers that differ by `tolerance` of the largest one at most."""
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0.0)) if b.dtype.kind == "f" else 1.0)
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * scale)


def eager(f: Any, args: tuple[Any, ...]) -> list[Host]:
    """What a function computes in xgrad."""
    with xg.no_grad():
        return arrays_of(f(*args))
