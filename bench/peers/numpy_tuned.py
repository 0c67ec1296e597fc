"""NumPy by hand with every array preallocated: about as fast as NumPy can be.

It uses out= everywhere, scalars as 0-d arrays of the dtype, sigmoid by tanh, `ones @ g` for a sum over the batch, an outer
product for a matmul with a single column, and masks as floats.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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
    scale, half, one = (np.asarray(v, p.x.dtype) for v in (SCALE, 0.5, 1.0))
    mul, add, sub, div = np.multiply, np.add, np.subtract, np.divide
    tanh, sin, cos, exp, sqrt = np.tanh, np.sin, np.cos, np.exp, np.sqrt
    saved = [tuple(np.empty_like(p.x) for _ in range(5)) for _ in range(p.cycles)]
    g, tmp = np.empty_like(p.x), np.empty_like(p.x)

    def run() -> Array:
        y = p.x
        for t, z, s, e, r in saved:
            mul(a, y, out=tmp)
            add(tmp, b, out=tmp)
            tanh(tmp, out=t)
            mul(scale, t, out=tmp)
            sub(tmp, c, out=z)
            sin(z, out=s)
            mul(s, s, out=tmp)
            exp(tmp, out=e)
            div(e, d, out=r)
            sqrt(r, out=r)
            y = r
        g[...] = p.seed
        for t, z, s, e, r in reversed(saved):
            mul(g, half, out=g)
            div(g, r, out=g)
            div(g, d, out=g)
            mul(g, e, out=g)
            add(s, s, out=tmp)
            mul(g, tmp, out=g)
            cos(z, out=tmp)
            mul(g, tmp, out=g)
            mul(scale, g, out=g)
            mul(t, t, out=tmp)
            sub(one, tmp, out=tmp)
            mul(g, tmp, out=g)
            mul(g, a, out=g)
        return y

    return Case(run, lambda: [saved[-1][-1], g])


def w2(p: Regression) -> Case:
    params = [a.copy() for a in (*p.weights, *p.biases)]
    w1, w2, w3, b1, b2, b3 = params
    grads = [np.empty_like(a) for a in params]
    dw1, dw2, dw3, db1, db2, db3 = grads
    x, y, dtype = p.x, p.y, p.x.dtype
    n, hidden = len(x), w1.shape[1]
    h1, h2, s1, s2 = (np.empty((n, hidden), dtype) for _ in range(4))
    diff, square = np.empty((n, 1), dtype), np.empty((n, 1), dtype)
    ones = np.ones(n, dtype)
    zero, half, one, lr, factor = (np.asarray(v, dtype) for v in (0, 0.5, 1, p.lr, 2 / n))
    mul, add, sub, matmul = np.multiply, np.add, np.subtract, np.matmul

    def sigmoid(h: Array, slope: Array) -> None:
        mul(h, half, out=h)
        np.tanh(h, out=h)
        mul(h, half, out=h)
        add(h, half, out=h)
        sub(one, h, out=slope)
        mul(slope, h, out=slope)

    def relu(h: Array, slope: Array) -> None:
        np.greater(h, zero, out=slope)
        np.maximum(h, zero, out=h)

    activate: Callable[[Array, Array], None] = sigmoid if p.activation == "sigmoid" else relu

    def run() -> object:
        mul(x, w1, out=h1)
        add(h1, b1, out=h1)
        activate(h1, s1)
        matmul(h1, w2, out=h2)
        add(h2, b2, out=h2)
        activate(h2, s2)
        matmul(h2, w3, out=diff)
        add(diff, b3, out=diff)
        sub(diff, y, out=diff)
        mul(diff, diff, out=square)
        loss = np.add.reduce(square, axis=None) / n

        mul(diff, factor, out=diff)
        matmul(h2.T, diff, out=dw3)
        matmul(ones, diff, out=db3)
        mul(diff, w3.T, out=h2)
        mul(h2, s2, out=h2)
        matmul(h1.T, h2, out=dw2)
        matmul(ones, h2, out=db2)
        matmul(h2, w2.T, out=h1)
        mul(h1, s1, out=h1)
        matmul(x.T, h1, out=dw1)
        matmul(ones, h1, out=db1)
        for param, grad in zip(params, grads, strict=True):
            mul(grad, lr, out=grad)
            sub(param, grad, out=param)
        return loss

    return Case(run, lambda: params)


def w3(p: Classification) -> Case:
    params = [a.copy() for a in (*p.weights, *p.biases)]
    w1, w2, w3, b1, b2, b3 = params
    grads = [np.empty_like(a) for a in params]
    dw1, dw2, dw3, db1, db2, db3 = grads
    velocity = [np.zeros_like(a) for a in params]
    x, dtype = p.x, p.x.dtype
    n, hidden = len(x), w1.shape[1]
    h1, h2, m1, m2, tmp = (np.empty((n, hidden), dtype) for _ in range(5))
    z, column = np.empty((n, w3.shape[1]), dtype), np.empty((n, 1), dtype)
    correct = np.arange(n), p.labels
    ones = np.ones(n, dtype)
    zero, lr, momentum, inverse = (np.asarray(v, dtype) for v in (0, p.lr, p.momentum, 1 / n))
    mul, add, sub, matmul = np.multiply, np.add, np.subtract, np.matmul

    def layer(h: Array, w: Array, b: Array, out: Array, mask: Array) -> None:
        matmul(h, w, out=out)
        add(out, b, out=out)
        np.greater(out, zero, out=mask)
        np.maximum(out, zero, out=out)

    def run() -> object:
        layer(x, w1, b1, h1, m1)
        layer(h1, w2, b2, h2, m2)
        matmul(h2, w3, out=z)
        add(z, b3, out=z)
        np.maximum.reduce(z, axis=1, keepdims=True, out=column)
        sub(z, column, out=z)
        np.exp(z, out=z)
        np.add.reduce(z, axis=1, keepdims=True, out=column)
        np.divide(z, column, out=z)
        loss = -np.add.reduce(np.log(z[correct])) / n

        z[correct] -= 1
        mul(z, inverse, out=z)
        matmul(h2.T, z, out=dw3)
        matmul(ones, z, out=db3)
        matmul(z, w3.T, out=tmp)
        mul(tmp, m2, out=m2)
        matmul(h1.T, m2, out=dw2)
        matmul(ones, m2, out=db2)
        matmul(m2, w2.T, out=tmp)
        mul(tmp, m1, out=m1)
        matmul(x.T, m1, out=dw1)
        matmul(ones, m1, out=db1)
        for param, grad, v in zip(params, grads, velocity, strict=True):
            mul(v, momentum, out=v)
            add(v, grad, out=v)
            mul(v, lr, out=grad)
            sub(param, grad, out=param)
        return loss

    return Case(run, lambda: params)


def w4(p: Elementwise) -> Case:
    x, dtype = p.x, p.x.dtype
    half, one, a_half, b_half, a = (np.asarray(v, dtype) for v in (0.5, 1, 0.5 * p.a, 0.5 * p.b, p.a))
    grad = np.empty_like(x)
    block = min(16_384, x.size)  # all steps on a block stay in the cache
    buffers = [np.empty(block, dtype) for _ in range(3)]
    mul, add, sub = np.multiply, np.add, np.subtract

    def run() -> object:
        loss = 0.0
        for start in range(0, x.size, block):
            xs, g = x[start : start + block], grad[start : start + block]
            s, t, u = (buffer[: xs.size] for buffer in buffers)
            mul(xs, a_half, out=s)
            add(s, b_half, out=s)
            np.tanh(s, out=s)
            mul(s, half, out=s)
            add(s, half, out=s)
            np.tanh(xs, out=t)
            mul(s, t, out=u)
            loss += float(np.add.reduce(u))
            mul(u, a, out=u)
            sub(one, s, out=g)
            mul(g, u, out=g)
            mul(t, t, out=t)
            sub(one, t, out=t)
            mul(t, s, out=t)
            add(g, t, out=g)
        return loss

    return Case(run, lambda: [grad])


def w5(p: Deep) -> Case:
    zero = np.asarray(0, p.x.dtype)
    hidden = [p.x, *(np.empty_like(p.x) for _ in p.weights)]
    mask, g, tmp = (np.empty_like(p.x) for _ in range(3))
    grads = [np.empty_like(w) for w in p.weights]
    layers = list(zip(p.weights, hidden, hidden[1:], grads, strict=False))

    def run() -> object:
        for w, h, out, _ in layers:
            np.matmul(h, w, out=out)
            np.maximum(out, zero, out=out)
        loss = np.add.reduce(hidden[-1], axis=None)

        g.fill(1)
        for w, h, out, dw in reversed(layers):
            np.greater(out, zero, out=mask)
            np.multiply(g, mask, out=tmp)
            np.matmul(h.T, tmp, out=dw)
            np.matmul(tmp, w.T, out=g)
        return loss

    return Case(run, lambda: grads)
