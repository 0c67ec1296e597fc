"""The normal distribution on raw arrays: derivatives of any order of log_ndtr and erfcx, as sums of terms of one sign."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from xgrad.backends.formulas import added, number
from xgrad.backends.looking import may_look

# For x = -t < 0, exp(x**2 / 2) * Phi(x) is the integral of exp(-t s - s**2 / 2) over s > 0. The derivatives of erfcx are moments
# of s, and those of log_ndtr are cumulants of s. The ratios of the moments are a continued fraction of positive numbers.

FAR = 2.5  # beyond this the continued fraction converges in STEPS steps
STEPS = 64


def erfcx(special: Any, x: Any, order: int) -> Any:
    xp = special.xp
    y = special.erfcx(x)
    if x.dtype in xp.complex_dtypes:
        return _by_recurrence(xp, x, y, order)
    return _slope_of_erfcx(xp, x, y) if order == 1 else _bend_of_erfcx(xp, x, y, order)


def _slope_of_erfcx(xp: Any, x: Any, y: Any) -> Any:
    """The first derivative: 2 x y - 2 / sqrt(pi), while its error of 2 * x**2 * eps is small."""
    far = x > 3
    root = math.sqrt(2.0)
    mean = _moments_of_tail(xp, xp.where(far, x * root, number(xp, 3 * root, x)), 1, 24)[1]
    near = _by_recurrence(xp, xp.where(far, number(xp, 0.0, x), x), y, 1)
    return xp.where(far, mean * y * -root, near)


def _bend_of_erfcx(xp: Any, x: Any, y: Any, order: int) -> Any:
    root = math.sqrt(2.0)
    far, left = x > FAR / root, x < 0.3
    moment = _moments_of_tail(xp, xp.where(far, x * root, number(xp, FAR, x)), order)[order]
    middle = _moment_near(xp, xp.where(left | far, number(xp, 1.0, x), x * root), order)
    near = _by_recurrence(xp, xp.where(left, x, number(xp, 0.3, x)), y, order)
    return xp.where(left, near, xp.where(far, moment, middle) * y * (-root) ** order)


def _by_recurrence(xp: Any, x: Any, y: Any, order: int) -> Any:
    """From y' = 2 x y - 2 / sqrt(pi), differentiated as often as needed."""
    before, now = y, 2 * x * y - 2 / xp.sqrt(xp.acos(number(xp, -1.0, x)))
    for k in range(1, order):
        before, now = now, 2 * x * now + 2 * k * before
    return now if order else y


def log_ndtr(special: Any, x: Any, order: int) -> Any:
    xp = special.xp
    if order == 0:
        return special.log_ndtr(x)
    slope = _slope_of_log_ndtr(special, x)
    if order == 1:
        return slope
    if x.dtype in xp.complex_dtypes:
        return _polynomial(x, slope, order)
    far = x < -FAR
    moments = _moments_of_tail(xp, xp.where(far, -x, number(xp, FAR, x)), order)
    tail = _cumulants(moments)[order]
    inner = xp.where(far, 0 * slope, xp.where(x > 100, number(xp, 100, x), x))
    near = _polynomial(inner, slope, order)
    if order == 2:
        return xp.where(far, -slope * moments[1], near)
    middle = ~far & (x < 0)
    return xp.where(far, tail, xp.where(middle, _middle_cumulant(xp, xp.where(middle, -x, 0 * slope), order), near))


def _slope_of_log_ndtr(special: Any, x: Any) -> Any:
    """The density divided by the distribution function; far to the left, where both underflow, by erfcx."""
    xp = special.xp
    pi = xp.acos(number(xp, -1.0, x))
    if x.dtype in xp.complex_dtypes:
        return 1 / (special.erfcx(x * -xp.sqrt(number(xp, 0.5, x))) * xp.sqrt(pi / 2))
    if may_look(xp, x) and bool((xp.abs(x) < 20).all()):
        return gaussian(xp, x) / xp.sqrt(2 * pi) / special.ndtr(x)
    left = x < 0
    below = xp.where(left, x, number(xp, 0.0, x))
    mills = special.erfcx(below * -xp.sqrt(number(xp, 0.5, x))) * xp.sqrt(pi / 2)
    above = xp.where(left, number(xp, 0.0, x), xp.where(x > 100, number(xp, 100, x), x))
    density = gaussian(xp, above) / xp.sqrt(2 * pi)
    return xp.where(left, 1 / mills, density / special.ndtr(above))


def gaussian(xp: Any, x: Any) -> Any:
    """exp(-x**2 / 2), with the square as a sum of two parts, the first of which is exact."""
    high = xp.round(x * 16) / 16
    return xp.exp(high * high * -0.5) * xp.exp((x - high) * (x + high) * -0.5)


def _moments_of_tail(xp: Any, t: Any, highest: int, steps: int = STEPS) -> list[Any]:
    """The means of s**k under the density proportional to exp(-t s - s**2 / 2), s > 0, for t >= FAR."""
    start = highest + steps
    ratio = 2 * (start + 1) / (t + xp.sqrt(t * t + 4 * (start + 1)))
    ratios = []
    for k in range(start, 0, -1):
        ratio = k / (t + ratio)
        ratios.append(ratio)
    moments = [xp.ones((), dtype=t.dtype)]
    for ratio in ratios[: -highest - 1 : -1]:
        moments.append(moments[-1] * ratio)
    return moments


def _moment_near(xp: Any, t: Any, order: int) -> Any:
    """The mean of s**order for 0 <= t <= FAR, by quadrature."""
    parts = [xp.exp(t * -s) * weight for s, weight in _NODES]
    return added([part * s**order for part, (s, _) in zip(parts, _NODES, strict=True)]) / added(parts)


def _middle_cumulant(xp: Any, t: Any, order: int) -> Any:
    """The cumulant of s for 0 <= t <= FAR, from moments about the mean by quadrature. (Moments about 0 would cancel.)"""
    parts = [xp.exp(t * -s) * weight for s, weight in _NODES]
    total = added(parts)
    mean = added([part * s for part, (s, _) in zip(parts, _NODES, strict=True)]) / total
    moments = [xp.ones((), dtype=t.dtype), 0 * t]
    for k in range(2, order + 1):
        moments.append(added([part * (s - mean) ** k for part, (s, _) in zip(parts, _NODES, strict=True)]) / total)
    return _cumulants(moments)[order]


def _nodes(step: float = 0.11) -> list[tuple[float, float]]:
    """Nodes and weights of the trapezoidal rule in u, for s = exp(u - exp(-u)) > 0 and the weight function exp(-s**2 / 2)."""
    found = []
    for k in range(-32, 23):
        s = math.exp(k * step - math.exp(-k * step))
        found.append((s, s * (1 + math.exp(-k * step)) * math.exp(-s * s / 2)))
    return found


_NODES = _nodes()


def _cumulants(moments: list[Any]) -> list[Any]:
    cumulants = [0 * moments[0]]
    for n in range(1, len(moments)):
        known = [cumulants[m] * moments[n - m] * math.comb(n - 1, m - 1) for m in range(1, n)]
        cumulants.append(moments[n] - sum(known[1:], known[0]) if known else moments[n])
    return cumulants


def _polynomial(x: Any, slope: Any, order: int) -> Any:
    total = 0 * x
    for (i, j), count in _terms(order):
        total = total + x**i * slope**j * count
    return total


@cache
def _terms(order: int) -> tuple[tuple[tuple[int, int], int], ...]:
    """The derivative of log_ndtr as a polynomial in x and the first derivative h, by h' = -h * (x + h)."""
    if order == 1:
        return (((0, 1), 1),)
    counts: dict[tuple[int, int], int] = {}
    for (i, j), count in _terms(order - 1):
        for power, factor in (((i - 1, j), i), ((i + 1, j), -j), ((i, j + 1), -j)):
            counts[power] = counts.get(power, 0) + factor * count
    return tuple((power, count) for power, count in counts.items() if count)
