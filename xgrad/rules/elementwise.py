"""Elementwise functions.

Each row has the name of a function, what it computes, and for each argument g times the derivative. A rule names what it needs;
`y` is the output. Rules avoid numbers (`g - g * y * y`, not `g * (1 - y * y)`), because a library takes time to convert them.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from xgrad.backends.data import is_scalar
from xgrad.backends.looking import may_look
from xgrad.engine.arguments import as_scalar, backend_of
from xgrad.engine.dispatch import apply
from xgrad.engine.op import Elementwise, conjugate, real_part
from xgrad.engine.operands import as_tensors, operand, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.declare import constant, elementwise
from xgrad.rules.shapes import infinite_at_zero

# --- arithmetic ---------------------------------------------------------------------------------------------

add = elementwise("add", "x1 + x2. add(3.0, 2.0) = 5.0", lambda xp, g: g, lambda xp, g: g)
subtract = elementwise("subtract", "x1 - x2. subtract(3.0, 2.0) = 1.0", lambda xp, g: g, lambda xp, g: -g)
square = elementwise("square", "x * x. square(3.0) = 9.0", lambda xp, g, x: (g + g) * x)
multiply = elementwise(
    "multiply",
    "x1 * x2. multiply(3.0, 2.0) = 6.0",
    lambda xp, g, x2: g * x2,
    lambda xp, g, x1: g * x1,
    of_itself=square,
)
divide = elementwise(
    "divide", "x1 / x2. divide(3.0, 2.0) = 1.5", lambda xp, g, x2: g / x2, lambda xp, g, x2, y: -g * y / x2
)


@public("gap", "composition")
def gap(x1: Any, x2: Any, /) -> Tensor:
    """x1 - x2, and 0 where both are the same infinity.

    >>> import xgrad as xg
    >>> xg.gap(xg.asarray([3.0, -xg.inf]), xg.asarray([1.0, -xg.inf])).tolist()
    [2.0, 0.0]

    Args:
        x1, x2: arrays of any numeric dtype, whose shapes broadcast.

    Derivative:
        1 for x1 and -1 for x2, and 0 for both where they are the same infinity.

    https://data-apis.org/array-api/latest/API_specification/generated/array_api.subtract.html
    """
    from xgrad.rules.searching import mask

    x1, x2 = as_tensors("gap", (x1, x2))
    apart = bitwise_or(not_equal(x1, x2), isfinite(x1))
    return subtract(mask(x1, apart), mask(x2, apart))


@public("divide_into", "composition")
def divide_into(x1: Any, x2: Any, /) -> Tensor:
    """x1 / x2, for rules: on raw arrays a backend may write the result into the memory of x2.

    Of tensors it is `divide`.

    >>> import xgrad as xg
    >>> xg.divide_into(xg.asarray([3.0]), 2.0).tolist()
    [1.5]

    https://data-apis.org/array-api/latest/API_specification/generated/array_api.divide.html
    """
    return divide(x1, x2)


remainder = elementwise(
    "remainder",
    "The remainder of x1 / x2, with the sign of x2. remainder(7.0, 3.0) = 1.0",
    lambda xp, g: g,
    lambda xp, g, x1, x2: -g * xp.floor_divide(x1, x2),
)
negative = elementwise("negative", "-x. negative(3.0) = -3.0", lambda xp, g: -g)
positive = elementwise("positive", "+x. positive(3.0) = 3.0", lambda xp, g: g)
reciprocal = elementwise("reciprocal", "1 / x. reciprocal(4.0) = 0.25", lambda xp, g, y: -g * y * y)
sqrt = elementwise("sqrt", "The square root. sqrt(9.0) = 3.0", lambda xp, g, y: g / (y + y))


def _pow_base(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    """x2 * x1**(x2 - 1). It is 0 where x2 is 0, also at x1 = 0. Its derivative by x2 is x1**(x2 - 1) there."""
    if is_scalar(x2):
        return _scalar_pow(xp, g, x1, x2)
    if _is_positive(xp, x1, or_infinite=True):
        return g * x2 * x1 ** (x2 - 1)
    flat = x2 == 0
    lowered = xp.where(flat & (x1 == 0), xp.ones((), dtype=x1.dtype), x1) ** (x2 - 1)
    return g * x2 * xp.mask(lowered, ~flat | (xp.isfinite(lowered) & (x1 != 0)))


def _is_positive(xp: Any, x: Any, or_infinite: bool = False) -> bool:
    """Whether all of x lie between the smallest normal and the largest number, where looking at them is free."""
    bounds = _normal(xp, x.dtype) if may_look(xp, x) else None
    if bounds is None or 0 in x.shape:
        return bounds is not None
    return bool(xp.min(x) >= bounds[0]) and (or_infinite or bool(xp.max(x) <= bounds[1]))


@cache
def _normal(xp: Any, dtype: Any) -> tuple[float, float] | None:
    """The smallest and the largest normal number of a real floating dtype; None for another one."""
    if not xp.isdtype(dtype, "real floating"):
        return None
    info = xp.finfo(dtype)
    return float(info.smallest_normal), float(info.max)


def _scalar_pow(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    """The same where x2 is a number; where it is 0, 1 or 2, without a power."""
    if x2 == 0:
        return xp.zeros(g.shape, dtype=g.dtype)
    if x2 == 1:
        return +g
    return (g + g) * x1 if x2 == 2 else g * (xp.pow(x1, x2 - 1) * x2)


def _pow_exponent(xp: Any, g: Any, x1: Any, y: Any) -> Any:
    """y * log(x1), which is 0 where y is 0, and at 0**0."""
    if _is_positive(xp, x1):
        return g * y * xp.log(x1)
    base = xp.asarray(x1, dtype=y.dtype) if is_scalar(x1) else x1
    settled = (y == 0) | ((base == 0) & (y == 1))
    return g * y * xp.log(xp.where(settled, xp.ones((), dtype=base.dtype), base))


pow = elementwise("pow", "x1 ** x2. pow(2.0, 3.0) = 8.0", _pow_base, _pow_exponent, scalars_as_arrays=False)

# --- exponentials and logarithms ----------------------------------------------------------------------------


def _log(xp: Any, number: float, like: Any) -> Any:
    """The logarithm of a number in the dtype of `like`, which may have more digits than Python's floats."""
    return xp.log(xp.asarray(number, dtype=like.dtype))


exp = elementwise("exp", "e ** x. exp(1.0) = 2.7183", lambda xp, g, y: g * y)
expm1 = elementwise("expm1", "e ** x - 1, accurate near 0. expm1(1.0) = 1.7183", lambda xp, g, x: g * xp.exp(x))
log = elementwise("log", "The natural logarithm. log(2.0) = 0.6931", lambda xp, g, x: g / x)
log1p = elementwise("log1p", "log(1 + x), accurate near 0. log1p(1.0) = 0.6931", lambda xp, g, x: g / (x + 1))
log2 = elementwise("log2", "The logarithm to base 2. log2(8.0) = 3.0", lambda xp, g, x: g / _log(xp, 2.0, x) / x)
log10 = elementwise(
    "log10", "The logarithm to base 10. log10(1000.0) = 3.0", lambda xp, g, x: g / _log(xp, 10.0, x) / x
)


def _lead(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    """g times exp(x1) / (exp(x1) + exp(x2)), which is half where both are equal, also where both are the same infinity."""
    if is_scalar(x1):
        x1 = xp.asarray(x1, dtype=g.dtype)
    if is_scalar(x2):
        x2 = xp.asarray(x2, dtype=g.dtype)
    return g * xp.sigmoid(xp.gap(x1, x2))


logaddexp = elementwise(
    "logaddexp",
    "log(exp(x1) + exp(x2)), without overflow. logaddexp(0.0, 0.0) = 0.6931",
    lambda xp, g, x1, x2: _lead(xp, g, x1, x2),
    lambda xp, g, x1, x2: _lead(xp, g, x2, x1),
)

# --- trigonometric and hyperbolic ---------------------------------------------------------------------------

sin = elementwise("sin", "The sine of x in radians. sin(0.5) = 0.4794", lambda xp, g, x: g * xp.cos(x))
cos = elementwise("cos", "The cosine of x in radians. cos(0.5) = 0.8776", lambda xp, g, x: -g * xp.sin(x))
tan = elementwise("tan", "The tangent of x in radians. tan(0.5) = 0.5463", lambda xp, g, y: g + g * y * y)


# (1 - x) * (1 + x) overflows for large x. Real arguments of asin, acos and atanh are small; for complex ones each factor divides.


def _root_of_one_less_square(xp: Any, g: Any, x: Any) -> Any:
    """g / sqrt(1 - x*x)."""
    if x.dtype in xp.complex_dtypes:
        return g / xp.sqrt(1 - x) / xp.sqrt(1 + x)
    return g / xp.sqrt((1 - x) * (1 + x))


def _over_one_less_square(xp: Any, g: Any, x: Any) -> Any:
    """g / (1 - x*x)."""
    return g / (1 - x) / (1 + x) if x.dtype in xp.complex_dtypes else g / ((1 - x) * (1 + x))


def _over_one_more_square(xp: Any, g: Any, x: Any) -> Any:
    """g / (1 + x*x)."""
    return _over_one_less_square(xp, g, x * 1j) if x.dtype in xp.complex_dtypes else xp.over_squares(g, x, 1.0)


def _root_of_one_more_square(xp: Any, g: Any, x: Any) -> Any:
    """g / sqrt(1 + x*x)."""
    return _root_of_one_less_square(xp, g, x * 1j) if x.dtype in xp.complex_dtypes else g / xp.hypot(x, 1.0)


asin = elementwise("asin", "The inverse sine, in radians. asin(0.5) = 0.5236", _root_of_one_less_square)
acos = elementwise(
    "acos", "The inverse cosine, in radians. acos(0.5) = 1.0472", lambda xp, g, x: -_root_of_one_less_square(xp, g, x)
)
atan = elementwise("atan", "The inverse tangent, in radians. atan(0.5) = 0.4636", _over_one_more_square)
atan2 = elementwise(
    "atan2",
    "The angle of the point (x2, x1) in radians. atan2(1.0, 1.0) = 0.7854",
    lambda xp, g, x1, x2: xp.over_squares(g * x2, x1, x2),
    lambda xp, g, x1, x2: xp.over_squares(-g * x1, x1, x2),
)
sinh = elementwise("sinh", "The hyperbolic sine. sinh(0.5) = 0.5211", lambda xp, g, x: g * xp.cosh(x))
cosh = elementwise("cosh", "The hyperbolic cosine. cosh(0.5) = 1.1276", lambda xp, g, x: g * xp.sinh(x))


def _tanh_rule(xp: Any, g: Any, y: Any) -> Any:
    """g * (1 - y * y), with one temporary array fewer."""
    h = y * y
    h *= g
    return g - h


tanh = elementwise("tanh", "The hyperbolic tangent. tanh(0.5) = 0.4621", _tanh_rule)
asinh = elementwise("asinh", "The inverse hyperbolic sine. asinh(0.5) = 0.4812", _root_of_one_more_square)
acosh = elementwise(
    "acosh", "The inverse hyperbolic cosine. acosh(2.0) = 1.317", lambda xp, g, x: g / (xp.sqrt(x - 1) * xp.sqrt(x + 1))
)
atanh = elementwise("atanh", "The inverse hyperbolic tangent. atanh(0.5) = 0.5493", _over_one_less_square)


def _share(xp: Any, x: Any, y: Any) -> Any:
    """x / y, and 0 where y is 0: the gradient of a norm."""
    return x / infinite_at_zero(xp, y)


hypot = elementwise(
    "hypot",
    "sqrt(x1**2 + x2**2). The gradient at (0, 0) is 0. hypot(3.0, 4.0) = 5.0",
    lambda xp, g, x1, y: g * _share(xp, x1, y),
    lambda xp, g, x2, y: g * _share(xp, x2, y),
)


@public("over_squares", "composition")
def over_squares(g: Any, x1: Any, x2: Any, /) -> Tensor:
    """g / (x1 * x1 + x2 * x2), where no square overflows or underflows on the way.

    The derivatives of atan2 are over_squares(g * x2, x1, x2) and over_squares(-g * x1, x1, x2).

    >>> import xgrad as xg
    >>> xg.over_squares(xg.asarray(1e200), 1e200, 0.0).item()
    1e-200

    Args:
        g: an array of a real floating-point dtype.
        x1, x2: arrays of that dtype, whose shapes broadcast with that of g, or numbers.

    Returns:
        A tensor of the shape that all broadcast to, and of the dtype that they promote to. It is 0 where x1 or x2 is infinite.

    Raises:
        TypeError: for a value that is neither an array nor a number.
        ValueError: for shapes that do not broadcast.

    https://data-apis.org/array-api/latest/API_specification/generated/array_api.atan2.html
    """
    from xgrad.rules.searching import mask

    g, x1, x2 = together("over_squares", operand("over_squares", g), x1, x2)
    size = hypot(x1, x2)
    return divide(divide(mask(g, not_equal(size, math.inf)), size), size)


# --- choosing -----------------------------------------------------------------------------------------------


def _of_larger(xp: Any, g: Any, a: Any, b: Any) -> Any:
    """g where a > b, half of it where they are equal."""
    return xp.mask(g, a > b) + xp.mask(g * 0.5, a == b)


maximum = elementwise(
    "maximum",
    "The larger of x1 and x2. Equal ones share the gradient. maximum(3.0, 2.0) = 3.0",
    lambda xp, g, x1, x2: _of_larger(xp, g, x1, x2),
    lambda xp, g, x1, x2: _of_larger(xp, g, x2, x1),
)
minimum = elementwise(
    "minimum",
    "The smaller of x1 and x2. Equal ones share the gradient. minimum(3.0, 2.0) = 2.0",
    lambda xp, g, x1, x2: _of_larger(xp, g, x2, x1),
    lambda xp, g, x1, x2: _of_larger(xp, g, x1, x2),
)
abs = elementwise(
    "abs",
    "The absolute value. The gradient at 0 is 0. abs(-3.0) = 3.0",
    lambda xp, g, x: g * xp.sign(x),
    jvp=lambda xp, t, x: real_part(xp, t * conjugate(xp, xp.sign(x))),
)
copysign = elementwise(
    "copysign",
    "|x1| with the sign of x2. copysign(3.0, -1.0) = -3.0",
    lambda xp, g, x1, y: xp.where(xp.signbit(x1) == xp.signbit(y), g, -g),
    None,
)
_clip = Elementwise("clip", ("x",), (lambda xp, g, x, min, max: xp.mask(g, _within(x, min, max)),))


def _within(x: Any, low: float | None, high: float | None) -> Any:
    if low is None or high is None:
        return x <= high if low is None else x >= low
    return (x >= low) & (x <= high)


@public("clip", "rule")
def clip(x: Any, /, min: Any = None, max: Any = None) -> Tensor:
    """x, but no less than a lower bound and no more than an upper one.

    >>> import xgrad as xg
    >>> x = xg.asarray([-2.0, 0.5, 1.0, 3.0])
    >>> xg.clip(x, 0.0, 1.0).tolist()
    [0.0, 0.5, 1.0, 1.0]
    >>> xg.grad(lambda x: xg.sum(xg.clip(x, 0.0, 1.0)))(x).tolist()
    [0.0, 1.0, 1.0, 0.0]

    Args:
        x: an array of any real dtype, of any shape, or a number. nan stays nan.
        min: the lower bound, a number or an array that broadcasts to x; None for no bound.
        max: the upper bound, in the same way. It wins where it is below min.

    Returns:
        A tensor of the dtype of x, and of its shape (or that to which it and the bounds broadcast). What integers become beside
        floating-point bounds, the library decides.

    Derivative:
        The cotangent goes to x within the bounds and at them, as in PyTorch, and to a bound that is an array where x is beyond
        it.

    Raises:
        TypeError: for a value that is neither an array nor a number.
        ValueError: for shapes that do not broadcast.
    """
    from xgrad.rules.searching import where

    if min is None and max is None:
        return positive(x)
    if all(bound is None or is_scalar(bound) for bound in (min, max)):
        backend = backend_of("clip", (x,))
        low, high = (None if bound is None else as_scalar(backend, bound) for bound in (min, max))
        return apply(_clip, (x,), {"min": low, "max": high})
    x, min, max = together("clip", x, min, max)
    y = x
    if min is not None:
        y = where(less(y, min), min, y)
    if max is not None:
        y = where(greater(y, max), max, y)
    return y if y.dtype == x.dtype else in_dtype_of(y, x)


def in_dtype_of(y: Tensor, x: Any) -> Tensor:
    from xgrad.rules.data_type import astype

    return astype(y, x.dtype)


# --- without a derivative -----------------------------------------------------------------------------------

ceil = constant("ceil", "The smallest integer that is not below x. ceil(1.5) = 2.0")
floor = constant("floor", "The largest integer that is not above x. floor(1.5) = 1.0")
round = constant("round", "The nearest integer; halves go to the even one. round(2.5) = 2.0")
trunc = constant("trunc", "The integer part. trunc(-1.5) = -1.0")
signbit = constant("signbit", "Whether the sign bit is set. signbit(-0.0) = True")
isfinite = constant("isfinite", "Whether x is neither infinite nor nan. isfinite(1.0) = True")
isinf = constant("isinf", "Whether x is infinite. isinf(1.0) = False")
isnan = constant("isnan", "Whether x is nan. isnan(1.0) = False")
logical_not = constant("logical_not", "not x. logical_not(True) = False")
bitwise_invert = constant("bitwise_invert", "~x. bitwise_invert(5) = -6")

floor_divide = constant("floor_divide", "The integer part of x1 / x2, rounded down. floor_divide(7.0, 2.0) = 3.0", 2)
nextafter = constant(
    "nextafter", "The next floating-point number after x1 towards x2. nextafter(1.0, 2.0) = 1.0000000000000002", 2
)
equal = constant("equal", "x1 == x2. equal(1.0, 2.0) = False", 2)
not_equal = constant("not_equal", "x1 != x2. not_equal(1.0, 2.0) = True", 2)
less = constant("less", "x1 < x2. less(1.0, 2.0) = True", 2)
less_equal = constant("less_equal", "x1 <= x2. less_equal(1.0, 2.0) = True", 2)
greater = constant("greater", "x1 > x2. greater(1.0, 2.0) = False", 2)
greater_equal = constant("greater_equal", "x1 >= x2. greater_equal(1.0, 2.0) = False", 2)
logical_and = constant("logical_and", "x1 and x2. logical_and(True, False) = False", 2)
logical_or = constant("logical_or", "x1 or x2. logical_or(True, False) = True", 2)
logical_xor = constant("logical_xor", "Whether exactly one of x1 and x2 is true. logical_xor(True, False) = True", 2)
bitwise_and = constant("bitwise_and", "x1 & x2. bitwise_and(6, 3) = 2", 2)
bitwise_or = constant("bitwise_or", "x1 | x2. bitwise_or(6, 3) = 7", 2)
bitwise_xor = constant("bitwise_xor", "x1 ^ x2. bitwise_xor(6, 3) = 5", 2)
bitwise_left_shift = constant("bitwise_left_shift", "x1 << x2. bitwise_left_shift(3, 2) = 12", 2)
bitwise_right_shift = constant("bitwise_right_shift", "x1 >> x2. bitwise_right_shift(12, 2) = 3", 2)
