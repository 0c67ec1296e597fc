"""The workloads W1 to W5 as data, the same for every peer. How to compute them is in peers/.

Everything is float32 by default, the usual dtype for training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

SCALE = 1.6  # the scalar factor in W1's cycle


@dataclass(frozen=True)
class Chain:
    """W1: a cycle of ten elementwise operations, repeated `cycles` times.

    y = a*y; y = y + b; y = tanh(y); y = SCALE*y; y = y - c; y = sin(y); y = y*y; y = exp(y);
    y = y/d; y = sqrt(y). Only x is differentiated. `seed` is the cotangent of the result.
    """

    x: Array
    a: Array
    b: Array
    c: Array
    d: Array
    seed: Array
    cycles: int


@dataclass(frozen=True)
class Regression:
    """W2: one SGD step of a network with a linear output, mean squared error."""

    x: Array
    y: Array
    weights: tuple[Array, ...]  # each (in, out)
    biases: tuple[Array, ...]
    activation: str  # "sigmoid" or "relu"
    lr: float


@dataclass(frozen=True)
class Classification:
    """W3: one momentum-SGD step of a ReLU network, mean cross-entropy with integer labels."""

    x: Array
    labels: Array
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    lr: float
    momentum: float


@dataclass(frozen=True)
class Elementwise:
    """W4: the gradient of sum(sigmoid(a*x + b) * tanh(x)) by x. a and b are Python numbers."""

    x: Array
    a: float
    b: float


@dataclass(frozen=True)
class Deep:
    """W5: h = relu(h @ w) for each weight, then sum(h). The gradient by every weight."""

    x: Array
    weights: tuple[Array, ...]


Problem: TypeAlias = Any  # one of the classes above, or of layer_problems.py


@dataclass(frozen=True)
class Case:
    """A problem as a peer computes it: `run` does one unit of work and returns the loss (or the output).

    `values` returns the results of the last run (gradients, or weights after the step) as NumPy arrays, in the order and with the
    shapes of the problem's own arrays.
    """

    run: Callable[[], Any]
    values: Callable[[], list[Array]]


@dataclass(frozen=True)
class Workload:
    """A row of the table: the peer's function that it calls, and the problem to pass."""

    title: str
    function: str
    make: Callable[[bool, str], Problem]  # (tiny, dtype)
    baseline: str = "naive"  # the peer that the others are compared with


def _layers(
    rng: np.random.Generator, sizes: tuple[int, ...], dtype: str
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    weights, biases = [], []
    for fan_in, fan_out in pairwise(sizes):
        bound = fan_in**-0.5
        weights.append(rng.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype))
        biases.append(rng.uniform(-bound, bound, fan_out).astype(dtype))
    return tuple(weights), tuple(biases)


def chain(tiny: bool, dtype: str) -> Chain:
    rng = np.random.default_rng(1)
    n = 5 if tiny else 16

    def draw(low: float, high: float) -> Array:
        return rng.uniform(low, high, n).astype(dtype)

    return Chain(
        x=draw(-1, 1), a=draw(0.5, 1), b=draw(-1, 1), c=draw(0.5, 1), d=draw(0.5, 1),
        seed=np.ones(n, dtype), cycles=2 if tiny else 10,
    )  # fmt: skip


def regression(activation: str) -> Callable[[bool, str], Regression]:
    def make(tiny: bool, dtype: str) -> Regression:
        rng = np.random.default_rng(2)
        batch, hidden = (7, 5) if tiny else (256, 64)
        x = rng.uniform(-1, 1, (batch, 1))
        weights, biases = _layers(rng, (1, hidden, hidden, 1), dtype)
        return Regression(x.astype(dtype), (x**2).astype(dtype), weights, biases, activation, 0.01)

    return make


def classification(tiny: bool, dtype: str) -> Classification:
    rng = np.random.default_rng(3)
    batch, sizes = (6, (8, 5, 5, 3)) if tiny else (128, (784, 512, 512, 10))
    x = rng.normal(size=(batch, sizes[0])).astype(dtype)
    labels = rng.integers(0, sizes[-1], batch)
    weights, biases = _layers(rng, sizes, dtype)
    return Classification(x, labels, weights, biases, 0.01, 0.9)


def elementwise(tiny: bool, dtype: str) -> Elementwise:
    n = 50 if tiny else 4_000_000
    return Elementwise(np.random.default_rng(4).normal(size=n).astype(dtype), 1.5, 0.25)


CLEAR = 1e-3  # no unit of W5 has an input nearer to zero than this, relative to the root mean square of its layer


def deep(tiny: bool, dtype: str) -> Deep:
    """Weights without near ties: where rounding decided whether a unit passes its gradient, libraries would rightly differ."""
    rng = np.random.default_rng(5)
    batch, width, depth = (4, 6, 5) if tiny else (32, 64, 200)
    std = (2 / width) ** 0.5  # keeps the signal's size through ReLU layers
    x = rng.normal(size=(batch, width)).astype(dtype)
    h = x.astype("float64")
    weights: list[Array] = []
    while len(weights) < depth:
        weight = rng.normal(0, std, (width, width)).astype(dtype)
        z = h @ weight.astype("float64")
        sizes = np.abs(z[z != 0])  # after a row of zeros, every library has exact zeros
        if sizes.min() > CLEAR * np.sqrt(np.mean(z**2)):
            weights.append(weight)
            h = np.maximum(z, 0)
    return Deep(x, tuple(weights))


WORKLOADS: dict[str, Workload] = {
    "w1": Workload("W1 chain of 100 operations on 16 elements", "w1", chain),
    "w2_sigmoid": Workload("W2 SGD step, 1-64-64-1 sigmoid, batch 256", "w2", regression("sigmoid")),
    "w2_relu": Workload("W2 SGD step, 1-64-64-1 ReLU, batch 256", "w2", regression("relu")),
    "w3": Workload("W3 momentum step, 784-512-512-10, batch 128, cross-entropy", "w3", classification),
    "w4": Workload("W4 gradient of sum(sigmoid(a*x+b)*tanh(x)), 4e6", "w4", elementwise),
    "w5": Workload("W5 200 layers of 64x64 matmul + ReLU, batch 32", "w5", deep),
}
