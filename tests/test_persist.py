"""persist: what is lazy is computed, all at once, where it is; what is not stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.helpers import make, to_numpy
from xgrad import nn, optim


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


def test_lazy_arrays_are_computed_together_once():
    da = pytest.importorskip("dask.array")
    made = []

    def make_block(block_info: Any = None) -> Any:
        made.append(1)
        return np.ones((2, 3))

    with xg.use_backend("dask"):
        x = xg.asarray(da.map_blocks(make_block, chunks=((2, 2), (3,)), dtype=np.float64, meta=np.empty((0, 0))))
        model, optimizer = model_and_optimizer()
        loss = step(model, optimizer, x)
        made.clear()
        xg.persist(loss, model, optimizer)
        assert len(made) == 2  # each of two chunks once, for the loss and all gradients
        for array in (loss.data, *held(model, optimizer)):
            assert len(array.dask) == array.npartitions
        made.clear()
        loss.item()
        assert not made


def test_the_graph_of_a_training_does_not_grow():
    pytest.importorskip("dask.array")

    def tasks(steps: int, *, persisting: bool) -> int:
        x = xg.ones((2, 3))
        model, optimizer = model_and_optimizer()
        for _ in range(steps):
            loss = step(model, optimizer, x)
            if persisting:
                xg.persist(model, optimizer)
        return len(loss.data.dask)

    with xg.use_backend("dask"):
        assert tasks(2, persisting=True) == tasks(4, persisting=True)
        assert tasks(4, persisting=False) > 1.5 * tasks(2, persisting=False)
