"""PReLU and RReLU: activations whose slope for negative numbers is a parameter, or random."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn import checks
from xgrad.nn import functional as F
from xgrad.nn.activations import Activation
from xgrad.nn.parameter import Parameter
from xgrad.random import Generator


class PReLU(Activation):
    """x where x > 0, `weight * x` elsewhere; the weight is a parameter, and the derivative at 0.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape of the input, and the dtype that the two promote to. With more than one parameter, the second axis of the
    input is that of the channels.

    `weight` has the shape (num_parameters,).

    Args:
        num_parameters: 1, or the number of channels, which then have a slope each.
        init: the slope at the start, a number.
        dtype: that of the parameter, floating-point; None means the default dtype.
        device: that of the parameter; None means the current one.

    Raises:
        ValueError: for a `num_parameters` that is not an integer, 1 or more; when called, for an input with another number of
            channels.
        TypeError: for an integer dtype; when called, for an input that is neither an array nor a number.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> xg.nn.PReLU(init=0.5)(xg.asarray([-1.0, 0.0, 2.0])).numpy().tolist()
    [-0.5, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html
    """

    name = "prelu"
    idle = "dead"

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        self.num_parameters = checks.size("PReLU", "num_parameters", num_parameters, least=1)
        self.init = init
        self.weight = Parameter(xg.full((self.num_parameters,), float(init), dtype=dtype, device=device))

    def reset_parameters(self) -> None:
        """Give the slopes the value of the start again."""
        with xg.no_grad():
            self.weight[...] = self.init

    def forward(self, input: Any) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Activation):
    """x where x > 0, elsewhere x times a random slope, which is drawn for each element at each call.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        lower: the lowest slope.
        upper: the highest slope, `lower` or more. In eval(), all slopes are the mean of the two.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        rng: the generator of the slopes, by keyword; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for an `upper` below `lower`.
        TypeError: when called, for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.RReLU(0.25, 0.75).eval()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.5, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html
    """

    name = "rrelu"
    idle = "dead"

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False, *, rng: Generator | None = None
    ) -> None:
        if not lower <= upper:
            raise ValueError(f"RReLU: lower must not be above upper, got {lower!r} and {upper!r}")
        self.lower = lower
        self.upper = upper
        self.inplace = inplace
        self.rng = rng

    def forward(self, input: Any) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        return f"lower={self.lower!r}, upper={self.upper!r}"
