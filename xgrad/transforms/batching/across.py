"""Products of a tensor inside vmap with a matrix or a weight from outside, as one product for all examples.

The general way brings the matrix in. Its gradient is then a matrix for each example, and a sum over these. Here the batch axis is
exposed, so that the examples become rows of one matrix, and the gradient is one product too. A layer under vmap computes this.
"""

from __future__ import annotations

from math import prod
from typing import Any

from xgrad.engine.op import OPS
from xgrad.engine.tensor import Tensor
from xgrad.rules.convolution import convolution
from xgrad.rules.linear_algebra import matmul, matrix_transpose
from xgrad.rules.manipulation import reshape
from xgrad.rules.network import linear
from xgrad.transforms.batching.array import Axes
from xgrad.transforms.batching.backend import base_and_scope
from xgrad.transforms.batching.boundary import hide, show


def _added(inside: Any, *outside: Any) -> Axes:
    """The hidden axes of the tensor `inside`, if the others are from outside of all these vmaps; otherwise none."""
    if not all(isinstance(x, Tensor) for x in (inside, *outside)):
        return ()
    base, scope = base_and_scope(inside.backend)
    axes: Axes = getattr(inside.data, "axes", ())
    for x in outside:
        its_base, its_scope = base_and_scope(x.backend)
        if its_base is not base or set(its_scope) & set(axes) or not set(its_scope) <= set(scope):
            return ()
    return axes if scope == axes else ()


def _shown(x: Tensor, axes: Axes) -> Tensor:
    for axis in reversed(axes):
        x = show(x, axis)
    return x


def _hidden(y: Tensor, axes: Axes) -> Tensor:
    for axis in axes:
        y = hide(y, axis)
    return y


def _matmul(x1: Any, x2: Any) -> Tensor | None:
    if getattr(x2, "ndim", 0) == 2 and (axes := _added(x1, x2)) and x1.ndim:
        return _product(x1, x2, axes)
    if getattr(x1, "ndim", 0) == 2 and (axes := _added(x2, x1)) and x2.ndim == 1:
        return _product(x2, matrix_transpose(x1), axes)
    return None


def _product(x: Tensor, matrix: Tensor, axes: Axes) -> Tensor:
    shown = _shown(x, axes)
    *before, last = shown.shape
    y = matmul(reshape(shown, (prod(before), last)), matrix)
    return _hidden(reshape(y, (*before, matrix.shape[-1])), axes)


def _linear(x: Any, weight: Any, bias: Any = None) -> Tensor | None:
    outside = (weight,) if bias is None else (weight, bias)
    axes = _added(x, *outside) if x.ndim else ()
    return _hidden(linear(_shown(x, axes), *outside), axes) if axes else None


def _convolution(x: Any, weight: Any, bias: Any = None, **static: Any) -> Tensor | None:
    """The examples join the batch."""
    outside = (weight,) if bias is None else (weight, bias)
    axes = _added(x, *outside)
    if not axes:
        return None
    shown = _shown(x, axes)
    before = shown.shape[: len(axes) + 1]
    y = convolution(reshape(shown, (prod(before), *x.shape[1:])), *outside, **static)
    return _hidden(reshape(y, (*before, *y.shape[1:])), axes)


OPS["matmul"].across = _matmul
OPS["linear"].across = _linear
OPS["convolution"].across = _convolution
