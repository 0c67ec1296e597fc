"""PyTorch with the whole step under torch.compile: forward, backward and the optimizer, as people write them.

The compiler is the default one, inductor, which needs a C++ compiler. Compiling is not timed. Data are NumPy arrays, which each
call passes in anew, and results are read as NumPy arrays. torch_func.py has the same steps as one graph each.
"""
# mypy: disable-error-code="import-not-found,import-untyped", allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from bench.peers.chain import chain
from bench.peers.torch import _grad, _network, _parameters
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression

_tensor = torch.from_numpy  # shares the array's memory


def w1(p: Chain) -> Case:
    values: list[Array] = []

    @compiled
    def step(x: Any, a: Any, b: Any, c: Any, d: Any, seed: Any) -> Any:
        y = chain(torch, x, a, b, c, d, p.cycles)
        y.backward(seed)
        return y

    def run() -> object:
        x = _tensor(p.x).requires_grad_()
        y = step(x, *map(_tensor, (p.a, p.b, p.c, p.d, p.seed)))
        values[:] = y.detach().numpy(), _grad(x)
        return values[0]

    return Case(run, lambda: values)


def w2(p: Regression) -> Case:
    model = _network(p.weights, p.biases, nn.Sigmoid if p.activation == "sigmoid" else nn.ReLU)
    return _training(model, torch.optim.SGD(model.parameters(), lr=p.lr), nn.functional.mse_loss, p.x, p.y)


def w3(p: Classification) -> Case:
    model = _network(p.weights, p.biases, nn.ReLU)
    optimizer = torch.optim.SGD(model.parameters(), lr=p.lr, momentum=p.momentum)
    return _training(model, optimizer, nn.functional.cross_entropy, p.x, p.labels)


def _training(model: nn.Sequential, optimizer: Any, loss_of: Callable[..., Any], x: Array, y: Array) -> Case:
    @compiled
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return Case(lambda: step(_tensor(x), _tensor(y)).detach().numpy(), lambda: _parameters(model))


def w4(p: Elementwise) -> Case:
    values: list[Array] = []

    @compiled
    def step(x: Any) -> Any:
        loss = (torch.sigmoid(p.a * x + p.b) * torch.tanh(x)).sum()
        loss.backward()
        return loss

    def run() -> object:
        x = _tensor(p.x).requires_grad_()
        loss = step(x)
        values[:] = [_grad(x)]
        return loss.detach().numpy()

    return Case(run, lambda: values)


def w5(p: Deep) -> Case:
    weights = [torch.tensor(w, requires_grad=True) for w in p.weights]
    values: list[Array] = []

    @compiled
    def step(x: Any) -> Any:
        h = x
        for w in weights:
            h = torch.relu(h @ w)
        loss = h.sum()
        loss.backward()
        return loss

    def run() -> object:
        for w in weights:
            w.grad = None
        loss = step(_tensor(p.x))
        values[:] = [_grad(w) for w in weights]
        return loss.detach().numpy()

    return Case(run, lambda: values)


def compiled(step: Callable[..., Any], **options: Any) -> Any:
    """The step under torch.compile. What was compiled before is dropped, or PyTorch would count it as recompilations."""
    torch.compiler.reset()
    return torch.compile(step, **options)
