"""Functions of PyTorch's that the standard does not have: masked_fill and chunk."""

from __future__ import annotations

from typing import Any

from xgrad.engine.integers import integer
from xgrad.engine.operands import operand, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules import methods


@public("masked_fill", "composition")
def masked_fill(x: Any, mask: Any, value: Any, /) -> Tensor:
    """A copy of x with one value where a mask holds.

    >>> import xgrad as xg
    >>> scores = xg.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> xg.masked_fill(scores, xg.tril(xg.ones((2, 2))) == 0, float("-inf")).tolist()
    [[1.0, -inf], [3.0, 4.0]]

    Args:
        mask: an array of booleans that broadcasts to the shape of x.
        value: a number or a 0-d array.

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        An element of x gets the cotangent of its place, or 0 where the mask holds. A value gets the sum of the others.

    Raises:
        TypeError: for an x that is neither an array nor a number.
        ValueError: for a value of more than one number, and for a mask that does not broadcast to the shape of x.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.masked_fill.html
    """
    x, mask = together("masked_fill", x, mask)
    return methods.masked_fill(operand("masked_fill", x), mask, value)


@public("chunk", "composition")
def chunk(x: Any, chunks: int, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Parts of x along an axis: at most `chunks` of the same length, of which the last may be shorter.

    >>> import xgrad as xg
    >>> [part.tolist() for part in xg.chunk(xg.asarray([1.0, 2.0, 3.0, 4.0, 5.0]), 2)]
    [[1.0, 2.0, 3.0], [4.0, 5.0]]

    Args:
        chunks: how many parts there are at most, an integer, 1 or more.
        axis: the axis, counted from the end where it is negative.

    Returns:
        A tuple of tensors of the dtype of x, and of its shape with a shorter axis: views of x.

    Derivative:
        Each element of x gets the cotangent of its place in its part.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for an axis or a number of parts that is no integer.
        ValueError: for an axis that x does not have, and for fewer than one part.

    https://docs.pytorch.org/docs/stable/generated/torch.chunk.html
    """
    x = operand("chunk", x)
    if integer("chunk", chunks, "chunks") < 1:
        raise ValueError(f"chunk: chunks must be 1 or more, got {chunks!r}")
    return methods.chunk(x, chunks, axis=integer("chunk", axis))
