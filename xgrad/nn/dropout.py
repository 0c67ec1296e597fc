"""Dropout layers: zeros at random places after train(), nothing after eval()."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import input_of, probability, wrong_shape
from xgrad.nn.module import Module
from xgrad.random import Generator


class _Dropout(Module):
    """The base class."""

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: Generator | None = None) -> None:
        self.p, self.inplace, self.rng = probability(type(self).__name__, "p", p), inplace, rng

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Sets each element to zero with probability p in training, and divides the others by 1 - p, so that the mean stays.

    Call it with an array of any shape and of a floating-point dtype; the output has the same shape. After `eval()` it returns its
    input.

    Args:
        p: the probability, a number from 0 to 1.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the masks; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a p outside of [0, 1].

    >>> import xgrad as xg
    >>> layer = xg.nn.Dropout(0.5, rng=xg.random.Generator(0))
    >>> layer(xg.ones((6,))).tolist()
    [0.0, 2.0, 2.0, 2.0, 0.0, 0.0]
    >>> layer.eval()(xg.ones((3,))).tolist()
    [1.0, 1.0, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
    """

    def forward(self, input: Any) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace, rng=self.rng)


class Dropout1d(_Dropout):
    """Sets whole channels to zero with probability p in training, and divides the others by 1 - p.

    Call it with an array of shape (N, C, L) or (C, L) and of a floating-point dtype; the output has the same shape. After
    `eval()` it returns its input.

    Args:
        p: the probability, a number from 0 to 1.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the masks; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a p outside of [0, 1]; when called, for an input of another number of axes.

    >>> import xgrad as xg
    >>> xg.nn.Dropout1d(0.5, rng=xg.random.Generator(0))(xg.ones((3, 2))).tolist()
    [[0.0, 0.0], [2.0, 2.0], [2.0, 2.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html
    """

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        if x.ndim not in (2, 3):
            raise wrong_shape(self, "(N, C, L) or (C, L)", x)
        return F.dropout1d(x, self.p, self.training, self.inplace, rng=self.rng)


class Dropout2d(_Dropout):
    """Sets whole channels of images to zero with probability p in training, and divides the others by 1 - p.

    Call it with an array of shape (N, C, H, W) and of a floating-point dtype; the output has the same shape. An input of three
    axes is taken as (N, C, L), as by PyTorch, with a warning. After `eval()` it returns its input.

    Args:
        p: the probability, a number from 0 to 1.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the masks; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a p outside of [0, 1]; when called, for an input of another number of axes.

    >>> import xgrad as xg
    >>> xg.nn.Dropout2d(0.5, rng=xg.random.Generator(0))(xg.ones((1, 3, 1, 2))).tolist()
    [[[[0.0, 0.0]], [[2.0, 2.0]], [[2.0, 2.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
    """

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        if x.ndim not in (3, 4):
            raise wrong_shape(self, "(N, C, H, W)", x)
        return F.dropout2d(x, self.p, self.training, self.inplace, rng=self.rng)


class AlphaDropout(_Dropout):
    """Sets each element to SELU's lower limit with probability p in training, then scales and shifts: mean 0 and variance 1 stay.

    Call it with an array of any shape and of a real floating-point dtype; the output has the same shape. After `eval()` it
    returns its input.

    Args:
        p: the probability, a number from 0 to 1.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the masks; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a p outside of [0, 1].

    >>> import xgrad as xg
    >>> xg.nn.AlphaDropout(0.5, rng=xg.random.Generator(0))(xg.zeros((4,))).numpy().round(4).tolist()
    [-0.7792, 0.7792, 0.7792, 0.7792]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html
    """

    def forward(self, input: Any) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, rng=self.rng)
