"""Activations as functions."""

from __future__ import annotations

import warnings
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor


def sigmoid(input: Any) -> Tensor:
    """1 / (1 + exp(-input)), element by element, without overflow.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        s * (1 - s), for the output s.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.sigmoid(xg.asarray([-1e4, 0.0, 1.0])).numpy().round(4).tolist()
    [0.0, 0.5, 0.7311]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.sigmoid.html
    """
    output: Tensor = xg.sigmoid(input)
    return output


def tanh(input: Any) -> Tensor:
    """The hyperbolic tangent, element by element.

    Args:
        input: an array of any shape and of a floating-point dtype (integers become floats of the default dtype), or a number.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 - t**2, for the output t.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.tanh(xg.asarray([-1.0, 0.0, 1.0])).numpy().round(4).tolist()
    [-0.7616, 0.0, 0.7616]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.tanh.html
    """
    output: Tensor = xg.tanh(input)
    return output


def relu(input: Any, inplace: bool = False) -> Tensor:
    """max(input, 0), element by element.

    Args:
        input: an array of any shape and of a real dtype, or a number.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is positive, else 0, also at 0.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.relu(xg.asarray([-1.0, 0.0, 2.0])).numpy().tolist()
    [0.0, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
    """
    output: Tensor = xg.relu(input)
    return output


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """The input where it is positive, `negative_slope * input` elsewhere.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        negative_slope: a number.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        1 where the input is positive, else `negative_slope`, also at 0.

    Raises:
        TypeError: for an input that is neither an array nor a number, or a `negative_slope` that is not a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.leaky_relu(xg.asarray([-1.0, 0.0, 2.0]), 0.25).numpy().tolist()
    [-0.25, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
    """
    return xg.leaky_relu(input, negative_slope)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * input)) / beta, and the input itself where `beta * input > threshold`.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).
        beta: a number that is not 0.
        threshold: a number.

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        sigmoid(beta * input), and 1 beyond the threshold.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.softplus(xg.asarray([-1.0, 0.0, 30.0])).numpy().round(4).tolist()
    [0.3133, 0.6931, 30.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
    """
    scaled = input if beta == 1 else input * beta
    smooth = xg.softplus(scaled)
    return xg.where(scaled > threshold, input, smooth if beta == 1 else smooth / beta)


def logsigmoid(input: Any) -> Tensor:
    """log(sigmoid(input)), element by element, without overflow.

    Args:
        input: a number or an array of any shape, of a real floating-point dtype (integers become floats of the default dtype).

    Returns:
        A tensor of the shape and dtype of the input.

    Derivative:
        sigmoid(-input).

    Raises:
        TypeError: for an input that is neither an array nor a number, or is of booleans.

    >>> import xgrad as xg
    >>> xg.nn.functional.logsigmoid(xg.asarray([-1e4, 0.0, 1.0])).numpy().round(4).tolist()
    [-10000.0, -0.6931, -0.3133]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
    """
    output: Tensor = -xg.softplus(-input)
    return output


def softmax(input: Any, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """exp(input) / sum(exp(input)) along an axis, without overflow.

    Args:
        input: an array of one axis or more, of a floating-point dtype (integers become floats of the default dtype).
        dim: the axis, negative from the end. None takes 0 for an input of 1 or 3 axes, else 1, as PyTorch does, and warns.
        dtype: the dtype to which the input is cast first; None leaves it as it is.
        axis: the standard's word for `dim`; give one of the two.

    Returns:
        A tensor of the shape and dtype of the (cast) input.

    Derivative:
        g becomes s * (g - sum(s * g)) along the axis, for the output s.

    Raises:
        TypeError: for an input that is neither an array nor a number, a `dim` that is not an integer, or both `dim` and `axis`.
        ValueError: for an axis that the input does not have (a number has none).

    >>> import xgrad as xg
    >>> xg.nn.functional.softmax(xg.asarray([[0.0, 0.0], [1.0, 3.0]]), dim=1).numpy().round(4).tolist()
    [[0.5, 0.5], [0.1192, 0.8808]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
    """
    return xg.softmax(_cast(input, dtype), axis=_axis("softmax", input, dim, axis))


def log_softmax(input: Any, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """log(softmax(input)) along an axis, exact also where softmax underflows.

    Args:
        input: an array of one axis or more, of a floating-point dtype (integers become floats of the default dtype).
        dim: the axis, negative from the end. None takes 0 for an input of 1 or 3 axes, else 1, as PyTorch does, and warns.
        dtype: the dtype to which the input is cast first; None leaves it as it is.
        axis: the standard's word for `dim`; give one of the two.

    Returns:
        A tensor of the shape and dtype of the (cast) input.

    Derivative:
        g becomes g - softmax(input) * sum(g) along the axis.

    Raises:
        TypeError: for an input that is neither an array nor a number, a `dim` that is not an integer, or both `dim` and `axis`.
        ValueError: for an axis that the input does not have (a number has none).

    >>> import xgrad as xg
    >>> xg.nn.functional.log_softmax(xg.asarray([[0.0, 0.0], [1.0, 3.0]]), dim=1).numpy().round(4).tolist()
    [[-0.6931, -0.6931], [-2.1269, -0.1269]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
    """
    return xg.log_softmax(_cast(input, dtype), axis=_axis("log_softmax", input, dim, axis))


def _cast(input: Any, dtype: Any) -> Any:
    return input if dtype is None else xg.astype(input, dtype)


def _axis(name: str, input: Any, dim: int | None, axis: int | None) -> int:
    """The axis, given as `dim` (PyTorch's word) or as `axis` (the standard's)."""
    if dim is not None and axis is not None:
        raise TypeError(f"{name}: dim= and axis= mean the same; give one of them")
    if dim is not None or axis is not None:
        return integer(name, axis if dim is None else dim, "dim")
    warnings.warn(
        f"{name} without dim= guesses the axis, as PyTorch does: give dim=",
        stacklevel=3,
    )
    return 0 if len(input.shape) in (0, 1, 3) else 1
