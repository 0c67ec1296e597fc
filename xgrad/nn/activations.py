"""Activations as modules. Each calls the function of its name in nn/functional/.

The attributes of a class say what `xgrad fit`, `xgrad diagnose` and `nn.init` need to know of an activation. They find it by its
name, so that a new class needs no entry elsewhere.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.module import Module

BY_NAME: dict[str, type[Activation]] = {}  # each class that gives a name


class Activation(Module):
    """The base class of activations. A class that gives `name` is found by it."""

    # Its name in `xgrad fit`, in findings and in `nn.init`; also that of its operation, if it consists of one.
    name: ClassVar[str] = ""
    # Whether it works element by element, and not along an axis.
    is_elementwise: ClassVar[bool] = True
    # The lowest and the highest output, None for no bound.
    reach: ClassVar[tuple[float | None, float | None]] = (None, None)
    # What a unit that passes (almost) no gradient on is called. "dead": its output is not positive for any sample. "saturated":
    # its slope is far below the maximum.
    idle: ClassVar[Literal["dead", "saturated"] | None] = None
    # Whether the derivative is exactly 0 for negative inputs.
    dies: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls):
            BY_NAME[cls.name] = cls

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        """The derivative at each output y, as a share of its maximum. For activations that saturate."""
        raise NotImplementedError

    @staticmethod
    def gain(param: float | None = None) -> float | None:
        """The gain of `nn.init.calculate_gain`; None if there is none."""
        return None


class Sigmoid(Activation):
    """1 / (1 + exp(-x)), element by element; its derivative is s * (1 - s), for the output s.

    Call it with an array of any shape and of a floating-point dtype (integers become floats of the default dtype); the output has
    the shape and dtype of the input.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Sigmoid()(xg.asarray([-1.0, 0.0, 1.0])).numpy().round(4).tolist()
    [0.2689, 0.5, 0.7311]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
    """

    name = "sigmoid"
    reach = (0.0, 1.0)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return 4 * y * (1 - y)

    @staticmethod
    def gain(param: float | None = None) -> float:
        return 1.0

    def forward(self, input: Any) -> Tensor:
        return F.sigmoid(input)


class Tanh(Activation):
    """The hyperbolic tangent, element by element; its derivative is 1 - t**2, for the output t.

    Call it with an array of any shape and of a floating-point dtype (integers become floats of the default dtype); the output has
    the shape and dtype of the input.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Tanh()(xg.asarray([-1.0, 0.0, 1.0])).numpy().round(4).tolist()
    [-0.7616, 0.0, 0.7616]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html
    """

    name = "tanh"
    reach = (-1.0, 1.0)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return 1 - y * y

    @staticmethod
    def gain(param: float | None = None) -> float:
        return 5 / 3

    def forward(self, input: Any) -> Tensor:
        return F.tanh(input)


class ReLU(Activation):
    """max(x, 0), element by element; its derivative at 0 is 0.

    Call it with an array of any shape and of a real dtype; the output has the shape and dtype of the input.

    Args:
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> x = xg.asarray([-1.0, 0.0, 2.0])
    >>> xg.nn.ReLU()(x).numpy().tolist()
    [0.0, 0.0, 2.0]
    >>> xg.grad(lambda x: xg.sum(xg.nn.ReLU()(x)))(x).numpy().tolist()
    [0.0, 0.0, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
    """

    name = "relu"
    reach = (0.0, None)
    idle = "dead"
    dies = True

    @staticmethod
    def gain(param: float | None = None) -> float:
        return math.sqrt(2)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.relu(input)


class LeakyReLU(Activation):
    """x where x > 0, `negative_slope * x` elsewhere; its derivative at 0 is `negative_slope`.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        negative_slope: a number.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number, or a `negative_slope` that is not a number; both when the
            module is called.

    >>> import xgrad as xg
    >>> xg.nn.LeakyReLU(0.25)(xg.asarray([-1.0, 0.0, 2.0])).numpy().tolist()
    [-0.25, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
    """

    name = "leaky_relu"
    idle = "dead"

    @staticmethod
    def gain(param: float | None = None) -> float:
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Any) -> Tensor:
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class Softplus(Activation):
    """log(1 + exp(beta * x)) / beta, and x itself where `beta * x > threshold`; its derivative is sigmoid(beta * x), there 1.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        beta: a number that is not 0. The larger it is, the nearer the function is to ReLU.
        threshold: a number.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Softplus()(xg.asarray([-1.0, 0.0, 30.0])).numpy().round(4).tolist()
    [0.3133, 0.6931, 30.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html
    """

    name = "softplus"
    reach = (0.0, None)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return 1 - xp.exp(-y)

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Activation):
    """exp(x) / sum(exp(x)) along the axis `dim`: positive numbers that sum to 1.

    Call it with an array of one axis or more and of a floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        dim: the axis, an integer, negative from the end. None takes 0 for an input of 1 or 3 axes, else 1, as PyTorch does, and
            warns.

    Raises:
        TypeError: for an input that is neither an array nor a number, or a `dim` that is not an integer.
        ValueError: for a `dim` that the input does not have. All are raised when the module is called.

    >>> import xgrad as xg
    >>> xg.nn.Softmax(dim=1)(xg.asarray([[0.0, 0.0], [1.0, 3.0]])).numpy().round(4).tolist()
    [[0.5, 0.5], [0.1192, 0.8808]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
    """

    name = "softmax"
    is_elementwise = False
    reach = (0.0, 1.0)

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of softmax, x - log(sum(exp(x))) along the axis `dim`: exact also where softmax underflows.

    Call it with an array of one axis or more and of a floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        dim: the axis, an integer, negative from the end. None takes 0 for an input of 1 or 3 axes, else 1, as PyTorch does, and
            warns.

    Raises:
        TypeError: for an input that is neither an array nor a number, or a `dim` that is not an integer.
        ValueError: for a `dim` that the input does not have. All are raised when the module is called.

    >>> import xgrad as xg
    >>> xg.nn.LogSoftmax(dim=1)(xg.asarray([[0.0, 0.0], [1.0, 3.0]])).numpy().round(4).tolist()
    [[-0.6931, -0.6931], [-2.1269, -0.1269]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
    """

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
