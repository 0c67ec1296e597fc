"""The programs that bench/transforms.py times, run as a process. It imports only NumPy, and the xgrad that is on the path."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import xgrad as xg

Program = tuple[Callable[[Any], Any], Any]  # a function with one number as its result, and its argument


def kalman(steps: int = 60, n: int = 4) -> Program:
    """The log-likelihood of a Kalman filter, as a function of its transition matrix."""
    rng = np.random.default_rng(0)
    seen = [xg.asarray(z) for z in rng.normal(size=(steps, 2, 1))]
    h, q, r = xg.asarray(np.eye(n)[:2]), xg.asarray(0.1 * np.eye(n)), xg.asarray(0.2 * np.eye(2))

    def likelihood(f: Any) -> Any:
        x, p = xg.zeros((n, 1)), xg.eye(n)
        total: Any = 0.0
        for z in seen:
            x, p = f @ x, f @ p @ f.T + q
            y, s = z - h @ x, h @ p @ h.T + r
            inverse = xg.linalg.inv(s)
            gain = p @ h.T @ inverse
            x, p = x + gain @ y, p - gain @ h @ p
            total = total - xg.sum(y.T @ inverse @ y) - xg.log(xg.linalg.det(s))
        return total

    return likelihood, np.eye(n) + 0.1 * rng.normal(size=(n, n))


def recurrence(steps: int = 200) -> Program:
    """A recurrence on one number."""

    def run(x: Any) -> Any:
        y = x
        for _ in range(steps):
            y = y + 0.1 * xg.sin(y) * x
        return y

    return run, np.asarray(0.3)


def rnn(steps: int = 50) -> Program:
    """A recurrent network with 16 units on 8 samples, as a function of the recurrent weights."""
    rng = np.random.default_rng(1)
    inputs = [xg.asarray(x) for x in rng.normal(size=(steps, 8, 16))]
    u = xg.asarray(rng.normal(size=(16, 16)) / 4)

    def run(w: Any) -> Any:
        h = xg.zeros((8, 16))
        for x in inputs:
            h = xg.tanh(x @ u + h @ w)
        return xg.sum(h * h)

    return run, rng.normal(size=(16, 16)) / 4


def chain(length: int = 500) -> Program:
    """A chain of 2 * `length` elementwise operations on 16 elements."""

    def run(x: Any) -> Any:
        y = x
        for _ in range(length):
            y = xg.sin(y) * 0.9
        return xg.sum(y)

    return run, np.random.default_rng(2).normal(size=16)


def wide(width: int = 200) -> Program:
    """`width` branches from one argument, multiplied in pairs."""

    def run(x: Any) -> Any:
        parts = [xg.sin(x * (0.1 * i)) + x for i in range(width)]
        while len(parts) > 1:
            parts = [a * b for a, b in zip(parts[::2], parts[1::2], strict=False)] + parts[len(parts) // 2 * 2 :]
        return xg.sum(parts[0])

    return run, np.random.default_rng(3).normal(size=16) * 0.1


PROGRAMS: dict[str, Callable[[], Program]] = {
    "kalman": kalman,
    "recurrence": recurrence,
    "rnn": rnn,
    "chain": chain,
    "wide": wide,
}


def ways(f: Callable[[Any], Any], x: Any) -> dict[str, Callable[[], Any]]:
    """The transforms by name. backward, with which the others are compared, comes first."""
    x, one = xg.asarray(x), xg.asarray(1.0)
    value_and_grad = xg.value_and_grad(f)

    def backward() -> Any:
        leaf = xg.asarray(x, requires_grad=True)
        f(leaf).backward()
        return leaf.grad

    return {
        "backward": backward,
        "value_and_grad": lambda: value_and_grad(x)[1],
        "vjp": lambda: xg.vjp(f, x)[1](one)[0],
        "jvp": lambda: xg.jvp(f, (x,), (x,)),
        "hvp": lambda: xg.hvp(f, (x,), (x,)),
    }


def seconds(name: str, rounds: int) -> dict[str, float]:
    """The CPU time of each transform: the lower quartile of the rounds, each in another order."""
    order = random.Random(0)
    each = ways(*PROGRAMS[name]())
    want = each["backward"]().numpy()
    assert np.allclose(each["value_and_grad"]().numpy(), want)
    assert np.allclose(each["vjp"]().numpy(), want)
    times: dict[str, list[float]] = {way: [] for way in each}
    for _ in range(rounds):
        for way in order.sample(list(each), len(each)):
            run = each[way]
            start = time.thread_time()
            run()
            times[way].append(time.thread_time() - start)
    return {way: sorted(own)[len(own) // 4] for way, own in times.items()}


if __name__ == "__main__":
    print(json.dumps({name: seconds(name, int(sys.argv[1])) for name in PROGRAMS}))
