"""xgrad with the whole step under xg.compile. Compiling is not timed. Data are NumPy arrays, which each call passes in anew, and
results are read as NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import xgrad as xg
from bench.peers.chain import chain
from bench.peers.xgrad import _network, _parameters
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression
from xgrad import nn, optim


def w1(engine: str, p: Chain) -> Case:
    values: list[Array] = []

    @_compiled(engine)
    def step(x: Any, a: Any, b: Any, c: Any, d: Any, seed: Any) -> Any:
        y, pull = xg.vjp(lambda y: chain(xg, y, a, b, c, d, p.cycles), x)
        return y, pull(seed)[0]

    def run() -> object:
        values[:] = [y.data for y in step(p.x, p.a, p.b, p.c, p.d, p.seed)]
        return values

    return Case(run, lambda: values)


def w2(engine: str, p: Regression) -> Case:
    model = _network(p.weights, p.biases, nn.Sigmoid if p.activation == "sigmoid" else nn.ReLU)
    return _training(engine, model, optim.SGD(model.parameters(), lr=p.lr), nn.functional.mse_loss, p.x, p.y)


def w3(engine: str, p: Classification) -> Case:
    model = _network(p.weights, p.biases, nn.ReLU)
    optimizer = optim.SGD(model.parameters(), lr=p.lr, momentum=p.momentum)
    return _training(engine, model, optimizer, nn.functional.cross_entropy, p.x, p.labels)


def _training(engine: str, model: nn.Sequential, optimizer: Any, loss_of: Any, x: Array, y: Array) -> Case:
    @_compiled(engine)
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return Case(lambda: step(x, y).numpy(), lambda: _parameters(model))


def w4(engine: str, p: Elementwise) -> Case:
    values: list[Array] = []
    step = _compiled(engine)(xg.value_and_grad(lambda x: xg.sum(nn.functional.sigmoid(p.a * x + p.b) * xg.tanh(x))))

    def run() -> object:
        loss, gradient = step(p.x)
        values[:] = [gradient.data]
        return loss.numpy()

    return Case(run, lambda: values)


def w5(engine: str, p: Deep) -> Case:
    values: list[Array] = []
    weights = list(p.weights)

    def loss_of(weights: Any, x: Any) -> Any:
        h = x
        for w in weights:
            h = nn.functional.relu(h @ w)
        return xg.sum(h)

    step = _compiled(engine)(xg.value_and_grad(loss_of))

    def run() -> object:
        loss, gradients = step(weights, p.x)
        values[:] = [g.data for g in gradients]
        return loss.numpy()

    return Case(run, lambda: values)


def _compiled(engine: str) -> Callable[[Callable[..., Any]], Any]:
    return lambda f: xg.compile(f, engine=engine)


def of(engine: str) -> SimpleNamespace:
    """The workloads on one engine."""
    return SimpleNamespace(
        **{f.__name__: (lambda p, f=f: f(engine, p)) for f in (w1, w2, w3, w4, w5)}  # type: ignore[misc]
    )
