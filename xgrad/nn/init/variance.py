"""Starting values by which the variance of a signal stays about the same from layer to layer."""

from __future__ import annotations

import math

from xgrad.engine.tensor import Tensor
from xgrad.nn.activations import BY_NAME
from xgrad.nn.init.filling import normal_, uniform_
from xgrad.random import Generator

GAINS = {  # of names without an activation class
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), 1.0),
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor of the weights before an activation that keeps the variance of the signal about the same from layer to layer.

    Args:
        nonlinearity: "linear" or the name of a convolution, such as "conv2d" (1), "sigmoid" (1), "tanh" (5/3), "relu" (sqrt(2)),
            "leaky_relu" (sqrt(2 / (1 + param**2))) or "selu" (3/4).
        param: the slope of leaky_relu; None means 0.01. The others ignore it.

    Returns:
        A float.

    Raises:
        ValueError: for an unknown name, or a slope of leaky_relu that is not a number.

    >>> import xgrad as xg
    >>> round(xg.nn.init.calculate_gain("relu"), 4), xg.nn.init.calculate_gain("leaky_relu", 1.0)
    (1.4142, 1.0)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain
    """
    if nonlinearity == "leaky_relu" and (isinstance(param, bool) or not isinstance(param, int | float | None)):
        raise ValueError(f"calculate_gain: the slope of leaky_relu must be a number, got {param!r}")
    found = GAINS.get(nonlinearity)
    if found is None and nonlinearity in BY_NAME:
        found = BY_NAME[nonlinearity].gain(param)
    if found is None:
        known = [*GAINS, *(name for name, activation in BY_NAME.items() if activation.gain() is not None)]
        raise ValueError(f"there is no gain for {nonlinearity!r}; there is one for {', '.join(known)}")
    return found


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill a weight from the uniform distribution of mean 0 and variance gain**2 * 2 / (fan_in + fan_out).

    Its bounds are +- gain * sqrt(6 / (fan_in + fan_out)). It suits activations that are symmetric around 0, such as tanh. Glorot
    and Bengio, https://proceedings.mlr.press/v9/glorot10a.html, equation 16.

    Args:
        tensor: a weight of shape (out, in, ...), of two axes or more.
        gain: a factor; see `calculate_gain`.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a tensor of fewer than two axes, or a gain that is negative or not finite.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.xavier_uniform_(xg.zeros((100, 200)), generator=xg.random.Generator(0))
    >>> round(xg.std(w).item(), 2), round((2 / 300) ** 0.5, 2)
    (0.08, 0.08)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_
    """
    bound = gain * _root(6, sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill a weight from the normal distribution of mean 0 and variance gain**2 * 2 / (fan_in + fan_out).

    It suits activations that are symmetric around 0, such as tanh. Glorot and Bengio,
    https://proceedings.mlr.press/v9/glorot10a.html, equation 12.

    Args:
        tensor: a weight of shape (out, in, ...), of two axes or more.
        gain: a factor, 0 or more; see `calculate_gain`.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a tensor of fewer than two axes, or a gain that is negative or not finite.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.xavier_normal_(xg.zeros((100, 200)), generator=xg.random.Generator(0))
    >>> round(xg.std(w).item(), 2), round((2 / 300) ** 0.5, 2)
    (0.08, 0.08)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_normal_
    """
    return normal_(tensor, 0.0, gain * _root(2, sum(fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill a weight from the uniform distribution of mean 0 and variance gain**2 / fan.

    It suits relu and its relatives, with the gain of `calculate_gain`. He et al., https://arxiv.org/abs/1502.01852, equation 10.
    Its bounds are +- gain * sqrt(3 / fan).

    Args:
        tensor: a weight of shape (out, in, ...), of two axes or more.
        a: the negative slope, where the nonlinearity is "leaky_relu"; 0 is that of relu.
        mode: "fan_in" keeps the variance of the signal, "fan_out" that of the gradient.
        nonlinearity: the activation that follows: a name that `calculate_gain` knows.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a tensor of fewer than two axes, an unknown mode, or an unknown nonlinearity.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.kaiming_uniform_(xg.zeros((100, 200)), generator=xg.random.Generator(0))
    >>> round(xg.std(w).item(), 3), round((2 / 200) ** 0.5, 3)
    (0.1, 0.1)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_uniform_
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill a weight from the normal distribution of mean 0 and variance gain**2 / fan.

    It suits relu and its relatives, with the gain of `calculate_gain`. He et al., https://arxiv.org/abs/1502.01852, equation 10.

    Args:
        tensor: a weight of shape (out, in, ...), of two axes or more.
        a: the negative slope, where the nonlinearity is "leaky_relu"; 0 is that of relu.
        mode: "fan_in" keeps the variance of the signal, "fan_out" that of the gradient.
        nonlinearity: the activation that follows: a name that `calculate_gain` knows.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a tensor of fewer than two axes, an unknown mode, or an unknown nonlinearity.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.kaiming_normal_(xg.zeros((100, 200)), generator=xg.random.Generator(0))
    >>> round(xg.std(w).item(), 3), round((2 / 200) ** 0.5, 3)
    (0.1, 0.1)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def fans(tensor: Tensor) -> tuple[int, int]:
    """fan_in and fan_out of a weight: how many numbers each output is computed from, and how many outputs each input reaches.

    Args:
        tensor: a weight of shape (out, in, ...), of two axes or more.

    Returns:
        The integers in * ... and out * ....

    Raises:
        ValueError: for a tensor of fewer than two axes.

    >>> import xgrad as xg
    >>> xg.nn.init.fans(xg.zeros((8, 3, 5, 5)))
    (75, 200)

    Used by https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_ and the three after it.
    """
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
    """sqrt(part / fan); 0 for a weight without elements."""
    return math.sqrt(part / fan) if fan else 0.0
