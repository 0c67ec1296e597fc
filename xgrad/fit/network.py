"""The network of a fit: its layers and starting weights, and the losses and optimizers by their names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.look import FLAT
from xgrad.nn.activations import BY_NAME, Activation


class _Activations(Mapping[str, type[Activation] | None]):
    """The activations that a network may have: each elementwise class of nn by its name, and "none"."""

    def __getitem__(self, name: str) -> type[Activation] | None:
        if name == "none":
            return None
        activation = BY_NAME[name]
        if not activation.is_elementwise:
            raise KeyError(name)
        return activation

    def __iter__(self) -> Iterator[str]:
        yield "none"
        yield from (name for name, activation in BY_NAME.items() if activation.is_elementwise)

    def __len__(self) -> int:
        return sum(1 for _ in self)


ACTIVATIONS = _Activations()
LOSSES: dict[str, type[nn.Module]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "huber": nn.HuberLoss,
}
# LBFGS computes the loss several times in a step, and Muon takes matrices only: neither fits the loop of a fit.
_OTHERS = ("Optimizer", "LBFGS", "Muon")
OPTIMIZERS = {name.lower(): getattr(optim, name) for name in optim.__all__ if name not in _OTHERS}

# The bound of the uniform distribution of the weights, or the standard deviation of the normal one, from fan_in and fan_out. The
# biases are 0. "uniform" is how Linear starts: weights and biases within 1/sqrt(fan_in) of 0.
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
    """A linear layer of the network, the class of the activation after it, and the last module of the two."""

    name: str
    linear: nn.Linear
    activation: type[Activation] | None
    last: nn.Module

    @property
    def idle(self) -> str | None:
        """What a unit of this layer that passes no gradient on is called."""
        return None if self.activation is None else self.activation.idle

    def idle_share(self, output: xg.Tensor) -> float:
        """The share of its units that are dead, or of its slopes that are saturated."""
        assert self.activation is not None
        dead = self.idle == "dead"
        is_idle = xg.all(output <= 0, axis=0) if dead else self.activation.slope(xg, output) < FLAT
        return float(xg.mean(xg.astype(is_idle, output.dtype)).item())


def build(
    hidden: tuple[int, ...],
    activation: str,
    output_activation: str,
    *,
    init: str,
    dtype: Any,
    rng: xg.random.Generator,
) -> tuple[nn.Sequential, list[Layer]]:
    """A network that maps one number to one number, and its layers.

    `rng` draws, layer by layer, first the weight, as an array of shape (in, out) that is then transposed, then the bias.
    """
    sizes = (1, *hidden, 1)
    layers = []
    modules: list[nn.Module] = []
    for place, (fan_in, fan_out) in enumerate(pairwise(sizes), start=1):
        is_output = place == len(sizes) - 1
        linear = _linear(fan_in, fan_out, init, dtype, rng)
        follows = ACTIVATIONS[output_activation if is_output else activation]
        modules += [linear] if follows is None else [linear, activation_of(follows, dtype, rng)]
        name = "output" if is_output else f"layer {place}"
        layers.append(Layer(name, linear, follows, last=modules[-1]))
    return nn.Sequential(*modules), layers


def activation_of(activation: type[Activation], dtype: Any, rng: xg.random.Generator) -> Activation:
    """An activation of the network. One that draws numbers draws them from the generator of the fit."""
    made = activation().to(dtype=dtype)
    if "rng" in vars(made):
        made.rng = rng
    return made


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
