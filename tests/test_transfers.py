"""The guard against hidden transfers catches them, and xgrad makes none."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.helpers import make
from tests.transfers import HiddenTransferError, no_transfers


@pytest.fixture
def strict():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict", "device1") as backend:
        yield backend


@pytest.mark.parametrize(
    ("leak", "value"),
    [
        (bool, True),
        (int, 1),
        (float, 1.0),
        (complex, 1.0),
        (operator.index, 1),
        (list, [1.0]),
        (np.asarray, [1.0]),
        (np.from_dlpack, [1.0]),
        (range(3).__getitem__, 1),
    ],
)
def test_the_guard_catches(strict, leak, value):
    x = make(strict.view, value)
    with no_transfers(strict) as transfers, pytest.raises(HiddenTransferError):
        leak(x.data)
    assert transfers.count >= 1  # newer Pythons and NumPys try a second door after the first


@pytest.mark.parametrize("leak", [float, repr, xg.Tensor.item, xg.Tensor.numpy])
def test_the_guard_catches_what_asks_the_backend(strict, leak):
    x = make(strict.view, 1.0)
    with no_transfers(strict) as transfers, pytest.raises(HiddenTransferError):
        leak(x)
    assert transfers.count == 1
    leak(x)


def test_a_test_on_strict_is_guarded(backend, xp):
    if backend.name != "strict":
        pytest.skip("the guard is for strict")
    x = make(xp, 1.0)
    with pytest.raises(HiddenTransferError):
        float(x.data)
    assert float(x) == 1.0


# --- xgrad makes none ---------------------------------------------------------------------------------


LOSSES = {
    "mse_loss": lambda y, x: xg.nn.functional.mse_loss(y, x[:, :2]),
    "huber_loss": lambda y, x: xg.nn.functional.huber_loss(y, x[:, :2]),
    "l1_loss": lambda y, x: xg.nn.functional.l1_loss(y, x[:, :2]),
    "cross_entropy": lambda y, x: xg.nn.functional.cross_entropy(y, xg.asarray([0, 1, 1, 0], dtype=xg.int64)),
    "binary_cross_entropy_with_logits": (
        lambda y, x: xg.nn.functional.binary_cross_entropy_with_logits(y, xg.ones_like(y))
    ),
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "Adagrad": {"weight_decay": 0.01, "lr_decay": 0.1},
    "RMSprop": {"momentum": 0.9, "centered": True, "weight_decay": 0.01},
    "Adam": {"amsgrad": True, "weight_decay": 0.01},
    "AdamW": {"amsgrad": True},
}


def network():
    nn = xg.nn
    layers = nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.LeakyReLU(), nn.Linear(4, 4), nn.ReLU()
    return nn.Sequential(*layers, nn.Linear(4, 2), nn.Sigmoid(), nn.Linear(2, 2), nn.Softplus())


@pytest.mark.parametrize("loss", LOSSES)
def test_forward_and_backward_make_no_transfer(strict, loss):
    model, x = network(), make(strict.view, np.linspace(-1, 1, 12).reshape(4, 3), "float32")
    with no_transfers(strict) as transfers:
        LOSSES[loss](model(x), x).backward()
    assert transfers.count == 0
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_makes_no_transfer(strict, name):
    model, x = network(), make(strict.view, np.linspace(-1, 1, 12).reshape(4, 3), "float32")
    optimizer = getattr(xg.optim, name)(model.parameters(), **OPTIMIZERS[name])
    with no_transfers(strict) as transfers:
        for _ in range(3):
            optimizer.zero_grad()
            LOSSES["mse_loss"](model(x), x).backward()
            xg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    assert transfers.count == 0


def test_every_optimizer_is_among_them():
    assert set(OPTIMIZERS) == set(xg.optim.__all__) - {"Optimizer"}


def test_transforms_make_no_transfer(strict):
    def f(x):
        return xg.sum(xg.sin(x) ** 3)

    x = make(strict.view, [0.5, 1.0, 1.5])
    with no_transfers(strict) as transfers:
        xg.grad(f)(x)
        xg.jvp(f, (x,), (x,))
        xg.hessian(f)(x)
        xg.hvp(f, (x,), (x,))
    assert transfers.count == 0
