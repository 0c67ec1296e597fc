"""Constants, and random numbers of one distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator


def constant_(tensor: Tensor, val: complex) -> Tensor:
    """Fill the tensor with one number.

    Args:
        tensor: a tensor of any shape and dtype.
        val: the number, of a kind that the dtype can hold.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        TypeError: for an array that is not a tensor, a complex number for a real tensor, or a fraction for integers.

    >>> import xgrad as xg
    >>> xg.nn.init.constant_(xg.zeros((2,)), 0.5).numpy().tolist()
    [0.5, 0.5]

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.constant_
    """
    dtype = check_tensor("constant_", tensor).dtype
    if isinstance(val, complex) and not xg.isdtype(dtype, "complex floating"):
        raise TypeError(f"constant_: a tensor of dtype {dtype} cannot hold the complex number {val!r}")
    if isinstance(val, float) and xg.isdtype(dtype, ("integral", "bool")):
        if not val.is_integer():
            raise TypeError(f"constant_: a tensor of dtype {dtype} cannot hold {val!r}")
        val = bool(val) if xg.isdtype(dtype, "bool") else int(val)
    return _written(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill the tensor with zeros.

    Args:
        tensor: a tensor of any shape and dtype.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        TypeError: for an array that is not a tensor.

    >>> import xgrad as xg
    >>> xg.nn.init.zeros_(xg.asarray([1.0, 2.0])).numpy().tolist()
    [0.0, 0.0]

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.zeros_
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill the tensor with ones.

    Args:
        tensor: a tensor of any shape and dtype.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        TypeError: for an array that is not a tensor.

    >>> import xgrad as xg
    >>> xg.nn.init.ones_(xg.asarray([1.0, 2.0])).numpy().tolist()
    [1.0, 1.0]

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.ones_
    """
    return constant_(tensor, 1.0)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with numbers of the uniform distribution on [a, b).

    Args:
        tensor: a floating-point tensor of any shape.
        a: the lower bound.
        b: the upper bound.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for bounds that are not finite, or a > b.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.uniform_(xg.zeros((100, 200)), 2.0, 4.0, generator=xg.random.Generator(0))
    >>> round(xg.min(w).item(), 1), round(xg.mean(w).item(), 1), round(xg.max(w).item(), 1)
    (2.0, 3.0, 4.0)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.uniform_
    """
    floating("uniform_", tensor)
    return drawn(tensor, lambda draw: draw.uniform(tensor.shape, low=a, high=b, dtype="float64"), generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with numbers of the normal distribution.

    Args:
        tensor: a floating-point tensor of any shape.
        mean: its mean.
        std: its standard deviation, 0 or more.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a mean or a standard deviation that is not finite, or a negative standard deviation.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.normal_(xg.zeros((100, 200)), 5.0, 2.0, generator=xg.random.Generator(0))
    >>> round(xg.mean(w).item(), 1), round(xg.std(w).item(), 1)
    (5.0, 2.0)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.normal_
    """
    floating("normal_", tensor)
    return drawn(tensor, lambda draw: draw.normal(tensor.shape, mean=mean, std=std, dtype="float64"), generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill the tensor with numbers of the normal distribution that lie in [a, b]: others are drawn again.

    Where few of the normal numbers would lie there, uniform ones are drawn instead, and kept in proportion to the density.

    Args:
        tensor: a floating-point tensor of any shape.
        mean: the mean of the normal distribution.
        std: its standard deviation, more than 0.
        a: the lower bound.
        b: the upper bound, more than `a`.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a standard deviation that is not more than 0, or bounds in the wrong order; for bounds between which the
            distribution has almost no mass, if one of them is infinite.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.trunc_normal_(xg.zeros((100, 200)), std=2.0, generator=xg.random.Generator(0))
    >>> round(xg.min(w).item(), 1), round(xg.std(w).item(), 1), round(xg.max(w).item(), 1)
    (-2.0, 1.1, 2.0)

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_
    """
    floating("trunc_normal_", tensor)
    if not (std > 0 and a < b):
        raise ValueError(f"trunc_normal_: std must be more than 0, and a below b, got std {std!r}, a {a!r} and b {b!r}")
    share = (math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))) / 2
    peak = (max(a, min(mean, b)) - mean) / std  # where the density between a and b is the largest

    def of_normal(draw: Generator) -> tuple[Any, Any]:
        values = draw.normal(tensor.shape, mean=mean, std=std, dtype="float64")
        return values, (values < a) | (values > b)

    def of_uniform(draw: Generator) -> tuple[Any, Any]:
        values = draw.uniform(tensor.shape, low=a, high=b, dtype="float64")
        density = xg.exp((peak * peak - ((values - mean) / std) ** 2) / 2)
        return values, draw.uniform(tensor.shape, dtype="float64") > density

    def values(draw: Generator) -> Any:
        propose = of_normal if share > 0.3 else of_uniform
        found, outside = propose(draw)
        while xg.any(outside):
            again, still = propose(draw)
            found, outside = xg.where(outside, again, found), outside & still
        return found

    return drawn(tensor, values, generator)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill a matrix with normal numbers of mean 0, and set the same share of each column to 0, at random.

    Args:
        tensor: a floating-point matrix.
        sparsity: the share of each column that is 0, from 0 to 1. The number of zeros is rounded up.
        std: the standard deviation of the normal numbers, 0 or more.
        generator: where the numbers are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The tensor itself, with its shape and dtype.

    Raises:
        ValueError: for a tensor that does not have two axes, a share that is not from 0 to 1, or a negative standard deviation.
        TypeError: for anything but a tensor of floating-point numbers.

    >>> import xgrad as xg
    >>> w = xg.nn.init.sparse_(xg.zeros((10, 4)), 0.25, generator=xg.random.Generator(0))
    >>> xg.count_nonzero(w, axis=0).tolist()
    [7, 7, 7, 7]

    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_
    """
    floating("sparse_", tensor)
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: the tensor must have two axes, got shape {tensor.shape}")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity must be from 0 to 1, got {sparsity!r}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)

    def values(draw: Generator) -> Any:
        found = draw.normal(tensor.shape, std=std, dtype="float64")
        for column in range(columns):
            found[draw.permutation(rows)[:zeros], column] = 0
        return found

    return drawn(tensor, values, generator)


# --- how a tensor is filled -------------------------------------------------------------------------


def drawn(tensor: Tensor, values: Callable[[Generator], Any], generator: Generator | None) -> Tensor:
    """Fill the tensor with numbers that are drawn, and computed from what is drawn, in double precision."""
    draw = random.default_generator() if generator is None else generator
    return filled(tensor, lambda: values(draw))


def filled(tensor: Tensor, values: Callable[[], Any]) -> Tensor:
    """Fill the tensor with values that are computed by NumPy, so that they are the same on every backend."""
    with xg.use_backend("numpy"):
        numbers = values().numpy()
    return _written(tensor, numbers)


def floating(name: str, tensor: Any) -> None:
    """Raise TypeError for anything but a tensor of floating-point numbers."""
    if not xg.isdtype(check_tensor(name, tensor).dtype, ("real floating", "complex floating")):
        raise TypeError(f"{name} fills tensors of floating-point numbers, got one of dtype {tensor.dtype}")


def check_tensor(name: str, tensor: Any) -> Tensor:
    """The tensor. TypeError for anything else."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} fills a tensor in place, got {type(tensor).__name__}")
    return tensor


def _written(tensor: Tensor, values: Any) -> Tensor:
    with xg.no_grad():
        tensor[...] = values
    return tensor
