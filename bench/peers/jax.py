"""JAX, with the whole step under jit. Compiling is not timed, and every run waits for its results.

Data are NumPy arrays, which each call passes in anew. Parameters are JAX's. Results can be read as NumPy arrays without a copy.
"""
# mypy: disable-error-code="import-not-found,import-untyped"
# mypy: allow-untyped-calls, allow-untyped-decorators

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.peers.chain import chain
from bench.problems import Array, Case, Chain, Classification, Deep, Elementwise, Regression

jax.config.update("jax_enable_x64", True)  # float32 stays float32, and the tests can use float64


def w1(p: Chain) -> Case:
    values: Any = ()

    @jax.jit
    def step(x: Any, a: Any, b: Any, c: Any, d: Any, seed: Any) -> Any:
        y, pull = jax.vjp(lambda y: chain(jnp, y, a, b, c, d, p.cycles), x)
        return y, pull(seed)[0]

    def run() -> object:
        nonlocal values
        values = jax.block_until_ready(step(p.x, p.a, p.b, p.c, p.d, p.seed))
        return np.asarray(values[0])

    return Case(run, lambda: _host(values))


def w2(p: Regression) -> Case:
    params = _layers(p.weights, p.biases)
    activation = jax.nn.sigmoid if p.activation == "sigmoid" else jax.nn.relu

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        return jnp.mean((_forward(params, x, activation) - y) ** 2)

    @jax.jit
    def step(params: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        return loss, jax.tree.map(lambda param, grad: param - p.lr * grad, params, grads)

    def run() -> object:
        nonlocal params
        loss, params = jax.block_until_ready(step(params, p.x, p.y))
        return np.asarray(loss)

    return Case(run, lambda: _host([w for w, _ in params] + [b for _, b in params]))


def w3(p: Classification) -> Case:
    params = _layers(p.weights, p.biases)
    velocity = jax.tree.map(jnp.zeros_like, params)

    def loss_of(params: Any, x: Any, labels: Any) -> Any:
        logp = jax.nn.log_softmax(_forward(params, x, jax.nn.relu))
        return -jnp.mean(logp[jnp.arange(len(labels)), labels])

    @jax.jit
    def step(params: Any, velocity: Any, x: Any, labels: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, labels)
        velocity = jax.tree.map(lambda v, grad: p.momentum * v + grad, velocity, grads)
        return loss, jax.tree.map(lambda param, v: param - p.lr * v, params, velocity), velocity

    def run() -> object:
        nonlocal params, velocity
        loss, params, velocity = jax.block_until_ready(step(params, velocity, p.x, p.labels))
        return np.asarray(loss)

    return Case(run, lambda: _host([w for w, _ in params] + [b for _, b in params]))


def w4(p: Elementwise) -> Case:
    values: Any = ()
    step = jax.jit(jax.value_and_grad(lambda x: jnp.sum(jax.nn.sigmoid(p.a * x + p.b) * jnp.tanh(x))))

    def run() -> object:
        nonlocal values
        values = jax.block_until_ready(step(p.x))
        return np.asarray(values[0])

    return Case(run, lambda: _host(values[1:]))


def w5(p: Deep) -> Case:
    weights = [jnp.asarray(w) for w in p.weights]
    values: Any = ()

    def loss_of(weights: Any, x: Any) -> Any:
        h = x
        for w in weights:
            h = jax.nn.relu(h @ w)
        return jnp.sum(h)

    step = jax.jit(jax.value_and_grad(loss_of))

    def run() -> object:
        nonlocal values
        values = jax.block_until_ready(step(weights, p.x))
        return np.asarray(values[0])

    return Case(run, lambda: _host(values[1]))


def _layers(weights: tuple[Array, ...], biases: tuple[Array, ...]) -> Any:
    return [(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights, biases, strict=True)]


def _forward(params: Any, x: Any, activation: Any) -> Any:
    for w, b in params[:-1]:
        x = activation(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def _host(arrays: Any) -> list[Array]:
    return [np.asarray(a) for a in arrays]
