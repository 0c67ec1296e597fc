"""Several devices of a library that runs everything on the current device: each operation runs where its arrays are.

array-api-strict's two devices stand for two GPUs. Here a device can be current, as it is with CUDA, and an array that is made
while it is not is an error: what CuPy would do is run the operation on the wrong device, with a warning.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.training import LOSSES, OPTIMIZERS, PAIRS, batch, network
from xgrad import backends
from xgrad.backends import registry
from xgrad.backends.guarded import NO_GUARD, Guarded
from xgrad.engine.arguments import MixedBackendsError

_here = threading.local()


def current() -> str:
    return str(getattr(_here, "device", "device1"))


class Guard:
    """A device, current while the block runs; in each thread by itself, as CUDA has it."""

    def __init__(self, device: str) -> None:
        self.device = device

    def __enter__(self) -> None:
        _here.stack = [*getattr(_here, "stack", []), current()]
        _here.device = self.device

    def __exit__(self, *error: Any) -> None:
        *_here.stack, _here.device = _here.stack


@pytest.fixture
def two(monkeypatch) -> Iterator[list[Any]]:
    """Two backends of array-api-strict, guarded as CuPy's are where there are several devices."""
    array_api_strict = pytest.importorskip("array_api_strict")
    strict = backends.backend_class("strict")
    pair = []
    for name in ("device1", "device2"):
        device = array_api_strict.Device(name)
        backend = strict("strict", device)
        backend.guard = Guard(name)
        backend.xp = Guarded(backend.xp, backend.guard)

        def use(name: str = name) -> None:
            _here.device = name

        monkeypatch.setattr(backend, "make_current", use)
        monkeypatch.setitem(registry._loaded, ("strict", str(device)), backend)
        pair.append(backend)
    with checked(array_api_strict):
        yield pair
    _here.device = "device1"


def checked(array_api_strict: Any) -> Any:
    """An array may be made on the current device only."""
    array_type = type(array_api_strict.empty(0))
    make_it = array_type._new

    def new(x: Any, /, device: Any) -> Any:
        if device is not None and str(device._device) != "CPU_DEVICE":
            assert str(device._device) == current(), f"on {device._device} while {current()} is the current device"
        return make_it(x, device=device)

    return patch.object(array_type, "_new", staticmethod(new))


def tensor(backend: Any, values: Any, **options: Any) -> xg.Tensor:
    with backend.guard:
        return make(backend.view, values, **options)


def test_the_check_finds_an_operation_on_the_wrong_device(two):
    x = tensor(two[1], [1.0, 2.0])
    with pytest.raises(AssertionError, match="while device1 is the current"):
        x.data * x.data


def training(loss: Callable[..., Any], name: str, backend: Any) -> list[Any]:
    """Three steps of a network on a device, while the current one is the other."""
    xg.random.seed(0)
    with xg.use_backend(backend):
        model = network()
        optimizer = getattr(xg.optim, name)(model.parameters(), **OPTIMIZERS[name])
        with backend.guard:
            b = batch()
    for _ in range(3):
        optimizer.zero_grad()
        loss(model(b.x), b).backward()
        xg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return [to_numpy(p) for p in model.parameters()]


@pytest.mark.parametrize(("loss", "name"), PAIRS)
def test_training_on_a_device_that_is_not_current(two, loss, name):
    assert current() == "device1"
    there, here = (training(LOSSES[loss], name, backend) for backend in reversed(two))
    assert current() == "device1"
    for a, b in zip(there, here, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_every_kind_of_cross_entropy(two):
    x = tensor(two[1], np.linspace(-1, 1, 12).reshape(4, 3), requires_grad=True)
    labels = tensor(two[1], np.asarray([0, 2, 1, -100]))
    weight = tensor(two[1], [1.0, 2.0, 0.5])
    F = xg.nn.functional
    for loss in (
        F.cross_entropy(x, labels),
        F.cross_entropy(x, labels, weight=weight),
        F.cross_entropy(x, labels, label_smoothing=0.1),
        F.nll_loss(F.log_softmax(x, dim=1), labels, weight=weight),
    ):
        loss.backward()
    assert current() == "device1"


def test_indices_are_checked_where_they_are(two, monkeypatch):
    monkeypatch.setattr(type(two[1]), "checks_indices", False)
    x, i = tensor(two[1], [1.0, 2.0]), tensor(two[1], np.asarray([0, 1, 1]))
    with xg.debug():
        assert to_numpy(xg.take(x, i)).tolist() == [1.0, 2.0, 2.0]
        with pytest.raises(IndexError):
            xg.take(x, tensor(two[1], np.asarray([2])))


def test_operations_and_transforms_on_a_device_that_is_not_current(two):
    x = tensor(two[1], [0.5, 1.0, 1.5], requires_grad=True)

    def f(x: Any) -> Any:
        y = xg.sin(x) * x + 2.0 * x[0] - xg.exp(-x) ** 2
        return xg.sum(xg.where(y > 0, y, y * y))

    f(x).backward()
    f(x).backward()
    results: list[Any] = [xg.grad(f)(x), xg.hessian(f)(x), xg.hvp(f, (x,), (x,))[0], xg.jvp(f, (x,), (x,))[1], x.grad]
    for result in results:
        assert result.backend is two[1]
    xg.check_grads(f, x)
    assert current() == "device1"


def test_a_gradient_goes_back_over_both_devices(two):
    a = tensor(two[0], [1.0, 2.0], requires_grad=True)
    b = tensor(two[1], [3.0, 4.0], requires_grad=True)
    there = xg.exp(a * 0.5).to_device("device2") * b
    total = xg.sum(there * there) + xg.sum(xg.sin(b))
    back = total.to_device("device1") * xg.sum(a)
    back.backward()
    assert current() == "device1"
    for leaf in (a, b):
        assert leaf.grad is not None
        assert leaf.grad.backend is leaf.backend
    with xg.use_backend("numpy"):
        p, q = xg.asarray([1.0, 2.0], requires_grad=True), xg.asarray([3.0, 4.0], requires_grad=True)
        ((xg.sum((xg.exp(p * 0.5) * q) ** 2) + xg.sum(xg.sin(q))) * xg.sum(p)).backward()
    np.testing.assert_allclose(to_numpy(a.grad), to_numpy(p.grad), rtol=1e-14)
    np.testing.assert_allclose(to_numpy(b.grad), to_numpy(q.grad), rtol=1e-14)


def test_in_another_thread(two):
    """A new thread starts with the first device, whatever is current in the one that made it."""
    x = tensor(two[1], [1.0, 2.0], requires_grad=True)
    caught: list[BaseException] = []

    def run() -> None:
        try:
            xg.sum(x * x).backward()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not caught
    assert to_numpy(x.grad).tolist() == [2.0, 4.0]


def test_two_devices_in_one_operation_are_an_error(two):
    a, b = (tensor(backend, [1.0]) for backend in two)
    with pytest.raises(MixedBackendsError, match=r"strict, device1.*strict, device2"):
        a + b
    with pytest.raises(MixedBackendsError):
        xg.where(a > 0, a, b)


def test_one_device_has_nothing_to_guard(backend):
    if backend.name == "cupy":
        pytest.skip("it depends on how many there are")
    assert backend.guard is NO_GUARD
    with backend.guard:
        pass


def test_a_guarded_namespace_is_the_namespace():
    entered = []

    class Noticed:
        def __enter__(self) -> None:
            entered.append(1)

        def __exit__(self, *error: Any) -> None:
            entered.append(-1)

    xp = Guarded(np, Noticed())  # type: ignore[arg-type]
    assert xp.sum(np.ones(3)) == 3.0
    assert xp.linalg.norm(np.ones(4)) == 2.0
    assert xp.float32 is np.float32
    assert xp.pi == np.pi
    assert xp.sum.__name__ == "sum"
    assert entered == [1, -1] * 2
