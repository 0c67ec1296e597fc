"""What only a CUDA device can show. `pytest -m gpu` runs this alone; without a device it is skipped, and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import xgrad as xg
from tests.helpers import assert_close, to_numpy
from xgrad import nn, optim
from xgrad.backends import BackendError, load, usable

pytestmark = pytest.mark.gpu


@pytest.fixture
def cupy() -> Iterator[Any]:
    """CuPy, with its backend current while the test runs."""
    try:
        usable("cupy")
    except BackendError as error:
        pytest.skip(str(error))
    import cupy

    with xg.use_backend("cupy"):
        yield cupy


def network(dtype: Any) -> tuple[nn.Module, xg.Tensor, xg.Tensor]:
    rng = xg.random.Generator(0)
    x = rng.normal((64, 3), dtype=dtype)
    model = nn.Sequential(
        nn.Linear(3, 16, rng=rng, dtype=dtype), nn.ReLU(), nn.Linear(16, 16, rng=rng, dtype=dtype), nn.Sigmoid(),
        nn.Linear(16, 1, rng=rng, dtype=dtype),
    )  # fmt: skip
    return model, x, xg.sum(xg.sin(x), axis=1, keepdims=True)


def train(dtype_name: str, steps: int, make_optimizer: Callable[..., Any] = optim.Adam) -> list[Any]:
    model, x, y = network(getattr(xg, dtype_name))
    optimizer = make_optimizer(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return [to_numpy(p) for p in model.parameters()]


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-9), ("float32", 1e-3)])
def test_training_matches_the_host(cupy, dtype, rtol):
    there = train(dtype, 50)
    with xg.use_backend("numpy"):
        here = train(dtype, 50)
    for got, want in zip(there, here, strict=True):
        assert_close(got, want, rtol)


@pytest.mark.parametrize("make_optimizer", [optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adam, optim.AdamW])
def test_a_step_neither_reads_from_the_device_nor_waits_for_it(cupy, make_optimizer):
    model, x, y = network(xg.float32)
    optimizer = make_optimizer(model.parameters(), lr=0.01)
    seen: list[str] = []

    def noticed(name: str) -> Callable[..., Any]:
        def refused(*args: Any, **kwargs: Any) -> Any:
            seen.append(name)
            raise AssertionError(f"{name} inside a training step")

        return refused

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()

    step()  # compiles kernels, which may wait
    with ExitStack() as stack:
        for way in ("get", "item", "tolist", "__float__", "__int__", "__bool__", "__index__", "__array__"):
            if hasattr(cupy.ndarray, way):
                stack.enter_context(patch.object(cupy.ndarray, way, noticed(way)))
        for holder, way in (
            (cupy, "asnumpy"),
            (cupy.cuda.Stream, "synchronize"),
            (cupy.cuda.Device, "synchronize"),
            (cupy.cuda.runtime, "deviceSynchronize"),
            (cupy.cuda.runtime, "streamSynchronize"),
        ):
            try:
                stack.enter_context(patch.object(holder, way, noticed(way)))
            except (AttributeError, TypeError):
                continue  # a class of the extension cannot be patched
        step()
    assert not seen


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "leaky_relu", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_kernel_gives_what_the_composition_gives(cupy, name, dtype):
    values = np.array([-1e4, -20.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 20.0, 1e4], dtype=dtype)
    there = to_numpy(getattr(xg, name)(xg.asarray(values)))
    with xg.use_backend("numpy"):
        here = to_numpy(getattr(xg, name)(xg.asarray(values)))
    assert there.dtype == here.dtype
    np.testing.assert_allclose(there, here, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


def test_repeated_indices_accumulate(cupy):
    x = xg.asarray(np.zeros(4), requires_grad=True)
    xg.sum(x[xg.asarray(np.array([1, 1, 3]))]).backward()
    assert to_numpy(x.grad).tolist() == [0.0, 2.0, 0.0, 1.0]


def test_an_array_made_on_one_stream_is_used_on_another(cupy):
    a, b = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Stream(non_blocking=True)
    with a:
        x = xg.asarray(cupy.ones((1000, 1000)), requires_grad=True)
        y = x @ x
        done = a.record()
    with b:
        b.wait_event(done)
        xg.sum(y).backward()
    b.synchronize()
    np.testing.assert_array_equal(to_numpy(x.grad), 2000.0)


def test_a_device_that_is_not_there_is_an_error(cupy):
    there = cupy.cuda.runtime.getDeviceCount()
    with pytest.raises(BackendError, match=f"no device '{there}'"):
        load("cupy", there)


def test_auto_takes_the_device(cupy, capsys):
    assert load("auto").name == "cupy"
    assert "took cupy" in capsys.readouterr().err
