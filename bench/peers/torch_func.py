"""PyTorch with the whole step under torch.compile, written with torch.func: one graph, without a break before the backward pass.

Otherwise as torch_compile.py. PyTorch's way of writing a step as a function is
https://docs.pytorch.org/docs/stable/func.html.
"""
# mypy: disable-error-code="import-not-found,import-untyped", allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vjp

from bench.peers.chain import chain
from bench.peers.torch import _network
from bench.peers.torch_compile import compiled
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression

_tensor = torch.from_numpy  # shares the array's memory
_compiled = partial(compiled, fullgraph=True)


def w1(p: Chain) -> Case:
    values: list[Array] = []

    @_compiled
    def step(x: Any, a: Any, b: Any, c: Any, d: Any, seed: Any) -> Any:
        y, pull, *_ = vjp(lambda y: chain(torch, y, a, b, c, d, p.cycles), x)
        return y, pull(seed)[0]

    def run() -> object:
        values[:] = [y.numpy() for y in step(*map(_tensor, (p.x, p.a, p.b, p.c, p.d, p.seed)))]
        return values[0]

    return Case(run, lambda: values)


def w2(p: Regression) -> Case:
    model = _network(p.weights, p.biases, nn.Sigmoid if p.activation == "sigmoid" else nn.ReLU)
    return _training(model, nn.functional.mse_loss, p.x, p.y, p.lr)


def w3(p: Classification) -> Case:
    model = _network(p.weights, p.biases, nn.ReLU)
    return _training(model, nn.functional.cross_entropy, p.x, p.labels, p.lr, p.momentum)


def _training(
    model: nn.Sequential, loss_of: Callable[..., Any], x: Array, y: Array, lr: float, momentum: float = 0.0
) -> Case:
    params = {name: parameter.detach() for name, parameter in model.named_parameters()}
    velocity = {name: torch.zeros_like(parameter) for name, parameter in params.items()} if momentum else {}

    def loss_at(params: Any, x: Any, y: Any) -> Any:
        return loss_of(functional_call(model, params, (x,)), y)

    gradient_and_value = grad_and_value(loss_at)

    @_compiled
    def step(params: Any, velocity: Any, x: Any, y: Any) -> Any:
        grads, loss = gradient_and_value(params, x, y)
        velocity = {name: momentum * v + grads[name] for name, v in velocity.items()}
        steps = velocity or grads
        return loss, {name: parameter - lr * steps[name] for name, parameter in params.items()}, velocity

    def run() -> object:
        nonlocal params, velocity
        loss, params, velocity = step(params, velocity, _tensor(x), _tensor(y))
        return loss.numpy()

    def values() -> list[Array]:
        kinds = {kind: [v.numpy() for name, v in params.items() if name.endswith(kind)] for kind in ("weight", "bias")}
        return [w.T for w in kinds["weight"]] + kinds["bias"]

    return Case(run, values)


def w4(p: Elementwise) -> Case:
    values: list[Array] = []

    def loss_of(x: Any) -> Any:
        return (torch.sigmoid(p.a * x + p.b) * torch.tanh(x)).sum()

    step = _compiled(grad_and_value(loss_of))

    def run() -> object:
        grad, loss = step(_tensor(p.x))
        values[:] = [grad.numpy()]
        return loss.numpy()

    return Case(run, lambda: values)


def w5(p: Deep) -> Case:
    weights = [torch.tensor(w) for w in p.weights]
    values: list[Array] = []

    def loss_of(weights: Any, x: Any) -> Any:
        h = x
        for w in weights:
            h = torch.relu(h @ w)
        return h.sum()

    step = _compiled(grad_and_value(loss_of))

    def run() -> object:
        grads, loss = step(weights, _tensor(p.x))
        values[:] = [g.numpy() for g in grads]
        return loss.numpy()

    return Case(run, lambda: values)
