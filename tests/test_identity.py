"""Operations that pass a gradient on unchanged: retain_grad(), and moving to another device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy

# --- retain_grad ----------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_a_computed_tensor_keeps_its_gradient(xp, late):
    """Also when it is asked for after the tensor was used."""
    x = make(xp, [0.5, 1.0], requires_grad=True)
    y = xp.exp(x)  # its rule needs its own output
    if not late:
        y.retain_grad()
    z = xp.sum(y * y + 3.0 * y) + xp.sum(x)
    if late:
        y.retain_grad()
        y.retain_grad()
    assert not y.is_leaf
    assert y.grad is None
    z.backward(retain_graph=True)
    host = np.exp([0.5, 1.0])
    assert_matches(y.grad, 2 * host + 3, xp=xp)
    assert_matches(x.grad, (2 * host + 3) * host + 1, xp=xp)
    z.backward()
    assert_matches(y.grad, 4 * host + 6, xp=xp)
    with pytest.raises(xg.GraphFreedError):
        z.backward()


@pytest.mark.parametrize("late", [False, True])
def test_a_kept_gradient_can_be_differentiated(xp, late):
    x = make(xp, [0.5, 1.0], requires_grad=True)
    y = xp.exp(x)
    if not late:
        y.retain_grad()
    z = xp.sum(y * y * y)
    if late:
        y.retain_grad()
    z.backward(create_graph=True)
    kept = y.grad
    x.grad = None
    xp.sum(kept).backward()  # 3 y^2
    assert_matches(x.grad, 6 * np.exp([1.0, 2.0]), xp=xp)


def test_retain_grad_of_others(xp):
    x = make(xp, [1.0], requires_grad=True)
    x.retain_grad()
    assert x.is_leaf
    with pytest.raises(RuntimeError, match="retain_grad"):
        x.detach().retain_grad()
    y = xp.exp(x)
    xp.sum(y).backward()
    y.retain_grad()
    with pytest.raises(xg.GraphFreedError):
        xp.sum(y).backward()


def test_a_chain_of_kept_ones(xp):
    x = make(xp, [2.0], requires_grad=True)
    steps = [x]
    for _ in range(5):
        steps.append(-steps[-1] * 2.0)
    for y in steps:
        y.retain_grad()
    xp.sum(steps[-1]).backward()
    assert [to_numpy(y.grad).item() for y in reversed(steps)] == [(-2.0) ** k for k in range(6)]


def test_transforms_go_through_what_is_kept(xp):
    def f(x):
        y = xp.sin(x)
        y.retain_grad()
        z = y * y
        return xp.sum(z)

    x = make(xp, [0.5, 1.0])
    assert_matches(xg.grad(f)(x).detach(), np.sin([1.0, 2.0]), xp=xp)
    t = make(xp, [1.0, -1.0])
    assert_matches(xg.jvp(f, (x,), (t,))[1].detach(), np.sin(1.0) - np.sin(2.0), xp=xp)
    assert_matches(xg.hvp(f, (x,), (t,))[0].detach(), 2 * np.cos([1.0, 2.0]) * [1, -1], xp=xp)


# --- to another device ----------------------------------------------------------------------------


@pytest.fixture
def devices():
    """A backend on two devices, the current one and another."""
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict", "device1") as here:
        yield here, here.on_device("device2")


def test_where_it_is_already(xp, backend):
    x = make(xp, [1.0])
    assert x.to_device(backend.device) is x


def test_the_gradient_comes_back(devices):
    here, there = devices
    x = make(here.view, [1.0, 2.0], requires_grad=True)
    w = make(there.view, [3.0, 4.0], requires_grad=True)
    moved = x.to_device("device2")
    assert moved.device == there.device == there.device_of(moved.data)
    (here.view.sum(x) + there.view.sum(w * moved * moved).to_device(here.device)).backward()
    assert_matches(x.grad, [7.0, 17.0], xp=here.view)
    assert_matches(w.grad, [1.0, 4.0], xp=there.view)
    w.grad = x.grad = None
    there.view.sum(w * x.to_device("device2")).backward()
    assert_matches(x.grad, [3.0, 4.0], xp=here.view)
    assert_matches(w.grad, [1.0, 2.0], xp=there.view)


def test_by_other_ways_there(devices):
    here, there = devices
    for move in (
        lambda x: here.view.asarray(x, device=there.device),
        lambda x: here.view.astype(x, here.view.float64, device=there.device),
    ):
        x = make(here.view, [1.0, 2.0], requires_grad=True)
        there.view.sum(move(x) ** 2).backward()
        assert_matches(x.grad, [2.0, 4.0], xp=here.view)


def test_every_order_and_mode(devices):
    here, there = devices
    xp = here.view

    def f(x):
        y = (x * x).to_device("device2")
        return there.view.sum(there.view.exp(y) * y)

    x = make(xp, [0.3, -0.4])
    xg.check_grads(lambda x: f(x).to_device(here.device), x, order=3)
    assert_matches(xg.grad(f)(x), to_numpy(xg.grad(lambda x: xp.sum(xp.exp(x * x) * x * x))(x)), xp=xp)
    x.requires_grad_()
    f(x).backward(create_graph=True)
    g: Any = x.grad
    x.grad = None
    xp.sum(g * g).backward()
    want = xg.grad(lambda x: xp.sum(xg.grad(f)(x) ** 2))(x.detach())
    assert_matches(x.grad, to_numpy(want), xp=xp)


def test_devices_do_not_mix_by_themselves(devices):
    here, there = devices
    x, y = make(here.view, [1.0]), make(there.view, [1.0])
    with pytest.raises(xg.MixedBackendsError, match=r"device1.*device2"):
        x + y
    with pytest.raises((ValueError, TypeError), match="device2"):
        xg.vjp(lambda x: x * x, x)[1](y)
    leaf = x.requires_grad_()
    with pytest.raises(TypeError, match="device2"):
        leaf.grad = y
    with pytest.raises(TypeError, match="device2"):
        (leaf * leaf).backward(y)
    with xg.no_grad():
        assert not leaf.to_device("device2").requires_grad
