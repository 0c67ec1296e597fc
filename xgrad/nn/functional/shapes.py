"""Functions that change the shape only."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor


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
