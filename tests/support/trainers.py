"""A small problem for the trainer: data, a network with its optimizer, and the loop that a user would write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad import nn, optim

Optimizer = Callable[[Any], optim.Optimizer]


def data(rows: int = 22) -> tuple[Any, Any]:
    """Inputs of shape (rows, 3) and targets of shape (rows, 1)."""
    x = xg.random.Generator(1).normal((rows, 3))
    return x, xg.sum(x, axis=1, keepdims=True) + 1.0


def network(*, noisy: bool = False) -> nn.Sequential:
    """A network, the same in each call; with batch normalization and dropout if it is `noisy`."""
    rng = xg.random.Generator(0)
    between = [nn.BatchNorm1d(4), nn.Dropout(0.2, rng=xg.random.Generator(2))] if noisy else []
    return nn.Sequential(nn.Linear(3, 4, rng=rng), *between, nn.Tanh(), nn.Linear(4, 1, rng=rng))


def adam(parameters: Any) -> optim.Optimizer:
    return optim.Adam(parameters, lr=0.01)


def sgd(parameters: Any) -> optim.Optimizer:
    return optim.SGD(parameters, lr=0.1)


def trainer(model: Any = None, make: Optimizer = adam, loss: Any = None, **options: Any) -> xg.Trainer:
    """A trainer without output and diagnosis, whose data comes in the order of `loader`."""
    model = network() if model is None else model
    quiet = {"progress": False, "diagnose": False, "generator": xg.random.Generator(3)}
    return xg.Trainer(model, loss or nn.MSELoss(), make(model.parameters()), **{**quiet, **options})


def loader(x: Any, y: Any, size: int = 8) -> Any:
    """The batches that a trainer of `trainer` makes of arrays."""
    return xg.data.DataLoader(
        xg.data.TensorDataset(x, y), batch_size=size, shuffle=True, generator=xg.random.Generator(3)
    )


def by_hand(model: Any, epochs: int, make: Optimizer = adam, clip: float | None = None) -> list[float]:
    """Train a network with the plain loop. Returns the mean loss of each epoch."""
    x, y = data()
    optimizer, loss_function, batches = make(model.parameters()), nn.MSELoss(), loader(x, y)
    means = []
    for _ in range(epochs):
        total = 0.0
        for xs, ys in batches:
            optimizer.zero_grad()
            loss = loss_function(model(xs), ys)
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            total += loss.item() * xs.shape[0]
        means.append(total / x.shape[0])
    return means


def numbers(model: Any) -> list[Any]:
    """The parameters and buffers as nested lists, to compare bit for bit."""
    return [t.detach().numpy().tolist() for t in (*model.parameters(), *model.buffers())]
