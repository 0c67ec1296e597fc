"""Training in half precision: the accuracy of float32, a run that overflows first, and gradients that would underflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import to_numpy
from xgrad import nn
from xgrad.amp import GradScaler, autocast

SINGLE = "float32"


def spirals(n: int = 150) -> tuple[Any, Any]:
    """Three arms of a spiral: points of the plane, shape (n, 2), and the number of the arm."""
    rng = np.random.default_rng(0)
    arm = np.arange(n) % 3
    radius = np.sqrt(rng.uniform(0.05, 1.0, n))
    angle = 4 * radius + 2 * np.pi / 3 * arm + rng.normal(0, 0.08, n)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return xg.asarray(points.astype(np.float32)), xg.asarray(arm.astype(np.int64))


def trained(dtype: str | None, scaler: GradScaler, epochs: int = 120) -> tuple[float, list[float]]:
    """The accuracy on the points of training, and the scale after each step."""
    x, y = spirals()
    rng = xg.random.Generator(0)
    model = nn.Sequential(
        nn.Linear(2, 48, dtype=SINGLE, rng=rng),
        nn.Tanh(),
        nn.Linear(48, 48, dtype=SINGLE, rng=rng),
        nn.ReLU(),
        nn.Linear(48, 3, dtype=SINGLE, rng=rng),
    )
    optimizer = xg.optim.Adam(model.parameters(), lr=0.02)
    scales = []

    def backward(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        with autocast(dtype or "float16", enabled=dtype is not None):
            loss = nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss).backward()

    if x.backend.name == "jax":  # operation by operation it takes long
        backward = xg.compile(backward, keep_grads=True)
    for _ in range(epochs):
        backward(x, y)
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
    with xg.no_grad(), autocast(dtype or "float16", enabled=dtype is not None):
        right = to_numpy(xg.argmax(model(x), axis=1)) == to_numpy(y)
    assert all(np.isfinite(to_numpy(p)).all() for p in model.parameters())
    return float(right.mean()), scales


@pytest.fixture(params=["float16", "bfloat16"])
def half(request, backend):
    if not backend.has_dtype(request.param):
        pytest.skip(f"{backend.name} has no {request.param}")
    if backend.name == "jax":
        pytest.skip("JAX compiles each operation, which takes long: the run that overflows is tried there")
    return request.param


def test_the_accuracy_is_that_of_float32_within_a_point(half):
    single, _ = trained(None, GradScaler(enabled=False))
    accuracy, scales = trained(half, GradScaler())
    assert single > 0.95
    assert accuracy >= single - 0.01
    assert min(scales) >= 2.0**10


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_run_that_overflows_first_lowers_the_scale_and_trains(backend):
    if not backend.has_dtype("float16"):
        pytest.skip(f"{backend.name} has no float16")
    accuracy, scales = trained("float16", GradScaler(init_scale=2.0**40))
    skipped = sum(after < before for before, after in zip([2.0**40, *scales], scales, strict=False))
    assert skipped >= 15
    assert scales == sorted(scales, reverse=True)
    assert scales[-1] == scales[40]  # it has found its size
    assert accuracy > 0.9


def test_gradients_that_underflow_are_right_with_a_scale(backend):
    if not backend.has_dtype("float16"):
        pytest.skip(f"{backend.name} has no float16")
    x = xg.asarray([[1.0, 2.0]], dtype=SINGLE)
    found = {}
    for scale in (1.0, 2.0**16):
        w = xg.asarray([[0.5], [0.25]], dtype=SINGLE, requires_grad=True)
        optimizer, scaler = xg.optim.SGD([w], lr=1.0), GradScaler(init_scale=scale)
        with autocast("float16"):
            loss = xg.sum(x @ w) * 2.0**-26  # a gradient of 2**-26, which float16 does not have
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        found[scale] = to_numpy(w.grad)[:, 0].tolist()
    assert found == {1.0: [0.0, 0.0], 2.0**16: [2.0**-26, 2.0**-25]}
