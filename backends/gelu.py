"""GELU, SiLU and their derivatives on raw arrays of any library, also one without an error function.

GELU is x times the normal distribution function of x. For t = |x| it is max(x, 0) - t exp(-t**2 / 2) M(t), where the ratio
M(t) = exp(t**2 / 2) (1 - Phi(t)) is a polynomial in s = 1 - 2 k / (t + k). So small values far to the left keep their digits.
"""

from __future__ import annotations

import math
from typing import Any

# By precision: k, the t at which exp(-t**2 / 2) is 0, and the coefficients of M from the highest power of s on. They were fitted
# at Chebyshev's nodes; the relative error is at most 11 units in the last place, that of M's absolute error below one.
Fit = tuple[float, float, tuple[float, ...]]
DOUBLE: Fit = (
    6.0,
    40.0,
    (
        *(8.479844151133363e-10, 3.062071127472727e-09, -5.880165976635275e-09, -2.5093244949777584e-08),
        *(6.356776349475056e-08, 1.1471858597696979e-07, -7.175472560126065e-07, 4.761416256082165e-07),
        *(5.486091397903324e-06, -2.0509074627137267e-05, 1.2374093178885957e-05, 0.00018037285255290714),
        *(-0.0010134521392121982, 0.0034179280262301806, -0.00884643593259269, 0.018987678976475877),
        *(-0.035054539825461056, 0.05682315263483292, -0.0819060397991988, 0.10583149345046962),
        *(-0.12319673345701897, 0.06477931432444685),
    ),
)
SINGLE: Fit = (
    4.0,
    15.0,
    (
        *(-7.106094098745622e-05, -0.00017663470995487842, 0.0006598177477243742, 0.0005094170662471423),
        *(-0.008497658742992546, 0.030863740544518573, -0.0717068440944764, 0.12437935205168289),
        *(-0.17039773811075232, 0.09441064013657806),
    ),
)
DENSITY = 1 / math.sqrt(2 * math.pi)  # of the normal distribution at 0
# The other form: x * sigmoid(2 u), where u = ROOT * (x + CUBIC * x**3).
ROOT, CUBIC = math.sqrt(2 / math.pi), 0.044715


def _tail(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """t = |x|, exp(-t**2 / 2) and M(t)."""
    k, far, (y, *coefficients) = SINGLE if x.dtype == xp.float32 else DOUBLE
    t = xp.minimum(xp.abs(x), xp.asarray(far, dtype=x.dtype))
    s = 1 - 2 * k / (t + k)
    for coefficient in coefficients:
        y = y * s + coefficient
    return t, xp.exp(t * t * -0.5), y


def gelu(xp: Any, x: Any, approximate: str = "none") -> Any:
    """GELU of a real floating-point array."""
    if x.dtype in xp.narrow_dtypes:
        return xp._in_float32(xp.gelu, x, approximate=approximate)
    if approximate == "tanh":
        return x * xp.sigmoid(2 * ROOT * (x + CUBIC * (x * x * x)))
    t, falling, ratio = _tail(xp, x)
    return xp.relu(x) - t * falling * ratio


def gelu_slope(xp: Any, x: Any, approximate: str = "none") -> Any:
    """The derivative of GELU."""
    if x.dtype in xp.narrow_dtypes:
        return xp._in_float32(xp.gelu_slope, x, approximate=approximate)
    if approximate == "tanh":
        s = xp.sigmoid(2 * ROOT * (x + CUBIC * (x * x * x)))
        return s + x * s * (1 - s) * (2 * ROOT * (1 + 3 * CUBIC * (x * x)))
    t, falling, ratio = _tail(xp, x)
    below = falling * (ratio - DENSITY * t)
    return xp.where(x < 0, below, 1 - below)


def gelu_gradient(xp: Any, g: Any, x: Any, y: Any, approximate: str = "none") -> Any:
    """g times the derivative. y is gelu(x), from which a library may compute it faster."""
    return g * xp.gelu_slope(x, approximate=approximate)


def silu(xp: Any, x: Any) -> Any:
    """x * sigmoid(x)."""
    return x * xp.sigmoid(x)


def silu_gradient(xp: Any, g: Any, x: Any, y: Any) -> Any:
    """g times the derivative of SiLU. y is silu(x)."""
    s = xp.sigmoid(x)
    h = 1 - s
    h *= xp.minimum(y, xp.asarray(1e3, dtype=y.dtype))  # there the factor is 0 already, and y may be inf
    h += s
    h *= g
    return h
