"""Loops over blocks on several threads: the same bits as on one, and errors as on one."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import xgrad as xg
from xgrad.compile.engines import numpy_blocks, numpy_threads


@pytest.fixture
def on_threads(monkeypatch):
    """Small blocks, of which arrays of moderate size have enough."""
    monkeypatch.setattr(numpy_blocks, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(numpy_threads, "LEAST_BLOCKS", 1)

    def choose(count):
        monkeypatch.setenv("OMP_NUM_THREADS", str(count))

    return choose


def gradient():
    def loss(x, scale):
        return xg.sum(xg.exp(x * scale) * xg.tanh(x)) + xg.sum(x * x)

    with xg.use_backend("numpy"):
        return xg.compile(xg.value_and_grad(loss))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_the_bits_are_those_of_one_thread(on_threads, threads):
    x = np.random.default_rng(0).normal(size=(200, 700)).astype(np.float32)
    with xg.use_backend("numpy"):
        on_threads(1)
        one = gradient()
        one(x, 1.0)
        want = one(x, 1.25)
        on_threads(threads)
        several = gradient()
        several(x, 1.0)
        got = several(x, 1.25)
    assert "spread" in several._all[0].runner.source()
    assert "spread" not in one._all[0].runner.source()
    for a, b in zip(got, want, strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_numpys_error_state_holds_in_all_threads(on_threads):
    on_threads(2)
    x = np.zeros((200, 700), np.float32)
    x[-1, -1] = 200.0  # exp overflows, in the last thread
    with xg.use_backend("numpy"):
        f = gradient()
        f(np.zeros_like(x), 1.0)
        f(np.zeros_like(x), 1.0)
        with np.errstate(over="raise"), pytest.raises(FloatingPointError):
            f(x, 1.0)
        with np.errstate(over="ignore", invalid="ignore"):
            assert f(x, 1.0)[0].numpy() == np.inf


def test_an_error_is_raised_after_all_threads_have_ended():
    ended: list[int] = []

    def loop(part):
        if part == 0:
            raise ValueError("the first")
        waited.wait(10)
        ended.append(part)
        return []

    waited = threading.Event()
    waiting = threading.Timer(0.05, waited.set)
    waiting.start()
    with pytest.raises(ValueError, match="the first"):
        numpy_threads.spread(loop, [0, 1])
    assert ended == [1]


def test_results_are_joined_in_order():
    assert numpy_threads.spread(lambda part: [[part], [part, -part]], [1, 2, 3]) == [[1, 2, 3], [1, -1, 2, -2, 3, -3]]


@pytest.mark.parametrize(("asked", "count"), [("3", 3), ("4,2", 4), ("", None), ("0", None), ("many", None)])
def test_how_many(monkeypatch, asked, count):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert numpy_threads.count() == (count or len(os.sched_getaffinity(0)))


FORKS = """
import os
from xgrad.compile.engines.numpy_threads import spread

assert spread(lambda part: [[part]], [1, 2]) == [[1, 2]]
child = os.fork()
if not child:
    os._exit(0 if spread(lambda part: [[part]], [1, 2]) == [[1, 2]] else 1)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_starts_threads_of_its_own():
    """In a process of its own: other libraries that tests have imported do not like to be forked."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS], check=True, timeout=60)
