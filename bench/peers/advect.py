"""advect: plain NumPy code, differentiated by transforms. It is eager here; advect_staged.py stages the same steps."""
# mypy: disable-error-code="import-not-found,import-untyped", allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import advect as ad
import numpy as np

from bench.peers.chain import chain
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression

Stage: TypeAlias = Callable[..., Any]  # (step, *example arguments) -> the step that is run


def eager(step: Callable[..., Any], *examples: Any) -> Callable[..., Any]:
    return step


def sigmoid(x: Any) -> Any:
    return 0.5 * (np.tanh(0.5 * x) + 1)


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def w1(p: Chain, stage: Stage = eager) -> Case:
    values: list[Array] = []

    def step(x: Any, a: Any, b: Any, c: Any, d: Any, seed: Any) -> Any:
        y, pull = ad.vjp(lambda y: chain(np, y, a, b, c, d, p.cycles))(x)
        return y, pull(seed)

    arguments = p.x, p.a, p.b, p.c, p.d, p.seed
    step = stage(step, *arguments)

    def run() -> object:
        values[:] = step(*arguments)
        return values[0]

    return Case(run, lambda: values)


def w2(p: Regression, stage: Stage = eager) -> Case:
    params = _layers(p.weights, p.biases)
    activation = sigmoid if p.activation == "sigmoid" else relu
    value_and_grad = ad.value_and_grad(lambda params, x, y: np.mean((_forward(params, x, activation) - y) ** 2))

    def step(params: Any, x: Any, y: Any) -> Any:
        loss, grads = value_and_grad(params, x, y)
        return loss, [(w - p.lr * dw, b - p.lr * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]

    step = stage(step, params, p.x, p.y)

    def run() -> object:
        nonlocal params
        loss, params = step(params, p.x, p.y)
        return loss

    return Case(run, lambda: [w for w, _ in params] + [b for _, b in params])


def w3(p: Classification, stage: Stage = eager) -> Case:
    params = _layers(p.weights, p.biases)
    velocity = [(np.zeros_like(w), np.zeros_like(b)) for w, b in params]

    def loss_of(params: Any, x: Any, labels: Any) -> Any:
        logits = _forward(params, x, relu)
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        logp = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        return -np.mean(np.take_along_axis(logp, labels[:, None], axis=1))

    value_and_grad = ad.value_and_grad(loss_of)

    def step(params: Any, velocity: Any, x: Any, labels: Any) -> Any:
        loss, grads = value_and_grad(params, x, labels)
        velocity = [
            (p.momentum * vw + dw, p.momentum * vb + db) for (vw, vb), (dw, db) in zip(velocity, grads, strict=True)
        ]
        params = [(w - p.lr * vw, b - p.lr * vb) for (w, b), (vw, vb) in zip(params, velocity, strict=True)]
        return loss, params, velocity

    step = stage(step, params, velocity, p.x, p.labels)

    def run() -> object:
        nonlocal params, velocity
        loss, params, velocity = step(params, velocity, p.x, p.labels)
        return loss

    return Case(run, lambda: [w for w, _ in params] + [b for _, b in params])


def w4(p: Elementwise, stage: Stage = eager) -> Case:
    values: list[Array] = []
    step = stage(ad.value_and_grad(lambda x: np.sum(sigmoid(p.a * x + p.b) * np.tanh(x))), p.x)

    def run() -> object:
        values.clear()
        loss, grad = step(p.x)
        values.append(grad)
        return loss

    return Case(run, lambda: values)


def w5(p: Deep, stage: Stage = eager) -> Case:
    values: list[Array] = []

    def loss_of(weights: Any, x: Any) -> Any:
        h = x
        for w in weights:
            h = relu(h @ w)
        return np.sum(h)

    weights = list(p.weights)
    step = stage(ad.value_and_grad(loss_of), weights, p.x)

    def run() -> object:
        values.clear()
        loss, grads = step(weights, p.x)
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
