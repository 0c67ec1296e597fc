"""Activations that are put together from pieces, as modules. Each calls the function of its name in nn/functional/."""

from __future__ import annotations

import warnings
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.activations import Activation


class ELU(Activation):
    """x where x > 0, `alpha * (exp(x) - 1)` elsewhere; its derivative at 0 is `alpha`.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        alpha: a number: minus the limit for negative inputs.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.ELU()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.6321, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html
    """

    name = "elu"

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha!r}"


class SELU(Activation):
    """ELU with alpha = 1.6733, times 1.0507: in deep networks, mean 0 and variance 1 are kept from layer to layer.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.SELU()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-1.1113, 0.0, 2.1014]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html
    """

    name = "selu"
    reach = (-F.piecewise.SELU_SCALE * F.piecewise.SELU_ALPHA, None)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return xp.where(y > 0, 1 / F.piecewise.SELU_ALPHA, 1 + y / (F.piecewise.SELU_SCALE * F.piecewise.SELU_ALPHA))

    @staticmethod
    def gain(param: float | None = None) -> float:
        return 3 / 4

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.selu(input)


class CELU(Activation):
    """x where x > 0, `alpha * (exp(x / alpha) - 1)` elsewhere: an ELU without a kink.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        alpha: a number that is not 0: minus the limit for negative inputs.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        ValueError: for an `alpha` of 0.
        TypeError: when called, for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.CELU(2.0)(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.7869, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html
    """

    name = "celu"

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        if alpha == 0:
            raise ValueError("CELU: alpha must not be 0")
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.celu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha!r}"


class Threshold(Activation):
    """x where x is above a threshold, a fixed value elsewhere; its derivative is 0 there, also at the threshold.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        threshold: a number.
        value: a number.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Threshold(0.0, 20.0)(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [20.0, 20.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold!r}, value={self.value!r}"


class Hardtanh(Activation):
    """x, but at least `min_val` and at most `max_val`; its derivative at these bounds is 0.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        min_val: the lowest output.
        max_val: the highest output, more than `min_val`.
        inplace: an argument of PyTorch's, without effect here: the output is a new array.
        min_value: the old word for `min_val`, with a warning.
        max_value: the old word for `max_val`, with a warning.

    Raises:
        ValueError: for a `max_val` that is not more than `min_val`.
        TypeError: when called, for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Hardtanh()(xg.asarray([-2.0, 0.5, 2.0])).numpy().tolist()
    [-1.0, 0.5, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
    """

    name = "hardtanh"
    reach = (-1.0, 1.0)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return xp.astype(xp.abs(y) < 1, y.dtype)

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        if min_value is not None or max_value is not None:
            warnings.warn("Hardtanh: min_value and max_value are now min_val and max_val", FutureWarning, stacklevel=2)
            min_val = min_val if min_value is None else min_value
            max_val = max_val if max_value is None else max_value
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: max_val must be more than min_val, got {max_val!r} and {min_val!r}")
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: Any) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val!r}, max_val={self.max_val!r}"


class ReLU6(Activation):
    """x, but at least 0 and at most 6; its derivative at these bounds is 0.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.ReLU6()(xg.asarray([-1.0, 2.0, 8.0])).numpy().round(4).tolist()
    [0.0, 2.0, 6.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
    """

    name = "relu6"
    reach = (0.0, 6.0)
    idle = "dead"
    dies = True

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.relu6(input)


class Hardswish(Activation):
    """`x * relu6(x + 3) / 6`: an approximation of SiLU without an exponential.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Hardswish()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.3333, 0.0, 1.6667]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
    """

    name = "hardswish"
    reach = (-3 / 8, None)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.hardswish(input)


class Hardsigmoid(Activation):
    """`relu6(x + 3) / 6`: an approximation of Sigmoid without an exponential.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        inplace: an argument of PyTorch's, without effect here: the output is a new array.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Hardsigmoid()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [0.3333, 0.5, 0.8333]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
    """

    name = "hardsigmoid"
    reach = (0.0, 1.0)
    idle = "saturated"

    @staticmethod
    def slope(xp: Any, y: Any) -> Any:
        return xp.astype((y > 0) & (y < 1), y.dtype)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        return F.hardsigmoid(input)


class Hardshrink(Activation):
    """x, but 0 where x is at most `lambd` in size.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        lambd: a number, 0 or more.

    Raises:
        TypeError: for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Hardshrink()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-1.0, 0.0, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
    """

    name = "hardshrink"

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"lambd={self.lambd!r}"


class Softshrink(Activation):
    """x moved towards 0 by `lambd`, and 0 where x is at most that in size.

    Call it with an array of any shape and of a real floating-point dtype (integers become floats of the default dtype); the
    output has the shape and dtype of the input.

    Args:
        lambd: a number, 0 or more.

    Raises:
        ValueError: for a negative `lambd`.
        TypeError: when called, for an input that is neither an array nor a number.

    >>> import xgrad as xg
    >>> xg.nn.Softshrink()(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.5, 0.0, 1.5]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
    """

    name = "softshrink"

    def __init__(self, lambd: float = 0.5) -> None:
        if not lambd >= 0:
            raise ValueError(f"Softshrink: lambd must be 0 or more, got {lambd!r}")
        self.lambd = lambd

    def forward(self, input: Any) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"lambd={self.lambd!r}"
