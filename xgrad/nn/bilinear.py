"""Bilinear forms of two inputs."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import input_of, size
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.random import Generator


class Bilinear(Module):
    """The bilinear forms `input1 @ weight[k] @ input2`, plus a bias, for each k.

    Call it with two arrays of shapes (..., in1_features) and (..., in2_features), with the same first axes; the output has the
    shape (..., out_features). `weight` has the shape (out_features, in1_features, in2_features), `bias` (out_features,). Both are
    uniform within 1/sqrt(in1_features) of zero.

    Args:
        in1_features: the length of the last axis of the first input, an integer, 1 or more.
        in2_features: the length of the last axis of the second input, an integer, 0 or more.
        out_features: the length of the last axis of the output, an integer, 0 or more.
        bias: whether there is a bias; without one, `bias` is None.
        dtype: that of the parameters; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is not such an integer; when called, for inputs of other shapes.
        TypeError: for an integer dtype.

    >>> import xgrad as xg
    >>> layer = xg.nn.Bilinear(2, 3, 4, rng=xg.random.Generator(0))
    >>> layer(xg.ones((5, 2)), xg.ones((5, 3))).shape
    (5, 4)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        self.in1_features = size("Bilinear", "in1_features", in1_features, 1)
        self.in2_features = size("Bilinear", "in2_features", in2_features)
        self.out_features = size("Bilinear", "out_features", out_features)
        self.rng = rng
        weight, drawn_bias = self._drawn(dtype, device)
        self.weight = Parameter(weight)
        self.bias = Parameter(drawn_bias) if bias else None

    def _drawn(self, dtype: Any, device: Any) -> tuple[Tensor, Tensor]:
        draw = random.default_generator() if self.rng is None else self.rng
        bound, n = 1 / math.sqrt(self.in1_features), self.out_features
        shapes = (n, self.in1_features, self.in2_features), (n,)
        weight, bias = (draw.uniform(s, low=-bound, high=bound, dtype=dtype, device=device) for s in shapes)
        return weight, bias

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        weight, bias = self._drawn(self.weight.dtype, self.weight.device)
        with xg.no_grad():
            self.weight[...] = weight
            if self.bias is not None:
                self.bias[...] = bias

    def forward(self, input1: Any, input2: Any) -> Tensor:
        x1, x2 = input_of(self, input1), input_of(self, input2)
        wanted = self.in1_features, self.in2_features
        if (x1.shape[-1:], x2.shape[-1:]) != (wanted[:1], wanted[1:]) or x1.shape[:-1] != x2.shape[:-1]:
            raise ValueError(
                f"{self} takes inputs of shape (..., {wanted[0]}) and (..., {wanted[1]}), "
                f"got {tuple(x1.shape)} and {tuple(x2.shape)}"
            )
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
