"""PyTorch in eager mode, on the CPU."""
# mypy: disable-error-code="import-not-found,import-untyped", allow-untyped-calls

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from bench.peers.chain import chain
from bench.peers.layers import Library
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression

torch.set_num_threads(1)


def _tensor(array: Array, requires_grad: bool = False) -> torch.Tensor:
    return torch.tensor(array, requires_grad=requires_grad)


class _Optim:
    """Adam as it is fastest on a CPU without compiling: over all parameters at once."""

    Adam = staticmethod(partial(torch.optim.Adam, foreach=True))


LIBRARY = Library(torch, nn, _Optim, _tensor, lambda t: t.detach().numpy())


def w1(p: Chain) -> Case:
    x = torch.tensor(p.x, requires_grad=True)
    a, b, c, d, seed = (torch.tensor(v) for v in (p.a, p.b, p.c, p.d, p.seed))
    values: list[torch.Tensor] = []

    def run() -> object:
        x.grad = None
        y = chain(torch, x, a, b, c, d, p.cycles)
        y.backward(seed)
        values[:] = [y.detach()]
        return y

    return Case(run, lambda: [values[0].numpy(), _grad(x)])


def w2(p: Regression) -> Case:
    activation = nn.Sigmoid if p.activation == "sigmoid" else nn.ReLU
    model = _network(p.weights, p.biases, activation)
    optimizer = torch.optim.SGD(model.parameters(), lr=p.lr)
    x, y = torch.tensor(p.x), torch.tensor(p.y)

    def run() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return Case(run, lambda: _parameters(model))


def w3(p: Classification) -> Case:
    model = _network(p.weights, p.biases, nn.ReLU)
    optimizer = torch.optim.SGD(model.parameters(), lr=p.lr, momentum=p.momentum)
    x, labels = torch.tensor(p.x), torch.tensor(p.labels)

    def run() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    return Case(run, lambda: _parameters(model))


def w4(p: Elementwise) -> Case:
    x = torch.tensor(p.x, requires_grad=True)

    def run() -> torch.Tensor:
        x.grad = None
        loss = (torch.sigmoid(p.a * x + p.b) * torch.tanh(x)).sum()
        loss.backward()
        return loss

    return Case(run, lambda: [_grad(x)])


def w5(p: Deep) -> Case:
    x = torch.tensor(p.x)
    weights = [torch.tensor(w, requires_grad=True) for w in p.weights]

    def run() -> torch.Tensor:
        for w in weights:
            w.grad = None
        h = x
        for w in weights:
            h = torch.relu(h @ w)
        loss = h.sum()
        loss.backward()
        return loss

    return Case(run, lambda: [_grad(w) for w in weights])


def _network(weights: tuple[Array, ...], biases: tuple[Array, ...], activation: type[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = nn.Linear(*weight.shape)
        linear.weight = nn.Parameter(torch.tensor(weight.T.copy()))
        linear.bias = nn.Parameter(torch.tensor(bias))
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


def _parameters(model: nn.Sequential) -> list[Array]:
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    weights = [linear.weight.detach().numpy().T for linear in linears]
    return weights + [linear.bias.detach().numpy() for linear in linears]


def _grad(x: torch.Tensor) -> Array:
    assert x.grad is not None
    values: Array = x.grad.numpy()
    return values
