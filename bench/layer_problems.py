"""More workloads as data: a convolution, a GPT block, a Kalman filter, an LSTM, a small convolutional network, and Adam.

Parameters have the names that they have in PyTorch's modules, which xgrad's share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.problems import WORKLOADS, Array, Workload


@dataclass(frozen=True)
class Convolution:
    """W6: relu of a convolution with a 3x3 kernel, padding 1. The gradients by x, weight and bias; `seed` is the cotangent."""

    x: Array  # (N, C, H, W)
    weight: Array  # (out, C, 3, 3)
    bias: Array  # (out,)
    seed: Array  # (N, out, H, W)


@dataclass(frozen=True)
class Layers:
    """W7 and W9: the gradients by x and by all parameters of a network; `seed` is the cotangent of its output."""

    x: Array
    parameters: dict[str, Array]
    seed: Array


@dataclass(frozen=True)
class Filter:
    """W8: the log likelihood of observations under a linear model with normal noise, and its gradients.

    The state is z' = a z + noise of covariance q q^T, an observation c z + noise of covariance r r^T.
    """

    a: Array  # (state, state)
    c: Array  # (seen, state)
    q: Array  # (state, state)
    r: Array  # (seen, seen)
    seen: Array  # (steps, seen)


@dataclass(frozen=True)
class Digits:
    """W10: one Adam step of a small convolutional network on images of 8x8, cross-entropy."""

    images: Array  # (N, 1, 8, 8)
    labels: Array  # (N,)
    parameters: dict[str, Array]
    lr: float


@dataclass(frozen=True)
class Step:
    """One Adam step on parameters with given gradients."""

    parameters: tuple[Array, ...]
    gradients: tuple[Array, ...]


def convolution(tiny: bool, dtype: str) -> Convolution:
    rng = np.random.default_rng(6)
    n, channels, size = (2, 3, 6) if tiny else (32, 16, 28)

    def normal(*shape: int) -> Array:
        return rng.normal(size=shape).astype(dtype)

    scale = np.asarray((9 * channels) ** -0.5, dtype)
    shape = n, channels, size, size
    return Convolution(normal(*shape), scale * normal(channels, channels, 3, 3), normal(channels), normal(*shape))


def block(tiny: bool, dtype: str) -> Layers:
    rng = np.random.default_rng(7)
    n, length, c = (2, 5, 8) if tiny else (32, 64, 128)
    shapes = {
        "norm1.weight": (c,), "norm1.bias": (c,), "attention.weight": (3 * c, c), "attention.bias": (3 * c,),
        "out.weight": (c, c), "out.bias": (c,), "norm2.weight": (c,), "norm2.bias": (c,),
        "up.weight": (4 * c, c), "up.bias": (4 * c,), "down.weight": (c, 4 * c), "down.bias": (c,),
    }  # fmt: skip
    return _layers(rng, (n, length, c), shapes, (n, length, c), dtype)


def recurrent(tiny: bool, dtype: str) -> Layers:
    rng = np.random.default_rng(9)
    steps, n, c = (4, 2, 3) if tiny else (100, 32, 64)
    shapes = {
        "weight_ih_l0": (4 * c, c), "weight_hh_l0": (4 * c, c), "bias_ih_l0": (4 * c,), "bias_hh_l0": (4 * c,),
    }  # fmt: skip
    return _layers(rng, (steps, n, c), shapes, (steps, n, c), dtype)


def _layers(
    rng: np.random.Generator, x: tuple[int, ...], shapes: dict[str, tuple[int, ...]], y: tuple[int, ...], dtype: str
) -> Layers:
    parameters = {name: _parameter(rng, shape, dtype) for name, shape in shapes.items()}
    return Layers(rng.normal(size=x).astype(dtype), parameters, rng.normal(size=y).astype(dtype))


def _parameter(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    bound = float(np.prod(shape[1:])) ** -0.5
    values: Array = rng.uniform(-bound, bound, shape).astype(dtype)
    return values


def kalman(tiny: bool, dtype: str) -> Filter:
    rng = np.random.default_rng(8)
    state, seen, steps = (2, 1, 5) if tiny else (4, 2, 60)
    a = 0.9 * np.linalg.qr(rng.normal(size=(state, state)))[0]
    q, r = (np.tril(rng.normal(size=(n, n))) / 3 + np.eye(n) for n in (state, seen))
    arrays = a, rng.normal(size=(seen, state)), q, r, rng.normal(size=(steps, seen))
    return Filter(*(array.astype(dtype) for array in arrays))


def digits(tiny: bool, dtype: str) -> Digits:
    rng = np.random.default_rng(10)
    n = 5 if tiny else 64
    shapes = {
        "conv1.weight": (8, 1, 3, 3), "conv1.bias": (8,), "conv2.weight": (16, 8, 3, 3), "conv2.bias": (16,),
        "linear.weight": (10, 64), "linear.bias": (10,),
    }  # fmt: skip
    parameters = {name: _parameter(rng, shape, dtype) for name, shape in shapes.items()}
    return Digits(rng.uniform(size=(n, 1, 8, 8)).astype(dtype), rng.integers(0, 10, n), parameters, 1e-3)


def adam(tiny: bool, dtype: str, n: int = 1) -> Step:
    rng = np.random.default_rng(11)
    size = 50 if tiny else 10_000_000 // n
    parameters = tuple(rng.normal(size=size).astype(dtype) for _ in range(n))
    return Step(parameters, tuple(rng.normal(size=size).astype(dtype) for _ in range(n)))


def adam_of_many(tiny: bool, dtype: str) -> Step:
    return adam(tiny, dtype, 3 if tiny else 50)


TORCH = "torch"  # the baseline of workloads that nobody writes by hand

LAYER_WORKLOADS: dict[str, Workload] = {
    "w6": Workload("W6 relu of a 3x3 convolution, 32x16x28x28", "w6", convolution),
    "w7": Workload("W7 GPT block, attention written out, B 32, T 64, C 128", "w7", block, TORCH),
    "w7_sdpa": Workload("W7 GPT block, scaled_dot_product_attention", "w7_sdpa", block, TORCH),
    "w8": Workload("W8 Kalman filter, log likelihood and gradients, 60 steps", "w8", kalman, TORCH),
    "w9": Workload("W9 LSTM of 64 units over 100 steps, batch 32", "w9", recurrent, TORCH),
    "w10": Workload("W10 Adam step of a convolutional network, 64 digits", "w10", digits, TORCH),
    "adam": Workload("Adam step on 1 parameter of 1e7 elements", "adam", adam, TORCH),
    "adam_many": Workload("Adam step on 50 parameters, 1e7 elements in all", "adam", adam_of_many, TORCH),
}

ALL_WORKLOADS = {**WORKLOADS, **LAYER_WORKLOADS}
