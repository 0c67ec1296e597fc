"""Smooth activations as functions, and those that work along an axis: gates and random choices."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor
from xgrad.nn.functional.activations import softmax
from xgrad.nn.functional.floats import floating as _floating
from xgrad.random import Generator


def gelu(input: Any, approximate: str = "none") -> Tensor:
    """The input times the distribution function of the standard normal distribution.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        approximate: "tanh" takes `input * (1 + tanh(sqrt(2 / pi) * (input + 0.044715 * input**3))) / 2` instead; "none" does not.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        The distribution function plus the input times the density.

    Raises:
        TypeError: for an input that is neither an array nor a number.
        ValueError: for an `approximate` that is neither of the two words.

    >>> import xgrad as xg
    >>> xg.nn.functional.gelu(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.1587, 0.0, 1.9545]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
    """
    return xg.gelu(input, approximate=approximate)


def silu(input: Any, inplace: bool = False) -> Tensor:
    """`input * sigmoid(input)`, also called swish.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        s * (1 + input * (1 - s)), where s = sigmoid(input).

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.silu(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.2689, 0.0, 1.7616]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
    """
    output: Tensor = xg.silu(input)
    return output


def mish(input: Any, inplace: bool = False) -> Tensor:
    """`input * tanh(softplus(input))`.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        t + input * sigmoid(input) * (1 - t**2), where t = tanh(softplus(input)).

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.mish(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.3034, 0.0, 1.944]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mish.html
    """
    output: Tensor = xg.mish(input)
    return output


def tanhshrink(input: Any) -> Tensor:
    """`input - tanh(input)`.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        tanh(input)**2.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.tanhshrink(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.2384, 0.0, 1.036]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html
    """
    output: Tensor = xg.tanhshrink(input)
    return output


def softsign(input: Any) -> Tensor:
    """`input / (1 + abs(input))`.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 / (1 + abs(input))**2.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.softsign(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.5, 0.0, 0.6667]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html
    """
    input = _floating("softsign", input)
    output: Tensor = input / (1 + xg.abs(input))
    return output


def softmin(input: Any, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """The softmax of the negative input: the smallest elements get the largest shares.

    Args:
        input: an array of one axis or more, of a floating-point dtype (integers become floats of the default dtype).
        dim: the axis, negative from the end. None takes 0 for an input of 1 or 3 axes, else 1, as PyTorch does, and warns.
        dtype: the dtype to which the input is cast first; None leaves it as it is.
        axis: the standard's word for `dim`; give one of the two.

    Returns:
        A tensor of the shape and dtype of the (cast) input.

    Derivative:
        g becomes s * (sum(s * g) - g) along the axis, for the output s.

    Raises:
        TypeError: for an input that is neither an array nor a number, a `dim` that is not an integer, or both `dim` and `axis`.
        ValueError: for an axis that the input does not have (a number has none).

    >>> import xgrad as xg
    >>> xg.nn.functional.softmin(xg.asarray([[0.0, 0.0], [1.0, 3.0]]), dim=1).numpy().round(4).tolist()
    [[0.5, 0.5], [0.8808, 0.1192]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html
    """
    return softmax(-_floating("softmin", input), dim, dtype, axis=axis)


def glu(input: Any, dim: int = -1) -> Tensor:
    """The first half of the input along an axis times the sigmoid of the second half: a gated linear unit.

    Args:
        input: an array of one axis or more, of a real floating-point dtype (integers become floats of the default dtype).
        dim: the axis, negative from the end. The input has an even number of elements along it.

    Returns:
        A tensor of the dtype of the input, with half as many elements along the axis.

    Derivative:
        sigmoid(b) by the first half a, and a * sigmoid(b) * (1 - sigmoid(b)) by the second half b.

    Raises:
        TypeError: for an input that is neither an array nor a number, or a `dim` that is not an integer.
        ValueError: for an axis that the input does not have, or that has an odd number of elements.

    >>> import xgrad as xg
    >>> xg.nn.functional.glu(xg.asarray([1.0, 2.0, 0.0, 100.0])).numpy().tolist()
    [0.5, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.glu.html
    """
    input, axis = _floating("glu", input), integer("glu", dim, "dim")
    shape = tuple(input.shape)
    if not -len(shape) <= axis < len(shape) or shape[axis] % 2:
        raise ValueError(f"glu: the input must have an even number of elements along dim {dim}, got shape {shape}")
    before, half = (slice(None),) * (axis % len(shape)), shape[axis] // 2
    gate = xg.sigmoid(input[(*before, slice(half, None))])
    output: Tensor = input[(*before, slice(None, half))] * gate
    return output


def gumbel_softmax(
    logits: Any,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """A random choice along an axis, as shares that sum to 1, which can be differentiated by the logits.

    It is the softmax of (logits + gumbel) / tau, where gumbel is noise of the Gumbel distribution. Its largest element is at each
    place with the probability that the softmax of the logits gives to the place. Jang, Gu and Poole 2017,
    https://arxiv.org/abs/1611.01144

    Args:
        logits: an array of one axis or more, of a real floating-point dtype (integers become floats of the default dtype).
        tau: the temperature, a number more than 0. The lower it is, the nearer is the result to a single 1.
        hard: whether the result is a single 1 among zeros; its derivative stays that of the shares.
        eps: an argument of PyTorch's, without effect there and here.
        dim: the axis, negative from the end.
        rng: the generator of the noise; None means the one that `xgrad.random.seed` sets.

    Returns:
        A tensor of the shape and dtype of the logits.

    Derivative:
        That of the softmax, also for `hard`.

    Raises:
        TypeError: for logits that are neither an array nor a number, or a `dim` that is not an integer.
        ValueError: for a `tau` that is not more than 0, or an axis that the logits do not have.

    >>> import xgrad as xg
    >>> logits = xg.asarray([[0.0, 100.0], [100.0, 0.0]])
    >>> xg.nn.functional.gumbel_softmax(logits, hard=True).numpy().tolist()
    [[0.0, 1.0], [1.0, 0.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html
    """
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau must be more than 0, got {tau!r}")
    logits, axis = _floating("gumbel_softmax", logits), integer("gumbel_softmax", dim, "dim")
    draw = random.default_generator() if rng is None else rng
    # The logarithm of exponential noise. A uniform number that is 0, or 1 in the dtype of the logits, would give an infinity.
    uniform = draw.uniform(tuple(logits.shape), low=1e-7, high=1 - 1e-7, like=logits)
    soft = xg.softmax((logits - xg.log(-xg.log(uniform))) / tau, axis=axis)
    if not hard:
        return soft
    shares = soft.detach()
    n = shares.shape[axis]
    along = tuple(-1 if i == axis % shares.ndim else 1 for i in range(shares.ndim))
    places = xg.reshape(shares.__array_namespace__().arange(n), along)
    first = xg.argmax(shares, axis=axis, keepdims=True) == places
    one = xg.astype(first, shares.dtype)
    output: Tensor = one + (soft - shares)  # the difference is 0, but not its derivative
    return output
