"""Starting values that pass a signal on unchanged: identities and orthogonal matrices."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn.init.filling import check_tensor, drawn, filled, floating
from xgrad.random import Generator


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: 1 on the diagonal, 0 elsewhere.

    Args:
        tensor: a matrix of numbers.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a tensor that does not have two axes.
        TypeError: for an array that is not a tensor.

    >>> import xgrad as xg
    >>> xg.nn.init.eye_(xg.zeros((2, 3))).numpy().tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.eye_
    """
    check_tensor("eye_", tensor)
    if tensor.ndim != 2:
        raise ValueError(f"eye_: the tensor must have two axes, got shape {tensor.shape}")
    return filled(tensor, lambda: xg.eye(*tensor.shape, dtype="int8"))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it passes on its input: output channel i of each group is input channel i.

    That is 1 at the center of the kernel, and 0 elsewhere. Further output channels are 0.

    Args:
        tensor: the weight of a convolution, of shape (out, in, ...) with one to three axes after these.
        groups: the groups of the convolution, a divisor of `out`.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for another number of axes, or groups that do not divide the first.
        TypeError: for an array that is not a tensor.

    >>> import xgrad as xg
    >>> weight = xg.nn.init.dirac_(xg.zeros((2, 2, 3)))
    >>> weight.numpy().tolist()
    [[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_
    """
    check_tensor("dirac_", tensor)
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_: the tensor must have 3, 4 or 5 axes, got shape {tensor.shape}")
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"dirac_: groups must divide the first axis, of length {tensor.shape[0]}, got {groups!r}")
    of_group = tensor.shape[0] // groups
    center = tuple(n // 2 for n in tensor.shape[2:])

    def values() -> Any:
        found = xg.zeros(tensor.shape, dtype="int8")
        for group in range(groups):
            for i in range(min(of_group, tensor.shape[1])):
                found[(group * of_group + i, i, *center)] = 1
        return found

    return filled(tensor, values)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill a weight with a random orthogonal matrix: its rows, or its columns if these are fewer, are orthonormal.

    All such matrices are equally likely. Saxe et al., https://arxiv.org/abs/1312.6120.

    Args:
        tensor: a floating-point weight of two axes or more. Those after the first count as one.
        gain: a factor of the result; see `calculate_gain`.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a tensor of fewer than two axes.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.orthogonal_(xg.zeros((2, 3)), generator=xg.random.Generator(0))
    >>> (xg.abs(w @ w.T).numpy().round(6)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_
    """
    floating("orthogonal_", tensor)
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: the tensor must have two axes or more, got shape {tensor.shape}")
    if 0 in tensor.shape:
        return tensor
    rows = tensor.shape[0]
    columns = int(tensor.size) // rows

    def values(draw: Generator) -> Any:
        q, r = xg.linalg.qr(draw.normal((max(rows, columns), min(rows, columns)), dtype="float64"))
        q = q * xg.sign(xg.linalg.diagonal(r))  # this makes them equally likely: https://arxiv.org/abs/math-ph/0609050
        return gain * xg.reshape(q.T if rows < columns else q, tensor.shape)

    return drawn(tensor, values, generator)
