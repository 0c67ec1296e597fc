"""The guard against hidden transfers catches them, and xgrad makes none."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import xgrad as xg
from bench.reference import public_names
from tests.support.arrays import make
from tests.support.training import LOSSES, OPTIMIZERS, PAIRS, batch, network, stepper
from tests.support.transfers import HiddenTransferError, no_transfers
from xgrad.backends import BackendError, usable


@pytest.fixture(params=["strict", "dpnp"])
def there(request):
    """A backend whose arrays are not on the host."""
    try:
        usable(request.param)
    except BackendError as error:
        pytest.skip(str(error))
    with xg.use_backend(request.param) as backend:
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
def test_the_guard_catches(there, leak, value):
    if (there.name, leak) == ("dpnp", np.from_dlpack):
        pytest.skip("NumPy refuses memory of SYCL itself")
    x = make(there.view, value)
    with no_transfers(there) as transfers, pytest.raises(HiddenTransferError):
        leak(x.data)
    assert transfers.count >= 1  # newer Pythons and NumPys try a second way after the first


@pytest.mark.parametrize("leak", [float, repr, xg.Tensor.item, xg.Tensor.numpy])
def test_the_guard_catches_what_asks_the_backend(there, leak):
    x = make(there.view, 1.0)
    with no_transfers(there) as transfers, pytest.raises(HiddenTransferError):
        leak(x)
    assert transfers.count == 1
    leak(x)


def test_a_test_on_strict_or_dpnp_is_guarded(backend, xp):
    if backend.name not in ("strict", "dpnp"):
        pytest.skip("the guard is for strict and dpnp")
    x = make(xp, 1.0)
    with pytest.raises(HiddenTransferError):
        float(x.data)
    assert float(x) == 1.0


def test_the_guard_catches_what_comes_to_a_device():
    pytest.importorskip("dpnp")
    with xg.use_backend("dpnp") as backend:
        backend.asarray(np.ones(2))
        with (
            no_transfers(backend) as transfers,
            pytest.raises((HiddenTransferError, ValueError)),
        ):  # dpnp may raise its own
            backend.asarray(np.ones(2))
    assert transfers.count == 1


# --- xgrad makes none ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_forward_and_backward_make_no_transfer(there, loss):
    model, b = network(), batch()
    with no_transfers(there) as transfers:
        LOSSES[loss](model(b.x), b).backward()
    assert transfers.count == 0
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(("loss", "name"), PAIRS)
def test_a_step_makes_no_transfer(there, loss, name):
    step = stepper(loss, name)
    with no_transfers(there) as transfers:
        for _ in range(3):
            step()
    assert transfers.count == 0


def test_every_optimizer_and_loss_is_among_them(there):
    """Every layer runs in tests/test_nn_parity.py, which on array-api-strict runs under the guard."""
    others = {"Optimizer", "LBFGS", "Muon"}  # LBFGS must read some numbers, and Muon takes matrices only
    assert set(OPTIMIZERS) == set(xg.optim.__all__) - others
    assert {name for name in public_names("xgrad.nn.functional") if "loss" in name or "entropy" in name} == {
        name.partition(",")[0] for name in LOSSES
    }


def test_transforms_make_no_transfer(there):
    def f(x):
        return xg.sum(xg.sin(x) ** 3)

    x = make(there.view, [0.5, 1.0, 1.5])
    with no_transfers(there) as transfers:
        xg.grad(f)(x)
        xg.jvp(f, (x,), (x,))
        xg.hessian(f)(x)
        xg.hvp(f, (x,), (x,))
    assert transfers.count == 0
