"""Smooth activations as modules, and those that work along an axis. Each calls the function of its name in nn/functional/."""

from __future__ import annotations

from typing import Any

from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn import checks
from xgrad.nn import functional as F
from xgrad.nn.activations import Activation


class GELU(Activation):
    """x times the distribution function of the standard normal distribution.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        approximate: "tanh" takes `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2` instead; "none" does not.

    Raises:
        ValueError: for an `approximate` that is neither of the two words.
        TypeError: when called, for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.GELU()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.1587, 0.0, 1.9545]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html
    """

    name = "gelu"
    reach = (-0.17, None)

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f'GELU: approximate must be "none" or "tanh", got {approximate!r}')
        self.approximate = approximate

    def forward(self, input: Any) -> Tensor:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Activation):
    """`x * sigmoid(x)`, also called swish.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.SiLU()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.2689, 0.0, 1.7616]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html
    """

    name = "silu"
    reach = (-0.2785, None)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.silu(input)


class Mish(Activation):
    """`x * tanh(softplus(x))`.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Mish()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.3034, 0.0, 1.944]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html
    """

    name = "mish"
    reach = (-0.3089, None)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.mish(input)


class LogSigmoid(Activation):
    """log(sigmoid(x)), without overflow.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.LogSigmoid()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-1.3133, -0.6931, -0.1269]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
    """

    name = "logsigmoid"
    reach = (None, 0.0)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return 1 - xp.exp(y)

    def forward(self, input: Any) -> Tensor:
        return F.logsigmoid(input)


class Softsign(Activation):
    """`x / (1 + abs(x))`.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Softsign()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.5, 0.0, 0.6667]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html
    """

    name = "softsign"
    reach = (-1.0, 1.0)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return (1 - xp.abs(y)) ** 2

    def forward(self, input: Any) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Activation):
    """`x - tanh(x)`.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Tanhshrink()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.2384, 0.0, 1.036]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
    """

    name = "tanhshrink"

    def forward(self, input: Any) -> Tensor:
        return F.tanhshrink(input)


class Softmin(Activation):
    """The softmax of -x along the axis `dim`: the smallest elements get the largest shares.

    Call it with an array of one axis or more and of a floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        dim: the axis, an integer, negative from the end. None takes 0 for an input of 1 or 3 axes, else 1, as PyTorch does, and
            warns.

    Raises:
        TypeError: for an input that is neither an array nor a number, or a `dim` that is not an integer.
        ValueError: for a `dim` that the input does not have. All are raised when the module is called.

    >>> import xgrad as xg
    >>> xg.nn.Softmin(dim=1)(xg.asarray([[0.0, 0.0], [1.0, 3.0]])).numpy().round(4).tolist()
    [[0.5, 0.5], [0.8808, 0.1192]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html
    """

    name = "softmin"
    is_elementwise = False
    reach = (0.0, 1.0)

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim!r}"


class Softmax2d(Activation):
    """The softmax over the channels of images: at each place, positive numbers that sum to 1.

    Call it with an array of shape (N, C, H, W) or (C, H, W) and of a floating-point dtype (integers become floats of the default
    dtype); the output has the shape and dtype of the input.

    Raises:
        ValueError: for an input of another number of axes.
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Softmax2d()(xg.zeros((4, 1, 2))).numpy().tolist()
    [[[0.25, 0.25]], [[0.25, 0.25]], [[0.25, 0.25]], [[0.25, 0.25]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html
    """

    name = "softmax2d"
    is_elementwise = False
    reach = (0.0, 1.0)

    def forward(self, input: Any) -> Tensor:
        input = operand("Softmax2d", input)
        if len(input.shape) not in (3, 4):
            raise checks.wrong_shape("Softmax2d", "(N, C, H, W) or (C, H, W)", input)
        return F.softmax(input, -3)


class GLU(Activation):
    """The first half of x along the axis `dim` times the sigmoid of the second half: a gated linear unit.

    Call it with an array of one axis or more and of a real floating-point dtype (integers become floats of the default dtype);
    the output has its dtype, and half as many elements along the axis.

    Args:
        dim: the axis, an integer, negative from the end. The input has an even number of elements along it.

    Raises:
        TypeError: for an input that is neither an array nor a number, or a `dim` that is not an integer.
        ValueError: for a `dim` that the input does not have, or that has an odd number of elements. All are raised when the
            module is called.

    >>> import xgrad as xg
    >>> xg.nn.GLU()(xg.asarray([1.0, 2.0, 0.0, 100.0])).numpy().round(4).tolist()
    [0.5, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html
    """

    name = "glu"
    is_elementwise = False

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim!r}"
