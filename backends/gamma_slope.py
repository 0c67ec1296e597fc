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
def nodes(count: int = NODES) -> list[tuple[float, float]]:
    """The nodes s in (0, 1) and their weights, by Newton's method on the Legendre polynomial. They are squared: dense near 0."""
    found = []
    for i in range(count):
        z = math.cos(math.pi * (i + 0.75) / (count + 0.5))
        for _ in range(100):
            before, now = 1.0, z
            for k in range(2, count + 1):
                before, now = now, ((2 * k - 1) * z * now - (k - 1) * before) / k
            slope = count * (z * now - before) / (z * z - 1)
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
    one, x = number(xp, 1.0, t), xp.exp(t)
    rise = special.digamma(a + 1) - t
    low = rise > 0
    c = xp.where(low, rise, t - special.digamma(a))
    # Both integrands are exp(b w - x (exp(w) - 1)) (c + s), with w = -s and b = a + 1 for the first, and w = s and b = a for the
    # second. c depends on a, too: its derivatives are polygamma functions.
    b, sign = xp.where(low, a + 1, a), xp.where(low, -one, one)
    shifts = [sign * -special.polygamma(k, b) for k in range(1, order + 1)]
    size = length(xp, a, x, low)
    means = moments(xp, b, x, sign * size, order + 2)
    powers = [size * (sign * size) ** k if k else size for k in range(order + 1)]
    found = c
    for n in range(order + 1):
        total = powers[n] * (c * means[n] + size * means[n + 1])
        for k in range(1, n + 1):
            total = total + math.comb(n, k) * (powers[n - k] * (shifts[k - 1] * means[n - k]))
        # The first integral is part of a * L, whose derivatives follow Leibniz's rule.
        start = (shifts[n - 1] if n else c) - (n * found if n else 0.0)
        found = xp.where(low, (start + x * total) / a, total)
    return found


def length(xp: Any, a: Any, x: Any, low: Any) -> Any:
    """Where the exponential is exp(-DECAY), or beyond."""
    one = number(xp, 1.0, a)
    d = 2 * (a + 1 - xp.where(low, x, one)) - DECAY
    first = 4 * DECAY / (d + xp.sqrt(d * d + (8 * DECAY) * (a + 1)))
    x = xp.where(low, a + 1, x)
    d = x - a
    second = 2 * DECAY / (d + xp.sqrt(d * d + (2 * DECAY) * x))
    for _ in range(4):  # shorter where the exponential of an exponential decays faster
        other = xp.log1p(second + DECAY / x)
        second = xp.where(other < second, other, second)
    return xp.where(low, first, second)


def moments(xp: Any, b: Any, x: Any, size: Any, count: int, of: int = NODES) -> list[Any]:
    """The integrals of the exponential times u**k, over u from 0 to 1, where w is size * u."""
    found: list[Any] = [0.0] * count
    for node, weight in nodes(of):
        w = size * node
        height = xp.exp(b * w - x * xp.expm1(w))
        for k in range(count):
            found[k] = found[k] + height * (weight * node**k)
    return found
