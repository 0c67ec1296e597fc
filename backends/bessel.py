"""Bessel functions on raw arrays: derivatives of any order, and J0 and J1 for libraries whose own are inaccurate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.backends.formulas import added, bounded, number

# --- Bessel functions ---------------------------------------------------------------------------------------
#
# A derivative of J0 is a sum of J0, J1, ... with binomial coefficients; a derivative of I0 is the same sum of I0, I1, ...
# Functions beyond order 1 come from the recurrence if x is large enough, otherwise from the power series.


def j0(special: Any, x: Any, order: int) -> Any:
    xp = special.xp
    terms = [special.j0(x), special.j1(x)]
    if order == 2:
        return _over(xp, terms[1], x) - terms[0]
    for n in range(2, order + 1):
        limit = 2 * math.sqrt(n + 1)
        small = xp.abs(x) < limit
        series = _series(xp, xp.where(small, x, number(xp, limit, x)), n, -1, 16)
        rising = terms[-1] / xp.where(small, number(xp, limit, x), x) * (2 * (n - 1)) - terms[-2]
        terms.append(xp.where(small, series, rising))
    total = 0 * x
    for j in range(order + 1):
        n = 2 * j - order
        sign = (-1) ** j * (1 if n >= 0 else (-1) ** n)
        total = total + terms[abs(n)] * (sign * math.comb(order, j) / 2**order)
    return total


def i0(special: Any, x: Any, order: int) -> Any:
    """All terms are positive for positive x. For large x they are computed as ratios to I0, because I0 may overflow."""
    xp = special.xp
    if order == 2:
        y = special.i0(x)
        return xp.where(xp.isinf(y), y, y - _over(xp, special.i1(x), x))
    small = xp.abs(x) < 10
    inner, outer = xp.where(small, x, number(xp, 10, x)), xp.where(small, number(xp, 10, x), bounded(xp, x))
    ratios = [xp.ones((), dtype=x.dtype), special.i1e(outer) / special.i0e(outer)]
    total = 0 * outer
    for n in range(2, order + 1):
        ratios.append(ratios[-2] - ratios[-1] / outer * (2 * (n - 1)))
    near = 0 * inner
    for n in range(order % 2, order + 1, 2):
        weight = math.comb(order, (order - n) // 2) / 2**order * (2 if n else 1)
        total = total + ratios[n] * weight
        near = near + _series(xp, inner, n, 1, 28) * weight
    return xp.where(small, near, special.i0(x) * total)


def _over(xp: Any, y: Any, x: Any) -> Any:
    """y / x, for a function y of x that is x / 2 near 0."""
    return xp.where(x == 0, number(xp, 0.5, x), y / xp.where(x == 0, number(xp, 1.0, x), x))


def _series(xp: Any, x: Any, n: int, sign: int, terms: int) -> Any:
    """The power series of J_n (sign -1) or I_n (sign 1)."""
    half = x * 0.5
    q = half * half * sign
    total = 0 * x + 1
    for k in range(terms, 0, -1):
        total = total * q / (k * (n + k)) + 1
    for k in range(1, n + 1):
        total = total * half / k
    return total


# For x > 0 and u = 1 - cos(angle), I0e(x) is the mean of exp(-x u) over the angle, and I1e(x) is the mean of (1 - u) exp(-x u).
# So their derivatives are means of powers of u times exp(-x u): positive, with ratios that converge quickly.


def i0e(special: Any, x: Any, order: int) -> Any:
    if order == 1:
        sign = special.xp.sign(x)
        return _by_moments_where_far(special, x, special.i1e(x) - sign * special.i0e(x), lambda m: -sign * m[1])
    moments = _moments_of_i0e(special, x, order)
    return moments[order] * ((-1) ** order * _sign(special.xp, x, order))


def i1e(special: Any, x: Any, order: int) -> Any:
    if order == 0:
        return special.i1e(x)
    if order == 1:
        y = special.i1e(x)
        near = special.i0e(x) - special.xp.sign(x) * y - _over(special.xp, y, x)
        return _by_moments_where_far(special, x, near, lambda m: m[2] - m[1])
    moments = _moments_of_i0e(special, x, order + 1)
    return (moments[order] - moments[order + 1]) * ((-1) ** order * _sign(special.xp, x, order + 1))


def _by_moments_where_far(special: Any, x: Any, near: Any, far: Callable[[list[Any]], Any]) -> Any:
    """The first derivative: the usual formula while its error, 2 * abs(x) * eps, is small; the moments for larger x."""
    xp = special.xp
    start, steps = (5, 20) if xp.finfo(x.dtype).eps > 1e-10 else (25, 20)
    is_far = xp.abs(x) > start
    return xp.where(is_far, far(_moments_of_i0e(special, xp.where(is_far, x, number(xp, start, x)), 2, steps)), near)


def _sign(xp: Any, x: Any, power: int) -> Any:
    """sign(x)**power, the factor of `power` derivatives of abs(x). At 0 an odd power is 0, an even power is 1."""
    return xp.sign(x) if power % 2 else 1.0


def _moments_of_i0e(special: Any, x: Any, highest: int, steps: int = 60) -> list[Any]:
    """The means of u**k exp(-abs(x) u), from their ratios: a continued fraction, evaluated from its last term."""
    xp = special.xp
    size = xp.abs(bounded(xp, x))
    start = highest + steps
    slope = size * 2 + (start + 2)
    ratio = (2 * (2 * start + 3)) / (slope + xp.sqrt(slope * slope - size * (4 * (2 * start + 3))))
    ratios = []
    for k in range(start, -1, -1):
        ratio = (2 * k + 1) / (size * (2 - ratio) + (k + 1))
        ratios.append(ratio)
    moments = [special.i0e(x)]
    for ratio in ratios[: -highest - 1 : -1]:
        moments.append(moments[-1] * ratio)
    return moments


# --- J0, J1, I0 and I1 --------------------------------------------------------------------------------------
#
# Up to BESSEL_FAR by Bessel's integral: the error of the midpoint rule is of the size of J_64 (or I_64). Beyond it by Hankel's
# series.

BESSEL_FAR = 25.0
ANGLES = [math.pi / 2 * (k + 0.5) / 16 for k in range(16)]


def bessel_j(xp: Any, x: Any, order: int) -> Any:
    """J0 or J1."""
    size = xp.abs(x)
    far = size > BESSEL_FAR
    t = xp.where(far, number(xp, 1.0, x), x)
    sines = [math.sin(angle) for angle in ANGLES]
    near = added([xp.sin(t * s) * s if order else xp.cos(t * s) for s in sines]) / len(sines)
    t = xp.where(far, size, number(xp, BESSEL_FAR, x))
    even, odd = _hankel(1 / t, order)
    sine, cosine = xp.sin(t), xp.cos(t)
    along, across = (sine - cosine, sine + cosine) if order else (cosine + sine, sine - cosine)
    if order:  # the phase of J1 is a quarter turn later
        across = -across
    beyond = (along * even - across * odd) / xp.sqrt(t * xp.acos(number(xp, -1.0, x)))
    beyond = xp.where(xp.isinf(x), number(xp, 0.0, x), beyond)
    return xp.where(far, xp.where(x < 0, -beyond, beyond) if order else beyond, near)


def bessel_ie(xp: Any, x: Any, order: int) -> Any:
    """I0 or I1, times exp(-abs(x))."""
    size = xp.abs(x)
    far = size > BESSEL_FAR
    t = xp.where(far, number(xp, 1.0, x), x)
    sines = [math.sin(angle) for angle in ANGLES]
    near = added([xp.sinh(t * s) * s if order else xp.cosh(t * s) for s in sines]) / len(sines) * xp.exp(-xp.abs(t))
    t = xp.where(far, size, number(xp, BESSEL_FAR, x))
    even, odd = _hankel(1 / t, order, sign=1)
    beyond = (even - odd) / xp.sqrt(t * xp.acos(number(xp, -1.0, x)) * 2)
    beyond = xp.where(xp.isinf(x), number(xp, 0.0, x), beyond)
    return xp.where(far, xp.where(x < 0, -beyond, beyond) if order else beyond, near)


def _hankel(inverse: Any, order: int, terms: int = 24, sign: int = -1) -> tuple[Any, Any]:
    """The two series that multiply the cosine and the sine: the terms of even and of odd order. sign=-1 alternates signs."""
    weights = [1.0]
    for k in range(1, terms):
        weights.append(weights[-1] * (4 * order - (2 * k - 1) ** 2) / (8 * k))
    sums = []
    for first in (0, 1):
        total = 0 * inverse
        for k in range(terms - 2 + first, first - 1, -2):
            total = total * inverse * inverse + weights[k] * sign ** (k // 2)
        sums.append(total)
    return sums[0], sums[1] * inverse
