"""persist: lazy arrays are computed together and in place; other arrays are unchanged."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from xgrad import nn, optim
from xgrad.backends import growth
from xgrad.engine import deferred


def model_and_optimizer() -> tuple[Any, Any]:
    model = nn.Sequential(nn.Linear(3, 4, rng=xg.random.Generator(0)), nn.Tanh(), nn.Linear(4, 1))
    model.register_buffer("scale", xg.asarray([2.0]) * 2.0)
    return model, optim.Adam(model.parameters(), lr=0.1)


def step(model: Any, optimizer: Any, x: Any) -> Any:
    optimizer.zero_grad()
    loss = xg.mean(model(x) ** 2)
    loss.backward()
    optimizer.step()
    return loss


def held(model: Any, optimizer: Any) -> list[Any]:
    parameters = list(model.parameters())
    states = [value for p in parameters for value in optimizer.state[p].values() if p.backend.owns(value)]
    return [*(p.data for p in parameters), *(p.grad.data for p in parameters), model.scale.data, *states]


def test_numbers_gradients_and_what_comes_after_are_the_same(backend, xp):
    x = make(xp, np.arange(6.0).reshape(2, 3), "float32")
    (model, optimizer), (other, its_optimizer) = model_and_optimizer(), model_and_optimizer()
    other.load_state_dict(model.state_dict())
    for _ in range(3):
        loss = step(model, optimizer, x)
        xg.persist(model, optimizer, {"loss": [loss]})
        same = step(other, its_optimizer, x)
        np.testing.assert_array_equal(to_numpy(loss), to_numpy(same))
    for a, b in zip(held(model, optimizer), held(other, its_optimizer), strict=True):
        np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))


def test_an_eager_backend_keeps_its_arrays():
    model, optimizer = model_and_optimizer()
    step(model, optimizer, xg.ones((2, 3)))
    before = held(model, optimizer)
    xg.persist(model, optimizer)
    assert all(a is b for a, b in zip(before, held(model, optimizer), strict=True))


def test_it_is_not_a_new_value():
    """A graph that goes through the weights is still right, so a checkpoint runs them again."""
    w = xg.asarray([2.0], requires_grad=True)
    y = xg.checkpoint(lambda x: x * w)(xg.asarray([3.0]))
    xg.persist(w)
    y.backward()
    assert w.grad is not None
    assert w.grad.numpy().tolist() == [3.0]


@pytest.mark.parametrize("wrong", [1.0, "w", [np.ones(2)]])
def test_what_holds_no_tensors_is_refused(wrong):
    with pytest.raises(TypeError, match="persist: expected tensors, modules, optimizers"):
        xg.persist(xg.asarray(1.0), wrong)


# --- what is put off: dask ---


@pytest.fixture
def counted_samples() -> Iterator[tuple[Any, list[int]]]:
    """Samples in two chunks, and a list that gets an entry whenever one of them is made."""
    da = pytest.importorskip("dask.array")
    made: list[int] = []

    def make_block(block_info: Any = None) -> Any:
        made.append(1)
        return np.ones((2, 3))

    with xg.use_backend("dask"):
        x = xg.asarray(da.map_blocks(make_block, chunks=((2, 2), (3,)), dtype=np.float64, meta=np.empty((0, 0))))
        made.clear()
        yield x, made


def is_computed(array: Any) -> bool:
    return bool(len(array.dask) == array.npartitions)


def test_lazy_arrays_are_computed_together_once(counted_samples):
    x, made = counted_samples
    model, _ = model_and_optimizer()
    output = model(x)
    loss = xg.mean(output**2)
    loss.backward()
    xg.persist(loss, model, {"output": output})
    assert len(made) == 2  # each of two chunks once, for the loss and all gradients
    arrays = [loss.data, output.data, model.scale.data, *(p.grad.data for p in model.parameters())]
    assert all(map(is_computed, arrays))
    made.clear()
    loss.item()
    assert not made


def test_a_step_computes_parameters_state_gradients_and_the_loss(counted_samples):
    x, made = counted_samples
    model, optimizer = model_and_optimizer()
    xg.persist(model)
    for _ in range(3):
        made.clear()
        loss = step(model, optimizer, x)
        assert len(made) == 2
        assert all(map(is_computed, (loss.data, *held(model, optimizer))))
        loss.item()
        assert len(made) == 2


def test_a_step_computes_all_losses_that_led_to_it_and_no_other(counted_samples):
    x, made = counted_samples
    model, optimizer = model_and_optimizer()
    other, _ = model_and_optimizer()
    several = [xg.mean(model(x) ** 2) * scale for scale in (1.0, 2.0)]
    for loss in several:
        loss.backward()
    vector = model(x)
    vector.backward(xg.ones_like(vector))  # no loss: it may be as large as the samples
    unrelated = xg.mean(other(x))
    unrelated.backward()
    optimizer.step()
    assert len(made) == 2
    assert all(is_computed(loss.data) for loss in several)
    assert not is_computed(vector.data)
    assert not is_computed(unrelated.data)


def test_two_optimizers_on_one_loss_compute_its_walk_back_once(counted_samples):
    x, made = counted_samples
    model, _ = model_and_optimizer()
    first, *others = model.parameters()
    optimizers = optim.SGD([first], lr=0.1), optim.SGD(others, lr=0.1)
    for expected in (4, 2):  # the first time, the first optimizer has not heard of the other
        made.clear()
        for p in (first, *others):
            p.grad = None
        loss = xg.mean(model(x) ** 2)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        assert len(made) == expected


def test_a_closure_and_its_loss_are_computed_with_the_step(counted_samples):
    x, made = counted_samples
    model, optimizer = model_and_optimizer()

    def closure() -> Any:
        optimizer.zero_grad()
        loss = xg.mean(model(x) ** 2)
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    loss.item()
    assert len(made) == 2


def test_losses_are_not_held(counted_samples):
    x, _ = counted_samples
    model, _ = model_and_optimizer()
    before = len(deferred._pending)
    gc.disable()
    try:
        for _ in range(3):
            loss = xg.mean(model(x) ** 2)
            loss.backward()
        assert len(deferred._pending) == before + 1
        del loss
        assert len(deferred._pending) == before
    finally:
        gc.enable()


@pytest.mark.parametrize("steps_before", [0, 1])
@pytest.mark.parametrize("give_up", [False, True])
def test_a_step_that_cannot_be_computed_has_not_happened(steps_before, give_up):
    """Called again it is one step; given up, the next is as if there had been none."""
    da = pytest.importorskip("dask.array")
    fails: list[int] = []

    def block(values: Any) -> Any:
        if fails:
            raise OverflowError("in a task")
        return values

    ends, start = [], model_and_optimizer()[0].state_dict()
    for disturbed in (False, True):
        with xg.use_backend("dask"):
            x = xg.asarray(da.ones((4, 3), chunks=(2, 3)).map_blocks(block, dtype=float, meta=np.empty((0, 0))))
            model, optimizer = model_and_optimizer()
            model.load_state_dict(start)
            for _ in range(steps_before):
                step(model, optimizer, x)
            losses = []
            if disturbed:
                before = [to_numpy(p) for p in model.parameters()]
                optimizer.zero_grad()
                loss = xg.mean(model(x) ** 2)
                losses.append(loss)
                loss.backward()
                fails.append(1)
                for _ in range(2):
                    with pytest.raises(OverflowError, match="in a task"):
                        optimizer.step()
                    for p, want in zip(model.parameters(), before, strict=True):
                        np.testing.assert_array_equal(to_numpy(p), want)
                    assert [state["step"] for state in optimizer.state.values()] == [1] * (4 * steps_before)
                fails.clear()
                if not give_up:
                    optimizer.step()
            if give_up or not disturbed:
                step(model, optimizer, x)
            ends.append([to_numpy(p) for p in model.parameters()])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)


# --- a graph that grows ---


def warnings_of(loop: Callable[[], None]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        loop()
    return found


def grows_without_optimizer(steps: int = 14, *, cured: bool = False) -> None:
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    for _ in range(steps):
        w.grad = None
        xg.sum(w * w).backward()
        assert w.grad is not None
        w.data = w.data - 0.1 * w.grad.data
        if cured:
            xg.persist(w)


def running_mean(steps: int = 14, *, cured: bool = False) -> None:
    model, optimizer = model_and_optimizer()
    total: Any = xg.asarray(0.0)
    for _ in range(steps):
        total = total + step(model, optimizer, xg.ones((2, 3))).detach()
        total.item()
        if cured:
            xg.persist(total)


def buffer(steps: int = 14, *, cured: bool = False) -> None:
    model, _ = model_and_optimizer()
    for _ in range(steps):
        model.scale = model.scale * 0.9
        model.scale.numpy()
        if cured:
            xg.persist(model)


@pytest.mark.parametrize("loop", [grows_without_optimizer, running_mean, buffer])
def test_a_graph_that_grows_is_warned_of_once(loop, monkeypatch):
    pytest.importorskip("dask.array")
    monkeypatch.setattr(growth, "_seen", {})
    monkeypatch.setattr(growth, "_warned", set())
    with xg.use_backend("dask"):
        assert not warnings_of(partial(loop, cured=True))
        (found,) = warnings_of(loop)
        assert not warnings_of(loop)
    code = loop.__code__
    lines = range(code.co_firstlineno, max(line for *_, line in code.co_lines() if line) + 1)
    assert found.filename == __file__
    assert found.lineno in lines
    assert f"line {found.lineno}: the graph that is computed here grows in each pass" in str(found.message)
    assert "xgrad.persist(...)" in str(found.message)


def test_what_does_not_hold_what_was_before_does_not_grow(monkeypatch):
    """Larger and larger graphs at one line of a helper, of things apart."""
    pytest.importorskip("dask.array")
    monkeypatch.setattr(growth, "_seen", {})
    with xg.use_backend("dask"):
        x = xg.ones(3) + 1.0

        def loop() -> None:
            for n in range(1, 15):
                y = x * float(n)
                for _ in range(4 * n):
                    y = y + float(n)
                y.numpy()

        assert not warnings_of(loop)


def test_the_graph_of_a_training_does_not_grow():
    pytest.importorskip("dask.array")

    def layers(steps: int) -> int:
        x = xg.ones((2, 3))
        model, optimizer = model_and_optimizer()
        for _ in range(steps):
            optimizer.zero_grad()
            loss = xg.mean(model(x) ** 2)
            loss.backward()
            size = len(model[0].weight.grad.data.dask.layers)
            optimizer.step()
        return size

    with xg.use_backend("dask"):
        assert layers(2) == layers(4)


def test_detect_anomaly_looks_at_each_result_without_a_warning(monkeypatch):
    """A sum that one gradient makes in a loop grows, and only detect_anomaly computes it at each step."""
    pytest.importorskip("dask.array")
    monkeypatch.setattr(growth, "_seen", {})

    def f(x: Any) -> Any:
        y = x
        for _ in range(30):
            y = y + xg.sin(x)
        return xg.sum(y)

    with xg.use_backend("dask"), xg.detect_anomaly():
        assert not warnings_of(lambda: xg.grad(f)(xg.ones(3)))
