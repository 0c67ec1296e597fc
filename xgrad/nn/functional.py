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
from xgrad.nn.cross_entropy import cross_entropy as cross_entropy
from xgrad.nn.cross_entropy import nll_loss as nll_loss
from xgrad.nn.loss_functions import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from xgrad.nn.loss_functions import huber_loss as huber_loss
from xgrad.nn.loss_functions import l1_loss as l1_loss
from xgrad.nn.loss_functions import mse_loss as mse_loss


def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """`input @ weight.T + bias`: an affine map of the last axis.

    Args:
        input: an array of shape (..., in).
        weight: an array of shape (out, in).
        bias: an array of shape (out,), or None for none.

    Returns:
        A tensor of shape (..., out), of the dtype that the arguments promote to.

    Raises:
        ValueError: for shapes that do not fit.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> x, weight = xg.asarray([[1.0, 2.0]]), xg.asarray([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> xg.nn.functional.linear(x, weight, xg.asarray([0.5, 0.5, 0.5])).numpy().tolist()
    [[1.5, 2.5, 3.5]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
    """
    output: Tensor = xg.linear(input, weight, bias)
    return output


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the axes from `start_dim` to `end_dim`, both included, into one.

    Args:
        input: an array of any shape and dtype. One without axes becomes one of shape (1,).
        start_dim: the first axis to join, negative from the end.
        end_dim: the last axis to join, negative from the end.

    Returns:
        A tensor of the same elements in row-major order, and of the dtype of the input.

    Raises:
        TypeError: for an input that is neither an array nor a number, or an axis that is not an integer.
        IndexError: for axes that the input does not have, or a `start_dim` after `end_dim`.

    >>> import xgrad as xg
    >>> xg.nn.functional.flatten(xg.zeros((5, 2, 3)), start_dim=1).shape
    (5, 6)

    https://docs.pytorch.org/docs/stable/generated/torch.flatten.html
    """
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
