"""NumPy by hand, written carefully but without tuning: the baseline of every ratio."""

from __future__ import annotations

import numpy as np

from bench.layer_problems import Convolution
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


def w1(p: Chain) -> Case:
    a, b, c, d = p.a, p.b, p.c, p.d
    values: list[Array] = []

    def run() -> Array:
        y = p.x
        saved = []
        for _ in range(p.cycles):
            y = a * y
            y = y + b
            t = np.tanh(y)
            y = SCALE * t
            z = y - c
            s = np.sin(z)
            y = s * s
            e = np.exp(y)
            y = e / d
            y = np.sqrt(y)
            saved.append((t, z, s, e, y))
        g = p.seed
        for t, z, s, e, r in reversed(saved):
            g = g * 0.5 / r
            g = g / d
            g = g * e
            g = g * (2 * s)
            g = g * np.cos(z)
            g = SCALE * g
            g = g * (1 - t * t)
            g = g * a
        values[:] = y, g
        return y

    return Case(run, lambda: values)


def w2(p: Regression) -> Case:
    w1, w2, w3 = (w.copy() for w in p.weights)
    b1, b2, b3 = (b.copy() for b in p.biases)
    x, y, lr = p.x, p.y, p.lr

    def sigmoid_step() -> object:
        h1 = 1 / (1 + np.exp(-(x @ w1 + b1)))
        h2 = 1 / (1 + np.exp(-(h1 @ w2 + b2)))
        diff = h2 @ w3 + b3 - y
        loss = np.mean(diff * diff)

        g3 = diff * (2 / diff.size)
        g2 = g3 @ w3.T * h2 * (1 - h2)
        g1 = g2 @ w2.T * h1 * (1 - h1)
        update(h1, h2, g1, g2, g3)
        return loss

    def relu_step() -> object:
        h1 = np.maximum(x @ w1 + b1, 0)
        h2 = np.maximum(h1 @ w2 + b2, 0)
        diff = h2 @ w3 + b3 - y
        loss = np.mean(diff * diff)

        g3 = diff * (2 / diff.size)
        g2 = g3 @ w3.T * (h2 > 0)
        g1 = g2 @ w2.T * (h1 > 0)
        update(h1, h2, g1, g2, g3)
        return loss

    def update(h1: Array, h2: Array, g1: Array, g2: Array, g3: Array) -> None:
        nonlocal w1, w2, w3, b1, b2, b3
        w3 -= lr * (h2.T @ g3)
        b3 -= lr * g3.sum(axis=0)
        w2 -= lr * (h1.T @ g2)
        b2 -= lr * g2.sum(axis=0)
        w1 -= lr * (x.T @ g1)
        b1 -= lr * g1.sum(axis=0)

    step = sigmoid_step if p.activation == "sigmoid" else relu_step
    return Case(step, lambda: [w1, w2, w3, b1, b2, b3])


def w3(p: Classification) -> Case:
    w1, w2, w3 = (w.copy() for w in p.weights)
    b1, b2, b3 = (b.copy() for b in p.biases)
    params = [w1, w2, w3, b1, b2, b3]
    velocity = [np.zeros_like(a) for a in params]
    x, lr, momentum = p.x, p.lr, p.momentum
    n = len(x)
    correct = np.arange(n), p.labels

    def run() -> object:
        h1 = np.maximum(x @ w1 + b1, 0)
        h2 = np.maximum(h1 @ w2 + b2, 0)
        logits = h2 @ w3 + b3
        shifted = logits - logits.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        g3 = exps / exps.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(g3[correct]))

        g3[correct] -= 1
        g3 /= n
        g2 = g3 @ w3.T * (h2 > 0)
        g1 = g2 @ w2.T * (h1 > 0)
        grads = [x.T @ g1, h1.T @ g2, h2.T @ g3, g1.sum(axis=0), g2.sum(axis=0), g3.sum(axis=0)]
        for param, grad, v in zip(params, grads, velocity, strict=True):
            v *= momentum
            v += grad
            param -= lr * v
        return loss

    return Case(run, lambda: params)


def w4(p: Elementwise) -> Case:
    x, a, b = p.x, p.a, p.b
    values: list[Array] = []

    def run() -> object:
        values.clear()
        s = 1 / (1 + np.exp(-(a * x + b)))
        t = np.tanh(x)
        loss = np.sum(s * t)
        values[:] = [a * t * s * (1 - s) + s * (1 - t * t)]
        return loss

    return Case(run, lambda: values)


def w5(p: Deep) -> Case:
    values: list[Array] = []

    def run() -> object:
        values.clear()
        h = p.x
        inputs, masks = [], []
        for w in p.weights:
            inputs.append(h)
            h = np.maximum(h @ w, 0)
            masks.append(h > 0)
        loss = np.sum(h)

        g = np.ones_like(h)
        grads = []
        for w, h, mask in zip(reversed(p.weights), reversed(inputs), reversed(masks), strict=True):
            g = g * mask
            grads.append(h.T @ g)
            g = g @ w.T
        values[:] = reversed(grads)
        return loss

    return Case(run, lambda: values)


def w6(p: Convolution) -> Case:
    n, channels, height, width = p.x.shape
    out, size = len(p.weight), p.weight.shape[-1]
    rows = p.weight.reshape(out, -1)
    values: list[Array] = []

    def run() -> object:
        values.clear()
        padded = np.pad(p.x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))
        columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * height * width, -1)  # a row for each position
        y = np.maximum(columns @ rows.T + p.bias, 0)
        result = y.reshape(n, height, width, out).transpose(0, 3, 1, 2)

        g = p.seed.transpose(0, 2, 3, 1).reshape(-1, out) * (y > 0)
        spread = (g @ rows).reshape(n, height, width, channels, size, size)
        gx = np.zeros_like(padded)
        for i in range(size):
            for j in range(size):
                gx[:, :, i : i + height, j : j + width] += spread[..., i, j].transpose(0, 3, 1, 2)
        values[:] = gx[:, :, 1:-1, 1:-1], (g.T @ columns).reshape(p.weight.shape), g.sum(axis=0)
        return result

    return Case(run, lambda: values)
