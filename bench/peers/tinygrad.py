"""tinygrad, with the whole step under TinyJit, on its CPU device, which needs clang. Compiling is not timed.

Data are NumPy arrays, which each call passes in anew. The output or the loss is read as a NumPy array, which waits for the whole
step. Gradients are read outside of the measured time, because reading one array takes longer than many a step.
"""
# mypy: disable-error-code="import-not-found,import-untyped,attr-defined", allow-untyped-calls, allow-untyped-decorators

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn.optim import SGD

from bench.peers.chain import chain
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression


def w1(p: Chain) -> Case:
    results: list[Any] = []

    @TinyJit
    def step(x: Any, a: Any, b: Any, c: Any, d: Any, seed: Any) -> Any:
        y = chain(Tensor, x, a, b, c, d, p.cycles)  # a tensor's methods are functions of its class
        return y, y.gradient(x, gradient=seed)[0]

    def run() -> object:
        results[:] = step(*map(Tensor, (p.x, p.a, p.b, p.c, p.d, p.seed)))
        return results[0].numpy()

    return Case(run, lambda: _host(results))


def w2(p: Regression) -> Case:
    params = _tensors(p.weights + p.biases)
    activation = Tensor.sigmoid if p.activation == "sigmoid" else Tensor.relu

    def loss_of(x: Any, y: Any) -> Any:
        return ((_forward(params, x, activation) - y) ** 2).mean()

    return _training(params, loss_of, p.x, p.y, lr=p.lr)


def w3(p: Classification) -> Case:
    params = _tensors(p.weights + p.biases)

    def loss_of(x: Any, labels: Any) -> Any:
        return _forward(params, x, Tensor.relu).cross_entropy(labels)

    return _training(params, loss_of, p.x, p.labels, lr=p.lr, momentum=p.momentum)


def _training(params: list[Any], loss_of: Callable[[Any, Any], Any], x: Array, y: Array, **options: float) -> Case:
    optimizer = SGD(params, **options)

    @TinyJit
    @Context(TRAINING=1)
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(x, y).backward()
        return loss.realize(*optimizer.schedule_step())

    return Case(lambda: step(Tensor(x), Tensor(y)).numpy(), lambda: _host(params))


def w4(p: Elementwise) -> Case:
    results: list[Any] = []

    @TinyJit
    def step(x: Any) -> Any:
        loss = ((p.a * x + p.b).sigmoid() * x.tanh()).sum()
        return loss, loss.gradient(x)[0]

    def run() -> object:
        loss, *results[:] = step(Tensor(p.x))
        return loss.numpy()

    return Case(run, lambda: _host(results))


def w5(p: Deep) -> Case:
    weights = _tensors(p.weights)
    results: list[Any] = []

    @TinyJit
    def step(x: Any) -> Any:
        h = x
        for w in weights:
            h = (h @ w).relu()
        loss = h.sum()
        return loss, *loss.gradient(*weights)

    def run() -> object:
        loss, *results[:] = step(Tensor(p.x))
        return loss.numpy()

    return Case(run, lambda: _host(results))


def _tensors(arrays: tuple[Array, ...]) -> list[Any]:
    return [Tensor(a).contiguous().realize() for a in arrays]


def _host(tensors: list[Any]) -> list[Array]:
    return [t.numpy() for t in tensors]


def _forward(params: list[Any], x: Any, activation: Any) -> Any:
    depth = len(params) // 2
    for i in range(depth - 1):
        x = activation(x @ params[i] + params[depth + i])
    return x @ params[depth - 1] + params[-1]
