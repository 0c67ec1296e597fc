"""The network of a fit, its start, and the loss and optimizer that it is trained with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import xgrad as xg
from xgrad import nn, optim


@dataclass(frozen=True)
class Activation:
    """An activation, and how its output shows that it no longer passes a gradient on."""

    module: Callable[[], nn.Module] | None = None
    idle: str | None = None  # the word for it
    where: Callable[[xg.Tensor], xg.Tensor] | None = None  # a mask, of units or of all elements


def _never_positive(output: xg.Tensor) -> xg.Tensor:
    return xg.all(output <= 0, axis=0)


# A slope below a hundredth of its largest counts as saturated. Sigmoid's is s(1 - s), at most
# 1/4; tanh's is 1 - t^2; softplus' is 1 - exp(-output), both at most 1.
ACTIVATIONS = {
    "none": Activation(),
    "sigmoid": Activation(nn.Sigmoid, "saturated", lambda s: s * (1 - s) < 0.0025),
    "tanh": Activation(nn.Tanh, "saturated", lambda t: 1 - t * t < 0.01),
    "relu": Activation(nn.ReLU, "dead", _never_positive),
    "leaky_relu": Activation(nn.LeakyReLU, "dead", _never_positive),
    "softplus": Activation(nn.Softplus, "saturated", lambda y: y < -math.log(0.99)),
}
LOSSES: dict[str, Callable[[], Any]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "huber": nn.HuberLoss,
}
OPTIMIZERS = {name.lower(): getattr(optim, name) for name in optim.__all__ if name != "Optimizer"}

# init -> how far from 0 a weight is drawn, from fan_in and fan_out: the bound of a uniform
# distribution or the standard deviation of a normal one. The bias is 0 then. "uniform" is how a
# Linear starts by itself: weight and bias within 1/sqrt(fan_in).
_BOUND: dict[str, Callable[[int, int], float]] = {
    "kaiming_uniform": lambda fan_in, fan_out: math.sqrt(6 / fan_in),
    "xavier_uniform": lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)),
}
_STD: dict[str, Callable[[int, int], float]] = {
    "kaiming_normal": lambda fan_in, fan_out: math.sqrt(2 / fan_in),
    "xavier_normal": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
}
INITS = ("uniform", *_BOUND, *_STD)


@dataclass(frozen=True)
class Layer:
    """A linear layer of the network, the activation after it, and the last module of the two."""

    name: str
    linear: nn.Linear
    activation: Activation
    last: nn.Module


def build(
    hidden: tuple[int, ...],
    activation: str,
    output_activation: str,
    *,
    init: str,
    dtype: Any,
    rng: xg.random.Generator,
) -> tuple[nn.Sequential, list[Layer]]:
    """A network from one number to one number, with its layers named.

    Each layer's weight is drawn as (in, out) and transposed, then its bias, in order from `rng`.
    """
    sizes = (1, *hidden, 1)
    layers = []
    modules: list[nn.Module] = []
    for place, (fan_in, fan_out) in enumerate(pairwise(sizes), start=1):
        is_output = place == len(sizes) - 1
        linear = _linear(fan_in, fan_out, init, dtype, rng)
        follows = ACTIVATIONS[output_activation if is_output else activation]
        modules += [linear] if follows.module is None else [linear, follows.module()]
        name = "output" if is_output else f"layer {place}"
        layers.append(Layer(name, linear, follows, last=modules[-1]))
    return nn.Sequential(*modules), layers


def _linear(fan_in: int, fan_out: int, init: str, dtype: Any, rng: xg.random.Generator) -> nn.Linear:
    if init == "uniform":
        return nn.Linear(fan_in, fan_out, dtype=dtype, rng=rng)
    if init in _BOUND:
        bound = _BOUND[init](fan_in, fan_out)
        weight = rng.uniform((fan_in, fan_out), low=-bound, high=bound, dtype=dtype)
    else:
        weight = rng.normal((fan_in, fan_out), std=_STD[init](fan_in, fan_out), dtype=dtype)
    linear = nn.Linear(fan_in, fan_out, dtype=dtype)
    linear.weight = nn.Parameter(weight.T)
    linear.bias = nn.Parameter(xg.zeros((fan_out,), dtype=dtype))
    return linear
