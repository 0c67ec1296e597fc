"""Newton-CG: each direction solves H d = -g by conjugate gradients, as far as it is worth. Conventions are SciPy's.

J. Nocedal and S. J. Wright, Numerical Optimization, 2nd edition, algorithm 7.1, https://doi.org/10.1007/978-0-387-40065-5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import xgrad as xg
from xgrad.engine.numbers import read
from xgrad.engine.tensor import Tensor
from xgrad.optimize.line import Trial
from xgrad.optimize.messages import MAXITER, NOT_FINITE, PRECISION, SUCCESS
from xgrad.optimize.more_thuente import Rules
from xgrad.optimize.objective import Objective
from xgrad.optimize.result import OptimizeResult
from xgrad.optimize.watch import Watch
from xgrad.optimize.zoom import wolfe

SHORTEST, LONGEST = 1e-8, 50.0  # step lengths of the first line search
FLAT = 3 * 2.0**-52  # a curvature along a direction that is no larger says nothing
NOT_CONVEX = "The conjugate gradients did not converge: the Hessian is not positive definite."


class Point(NamedTuple):
    """A place, and what the host knows of it."""

    x: Tensor
    gradient: Tensor
    value: float
    total: float  # the sum of the absolute values of the gradient
    squared: float  # the gradient times itself


def newton_cg(
    objective: Objective, watch: Watch, *, xtol: float, maxiter: int | None, c1: float, c2: float
) -> OptimizeResult:
    """Minimize. The host reads once for each evaluation, for each product with the Hessian, and for each direction."""
    n = objective.flat.size
    maxiter = 200 * n if maxiter is None else maxiter
    rules = Rules(c1, c2, 1e-14, SHORTEST, LONGEST, 100)
    here, _ = evaluated(objective, objective.start, None)
    previous: float | None = None
    nit, moved = 0, math.inf
    status, message = 0, SUCCESS
    while moved > n * xtol:
        if nit >= maxiter:
            status, message = 1, MAXITER
            break
        if not math.isfinite(here.total):
            status, message = 3, NOT_FINITE
            break
        d = newton_direction(objective, here, 20 * n)
        if d is None:
            status, message = 3, NOT_CONVEX
            break
        slope, total = read([here.gradient @ d, xg.sum(xg.abs(d))], d)

        def at(t: float, here: Point = here, d: Tensor = d) -> Trial:
            point, slope = evaluated(objective, here.x + t * d, d)
            return Trial(t, point.value, slope, point)

        start = Trial(0.0, here.value, slope, here)
        # A direction of zero, where the gradient is zero or the function flat, is a last step of length zero.
        found = wolfe(at, start, previous, rules, None) if total else start
        if found is None:
            # A step that is too short to be seen in the value is convergence.
            shortest = max(xtol, math.sqrt(xg.finfo(d.dtype).eps))
            status, message = (0, SUCCESS) if total <= n * shortest else (2, PRECISION)
            break
        previous, here = here.value, found.point
        nit += 1
        moved = found.t * total
        if watch.halts(here.x, fun=here.value):
            break
    if status == 0 and (math.isnan(here.value) or math.isnan(moved)):
        status, message = 3, NOT_FINITE
    return OptimizeResult(x=here.x, fun=here.value, jac=here.gradient, nit=nit, status=status, message=message)


def evaluated(objective: Objective, x: Tensor, d: Tensor | None) -> tuple[Point, float]:
    """The point at x, and the slope there along d."""
    value, gradient = objective.value_and_gradient(x)
    numbers = [value, xg.sum(xg.abs(gradient)), gradient @ gradient]
    value_, total, squared, *slope = read([*numbers, *([] if d is None else [gradient @ d])], x, gradient)
    return Point(x, gradient, value_, total, squared), slope[0] if slope else math.nan


def newton_direction(objective: Objective, here: Point, most: int) -> Tensor | None:
    """An approximate solution d of H d = -g, or a direction of negative curvature; None if there is none after `most` products.

    The residual r = H d + g becomes at most min(0.5, sqrt(|g|)) |g|, in the sum of absolute values.
    """
    enough = min(0.5, math.sqrt(here.total)) * here.total
    d = xg.zeros_like(here.gradient)
    if here.total <= enough:
        return d
    _, product = objective.linearized(here.x)
    r, p, squared = here.gradient, -here.gradient, here.squared
    for n in range(most):
        hp = product(p)
        curvature_ = p @ hp
        # What a step along p leads to is computed before the host knows the curvature: so it reads once for each product.
        t = squared / xg.where(curvature_ == 0, 1.0, curvature_)
        next_r = r + t * hp
        curvature, total, next_squared = read([curvature_, xg.sum(xg.abs(next_r)), next_r @ next_r], hp, next_r, p, d)
        if 0 <= curvature <= FLAT:
            return d
        if curvature < 0:
            return d if n else (squared / curvature) * here.gradient
        d = d + t * p
        if total <= enough:
            return d
        p = (next_squared / squared) * p - next_r
        r, squared = next_r, next_squared
    return None
