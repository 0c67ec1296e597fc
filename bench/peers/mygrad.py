"""MyGrad, with its memory guard off, as its documentation advises for speed.

It turns Python numbers into float64 tensors, so scalars are passed in the problem's dtype.
"""
# mypy: disable-error-code="import-not-found,import-untyped,attr-defined,no-any-return"
# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import relu, sigmoid
from mygrad.nnet.layers import conv_nd
from mygrad.nnet.losses import softmax_crossentropy

from bench.layer_problems import Convolution
from bench.peers.chain import chain
from bench.problems import (
    SCALE,
    Array,
    Case,
    Chain,
    Classification,
    Deep,
    Elementwise,
    Regression,
)

mg.turn_memory_guarding_off()


def w1(p: Chain) -> Case:
    x = mg.tensor(p.x)
    a, b, c, d, scale = p.a, p.b, p.c, p.d, p.x.dtype.type(SCALE)
    values: list[Array] = []

    def run() -> object:
        y = chain(mg, x, a, b, c, d, p.cycles, scale)
        y.backward(p.seed)
        values[:] = [y.data]
        return y

    return Case(run, lambda: [values[0], _grad(x)])


def w2(p: Regression) -> Case:
    weights, biases = _tensors(p.weights), _tensors(p.biases)
    activation = sigmoid if p.activation == "sigmoid" else relu

    def run() -> object:
        loss = mg.mean((_forward(weights, biases, p.x, activation) - p.y) ** 2)
        loss.backward()
        for param in weights + biases:
            param.data -= p.lr * _grad(param)
        return loss

    return Case(run, lambda: [t.data for t in weights + biases])


def w3(p: Classification) -> Case:
    weights, biases = _tensors(p.weights), _tensors(p.biases)
    velocity = [0 * t.data for t in weights + biases]

    def run() -> object:
        loss = softmax_crossentropy(_forward(weights, biases, p.x, relu), p.labels)
        loss.backward()
        for param, v in zip(weights + biases, velocity, strict=True):
            v *= p.momentum
            v += _grad(param)
            param.data -= p.lr * v
        return loss

    return Case(run, lambda: [t.data for t in weights + biases])


def w4(p: Elementwise) -> Case:
    x = mg.tensor(p.x)
    a, b = p.x.dtype.type(p.a), p.x.dtype.type(p.b)

    def run() -> object:
        loss = mg.sum(sigmoid(a * x + b) * mg.tanh(x))
        loss.backward()
        return loss

    return Case(run, lambda: [_grad(x)])


def w5(p: Deep) -> Case:
    weights = _tensors(p.weights)

    def run() -> object:
        h: Any = p.x
        for w in weights:
            h = relu(mg.matmul(h, w))
        loss = mg.sum(h)
        loss.backward()
        return loss

    return Case(run, lambda: [_grad(w) for w in weights])


def _tensors(arrays: tuple[Array, ...]) -> list[Any]:
    return [mg.tensor(a, copy=True) for a in arrays]


def _forward(
    weights: list[Any],
    biases: list[Any],
    x: Any,
    activation: Callable[..., Any],
) -> Any:
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        x = activation(mg.matmul(x, w) + b)
    return mg.matmul(x, weights[-1]) + biases[-1]


def _grad(x: Any) -> Array:
    assert x.grad is not None
    return x.grad


def w6(p: Convolution) -> Case:
    x, weight, bias = (mg.tensor(a) for a in (p.x, p.weight, p.bias))

    def run() -> object:
        y = relu(conv_nd(x, weight, stride=1, padding=1) + bias[:, None, None])
        y.backward(p.seed)
        return y

    return Case(run, lambda: [np.asarray(t.grad) for t in (x, weight, bias)])
