"""Autocast and GradScaler together with xg.compile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, dtype_name, to_numpy
from xgrad import nn
from xgrad.amp import GradScaler, autocast
from xgrad.compile import CompileError

SINGLE = "float32"
RNG = np.random.default_rng(0)


@pytest.fixture
def x(backend):
    if not backend.has_dtype("float16"):
        pytest.skip(f"{backend.name} has no float16")
    return xg.asarray(RNG.normal(size=(4, 3)).astype(np.float32))


def network() -> Any:
    rng = xg.random.Generator(0)
    return nn.Sequential(
        nn.Linear(3, 5, dtype=SINGLE, rng=rng),
        nn.Tanh(),
        nn.LayerNorm(5, dtype=SINGLE),
        nn.Linear(5, 1, dtype=SINGLE, rng=rng),
    )


def test_autocast_outside_of_a_call_is_part_of_its_signature(x):
    product = xg.compile(lambda x: x @ x.T)
    assert dtype_name(product(x).dtype) == SINGLE
    for _ in range(2):
        with autocast():
            assert dtype_name(product(x).dtype) == "float16"
    assert dtype_name(product(x).dtype) == SINGLE
    with autocast(), autocast(enabled=False):
        assert dtype_name(product(x).dtype) == SINGLE
    assert len(product.programs) == 2
    assert "autocast is float16, and was None" in product.explain()


def test_autocast_inside_of_a_compiled_function(x):
    @xg.compile
    def product(x: Any) -> Any:
        with autocast():
            return x @ x.T

    def eager(x: Any) -> Any:
        with autocast():
            return x @ x.T

    for _ in range(2):
        found = product(x)
        assert dtype_name(found.dtype) == "float16"
        assert_close(to_numpy(found.astype(SINGLE)), to_numpy(eager(x).astype(SINGLE)), 1e-3)
    assert len(product.programs) == 1


def test_gradients_of_a_compiled_function(x):
    w = xg.asarray(RNG.normal(size=(3, 2)).astype(np.float32))

    def loss(w: Any) -> Any:
        with autocast():
            return xg.sum((x @ w) ** 2)

    found, want = xg.grad(xg.compile(loss))(w), xg.grad(loss)(w)
    assert dtype_name(found.dtype) == SINGLE
    assert_close(to_numpy(found), to_numpy(want), 2e-3)


def test_a_compiled_loss_with_a_scaler_trains_as_the_eager_one(x):
    y = xg.sum(x, axis=1, keepdims=True)
    history = []
    for compiled in (False, True):
        model = network()
        optimizer = xg.optim.Adam(model.parameters(), lr=0.01)
        scaler = GradScaler(init_scale=2.0**18, growth_interval=4)

        def backward(
            x: Any, y: Any, model: Any = model, optimizer: Any = optimizer, scaler: GradScaler = scaler
        ) -> Any:
            optimizer.zero_grad()
            with autocast():
                loss = nn.functional.mse_loss(model(x), y)
            scaler.scale(loss).backward()
            return loss

        run: Any = xg.compile(backward, keep_grads=True) if compiled else backward
        losses, scales = [], []
        with np.errstate(all="ignore"):
            for _ in range(25):
                losses.append(run(x, y).item())
                scaler.step(optimizer)
                scaler.update()
                scales.append(scaler.get_scale())
        history.append((losses, scales))
        if compiled:
            assert len(run.programs) == 1  # the scale is read anew, and makes no new program
    (losses, scales), (compiled_losses, compiled_scales) = history
    assert scales == compiled_scales
    assert len(set(scales)) >= 3
    assert_close(np.array(compiled_losses), np.array(losses), 2e-2)


def test_a_step_inside_of_a_compiled_function_is_an_error_that_says_what_to_do(x):
    model = network()
    optimizer, scaler = xg.optim.SGD(model.parameters(), lr=0.1), GradScaler()

    @xg.compile
    def step(x: Any) -> None:
        scaler.scale(xg.sum(model(x))).backward()
        scaler.step(optimizer)

    before = [to_numpy(p) for p in model.parameters()]
    with pytest.raises(
        CompileError, match=r"GradScaler.step looks at the values of the gradients.*\n?.*keep_grads=True"
    ):
        step(x)
    for p, value in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(to_numpy(p), value)


def test_compile_inside_of_vmap_and_of_a_checkpoint(x):
    product = xg.compile(lambda row: row @ x.T)
    with autocast():
        assert dtype_name(xg.vmap(product)(x).dtype) == "float16"
        leaf = x.detach().requires_grad_()
        y = xg.checkpoint(product)(leaf)
    xg.sum(y).backward()
    assert dtype_name(y.dtype) == "float16"
    assert dtype_name(leaf.grad.dtype) == SINGLE
