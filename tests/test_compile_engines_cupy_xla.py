"""XLA on another library's memory by DLPack: here on NumPy's, because there is no device."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.engines.choice import prepare
from xgrad.compile.engines.cupy_xla import OnDLPack, by_xla

jax = pytest.importorskip("jax")
NUMPY = load("numpy")


@pytest.mark.parametrize("name", ["w2_sigmoid", "w5"])
def test_a_workload(name):
    program, inputs = workload(name, tiny=True)
    runner = OnDLPack(program, NUMPY, jax.devices("cpu")[0])
    owned = [True] * len(inputs)
    before = [np.array(x) for x in inputs]
    for _ in range(2):
        found, wanted = runner.run(inputs, owned), prepare("replay", program, NUMPY).run(inputs)
        for got, want in zip(found, wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
            assert not any(np.may_share_memory(got, x) for x in inputs if hasattr(x, "shape"))
    for x, old in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(x, old)  # also what the caller gave up


def test_without_the_device_there_is_none(monkeypatch):
    program, _ = workload("w2_relu", tiny=True)
    if not any(device.platform == "gpu" for device in jax.devices()):
        assert by_xla(program, NUMPY) is None
    monkeypatch.setitem(sys.modules, "jax", None)
    assert by_xla(program, NUMPY) is None
