"""Meta-learning: a network that one gradient step fits to any sine wave. The tasks are a batch axis of `xg.vmap`."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import optim

STEPS, FEW, TOLERANCE = 40, 1, 1e-8
TASKS, SAMPLES, HIDDEN, INNER = 8, 10, 20, 0.05


def tasks(rng):
    """Sine waves of random amplitude and phase: samples to adapt to, and samples to evaluate on."""
    height, phase = rng.uniform(0.5, 2.0, size=(TASKS, 1)), rng.uniform(0, np.pi, size=(TASKS, 1))
    x = rng.uniform(-3, 3, size=(2, TASKS, SAMPLES))
    y = height * np.sin(x + phase)
    return x[0], y[0], x[1], y[1]


def start():
    rng = np.random.default_rng(0)
    sizes = [(1, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)]
    weights = {f"w{i}": rng.normal(size=size) / np.sqrt(size[0]) for i, size in enumerate(sizes)}
    biases = {f"b{i}": np.zeros(size[1]) for i, size in enumerate(sizes)}
    return {name: xg.asarray(array, requires_grad=True) for name, array in (weights | biases).items()}


def predict(p, x):
    h = xg.tanh(x[:, None] @ p["w0"] + p["b0"])
    h = xg.tanh(h @ p["w1"] + p["b1"])
    return (h @ p["w2"] + p["b2"])[:, 0]


def error(p, x, y):
    return xg.mean((predict(p, x) - y) ** 2)


def adapted(p, x, y):
    """The parameters after one step of gradient descent on a task."""
    g = xg.grad(error)(p, x, y)
    return {name: p[name] - INNER * g[name] for name in p}


def after_adapting(p, x, y, other_x, other_y):
    return error(adapted(p, x, y), other_x, other_y)


def run(steps: int = STEPS) -> dict[str, float]:
    rng, p = np.random.default_rng(1), start()
    optimizer = optim.Adam(p.values(), lr=0.01)
    over_tasks = xg.vmap(after_adapting, in_axes=(None, 0, 0, 0, 0))
    for _ in range(steps):
        optimizer.zero_grad()
        loss = xg.mean(over_tasks(p, *tasks(rng)))
        loss.backward()
        optimizer.step()
    with xg.no_grad():
        unadapted = error(p, *(a[0] for a in tasks(rng)[:2]))
    return {"loss": loss.item(), "before adapting": unadapted.item()}
