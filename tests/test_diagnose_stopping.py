"""`watch(..., stop=True)`: a run ends before a value that is not finite reaches the weights."""

from __future__ import annotations

from typing import Any

import pytest

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose import StopTraining, watch
from xgrad.diagnose.finite import all_finite, sum_is_finite

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
F32 = xg.float32


def network(norm: bool = False) -> nn.Sequential:
    rng = xg.random.Generator(0)
    middle = [nn.BatchNorm1d(8, dtype=F32)] if norm else []
    return nn.Sequential(nn.Linear(1, 8, dtype=F32, rng=rng), *middle, nn.Tanh(), nn.Linear(8, 1, dtype=F32, rng=rng))


def state(model: nn.Module, optimizer: Any) -> Any:
    """Weights, buffers and moments as plain values."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        return value.numpy().tolist() if isinstance(value, xg.Tensor) else value

    return plain(model.state_dict()), plain(optimizer.state_dict())


OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("at", [0, 17])
def test_gradients_that_are_not_finite_are_not_used(name: str, at: int) -> None:
    model = network(norm=True)
    optimizer = OPTIMIZERS[name](model.parameters())
    x, loss_function = xg.linspace(-1, 1, 16, dtype=F32)[:, None], nn.MSELoss()
    w = watch(model, optimizer, loss=loss_function, stop=True)
    before = [state(model, optimizer)]

    def train() -> None:
        for step in range(30):
            optimizer.zero_grad()
            loss = loss_function(model(x if step != at else x * xg.inf), x)
            loss.backward()
            optimizer.step()
            w.step(loss)
            before.append(state(model, optimizer))

    with pytest.raises(StopTraining) as caught:
        train()
    assert state(model, optimizer) == before[-1]
    assert caught.value.step == w.run.updates == at
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(
        f"step {at}: the gradient of 0.weight, 0.bias, 1.weight, 1.bias, 3.weight and 1 more is not"
    )
    assert lines[1].startswith("  ERROR NONFINITE")
    assert "NONFINITE" in {finding.rule for finding in caught.value.report.findings}
    w.close()
    optimizer.zero_grad()
    loss_function(model(x), x).backward()
    optimizer.step()  # the run may go on from there
    assert all_finite(model.parameters())


def overshoot(model: nn.Module, optimizer: Any) -> None:
    """Finite weights, gradients and a learning rate that make an infinite update."""
    optimizer.param_groups[0]["lr"] = 3e38
    for p in model.parameters():
        p.data = xg.full(p.shape, -3e38, dtype=p.dtype).data
        p.grad = xg.full(p.shape, 10.0, dtype=p.dtype)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_that_leaves_the_finite_numbers_is_undone(name: str) -> None:
    model = network()
    optimizer = OPTIMIZERS[name](model.parameters())
    x, loss_function = xg.linspace(-1, 1, 16, dtype=F32)[:, None], nn.MSELoss()
    w = watch(model, optimizer, loss=loss_function, x=x, y=x, stop=True)
    before = []

    def train() -> None:
        for step in range(20):
            optimizer.zero_grad()
            loss = loss_function(model(x), x)
            loss.backward()
            if step == 12:
                overshoot(model, optimizer)
                before.append(state(model, optimizer))
            optimizer.step()
            w.step(loss)

    with pytest.raises(StopTraining, match=rf"the update of {name} makes .* leave the finite numbers") as caught:
        train()
    assert state(model, optimizer) == before[0]
    assert caught.value.step == 12
    assert "NONFINITE" in {finding.rule for finding in caught.value.report.findings}
    w.close()


def test_the_first_update_leaves_no_moments() -> None:
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=3e38)
    w = watch(model, optimizer, stop=True)
    overshoot(model, optimizer)
    with pytest.raises(StopTraining):
        optimizer.step()
    w.close()
    assert optimizer.state == {}


def test_a_step_with_a_closure() -> None:
    model = network()
    optimizer = optim.LBFGS(model.parameters(), lr=0.5, max_iter=3)
    x = xg.linspace(-1, 1, 16, dtype=F32)[:, None]
    w = watch(model, optimizer, stop=True)
    factor = 1.0

    def closure() -> Any:
        optimizer.zero_grad()
        loss = factor * xg.mean(xg.square(model(x) - x))
        loss.backward()
        return loss

    for _ in range(3):
        w.step(optimizer.step(closure))
    before, factor = state(model, optimizer)[0], xg.inf
    with pytest.raises(StopTraining):
        optimizer.step(closure)
    w.close()
    assert state(model, optimizer)[0] == before


def test_the_gradient_of_a_part_that_is_not_trained_stops_nothing() -> None:
    model = network()
    optimizer = optim.SGD(model[0].parameters(), lr=0.1)
    w = watch(model, optimizer, stop=True)
    for p in model.parameters():
        p.grad = xg.ones_like(p)
    model[2].weight.grad = xg.full((1, 8), xg.inf, dtype=F32)  # type: ignore[union-attr]
    optimizer.step()
    w.close()


def test_without_it_nothing_is_stopped() -> None:
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer)
    xg.mean(model(xg.full((2, 1), xg.inf))).backward()
    optimizer.step()
    w.close()
    assert not all_finite(model.parameters())


def test_stopping_changes_no_number() -> None:
    values = []
    for stop in (False, True):
        model = network(norm=True)
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        x = xg.linspace(-1, 1, 16, dtype=F32)[:, None]
        w = watch(model, optimizer, stop=stop)
        for _ in range(15):
            optimizer.zero_grad()
            loss = xg.mean(xg.square(model(x) - x))
            loss.backward()
            optimizer.step()
            w.step(loss)
        w.close()
        values.append(state(model, optimizer))
    assert values[0] == values[1]


def test_a_sum_that_overflows_is_looked_at_again() -> None:
    large = xg.full((4,), 3e38, dtype=xg.float32)
    assert not sum_is_finite([large])
    assert all_finite([large])
    assert sum_is_finite([])
    assert sum_is_finite([xg.ones((2,)), xg.asarray([1, 2])])
    assert not sum_is_finite([xg.ones((2,)), xg.asarray([xg.nan])])
