"""Affine maps as functions."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor


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
