"""Linear, and the layers without parameters that are no activations: Identity and Flatten."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from xgrad import random
from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.random import Generator


class Linear(Module):
    """`x @ weight.T + bias`: an affine map of the last axis.

    Call it with an array of shape (..., in_features); the output has the shape (..., out_features).

    `weight` has the shape (out_features, in_features), `bias` (out_features,). Both are uniform within 1/sqrt(in_features) of
    zero. The weight is drawn first, as an array of shape (in_features, out_features) that is then transposed; the bias follows.

    Args:
        in_features: the length of the last axis of the input, an integer, 0 or more.
        out_features: the length of the last axis of the output, an integer, 0 or more.
        bias: whether there is a bias; without one, `bias` is None.
        dtype: that of the parameters, floating-point or complex; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is not an integer, 0 or more; when called, for an input whose last axis does not have
            `in_features` elements.
        TypeError: for an integer dtype.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.Linear(3, 2, rng=xg.random.Generator(0))
    >>> layer(xg.ones((5, 3))).shape
    (5, 2)
    >>> {name: p.shape for name, p in layer.named_parameters()}
    {'weight': (2, 3), 'bias': (2,)}

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        self.in_features = in_features = _size("in_features", in_features)
        self.out_features = out_features = _size("out_features", out_features)
        draw = random.default_generator() if rng is None else rng
        bound = 1 / math.sqrt(in_features) if in_features else 0.0

        def uniform(*shape: int) -> Tensor:
            return draw.uniform(shape, low=-bound, high=bound, dtype=dtype, device=device)

        self.weight = Parameter(uniform(in_features, out_features).T)
        self.bias = Parameter(uniform(out_features)) if bias else None

    def forward(self, input: Any) -> Tensor:
        try:
            return F.linear(input, self.weight, self.bias)
        except Exception as error:
            shape = tuple(getattr(input, "shape", ()))
            if shape[-1:] == (self.in_features,):
                raise
            raise ValueError(
                f"{self} has a weight of shape {self.weight.shape}: the last axis of its input must have "
                f"{self.in_features} elements, got an input of shape {shape}"
            ) from error

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def _size(name: str, value: Any) -> int:
    with suppress(TypeError):
        size = integer("Linear", value, name)
        if size >= 0:
            return size
    raise ValueError(f"Linear: {name} must be an integer, 0 or more, got {value!r}")


class Identity(Module):
    """Returns its input, whatever it is.

    Args:
        *args: ignored, so that it can take the place of any layer.
        **kwargs: ignored.

    Raises nothing.

    >>> import xgrad as xg
    >>> xg.nn.Identity(3, 2)(xg.asarray([1.0, 2.0])).numpy().tolist()
    [1.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """Joins the axes from `start_dim` to `end_dim`, both included, into one.

    Call it with an array of any dtype that has these axes. With the defaults, (N, ...) becomes (N, number of elements of each).

    Args:
        start_dim: the first axis to join, negative from the end.
        end_dim: the last axis to join, negative from the end.

    Raises:
        TypeError: for an axis that is not an integer.
        IndexError: when called, for axes that the input does not have, or a `start_dim` after `end_dim`.

    >>> import xgrad as xg
    >>> xg.nn.Flatten()(xg.zeros((5, 2, 3))).shape
    (5, 6)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = integer("Flatten", start_dim, "start_dim")
        self.end_dim = integer("Flatten", end_dim, "end_dim")

    def forward(self, input: Any) -> Tensor:
        return F.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
