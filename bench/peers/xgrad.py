"""xgrad on its NumPy backend."""

from __future__ import annotations

import xgrad as xg
from bench.peers.chain import chain
from bench.peers.layers import Library
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression
from xgrad import nn, optim


def _tensor(array: Array, requires_grad: bool = False) -> xg.Tensor:
    tensor: xg.Tensor = xg.asarray(array, copy=True, requires_grad=requires_grad)
    return tensor


LIBRARY = Library(xg, nn, optim, _tensor, lambda t: t.numpy())


def w1(p: Chain) -> Case:
    x = xg.asarray(p.x, requires_grad=True)
    a, b, c, d, seed = (xg.asarray(v) for v in (p.a, p.b, p.c, p.d, p.seed))
    values: list[xg.Tensor] = []

    def run() -> object:
        x.grad = None
        y = chain(xg, x, a, b, c, d, p.cycles)
        y.backward(seed)
        values[:] = [y.detach()]
        return y

    return Case(run, lambda: [values[0].numpy(), _grad(x)])


def w2(p: Regression) -> Case:
    activation = nn.Sigmoid if p.activation == "sigmoid" else nn.ReLU
    model = _network(p.weights, p.biases, activation)
    optimizer = optim.SGD(model.parameters(), lr=p.lr)
    x, y = xg.asarray(p.x), xg.asarray(p.y)

    def run() -> object:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return Case(run, lambda: _parameters(model))


def w3(p: Classification) -> Case:
    model = _network(p.weights, p.biases, nn.ReLU)
    optimizer = optim.SGD(model.parameters(), lr=p.lr, momentum=p.momentum)
    x, labels = xg.asarray(p.x), xg.asarray(p.labels)

    def run() -> object:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    return Case(run, lambda: _parameters(model))


def w4(p: Elementwise) -> Case:
    x = xg.asarray(p.x, requires_grad=True)

    def run() -> object:
        x.grad = None
        loss = xg.sum(nn.functional.sigmoid(p.a * x + p.b) * xg.tanh(x))
        loss.backward()
        return loss

    return Case(run, lambda: [_grad(x)])


def w5(p: Deep) -> Case:
    x = xg.asarray(p.x)
    weights = [xg.asarray(w, requires_grad=True) for w in p.weights]
    relu = nn.functional.relu

    def run() -> object:
        for w in weights:
            w.grad = None
        h = x
        for w in weights:
            h = relu(h @ w)
        loss = xg.sum(h)
        loss.backward()
        return loss

    return Case(run, lambda: [_grad(w) for w in weights])


def _network(weights: tuple[Array, ...], biases: tuple[Array, ...], activation: type[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = nn.Linear(*weight.shape)
        linear.weight = nn.Parameter(xg.asarray(weight).T)
        linear.bias = nn.Parameter(xg.asarray(bias))
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


def _parameters(model: nn.Sequential) -> list[Array]:
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    weights = [linear.weight.numpy().T for linear in linears]
    biases = [linear.bias.numpy() for linear in linears if linear.bias is not None]
    return weights + biases


def _grad(x: xg.Tensor) -> Array:
    assert x.grad is not None
    grad: Array = x.grad.numpy()
    return grad
