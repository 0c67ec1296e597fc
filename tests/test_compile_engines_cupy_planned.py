"""Programs as kernels, compiled for the host, and calls of the library: they compute what NumPy does."""

from __future__ import annotations

import numpy as np
import pytest

from bench.problems import WORKLOADS
from tests.support.host_kernels import HostKernels, NoKernels
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.engines.choice import prepare
from xgrad.compile.engines.cupy_groups import Group
from xgrad.compile.engines.cupy_planned import Planned
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


def test_a_long_chain_is_one_kernel():
    planned = Planned(workload("w1", tiny=True)[0], NUMPY, NoKernels())
    assert len(planned.steps) == 1
    (group,) = planned.steps
    assert isinstance(group, Group)
    assert f"y{planned.program.outputs[0]} = " in planned.source()
