"""Threads: each has its own modes and its own backend, and they may share leaves and graphs' inputs."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy


def run_together(*tasks: Callable[[], object]) -> None:
    """Run each in a thread of its own, all at once, and raise what one of them raised."""
    start, errors = threading.Barrier(len(tasks)), []

    def run(task):
        try:
            start.wait()
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_no_grad_in_one_thread_leaves_recording_on_in_another(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    inside, done = threading.Event(), threading.Event()

    def holds():
        with xg.no_grad():
            inside.set()
            done.wait()
            assert not (x * x).requires_grad
        assert (x * x).requires_grad

    def records():
        inside.wait()
        try:
            for y in (x * x, -x, xp.sum(x), xp.matmul(x, x), x * 2.0):
                assert y.requires_grad
            xp.sum(x * x).backward()
        finally:
            done.set()

    run_together(holds, records)
    assert_matches(x.grad, [2.0, 4.0], xp=xp)


def test_recording_and_not_recording_in_turns(xp):
    x = make(xp, [1.0], requires_grad=True)

    def on():
        for _ in range(300):
            assert (x * x).requires_grad

    def off():
        for _ in range(300):
            with xg.no_grad():
                assert not (x * x).requires_grad
            assert (x * x).requires_grad

    run_together(on, off, off, on)


def test_backward_of_graphs_apart(xp):
    found = {}

    def train(k):
        x = make(xp, np.full(5, float(k)), requires_grad=True)
        for _ in range(20):
            y = x
            for _ in range(10):
                y = y * 1.5 + x
            x.grad = None
            xp.sum(y).backward()
        found[k] = to_numpy(x.grad)

    run_together(*(lambda k=k: train(k) for k in range(4)))
    y, d = 0.0, 1.0
    for _ in range(10):
        d = d * 1.5 + 1.0
    assert y == 0.0
    for k in range(4):
        np.testing.assert_allclose(found[k], np.full(5, d), rtol=1e-12)


def test_one_leaf_gets_every_threads_gradient(xp):
    w = make(xp, np.zeros(3), requires_grad=True)

    def work():
        for _ in range(100):
            xp.sum(w * 1.0 + 1.0).backward()

    run_together(*[work] * 4)
    assert_matches(w.grad, [400.0] * 3, xp=xp)


def test_a_shared_graph_that_is_kept(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = xp.sum(xp.exp(x) * x)

    def work():
        for _ in range(20):
            y.backward(retain_graph=True)

    run_together(work, work, work)
    assert_matches(x.grad, 60 * np.exp([1.0, 2.0]) * np.array([2.0, 3.0]), xp=xp)


def test_transforms_in_threads(xp):
    def work():
        for _ in range(20):
            h = xg.grad(xg.grad(lambda x: x**3))(make(xp, 2.0))
            assert h.item() == pytest.approx(12.0)

    run_together(*[work] * 4)


def test_use_backend_holds_for_its_thread():
    pytest.importorskip("array_api_strict")
    inside, done = threading.Event(), threading.Event()

    def holds():
        with xg.use_backend("strict"):
            inside.set()
            done.wait()
            assert xg.zeros(2).backend.name == "strict"

    def looks():
        inside.wait()
        try:
            assert xg.zeros(2).backend.name == "numpy"
            with xg.use_backend("numpy"):
                assert xg.get_backend().name == "numpy"
        finally:
            done.set()

    run_together(holds, looks)
