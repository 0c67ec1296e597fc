"""The engine "cupy" on a device. What needs none is tested beside (cupy_planned and others). None of it has been run yet."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from bench.problems import WORKLOADS
from tests.support.workload_programs import workload
from xgrad.backends import BackendError, usable
from xgrad.compile.engines.choice import prepare
from xgrad.compile.program import Program


@pytest.fixture
def cupy_backend():
    try:
        usable("cupy")
    except BackendError as error:
        pytest.skip(str(error))
    with xg.use_backend("cupy") as backend:
        yield backend


@pytest.mark.gpu
@pytest.mark.parametrize("name", list(WORKLOADS))
def test_a_workload_on_a_device(name, cupy_backend):
    """By a graph (w1, w4), and by the kernels with the library's products or by XLA (the others)."""
    import cupy

    program, inputs = workload(name, tiny=True)
    program = Program(
        program.specs,
        program.inputs,
        {n: cupy.asarray(array) for n, array in program.constants.items()},
        *(program.instructions, program.outputs, program.state),
    )
    runner = prepare("cupy", program, cupy_backend)
    replayed = prepare("replay", program, cupy_backend)
    given = [cupy.asarray(x) if hasattr(x, "shape") else x for x in inputs]
    for scale in (1.0, 0.5):
        now = [x * scale if getattr(x, "dtype", None) == np.float32 else x for x in given]
        for got, want in zip(runner.run(now), replayed.run(now), strict=True):
            np.testing.assert_allclose(cupy.asnumpy(got), cupy.asnumpy(want), rtol=1e-4, atol=1e-5)
