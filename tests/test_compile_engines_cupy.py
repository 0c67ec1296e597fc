"""The engine "cupy": its kernels, compiled for the host, compute what NumPy does. Nothing here has run on a device."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

import xgrad as xg
from bench.problems import WORKLOADS
from tests.support.host_kernels import HostKernels, for_nvcc
from tests.support.workload_programs import workload
from xgrad.backends import BackendError, load, usable
from xgrad.compile.engines.choice import prepare
from xgrad.compile.engines.cupy import CuPyKernels, Planned
from xgrad.compile.engines.cupy_groups import Group
from xgrad.compile.program import Program
from xgrad.compile.recorder import record

NUMPY = load("numpy")
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def with_state(program, state):
    return Program(program.specs, program.inputs, program.constants, program.instructions, program.outputs, state)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(WORKLOADS))
def test_steps_of_a_workload(name, dtype, tmp_path):
    program, inputs = workload(name, tiny=True, dtype=dtype)
    planned = Planned(program, NUMPY, HostKernels(tmp_path))
    assert planned.sources
    replayed = prepare("replay", program, NUMPY)
    replaced = dict(program.state)
    inputs = [np.array(x, order="C") if hasattr(x, "shape") else x for x in inputs]
    other = [np.array(x) if hasattr(x, "shape") else x for x in inputs]
    for _ in range(3):
        found = planned.run(inputs, [i in replaced for i in range(len(inputs))])
        wanted = replayed.run(other)
        for got, want in zip(found, wanted, strict=True):
            largest = np.max(np.abs(want))
            np.testing.assert_allclose(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * largest)
        for i, j in replaced.items():
            inputs[i], other[i] = found[j], wanted[j]


def test_state_that_is_given_up_is_overwritten(tmp_path):
    def f(xp, p, g, v, lr):
        v = v * 0.5 + g
        return p - v * lr, v, xp.sum(v * v)

    p, g, v = np.arange(3.0), np.ones(3), np.full(3, 2.0)
    program = with_state(record(f, p, g, v, 0.1, base=NUMPY), ((0, 0), (2, 1)))
    planned = Planned(program, NUMPY, HostKernels(tmp_path))
    kept = planned.run([p, g, v, 0.25])
    np.testing.assert_array_equal(p, np.arange(3.0))
    np.testing.assert_array_equal(kept[0], np.arange(3.0) - 0.5)
    new_p, new_v, total = planned.run([p, g, v, 0.25], [True, False, True, False])
    assert new_p is p
    assert new_v is v
    np.testing.assert_array_equal(p, np.arange(3.0) - 0.5)
    np.testing.assert_array_equal(v, 2.0)
    assert total == 12.0


def test_state_is_not_overwritten_while_a_view_of_it_is_needed(tmp_path):
    def f(xp, p):
        turned = xp.matrix_transpose(p)
        new = p * 2.0 + 1.0
        return new, xp.matmul(turned, new), turned * 3.0 - new

    p = np.arange(4.0).reshape(2, 2)
    planned = Planned(with_state(record(f, p, base=NUMPY), ((0, 0),)), NUMPY, HostKernels(tmp_path))
    new, product, other = planned.run([p.copy()], [True])
    np.testing.assert_array_equal(new, p * 2 + 1)
    np.testing.assert_array_equal(product, p.T @ (p * 2 + 1))
    np.testing.assert_array_equal(other, p.T * 3 - (p * 2 + 1))


def test_results_are_fresh(tmp_path):
    def f(xp, x):
        y = xp.exp(x) * 2.0 + 1.0
        return x, y, y, xp.matrix_transpose(y)

    x = np.ones((2, 2))
    found = Planned(record(f, x, base=NUMPY), NUMPY, HostKernels(tmp_path)).run([x])
    for i, y in enumerate(found):
        assert not any(np.may_share_memory(y, other) for k, other in enumerate([*found, x]) if k != i)


# --- the sources ------------------------------------------------------------------------------------------


def sources():
    found = []
    for name in WORKLOADS:
        for dtype in ("float32", "float64"):
            planned = Planned(workload(name, tiny=True, dtype=dtype)[0], NUMPY, NoKernels())
            found += planned.sources.values()
    return found


class NoKernels:
    def elementwise(self, source):
        return None

    def reduction(self, source):
        return None


@pytest.mark.slow
def test_cudas_compiler_takes_the_sources(tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("there is no nvcc")
    path = tmp_path / "kernels.cu"
    path.write_text(for_nvcc(sources()), encoding="utf-8")
    subprocess.run([nvcc, "--fmad=false", "-ptx", "-o", str(tmp_path / "kernels.ptx"), str(path)], check=True)


def test_cupy_takes_the_sources():
    """CuPy reads the parameters when it makes a kernel, and compiles it at its first launch."""
    cupy = pytest.importorskip("cupy")
    for source in sources():
        if source.reduce is None:
            kernel = CuPyKernels().elementwise(source)
            assert isinstance(kernel, cupy.ElementwiseKernel)
            assert kernel.nin == len(source.inputs)
        else:
            assert isinstance(CuPyKernels().reduction(source), cupy.ReductionKernel)


def test_a_long_chain_is_one_kernel():
    planned = Planned(workload("w1", tiny=True)[0], NUMPY, NoKernels())
    assert len(planned.steps) == 1
    (group,) = planned.steps
    assert isinstance(group, Group)
    assert f"y{planned.program.outputs[0]} = " in planned.source()


# --- on a device -------------------------------------------------------------------------------------------


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
