"""Starting values for weights. Each function fills a tensor, as PyTorch's do, and returns it.

A weight of shape (out, in, ...) has fan_in = in * ... and fan_out = out * .... The old array is not written: the tensor
gets a new one, of the same dtype on the same backend.

>>> import xgrad as xg
>>> layer = xg.nn.Linear(2, 3)
>>> xg.nn.init.constant_(layer.weight, 0.5).numpy().tolist()
[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
"""

from __future__ import annotations

import math

from xgrad import random
from xgrad.backends import use_backend
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator

GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """What to multiply weights by so that this activation keeps its input's spread. `param`: leaky_relu's slope."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in GAINS:
        raise ValueError(f"there is no gain for {nonlinearity!r}; there is for {', '.join(GAINS)} and leaky_relu")
    return GAINS[nonlinearity]


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill the tensor with one number."""
    tensor.data = tensor.backend.xp.full_like(tensor.data, val)
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill the tensor with zeros."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill the tensor with ones."""
    return constant_(tensor, 1.0)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Evenly spread over [a, b)."""
    draw = random.default_generator() if generator is None else generator
    with use_backend(tensor.backend):
        tensor.data = draw.uniform(tensor.shape, low=a, high=b, dtype=tensor.dtype).data
    return tensor


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with normally distributed numbers."""
    draw = random.default_generator() if generator is None else generator
    with use_backend(tensor.backend):
        tensor.data = draw.normal(tensor.shape, mean=mean, std=std, dtype=tensor.dtype).data
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform with variance gain**2 * 2 / (fan_in + fan_out): for activations that are symmetric, such as tanh."""
    bound = gain * _root(6, sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with variance gain**2 * 2 / (fan_in + fan_out)."""
    return normal_(tensor, 0.0, gain * _root(2, sum(fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform with variance gain**2 / fan: for the relu family. `a` is leaky_relu's slope."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with variance gain**2 / fan: for the relu family. `a` is leaky_relu's slope."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight."""
    if tensor.ndim < 2:
        raise ValueError(f"fan_in and fan_out need a weight of two axes or more, got shape {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'mode must be "fan_in" or "fan_out", got {mode!r}')
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) * _root(1, fan)


def _root(part: int, fan: int) -> float:
    """sqrt(part / fan); 0 for a weight without elements, which has nothing to spread."""
    return math.sqrt(part / fan) if fan else 0.0
