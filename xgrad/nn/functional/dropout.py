"""Dropout: zeros at random places, in training only.

The host draws the masks (see xgrad.random), so that a seed gives the same mask on every backend.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from xgrad import random
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import probability, wrong_shape
from xgrad.random import Generator

ALPHA = -1.7580993408473766  # the limit of SELU for large negative arguments


def dropout(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: Generator | None = None
) -> Tensor:
    """Set each element to zero with probability p, and divide the others by 1 - p, so that the mean stays.

    Args:
        input: an array of any shape and of a floating-point dtype.
        p: the probability, a number from 0 to 1.
        training: whether anything is dropped. Otherwise the input is returned.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the mask; None means the one that `xgrad.random.seed` sets.

    Returns:
        A tensor of the shape and dtype of the input.

    Raises:
        ValueError: for a p outside of [0, 1].
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.functional.dropout(xg.ones((6,)), 0.5, rng=xg.random.Generator(0)).tolist()
    [0.0, 2.0, 2.0, 2.0, 0.0, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
    """
    x: Tensor = operand("dropout", input)
    p = probability("dropout", "p", p)
    return _dropped(x, p, x.shape, rng) if training and p else x


def dropout1d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: Generator | None = None
) -> Tensor:
    """Set whole channels to zero with probability p, and divide the others by 1 - p.

    Args:
        input: an array of shape (N, C, L) or (C, L), of a floating-point dtype.
        p: the probability, a number from 0 to 1.
        training: whether anything is dropped. Otherwise the input is returned.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the mask; None means the one that `xgrad.random.seed` sets.

    Returns:
        A tensor of the shape and dtype of the input.

    Raises:
        ValueError: for a p outside of [0, 1], or an input of another number of axes.
        TypeError: for an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.dropout1d(xg.ones((3, 2)), 0.5, rng=xg.random.Generator(0)).tolist()
    [[0.0, 0.0], [2.0, 2.0], [2.0, 2.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html
    """
    x: Tensor = operand("dropout1d", input)
    p = probability("dropout1d", "p", p)
    if x.ndim not in (2, 3):
        raise wrong_shape("dropout1d", "(N, C, L) or (C, L)", x)
    return _dropped(x, p, (*x.shape[:-1], 1), rng) if training and p else x


def dropout2d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: Generator | None = None
) -> Tensor:
    """Set whole channels of images to zero with probability p, and divide the others by 1 - p.

    Args:
        input: an array of shape (N, C, H, W), of a floating-point dtype. One of three axes is taken as (N, C, L), as by PyTorch,
            with a warning.
        p: the probability, a number from 0 to 1.
        training: whether anything is dropped. Otherwise the input is returned.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the mask; None means the one that `xgrad.random.seed` sets.

    Returns:
        A tensor of the shape and dtype of the input.

    Raises:
        ValueError: for a p outside of [0, 1], or an input of another number of axes.
        TypeError: for an input that is no array.

    >>> import xgrad as xg
    >>> xg.nn.functional.dropout2d(xg.ones((1, 3, 1, 2)), 0.5, rng=xg.random.Generator(0)).tolist()
    [[[[0.0, 0.0]], [[2.0, 2.0]], [[2.0, 2.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
    """
    x: Tensor = operand("dropout2d", input)
    p = probability("dropout2d", "p", p)
    if x.ndim not in (3, 4):
        raise wrong_shape("dropout2d", "(N, C, H, W)", x)
    if x.ndim == 3:
        warnings.warn(
            f"dropout2d takes an input of shape {tuple(x.shape)} as (N, C, L), as PyTorch does. Use dropout1d for that, and an "
            "axis of length 1 before an image without a batch",
            UserWarning,
            stacklevel=2,
        )
    return _dropped(x, p, (*x.shape[:2], *(1,) * (x.ndim - 2)), rng) if training and p else x


def alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False, *, rng: Generator | None = None
) -> Tensor:
    """Set each element to SELU's lower limit with probability p, then scale and shift: mean 0 and variance 1 stay.

    Args:
        input: an array of any shape and of a real floating-point dtype.
        p: the probability, a number from 0 to 1.
        training: whether anything is dropped. Otherwise the input is returned.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the mask; None means the one that `xgrad.random.seed` sets.

    Returns:
        A tensor of the shape and dtype of the input. With p = 1 it is zeros.

    Raises:
        ValueError: for a p outside of [0, 1].
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> y = xg.nn.functional.alpha_dropout(xg.zeros((4,)), 0.5, training=True, rng=xg.random.Generator(0))
    >>> y.numpy().round(4).tolist()
    [-0.7792, 0.7792, 0.7792, 0.7792]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html
    """
    x: Tensor = operand("alpha_dropout", input)
    p = probability("alpha_dropout", "p", p)
    if not training or p == 0:
        return x
    if p == 1:
        return _dropped(x, p, x.shape, rng)
    scale = 1 / math.sqrt((1 - p) * (1 + p * ALPHA**2))
    keep = _kept(x, p, x.shape, rng)
    dropped: Tensor = x * (keep * scale) + (scale * ALPHA * (1 - p) - keep * (scale * ALPHA))
    return dropped


def _dropped(x: Any, p: float, shape: tuple[int, ...], rng: Generator | None) -> Tensor:
    product: Tensor = x * factors(x, p, shape, rng)
    return product


def factors(x: Any, p: float, shape: tuple[int, ...], rng: Generator | None) -> Tensor:
    """0 with probability p, elsewhere 1 / (1 - p), on the backend and device of x and in its dtype."""
    keep = _kept(x, p, shape, rng)
    return keep if p == 1 else keep * (1 / (1 - p))


def _kept(x: Any, p: float, shape: tuple[int, ...], rng: Generator | None) -> Tensor:
    """1 with probability 1 - p, elsewhere 0, on the backend and device of x and in its dtype."""
    host = (random.default_generator() if rng is None else rng).host
    kept: Tensor = x.__array_namespace__().asarray(host.random(tuple(shape)) < 1 - p, dtype=x.dtype)
    return kept
