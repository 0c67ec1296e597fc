"""HIPS autograd: functions of NumPy-like code, differentiated by transforms."""
# mypy: disable-error-code="import-not-found,import-untyped", allow-untyped-calls

from __future__ import annotations

from typing import Any

import autograd.numpy as np
from autograd import make_vjp, value_and_grad

from bench.peers.chain import chain
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression


def sigmoid(x: Any) -> Any:
    return 0.5 * (np.tanh(0.5 * x) + 1)  # as in autograd's own examples


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def w1(p: Chain) -> Case:
    a, b, c, d = p.a, p.b, p.c, p.d
    values: list[Array] = []

    chain_vjp = make_vjp(lambda y: chain(np, y, a, b, c, d, p.cycles))

    def run() -> object:
        vjp, y = chain_vjp(p.x)
        values[:] = y, vjp(p.seed)
        return y

    return Case(run, lambda: values)


def w2(p: Regression) -> Case:
    params = _layers(p.weights, p.biases)
    activation = sigmoid if p.activation == "sigmoid" else relu

    def loss_of(params: Any) -> Any:
        return np.mean((_forward(params, p.x, activation) - p.y) ** 2)

    step = value_and_grad(loss_of)

    def run() -> object:
        nonlocal params
        loss, grads = step(params)
        params = [(w - p.lr * dw, b - p.lr * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]
        return loss

    return Case(run, lambda: [w for w, _ in params] + [b for _, b in params])


def w3(p: Classification) -> Case:
    params = _layers(p.weights, p.biases)
    velocity = [(np.zeros_like(w), np.zeros_like(b)) for w, b in params]
    correct = np.arange(len(p.x)), p.labels

    def loss_of(params: Any) -> Any:
        logits = _forward(params, p.x, relu)
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        logp = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        return -np.mean(logp[correct])

    step = value_and_grad(loss_of)

    def run() -> object:
        nonlocal params, velocity
        loss, grads = step(params)
        velocity = [
            (p.momentum * vw + dw, p.momentum * vb + db) for (vw, vb), (dw, db) in zip(velocity, grads, strict=True)
        ]
        params = [(w - p.lr * vw, b - p.lr * vb) for (w, b), (vw, vb) in zip(params, velocity, strict=True)]
        return loss

    return Case(run, lambda: [w for w, _ in params] + [b for _, b in params])


def w4(p: Elementwise) -> Case:
    values: list[Array] = []
    step = value_and_grad(lambda x: np.sum(sigmoid(p.a * x + p.b) * np.tanh(x)))

    def run() -> object:
        values.clear()
        loss, grad = step(p.x)
        values.append(grad)
        return loss

    return Case(run, lambda: values)


def w5(p: Deep) -> Case:
    values: list[Array] = []

    def loss_of(weights: Any) -> Any:
        h = p.x
        for w in weights:
            h = relu(h @ w)
        return np.sum(h)

    step = value_and_grad(loss_of)
    weights = list(p.weights)

    def run() -> object:
        values.clear()
        loss, grads = step(weights)
        values[:] = grads
        return loss

    return Case(run, lambda: values)


def _layers(weights: tuple[Array, ...], biases: tuple[Array, ...]) -> list[tuple[Array, Array]]:
    return [(w.copy(), b.copy()) for w, b in zip(weights, biases, strict=True)]


def _forward(params: Any, x: Any, activation: Any) -> Any:
    for w, b in params[:-1]:
        x = activation(x @ w + b)
    w, b = params[-1]
    return x @ w + b
