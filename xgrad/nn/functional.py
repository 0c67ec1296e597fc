"""Layers, activations and losses as functions, with PyTorch's names and arguments: compositions over xgrad's namespace.

>>> import xgrad as xg
>>> x = xg.asarray([-1.0, 0.0, 2.0])
>>> xg.nn.functional.relu(x).numpy().tolist()
[0.0, 0.0, 2.0]
"""

from __future__ import annotations

import warnings
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.cross_entropy import cross_entropy, nll_loss
from xgrad.nn.loss_functions import binary_cross_entropy_with_logits, huber_loss, l1_loss, mse_loss

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "flatten",
    "huber_loss",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "tanh",
]


def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """`input @ weight.T + bias`: input (..., in), weight (out, in), bias (out,) give (..., out)."""
    output: Tensor = xg.linear(input, weight, bias)
    return output


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the axes from `start_dim` to `end_dim`, both included, into one. A 0-d array becomes one of one element."""
    shape = tuple(operand("flatten", input).shape) or (1,)
    n, start_dim, end_dim = (
        len(shape),
        integer("flatten", start_dim, "start_dim"),
        integer("flatten", end_dim, "end_dim"),
    )
    if not (-n <= start_dim < n and -n <= end_dim < n) or start_dim % n > end_dim % n:
        raise IndexError(f"flatten: an array of shape {shape} has no axes from {start_dim} to {end_dim}")
    start, stop = start_dim % n, end_dim % n + 1
    joined = 1
    for size in shape[start:stop]:
        joined *= size
    return xg.reshape(input, (*shape[:start], joined, *shape[stop:]))


def sigmoid(input: Any) -> Tensor:
    """1 / (1 + exp(-x)), without overflow."""
    output: Tensor = xg.sigmoid(input)
    return output


def tanh(input: Any) -> Tensor:
    """The hyperbolic tangent."""
    output: Tensor = xg.tanh(input)
    return output


def relu(input: Any, inplace: bool = False) -> Tensor:
    """max(x, 0), with derivative 0 at 0. `inplace` has no effect."""
    output: Tensor = xg.relu(input)
    return output


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where it is positive, `negative_slope * x` elsewhere. `inplace` has no effect."""
    return xg.leaky_relu(input, negative_slope)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta, and x itself where `beta * x > threshold`."""
    scaled = input if beta == 1 else input * beta
    smooth = xg.softplus(scaled)
    return xg.where(scaled > threshold, input, smooth if beta == 1 else smooth / beta)


def logsigmoid(input: Any) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    output: Tensor = -xg.softplus(-input)
    return output


def softmax(input: Any, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """exp(x), scaled to sum to 1 along `dim`; x is cast to `dtype` first."""
    return xg.softmax(_cast(input, dtype), axis=_axis("softmax", input, dim, axis))


def log_softmax(input: Any, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """log(softmax(x)), exact where softmax is tiny."""
    return xg.log_softmax(_cast(input, dtype), axis=_axis("log_softmax", input, dim, axis))


def _cast(input: Any, dtype: Any) -> Any:
    return input if dtype is None else xg.astype(input, dtype)


def _axis(name: str, input: Any, dim: int | None, axis: int | None) -> int:
    """The axis, which may be called by PyTorch's word or the standard's."""
    if dim is not None and axis is not None:
        raise TypeError(f"{name}: dim= and axis= are two words for one thing; give one of them")
    if dim is not None or axis is not None:
        return integer(name, axis if dim is None else dim, "dim")
    warnings.warn(
        f"{name} without dim= guesses the axis, as PyTorch does: say which one is meant",
        stacklevel=3,
    )
    return 0 if len(input.shape) in (0, 1, 3) else 1
