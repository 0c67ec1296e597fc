"""How fast the quantiles of the gamma distribution move with its concentration, on raw arrays: by Gauss's quadrature.

Let P(a, x) be the regularized incomplete gamma function. At a fixed value of P, the derivative of log(x) by a is

    L(a, x) = 1/a * (c + x * (integral over s > 0 of exp(-(a + 1) s + x (1 - exp(-s))) (c + s))), c = digamma(a + 1) - log(x)
            = integral over s > 0 of exp(a s - x (exp(s) - 1)) (c + s),                           c = log(x) - digamma(a).

The first is used where its c is positive, and the second elsewhere, where its c is positive. So all terms of the sums are
positive. The integrands decay without a wave, over a length that a quadratic equation gives. 32 nodes give 13 digits for all a.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from xgrad.backends.formulas import number

DECAY = 42.0  # the integrals end where the exponential is exp(-DECAY)
NODES = 32


@cache
def nodes() -> list[tuple[float, float]]:
    """The nodes s in (0, 1) and their weights, by Newton's method on the Legendre polynomial. They are squared: dense near 0."""
    found = []
    for i in range(NODES):
        z = math.cos(math.pi * (i + 0.75) / (NODES + 0.5))
        for _ in range(100):
            before, now = 1.0, z
            for k in range(2, NODES + 1):
                before, now = now, ((2 * k - 1) * z * now - (k - 1) * before) / k
            slope = NODES * (z * now - before) / (z * z - 1)
            step = now / slope
            z -= step
            if abs(step) < 1e-16:
                break
        u = (z + 1) / 2
        found.append((u * u, 2 * u / ((1 - z * z) * slope * slope)))
    return found


def slope(special: Any, a: Any, t: Any, order: int) -> Any:
    """The derivative by `a` of that order of L(a, exp(t)), for fixed t."""
    xp = special.xp
    one = number(xp, 1.0, t)
    x = xp.exp(t)
    rise = special.digamma(a + 1) - t
    is_low = rise > 0
    low = _low(special, a, xp.where(is_low, x, one / 2), xp.where(is_low, rise, one), order)
    high = _high(special, a, xp.where(is_low, a + 1, x), xp.where(is_low, one, t - special.digamma(a)), order)
    return xp.where(is_low, low, high)


def _low(special: Any, a: Any, x: Any, c: Any, order: int) -> Any:
    xp = special.xp
    d = 2 * (a + 1 - x) - DECAY
    length = 4 * DECAY / (d + xp.sqrt(d * d + (8 * DECAY) * (a + 1)))
    # c depends on a, too: its derivatives are polygamma functions.
    moved = [c, *(special.polygamma(k, a + 1) for k in range(1, order + 1))]
    totals = [c * 0] * (order + 1)
    for node, weight in nodes():
        s = length * node
        size = xp.exp(-(a + 1) * s - x * xp.expm1(-s)) * weight
        for n in range(order + 1):
            totals[n] = totals[n] + size * _product(-s, s, moved, n)
    found = c
    for n in range(order + 1):
        # Leibniz's rule, for a * L
        found = (moved[n] + x * length * totals[n] - (n * found if n else 0.0)) / a
    return found


def _high(special: Any, a: Any, x: Any, c: Any, order: int) -> Any:
    xp = special.xp
    d = x - a
    length = 2 * DECAY / (d + xp.sqrt(d * d + (2 * DECAY) * x))
    for _ in range(4):  # shorter where the exponential of an exponential decays faster
        other = xp.log1p(length + DECAY / x)
        length = xp.where(other < length, other, length)
    moved = [c, *(-special.polygamma(k, a) for k in range(1, order + 1))]
    total = c * 0
    for node, weight in nodes():
        s = length * node
        total = total + xp.exp(a * s - x * xp.expm1(s)) * weight * _product(s, s, moved, order)
    return length * total


def _product(factor: Any, s: Any, moved: list[Any], n: int) -> Any:
    """The n-th derivative by a of exp(factor * a) * (c + s), without the exponential."""
    found = (moved[0] + s) * factor**n if n else moved[0] + s
    for k in range(1, n + 1):
        part = math.comb(n, k) * moved[k]
        found = found + (part * factor ** (n - k) if n > k else part)
    return found
