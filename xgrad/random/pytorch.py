"""PyTorch's functions that draw numbers: randn, rand, randint, randperm, multinomial, bernoulli and manual_seed.

They draw from the default generator, or from the one that is given. `xgrad` has them under the same names.
"""

from __future__ import annotations

from typing import Any

from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor
from xgrad.random.default import default_generator
from xgrad.random.default import seed as started_anew
from xgrad.random.generator import Generator
from xgrad.random.place import all_true
from xgrad.rules.creation import asarray
from xgrad.rules.manipulation import reshape, stack


def manual_seed(seed: int) -> Generator:
    """Start the default generator anew: the same as `xgrad.random.seed`.

    >>> import xgrad as xg
    >>> rng = xg.manual_seed(0)
    >>> xg.randint(10, (5,)).tolist()
    [8, 6, 5, 2, 3]

    Args:
        seed: an integer, 0 or more.

    Returns:
        The new default generator.

    Raises:
        ValueError: for a negative seed.
        TypeError: for a seed that is no integer.

    https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html
    """
    return started_anew(seed)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Numbers of the normal distribution with mean 0 and standard deviation 1.

    >>> import xgrad as xg
    >>> xg.randn(2, 3).shape, xg.randn((4,)).shape, xg.randn(()).shape
    ((2, 3), (4,), ())

    Args:
        *size: the shape: a tuple, or several integers.
        generator: where the numbers are drawn from; None means the default generator.
        dtype: a real floating-point dtype; None means the default one.
        device: the device; None means the current one.
        requires_grad: whether the result is a leaf, whose `.grad` backward() fills.

    Returns:
        A tensor of that shape.

    Raises:
        TypeError: for a shape that does not consist of integers, or a dtype that the backend does not have.
        ValueError: for a negative length.

    https://docs.pytorch.org/docs/stable/generated/torch.randn.html
    """
    drawn = _from(generator).normal(_shape(size), dtype=dtype, device=device)
    return drawn.requires_grad_(requires_grad)


def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Numbers of the uniform distribution on [0, 1).

    >>> import xgrad as xg
    >>> x = xg.rand(2, 3)
    >>> x.shape, bool(xg.all((x >= 0) & (x < 1)))
    ((2, 3), True)

    Args:
        *size: the shape: a tuple, or several integers.
        generator: where the numbers are drawn from; None means the default generator.
        dtype: a real floating-point dtype; None means the default one.
        device: the device; None means the current one.
        requires_grad: whether the result is a leaf, whose `.grad` backward() fills.

    Returns:
        A tensor of that shape.

    Raises:
        TypeError: for a shape that does not consist of integers, or a dtype that the backend does not have.
        ValueError: for a negative length.

    https://docs.pytorch.org/docs/stable/generated/torch.rand.html
    """
    drawn = _from(generator).uniform(_shape(size), dtype=dtype, device=device)
    return drawn.requires_grad_(requires_grad)


def randn_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers of the normal distribution with mean 0 and standard deviation 1, in the shape of an array.

    >>> import xgrad as xg
    >>> xg.randn_like(xg.zeros((2, 3))).shape
    (2, 3)

    Args:
        input: an array, of which the result has the shape, backend and dtype. Inside vmap, all examples get the same numbers.
        generator: where the numbers are drawn from; None means the default generator.
        dtype: a real floating-point dtype; None means that of `input`, or the default one where that is of integers.
        device: the device; None means that of `input`.
        requires_grad: whether the result is a leaf, whose `.grad` backward() fills.

    Returns:
        A tensor of that shape, without a connection to `input`.

    Raises:
        TypeError: for an `input` that is neither an array nor a number, or a dtype that the backend does not have.

    https://docs.pytorch.org/docs/stable/generated/torch.randn_like.html
    """
    like = asarray(input)
    drawn = _from(generator).normal(like.shape, dtype=dtype, device=device, like=like)
    return drawn.requires_grad_(requires_grad)


def rand_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers of the uniform distribution on [0, 1), in the shape of an array.

    >>> import xgrad as xg
    >>> xg.rand_like(xg.zeros((2, 3))).shape
    (2, 3)

    Args:
        input: an array, of which the result has the shape, backend and dtype. Inside vmap, all examples get the same numbers.
        generator: where the numbers are drawn from; None means the default generator.
        dtype: a real floating-point dtype; None means that of `input`, or the default one where that is of integers.
        device: the device; None means that of `input`.
        requires_grad: whether the result is a leaf, whose `.grad` backward() fills.

    Returns:
        A tensor of that shape, without a connection to `input`.

    Raises:
        TypeError: for an `input` that is neither an array nor a number, or a dtype that the backend does not have.

    https://docs.pytorch.org/docs/stable/generated/torch.rand_like.html
    """
    like = asarray(input)
    drawn = _from(generator).uniform(like.shape, dtype=dtype, device=device, like=like)
    return drawn.requires_grad_(requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Integers from `low` to `high` - 1, or from 0 to `low` - 1: `randint(10, (3,))`, `randint(5, 10, (3,))`.

    >>> import xgrad as xg
    >>> x = xg.randint(5, 10, (2, 3))
    >>> x.shape, bool(xg.all((x >= 5) & (x < 10)))
    ((2, 3), True)

    Args:
        low: the least integer.
        high: the integer after the largest; or the shape, where the first argument is that integer.
        size: the shape, a tuple.
        generator: where the numbers are drawn from; None means the default generator.
        dtype: a dtype of integers or floats; None means the default one of integers.
        device: the device; None means the current one.

    Returns:
        A tensor of that shape.

    Raises:
        TypeError: for bounds that are no integers, or a missing shape.
        ValueError: for bounds that are not in that order.

    https://docs.pytorch.org/docs/stable/generated/torch.randint.html
    """
    if size is None and isinstance(high, tuple | list):
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if size is None:
        raise TypeError("randint: give a shape, as in randint(10, (3,)) or randint(5, 10, (3,))")
    return _from(generator).integers(low, high, tuple(size), dtype=dtype, device=device)


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The integers from 0 to n - 1 in random order.

    >>> import xgrad as xg
    >>> xg.sort(xg.randperm(5)).tolist()
    [0, 1, 2, 3, 4]

    Args:
        n: how many, an integer, 0 or more.
        generator: where the order is drawn from; None means the default generator.
        dtype: a dtype of integers or floats; None means the default one of integers.
        device: the device; None means the current one.

    Returns:
        A vector.

    Raises:
        TypeError: for an `n` that is no integer.
        ValueError: for a negative `n`.

    https://docs.pytorch.org/docs/stable/generated/torch.randperm.html
    """
    return _from(generator).permutation(n, dtype=dtype, device=device)


def bernoulli(input: Any, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element is, otherwise 0.

    >>> import xgrad as xg
    >>> xg.bernoulli(xg.asarray([0.0, 1.0])).tolist()
    [0.0, 1.0]

    Args:
        input: an array of probabilities, of any shape and of a floating-point dtype.
        generator: where the numbers are drawn from; None means the default generator.

    Returns:
        A tensor of the shape and dtype of `input`, without a gradient.

    Raises:
        ValueError: for probabilities outside [0, 1], as far as this is known without waiting for a device.
        TypeError: for an `input` that is neither an array nor a number.

    https://docs.pytorch.org/docs/stable/generated/torch.bernoulli.html
    """
    chances = asarray(input).detach()
    return _from(generator).bernoulli(p=chances, dtype=chances.dtype)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Numbers of categories, each drawn with a probability in proportion to its weight.

    >>> import xgrad as xg
    >>> xg.multinomial(xg.asarray([0.0, 3.0, 0.0]), 4, replacement=True).tolist()
    [1, 1, 1, 1]

    Args:
        input: weights, 0 or more, which need not sum to 1: of shape (K,), or (N, K) for N draws of their own.
        num_samples: how many are drawn.
        replacement: whether a category may be drawn again. If not, there must be as many weights above 0.
        generator: where the numbers are drawn from; None means the default generator.

    Returns:
        A tensor of integers from 0 to K - 1, of shape (num_samples,) or (N, num_samples), without a gradient.

    Raises:
        ValueError: for another number of axes, no samples, weights that are negative or all 0, as far as this is known without
            waiting for a device, and for more samples than can be drawn.
        TypeError: for an `input` that is no array, or a number of samples that is no integer.

    https://docs.pytorch.org/docs/stable/generated/torch.multinomial.html
    """
    weights = asarray(input).detach()
    n = integer("multinomial", num_samples, "num_samples")
    if weights.ndim not in (1, 2) or 0 in weights.shape:
        raise ValueError(f"multinomial: the weights must have shape (K,) or (N, K), got {weights.shape}")
    if n < 1:
        raise ValueError(f"multinomial: num_samples must be 1 or more, got {num_samples!r}")
    totals = weights.sum(axis=-1, keepdims=True)
    if all_true((weights >= 0) & (totals > 0)) is False:
        raise ValueError("multinomial: the weights must be 0 or more, and in each row not all 0")
    shares, draw = weights / totals, _from(generator)
    if weights.ndim == 1:
        return draw.choice(weights.shape[0], (n,), replace=replacement, p=shares)
    rows = [draw.choice(weights.shape[1], (n,), replace=replacement, p=shares[i, :]) for i in range(weights.shape[0])]
    return stack([reshape(row, (n,)) for row in rows])


def _from(generator: Generator | None) -> Generator:
    return default_generator() if generator is None else generator


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of several integers or of one tuple."""
    only = size[0] if len(size) == 1 else size
    return tuple(only) if isinstance(only, tuple | list) else (only,)
