"""Activations of networks that have their own rule: GELU, SiLU, Mish and tanhshrink. Others are in network.py."""

from __future__ import annotations

from typing import Any

from xgrad.backends import gelu as on_raw_arrays
from xgrad.backends.refusal import ROWS
from xgrad.engine.dispatch import apply
from xgrad.engine.op import Elementwise
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.documentation import PYTORCH
from xgrad.rules.network import sigmoid
from xgrad.rules.special_arguments import arrays, floating, of_one

for _function in (
    on_raw_arrays.gelu,
    on_raw_arrays.gelu_slope,
    on_raw_arrays.gelu_gradient,
    on_raw_arrays.silu_gradient,
):
    ROWS[_function.__name__] = _function
ROOT, CUBIC, DENSITY = on_raw_arrays.ROOT, on_raw_arrays.CUBIC, on_raw_arrays.DENSITY


def _curvature(xp: Any, x: Any, approximate: str) -> Any:
    """The second derivative of GELU."""
    if approximate == "none":
        return (2 - x * x) * (xp.exp(x * x * -0.5) * DENSITY)
    s = xp.sigmoid(2 * ROOT * (x + CUBIC * (x * x * x)))
    first, second = 2 * ROOT * (1 + 3 * CUBIC * (x * x)), 12 * ROOT * CUBIC * x
    return s * (1 - s) * (2 * first + x * (first * first * (1 - 2 * s) + second))


_gelu = Elementwise(
    "gelu", ("x",), (lambda xp, g, x, y, approximate: xp.gelu_gradient(g, x, y, approximate=approximate),)
)
_gelu_slope = Elementwise("gelu_slope", ("x",), (lambda xp, g, x, approximate: g * _curvature(xp, x, approximate),))


@public("gelu", "rule")
def gelu(x: Any, /, *, approximate: str = "none") -> Tensor:
    """x times the distribution function of the standard normal distribution, at x.

    Small values far to the left keep their digits: the tail of the distribution is not computed as a difference. No library's
    error function is needed.

    >>> import xgrad as xg
    >>> xg.gelu(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.1587, 0.0, 1.9545]
    >>> xg.gelu(xg.asarray([-1.0, 0.0, 2.0]), approximate="tanh").numpy().round(4).tolist()
    [-0.1588, 0.0, 1.9546]

    Args:
        x: an array of a real floating-point dtype (integers become floats of the default dtype), of any shape, or a number.
        approximate: "tanh" takes x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3))) / 2 instead, "none" does not.

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        gelu_slope(x), in both modes and to any order.

    Raises:
        TypeError: for an x that is neither an array nor a number.
        ValueError: for another word than these two.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
    """
    return apply(_gelu, (floating("gelu", x),), {"approximate": _form("gelu", approximate)})


@public("gelu_slope", "rule")
def gelu_slope(x: Any, /, *, approximate: str = "none") -> Tensor:
    """The derivative of `gelu`: the normal distribution function at x, plus x times the density.

    >>> import xgrad as xg
    >>> xg.gelu_slope(xg.asarray([-1.0, 0.0, 2.0])).numpy().round(4).tolist()
    [-0.0833, 0.5, 1.0852]

    Args:
        x: an array of a real floating-point dtype (integers become floats of the default dtype), of any shape, or a number.
        approximate: that of `gelu`, "none" or "tanh".

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        (2 - x**2) times the density, in both modes and to any order. For "tanh", that of the formula.

    Raises:
        TypeError: for an x that is neither an array nor a number.
        ValueError: for another word than these two.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
    """
    return apply(_gelu_slope, (floating("gelu_slope", x),), {"approximate": _form("gelu_slope", approximate)})


@public("gelu_gradient", "composition")
def gelu_gradient(g: Any, x: Any, y: Any, /, *, approximate: str = "none") -> Tensor:
    """g times the derivative of `gelu` at x: the gradient of its argument.

    >>> import xgrad as xg
    >>> x = xg.asarray([-1.0, 0.0, 2.0])
    >>> xg.gelu_gradient(xg.asarray([1.0, 1.0, 10.0]), x, xg.gelu(x)).numpy().round(4).tolist()
    [-0.0833, 0.5, 10.8523]

    Args:
        g: an array of a real floating-point dtype: the cotangent.
        x: an array of a real floating-point dtype, whose shape broadcasts with that of g.
        y: gelu(x). A backend may use it to compute the result in less time. No derivative is taken by it.
        approximate: that of `gelu`, "none" or "tanh".

    Returns:
        A tensor of the shape and dtype that g and x give together.

    Derivative:
        gelu_slope(x) by g, and g times the derivative of gelu_slope by x, in both modes and to any order.

    Raises:
        TypeError: for a g or an x that is neither an array nor a number.
        ValueError: for another word than these two.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
    """
    g, x = arrays("gelu_gradient", g, x)
    product: Tensor = g * gelu_slope(x, approximate=approximate)
    return product


def _form(name: str, approximate: Any) -> str:
    if approximate not in ("none", "tanh"):
        raise ValueError(f'{name}: approximate must be "none" or "tanh", got {approximate!r}')
    return str(approximate)


# --- x times a function of x --------------------------------------------------------------------------------


def _mish_rule(xp: Any, g: Any, x: Any) -> Any:
    """g (t + x s (1 - t**2)), where t = tanh(softplus(x)) and s = sigmoid(x)."""
    t = xp.tanh(xp.softplus(x))
    h = 1 - t * t
    h *= x
    h *= xp.sigmoid(x)
    h += t
    h *= g
    return h


silu = of_one(
    "silu",
    "x * sigmoid(x), also called swish. silu(1.0) = 0.7311",
    lambda xp, g, x, y: xp.silu_gradient(g, x, y),
    raw=on_raw_arrays.silu,
    see=PYTORCH.format("nn.functional.silu"),
)
mish = of_one(
    "mish",
    "x * tanh(softplus(x)). mish(1.0) = 0.8651",
    _mish_rule,
    raw=lambda xp, x: x * xp.tanh(xp.softplus(x)),
    see=PYTORCH.format("nn.functional.mish"),
)
tanhshrink = of_one(
    "tanhshrink",
    "x - tanh(x). tanhshrink(1.0) = 0.2384",
    lambda xp, g, x: g * xp.square(xp.tanh(x)),
    raw=lambda xp, x: x - xp.tanh(x),
    see=PYTORCH.format("nn.functional.tanhshrink"),
)


@public("silu_gradient", "composition")
def silu_gradient(g: Any, x: Any, y: Any, /) -> Tensor:
    """g times the derivative of `silu` at x: the gradient of its argument.

    >>> import xgrad as xg
    >>> x = xg.asarray([-1.0, 0.0, 2.0])
    >>> xg.silu_gradient(xg.asarray([1.0, 1.0, 10.0]), x, xg.silu(x)).numpy().round(4).tolist()
    [0.0723, 0.5, 10.9078]

    Args:
        g: an array of a real floating-point dtype: the cotangent.
        x: an array of a real floating-point dtype, whose shape broadcasts with that of g.
        y: silu(x). A backend may use it to compute the result in less time. No derivative is taken by it.

    Returns:
        A tensor of the shape and dtype that g and x give together.

    Derivative:
        The derivative of silu by g, and g times the second one by x, in both modes and to any order.

    Raises:
        TypeError: for a g or an x that is neither an array nor a number.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
    """
    g, x = arrays("silu_gradient", g, x)
    s = sigmoid(x)
    product: Tensor = g * (s + x * s * (1 - s))
    return product
