"""Frames: threads have memory of their own, and a run allocates its results only."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.support.allocations import traced_peak
from xgrad.backends import load
from xgrad.compile.engines.numpy import prepare
from xgrad.compile.recorder import record

BASE = load("numpy")


def made(f, *arrays):
    return prepare(record(f, *arrays, base=BASE), BASE)


@pytest.fixture
def x():
    return np.linspace(-2, 2, 60, dtype=np.float32).reshape(6, 10)


def bits(arrays):
    return [(y.shape, y.dtype, y.tobytes()) for y in map(np.asarray, arrays)]


def test_threads_run_one_runner(x):
    big = np.tile(x, (40, 40))

    def f(xp, x, a):
        for _ in range(5):
            x = xp.tanh(xp.multiply(x, a))
        return xp.matmul(xp.matrix_transpose(x), x), xp.sum(x)

    runner = made(f, big, 0.5)
    wrong = []

    def work(a):
        want = bits(made(f, big, a).run([big, a]))
        for _ in range(20):
            if bits(runner.run([big, a])) != want:
                wrong.append(a)

    threads = [threading.Thread(target=work, args=(0.3 + k / 10,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_run_allocates_its_results_only():
    x = np.ones((256, 256), "float32")

    def f(xp, x):
        y = x
        for _ in range(10):
            y = xp.sigmoid(xp.matmul(y, x))
        return xp.sum(y, axis=0)

    runner = made(f, x)
    for _ in range(2):
        runner.run([x])
    assert traced_peak(lambda: runner.run([x])) < 10_000
