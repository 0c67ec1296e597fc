"""CUDA graphs, with a stand-in for CUDA that records the kernels' launches and repeats them. Nothing has run on a device."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.support.host_kernels import HostKernels
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.engines.choice import prepare
from xgrad.compile.engines.cupy_graph import Graphed, is_recordable
from xgrad.compile.engines.cupy_planned import Planned
from xgrad.compile.recorder import record

NUMPY = load("numpy")


class Array(np.ndarray):
    """An array with CuPy's way of taking values from the host."""

    def set(self, values):
        self[...] = values


class Stream:
    kernels: HostKernels

    def __init__(self, non_blocking=False):
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def record(self):
        return object()

    def wait_event(self, event):
        self.events.append(event)

    def synchronize(self):
        pass

    def begin_capture(self):
        self.kernels.launched.clear()

    def end_capture(self):
        recorded = list(self.kernels.launched)

        def launch(stream):
            for kernel, arrays in recorded:
                kernel(*arrays)

        return SimpleNamespace(launch=launch)


@contextmanager
def using_allocator(malloc):
    yield


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """A module `cupy` of NumPy's arrays, and kernels that it records."""
    module: Any = ModuleType("cupy")
    Stream.kernels = HostKernels(tmp_path)
    current = Stream()
    module.cuda = SimpleNamespace(
        Stream=Stream,
        MemoryPool=lambda: SimpleNamespace(malloc=None),
        using_allocator=using_allocator,
        get_current_stream=lambda: current,
    )
    module.float64 = np.float64
    module.zeros = lambda n, dtype: np.zeros(n, dtype).view(Array)
    monkeypatch.setitem(sys.modules, "cupy", module)
    return Stream.kernels


def assert_equal_to_replay(program, graphed, inputs):
    for got, want in zip(graphed.run(inputs), prepare("replay", program, NUMPY).run(inputs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_a_graph_computes_with_the_inputs_of_each_run(fake):
    program, inputs = workload("w1", tiny=True)
    graphed = Graphed(Planned(program, NUMPY, fake))
    for k in range(3):
        given = [x * (1.0 + k) for x in inputs]
        given = [x.astype(np.float32) for x in given]
        assert_equal_to_replay(program, graphed, given)


def test_python_floats_are_not_recorded_with_the_launch(fake):
    def f(xp, x, a, b):
        return x * a + (a / b), xp.exp(x) - b * x

    x = np.arange(3.0)
    program = record(f, x, 0.5, 2.0, base=NUMPY)
    planned = Planned(program, NUMPY, fake)
    assert is_recordable(planned)
    graphed = Graphed(planned)
    for a, b in ((0.5, 2.0), (3.0, 4.0), (0.1, 0.7)):
        assert_equal_to_replay(program, graphed, [x + a, a, b])


def test_results_are_copies(fake):
    program = record(lambda xp, x: (x, xp.exp(x) + 1.0), np.zeros(3), base=NUMPY)
    graphed = Graphed(Planned(program, NUMPY, fake))
    x = np.ones(3)
    same, first = graphed.run([x])
    assert same is not x
    _, second = graphed.run([x * 2])
    np.testing.assert_array_equal(first, np.exp(1.0) + 1)
    np.testing.assert_array_equal(second, np.exp(2.0) + 1)
    x[...] = 9.0
    np.testing.assert_array_equal(same, 1.0)


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda xp, x, a: xp.sum(xp.exp(x) * a, axis=0), True),
        (lambda xp, x, a: xp.exp(xp.matrix_transpose(x)) + 1.0, True),
        (lambda xp, x, a: xp.matmul(x, x) * 2.0 + 1.0, False),  # cuBLAS
        (lambda xp, x, a: xp.linalg.inv(x) * 2.0 + 1.0, False),  # it waits for the device
        (lambda xp, x, a: (xp.exp(x) + 1.0, a), False),  # a float is a result
        (lambda xp, x, a: xp.max(xp.clip(x, a, 2.0) * 2.0 + 1.0), False),  # a float in a call of the library
        (lambda xp, x, a: xp.exp(x), False),  # no kernel of ours
    ],
)
def test_what_can_be_recorded(f, wanted, fake):
    assert is_recordable(Planned(record(f, np.eye(2), 0.5, base=NUMPY), NUMPY, fake)) is wanted
