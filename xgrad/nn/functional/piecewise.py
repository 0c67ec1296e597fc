"""Activations that are put together from pieces, as functions. At a kink the derivative is PyTorch's."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.engine.operands import operand, together
from xgrad.engine.tensor import Tensor
from xgrad.nn.functional.floats import floating as _floating
from xgrad.nn.functional.precision import lowered
from xgrad.random import Generator

SELU_ALPHA, SELU_SCALE = (
    1.6732632423543772,
    1.0507009873554805,
)  # Klambauer et al. 2017, https://arxiv.org/abs/1706.02515


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """The input where it is positive, `alpha * (exp(input) - 1)` elsewhere.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        alpha: a number: minus the limit for negative inputs.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is positive, else `alpha * exp(input)`, also at 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.elu(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.6321, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
    """
    return _elu(_floating("elu", input), alpha)


def selu(input: Any, inplace: bool = False) -> Tensor:
    """`elu` with alpha = 1.6733, times 1.0507: in deep networks, mean 0 and variance 1 are kept from layer to layer.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1.0507 where the input is positive, else 1.7581 * exp(input), also at 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.selu(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-1.1113, 0.0, 2.1014]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.selu.html
    """
    return _elu(_floating("selu", input), SELU_ALPHA * SELU_SCALE, positive=SELU_SCALE)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """The input where it is positive, `alpha * (exp(input / alpha) - 1)` elsewhere: an `elu` without a kink.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        alpha: a number that is not 0: minus the limit for negative inputs.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is positive, else exp(input / alpha), also at 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.
        ValueError: for an `alpha` of 0.

    >>> import xgrad as xg
    >>> xg.nn.functional.celu(xg.asarray([-1.0, 0.0, 2.0]), 2.0).numpy().round(4).tolist()
    [-0.7869, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.celu.html
    """
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0")
    return _elu(_floating("celu", input), alpha, within=1 / alpha)


@lowered
def prelu(input: Any, weight: Any) -> Tensor:
    """The input where it is positive, `weight * input` elsewhere.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        weight: the slope: an array of one element, or of one for each channel, shape (C,). Channels are the second axis.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 by the input where it is positive, else the weight, also at 0. By the weight: the input where that is not positive.

    Raises:
        TypeError: for an input that is neither an array nor a number.
        ValueError: for a weight of another shape, and for one of C elements and an input without C channels.

    >>> import xgrad as xg
    >>> xg.nn.functional.prelu(xg.asarray([-1.0, 0.0, 2.0]), xg.asarray([0.25])).numpy().round(4).tolist()
    [-0.25, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html
    """
    input, weight = together("prelu", input, weight)
    input, weight = _floating("prelu", input), operand("prelu", weight)
    n = weight.shape[0] if weight.ndim else 1
    channels = 1 if input.ndim < 2 else input.shape[1]
    if weight.ndim > 1 or (n != 1 and n != channels):
        raise ValueError(
            f"prelu: weight must have one element, or one for each of the {channels} channels of an input of shape "
            f"{tuple(input.shape)}, got shape {tuple(weight.shape)}"
        )
    weight = xg.reshape(weight, tuple(n if i == 1 else 1 for i in range(input.ndim)))
    return xg.where(input > 0, input, weight * input)


def rrelu(
    input: Any,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """The input where it is positive, elsewhere the input times a random slope, drawn for each element.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        lower: the lowest slope.
        upper: the highest slope, `lower` or more.
        training: whether slopes are drawn; otherwise all are the mean of `lower` and `upper`.
        rng: the generator of the slopes; None means the one that `xgrad.random.seed` sets.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is positive, else the slope, also at 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.
        ValueError: for an `upper` below `lower`.

    >>> import xgrad as xg
    >>> xg.nn.functional.rrelu(xg.asarray([-1.0, 0.0, 2.0]), 0.25, 0.75).numpy().round(4).tolist()
    [-0.5, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html
    """
    if not lower <= upper:
        raise ValueError(f"rrelu: lower must not be above upper, got {lower!r} and {upper!r}")
    input = _floating("rrelu", input)
    if not training:
        return xg.leaky_relu(input, (lower + upper) / 2)
    draw = random.default_generator() if rng is None else rng
    slope = draw.uniform(tuple(input.shape), low=lower, high=upper, like=input)
    return xg.where(input > 0, input, input * slope)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """The input where it is above the threshold, a fixed value elsewhere.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        threshold: a number.
        value: a number.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is above the threshold, else 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.threshold(xg.asarray([-1.0, 0.0, 2.0]), 0.0, 20.0).numpy().round(4).tolist()
    [20.0, 20.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html
    """
    input = _floating("threshold", input)
    return xg.where(input <= threshold, _number(value, input), input)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """The input, but at least `min_val` and at most `max_val`.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        min_val: the lowest output.
        max_val: the highest output, `min_val` or more.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 between the bounds, else 0, also at the bounds.

    Raises:
        TypeError: for an input that is neither an array nor a number.
        ValueError: for a `max_val` below `min_val`.

    >>> import xgrad as xg
    >>> xg.nn.functional.hardtanh(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-1.0, 0.0, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html
    """
    if not min_val <= max_val:
        raise ValueError(f"hardtanh: min_val must not be above max_val, got {min_val!r} and {max_val!r}")
    return _clipped(_floating("hardtanh", input), min_val, max_val)


def relu6(input: Any, inplace: bool = False) -> Tensor:
    """The input, but at least 0 and at most 6.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is between 0 and 6, else 0, also at 0 and 6.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.relu6(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [0.0, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html
    """
    return _clipped(_floating("relu6", input), 0.0, 6.0)


def hardswish(input: Any, inplace: bool = False) -> Tensor:
    """`input * relu6(input + 3) / 6`: an approximation of `silu` without an exponential.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        0 up to -3, 1 from 3 on, `input / 3 + 1 / 2` between.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.hardswish(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.3333, 0.0, 1.6667]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html
    """
    input = _floating("hardswish", input)
    low, high = input <= -3, input >= 3
    inner = xg.mask(input, ~(low | high))
    return xg.where(high, input, xg.where(low, _number(0.0, input), inner * (inner * (1 / 6) + 0.5)))


def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:
    """`relu6(input + 3) / 6`: an approximation of `sigmoid` without an exponential.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1/6 where the input is between -3 and 3, else 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.hardsigmoid(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [0.3333, 0.5, 0.8333]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html
    """
    return _clipped(_floating("hardsigmoid", input) + 3, 0.0, 6.0) / 6


def hardshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """The input, but 0 where it is at most `lambd` in size.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        lambd: a number, 0 or more.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is larger than `lambd` in size, else 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.hardshrink(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-1.0, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html
    """
    input = _floating("hardshrink", input)
    return xg.mask(input, ~(xg.abs(input.detach()) <= lambd))


def softshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """The input moved towards 0 by `lambd`, and 0 where it is at most that in size.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        lambd: a number, 0 or more.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is larger than `lambd` in size, else 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.
        ValueError: for a negative `lambd`.

    >>> import xgrad as xg
    >>> xg.nn.functional.softshrink(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.5, 0.0, 1.5]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html
    """
    if not lambd >= 0:
        raise ValueError(f"softshrink: lambd must be 0 or more, got {lambd!r}")
    input = _floating("softshrink", input)
    moved = xg.where(input > 0, input - lambd, input + lambd)
    return xg.mask(moved, ~(xg.abs(input.detach()) <= lambd))


def _elu(x: Tensor, negative: float, positive: float = 1.0, within: float = 1.0) -> Tensor:
    """x * positive where x is positive, elsewhere negative * (exp(x * within) - 1)."""
    is_positive = x > 0
    below = xg.mask(x, ~is_positive)  # a larger number could overflow
    below = xg.expm1(below if within == 1 else below * within)
    return xg.where(is_positive, x if positive == 1 else x * positive, below if negative == 1 else below * negative)


def _clipped(x: Tensor, low: float, high: float) -> Tensor:
    """x within bounds. The derivative at a bound is 0, unlike that of `clip`."""
    return xg.where(x <= low, _number(low, x), xg.where(x >= high, _number(high, x), x))


def _number(value: float, like: Tensor) -> Any:
    return like.__array_namespace__().full((), value, dtype=like.dtype)
