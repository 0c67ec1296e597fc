"""The distribution function of Student's t distribution and its inverse.

The derivative by the degrees of freedom is that of the incomplete beta function: see incomplete_beta.py. It is written with x as
a factor, so that it is smooth at 0.
"""

from __future__ import annotations

import math
from typing import Any

from xgrad.backends.beta import stirling
from xgrad.backends.elementary import linear_minus_log1p
from xgrad.engine.dispatch import apply
from xgrad.engine.op import Elementwise
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.special_arguments import arrays


def student_density(xp: Any, df: Any, x: Any) -> Any:
    """(1 + x**2 / df)**(-(df + 1) / 2) / sqrt(df) / beta(df / 2, 1 / 2)"""
    return xp.exp(log_student_density(xp, df, x))


def log_student_density(xp: Any, df: Any, x: Any) -> Any:
    """The logarithm of the density. For large df, where the logarithms of gamma functions would cancel, by Stirling's series."""
    one = xp.ones((), dtype=x.dtype)
    large = df >= 20
    z = xp.where(large, 0.5 * df, 10 * one)
    by_series = stirling(z + 0.5) - stirling(z) - z * linear_minus_log1p(0.5 / z) - 0.5 * math.log(2 * math.pi)
    small = xp.where(large, one, df)
    usual = -0.5 * xp.log(small) - xp.special.betaln(0.5 * small, 0.5 * one)
    return xp.where(large, by_series, usual) - 0.5 * (df + 1) * _log_of_spread(xp, df, x)


def _log_of_spread(xp: Any, df: Any, x: Any) -> Any:
    """log(1 + x**2 / df), also where the square overflows."""
    one = xp.ones((), dtype=x.dtype)
    far = xp.abs(x) > 1e10
    near, large = xp.where(far, one, x), xp.where(far, x, one)
    return xp.where(far, 2 * xp.log(xp.abs(large)) - xp.log(df), xp.log1p(near * near / df))


def _speed(xp: Any, df: Any, x: Any) -> Any:
    """The derivative of the distribution function by df, over its density."""
    inner = xp.abs(x) < math.inf
    one = xp.ones((), dtype=x.dtype)
    x = xp.where(inner, x, one)
    size = xp.where(xp.abs(x) < 1e-100, xp.full((), 1e-30, dtype=x.dtype), xp.abs(x))
    slope = xp.special.beta_slope(0.5 * df, 0.5 * one, xp.log(df) - 2 * xp.log(size))
    return xp.mask(x * (0.25 * slope - 0.5 / df), inner)


_stdtr = Elementwise(
    "special.stdtr",
    ("df", "x"),
    (
        lambda xp, g, df, x: g * (student_density(xp, df, x) * _speed(xp, df, x)),
        lambda xp, g, df, x: g * student_density(xp, df, x),
    ),
)
_stdtrit = Elementwise(
    "special.stdtrit",
    ("df", "p"),
    (lambda xp, g, df, y: -g * _speed(xp, df, y), lambda xp, g, df, y: g / student_density(xp, df, y)),
)


@public("special.stdtr", "rule")
def stdtr(df: Any, x: Any, /) -> Tensor:
    """The distribution function of Student's t distribution with df degrees of freedom, element by element.

    >>> import xgrad as xg
    >>> df, x = xg.asarray(1.0), xg.asarray(1.0)
    >>> round(xg.special.stdtr(df, x).item(), 4)  # 1 / 2 + atan(x) / pi
    0.75
    >>> by_df, by_x = xg.grad(xg.special.stdtr, argnums=(0, 1))(df, x)
    >>> round(by_df.item(), 4), round(by_x.item(), 4)
    (0.0662, 0.1592)

    It is nan for degrees of freedom that are not positive.

    Derivative:
        The density by x, and from `beta_slope` by df, in both modes and to any order; at x = 0 to the second order.
    """
    return apply(_stdtr, arrays("stdtr", df, x))


@public("special.stdtrit", "rule")
def stdtrit(df: Any, p: Any, /) -> Tensor:
    """The inverse of stdtr by its last argument, element by element: the quantiles of Student's t distribution.

    >>> import xgrad as xg
    >>> p = xg.asarray(0.75)
    >>> round(xg.special.stdtrit(1.0, p).item(), 4)
    1.0
    >>> round(xg.grad(xg.special.stdtrit, argnums=1)(1.0, p).item(), 4)  # 2 * pi
    6.2832

    It is nan for a p outside of [0, 1], and for degrees of freedom that are not positive.

    Derivative:
        By the implicit function theorem, from the derivatives of stdtr, in both modes and to any order.
    """
    return apply(_stdtrit, arrays("stdtrit", df, p))
