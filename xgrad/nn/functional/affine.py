"""Affine maps as functions."""

from __future__ import annotations

from math import prod
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import arrays, wrong_shape
from xgrad.nn.functional.precision import lowered


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


@lowered
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """The bilinear forms `input1 @ weight[k] @ input2`, plus a bias, for each k.

    Args:
        input1: an array of shape (..., in1).
        input2: an array of shape (..., in2), with the same first axes.
        weight: an array of shape (out, in1, in2).
        bias: an array of shape (out,), or None for none.

    Returns:
        A tensor of shape (..., out), of the dtype that the arguments promote to.

    Raises:
        ValueError: for shapes that do not fit.
        TypeError: for an argument that is no array.

    >>> import xgrad as xg
    >>> x1, x2, weight = xg.asarray([1.0, 2.0]), xg.asarray([3.0]), xg.asarray([[[1.0], [1.0]], [[0.0], [2.0]]])
    >>> xg.nn.functional.bilinear(x1, x2, weight).tolist()
    [9.0, 12.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html
    """
    x1, x2, weight, bias = arrays("bilinear", input1, input2, weight, bias)
    if weight.ndim != 3:
        raise wrong_shape("bilinear: weight", "(out, in1, in2)", weight)
    out, in1, in2 = weight.shape
    if x1.shape[-1:] != (in1,) or x2.shape[-1:] != (in2,) or x1.shape[:-1] != x2.shape[:-1]:
        raise ValueError(
            f"bilinear takes inputs of shape (..., {in1}) and (..., {in2}), got {tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    if bias is not None and tuple(bias.shape) != (out,):
        raise wrong_shape("bilinear: bias", f"({out},)", bias)
    before = x1.shape[:-1]
    n = prod(before)
    # One product of matrices for all k, then a scalar product with the second input for each.
    table = xg.reshape(xg.permute_dims(weight, (1, 0, 2)), (in1, out * in2))
    forms = xg.reshape(xg.matmul(xg.reshape(x1, (n, in1)), table), (n, out, in2))
    y = xg.reshape(xg.matmul(forms, xg.reshape(x2, (n, in2, 1))), (*before, out))
    output: Tensor = y if bias is None else y + bias
    return output
