"""How fast the quantiles of the beta distribution move with its parameters, on raw arrays: by Gauss's quadrature.

Let I(a, b, x) be the regularized incomplete beta function, t the logit of x, and s(t) = x the logistic function. At a fixed value
of I, the derivative of t by a is

    L(a, b, t) = integral over u < t of exp(f(u) - f(t)) (c - log s(u)) = integral over u > t of exp(f(u) - f(t)) (log s(u) - c),
    f(u) = a log s(u) + b log s(-u),    c = digamma(a) - digamma(a + b).

Integration by parts turns a into a + 1 in the first integral, and b into b + 1 in the second, which then decay over a length of
at most 50. The first is used where its c - log s(t) is positive, and the second elsewhere. So all terms of the sums are positive,
and f falls from t on. The same integrals without the last factor are the ratio of I, or of 1 - I, to its derivative by t.
"""

from __future__ import annotations

import math
from typing import Any

from xgrad.backends.beta import digamma_rise
from xgrad.backends.formulas import number
from xgrad.backends.gamma_slope import DECAY, nodes

NODES = 64  # twice those of the gamma distribution, because the exponential may fall late
STEPS = 8  # of Newton's method, for the length


class Side:
    """The integrals from t to one side: the left one where `low`, the right one elsewhere."""

    def __init__(self, xp: Any, a: Any, b: Any, t: Any, low: Any) -> None:
        self.xp, self.low = xp, low
        self.p, self.q = xp.where(low, a + 1, b + 1), xp.where(low, b, a)  # the exponents before and behind t
        self.t = xp.where(low, t, -t)
        self.x, self.rest = xp.sigmoid(self.t), xp.sigmoid(-self.t)
        self.length = self._length()

    def logs(self, w: Any) -> tuple[Any, Any]:
        """log s(t - w) - log s(t), and log s(w - t) - log s(-t), which is larger by w."""
        xp, half = self.xp, self.x <= 0.5
        zero = number(xp, 0.0, self.t)
        behind = -xp.log1p(xp.where(half, self.x, zero) * xp.expm1(-w))
        before = -xp.log1p(xp.where(half, zero, self.rest) * xp.expm1(xp.where(half, zero, w)))
        return xp.where(half, behind - w, before), xp.where(half, behind, before + w)

    def _length(self) -> Any:
        """Where the exponential is exp(-DECAY). Newton's method goes down to it from beyond, because the exponent is concave."""
        xp, p, q = self.xp, self.p, self.q
        first, second = p * self.rest - q * self.x, (p + q) * self.x * self.rest
        near = 2 * DECAY / (first + xp.sqrt(first * first + 2 * DECAY * second))
        far = xp.where(self.t > 0, self.t, number(xp, 0.0, p)) + 2 + DECAY / p
        w = xp.where(near < far, near, far)
        for _ in range(STEPS):
            before, behind = self.logs(w)
            slope = q * xp.sigmoid(self.t - w) - p * xp.sigmoid(w - self.t)
            step = (p * before + q * behind + DECAY) / slope
            moved = w - step
            w = xp.where((moved > 0) & (moved < far), moved, far)
        return w

    def moments(self, m: int, n: int) -> list[list[Any]]:
        """The integrals of the exponential times powers, up to m and n, of how far log s(u) and log s(-u) move from t."""
        xp = self.xp
        found: list[list[Any]] = [[0.0] * (n + 1) for _ in range(m + 1)]
        for node, weight in nodes(NODES):
            before, behind = self.logs(self.length * node)
            size = xp.exp(self.p * before + self.q * behind) * (self.length * weight)
            left, right = xp.where(self.low, before, behind), xp.where(self.low, behind, before)
            for i in range(m + 1):
                term = size
                for j in range(n + 1):
                    found[i][j] = found[i][j] + term
                    term = term * right
                size = size * left
        return found


def is_low(xp: Any, a: Any, b: Any, t: Any) -> Any:
    """Where the integral on the left of t is the one with positive terms: roughly below the mean."""
    return -xp.softplus(-t) < -digamma_rise(xp, a + 1, b)


def slope(special: Any, a: Any, b: Any, t: Any, order: tuple[int, int]) -> Any:
    """The derivative of L(a, b, t), m times by a and n times by b, for fixed t."""
    xp, (m, n) = special.xp, order
    low = is_low(xp, a, b, t)
    side = Side(xp, a, b, t, low)
    sign, log_x = xp.where(low, number(xp, -1.0, t), number(xp, 1.0, t)), -xp.softplus(-t)
    base = xp.where(low, a + 1, a)
    outer = log_x + digamma_rise(xp, base, xp.where(low, b - 1, b))
    inner = log_x + digamma_rise(xp, base, xp.where(low, b, b + 1))
    known: dict[tuple[str, int, int], Any] = {("outer", 0, 0): outer, ("inner", 0, 0): inner}
    for i in range(m + 1):
        for j in range(n + 1):
            if i + j:
                own = special.polygamma(i, base) if j == 0 else 0.0
                known["outer", i, j] = special.polygamma(i + j, a + b) - own
                known["inner", i, j] = special.polygamma(i + j, a + b + 1) - own
    moments = side.moments(m + 1, n)

    def integral(i: int, j: int) -> Any:
        total = moments[i + 1][j]
        for k in range(i + 1):
            for h in range(j + 1):
                total = total + math.comb(i, k) * math.comb(j, h) * (known["inner", k, h] * moments[i - k][j - h])
        return total

    integrals: dict[tuple[int, int], Any] = {}
    found: dict[tuple[int, int], Any] = {}
    for i in range(m + 1):
        for j in range(n + 1):
            integrals[i, j] = integral(i, j)
            total = (a + b) * integrals[i, j]
            total = total + i * integrals[i - 1, j] if i else total
            total = total + j * integrals[i, j - 1] if j else total
            total = sign * (known["outer", i, j] + side.x * total)
            # The integral is part of a * L, or of b * L, whose derivatives follow Leibniz's rule.
            before = i * found[i - 1, j] if i else 0.0
            behind = j * found[i, j - 1] if j else 0.0
            found[i, j] = (total - xp.where(low, before + 0 * t, behind + 0 * t)) / xp.where(low, a, b)
    return found[m, n]


def log_ratio(xp: Any, a: Any, b: Any, t: Any) -> Any:
    """The logarithm of I(a, b, x) over its derivative by t, where `is_low`."""
    side = Side(xp, a, b, t, xp.full((), True, dtype=xp.bool))
    return xp.log1p((a + b) * side.x * side.moments(0, 0)[0][0]) - xp.log(a)
