"""BFGS: the inverse Hessian is a matrix, which each step corrects. Conventions and stopping rules are SciPy's.

J. Nocedal and S. J. Wright, Numerical Optimization, 2nd edition, algorithm 6.1, https://doi.org/10.1007/978-0-387-40065-5.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

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

SHORTEST, LONGEST = 1e-100, 1e100  # step lengths
LARGE = 1000.0  # stands for 1 / (y . s) where y . s = 0


class Point(NamedTuple):
    """A place, and what the host knows of it."""

    x: Tensor
    gradient: Tensor
    value: float
    size: float  # the norm of the gradient that the stopping rule looks at


def bfgs(
    objective: Objective,
    watch: Watch,
    *,
    gtol: float,
    norm: float,
    maxiter: int | None,
    xrtol: float,
    c1: float,
    c2: float,
    hess_inv0: Any,
) -> OptimizeResult:
    """Minimize. The host reads once for each evaluation, and once for each direction."""
    x = objective.start
    maxiter = 200 * objective.flat.size if maxiter is None else maxiter
    h = first_matrix(hess_inv0, x)
    value, gradient = objective.value_and_gradient(x)
    first = [value, sized(gradient, norm), xg.linalg.vector_norm(gradient)]
    start_value, size, length = read(first, x, gradient)
    here = Point(x, gradient, start_value, size)
    previous = start_value + length / 2  # so that the first step is about of length 1
    rules = Rules(c1, c2, 1e-14, SHORTEST, LONGEST, 100)
    nit, status = 0, 0
    while here.size > gtol and nit < maxiter:
        d = -(h @ here.gradient)
        slope, *lengths = read(
            [here.gradient @ d, *((sized(d, norm), sized(here.x, norm)) if xrtol else ())], d, here.gradient, h
        )

        def at(t: float, here: Point = here, d: Tensor = d) -> Trial:
            x = here.x + t * d
            value, gradient = objective.value_and_gradient(x)
            value_, size, slope = read([value, sized(gradient, norm), gradient @ d], x, gradient)
            return Trial(t, value_, slope, Point(x, gradient, value_, size))

        found = wolfe(at, Trial(0.0, here.value, slope), previous, rules, LONGEST)
        if found is None:
            status = 2
            break
        before, previous, here = here, here.value, found.point
        nit += 1
        if watch.halts(here.x, fun=here.value) or here.size <= gtol:
            break
        if xrtol and found.t * lengths[0] <= xrtol * (xrtol + lengths[1]):
            break
        if not math.isfinite(here.value):  # a minimum of -inf, or an error
            status = 2
            break
        curvature = found.t * (found.slope - slope)
        h = corrected(h, found.t * d, here.gradient - before.gradient, 1.0 / curvature if curvature else LARGE)
    messages = {0: SUCCESS, 1: MAXITER, 2: PRECISION, 3: NOT_FINITE}
    if status == 0 and nit >= maxiter:
        status = 1
    elif status == 0 and (math.isnan(here.size) or math.isnan(here.value)):
        status = 3
    return OptimizeResult(
        x=here.x, fun=here.value, jac=here.gradient, hess_inv=h, nit=nit, status=status, message=messages[status]
    )


def sized(vector: Tensor, norm: float) -> Tensor:
    """The norm of a vector: inf for the largest absolute value, -inf for the least, or an order."""
    found: Tensor = xg.linalg.vector_norm(vector, ord=norm)
    return found


def first_matrix(hess_inv0: Any, x: Tensor) -> Tensor:
    """The first inverse Hessian. Raises ValueError where it is not a symmetric, positive definite matrix of the right shape."""
    n = x.shape[0]
    namespace = x.__array_namespace__()
    if hess_inv0 is None:
        eye: Tensor = namespace.eye(n, dtype=x.dtype)
        return eye
    h = xg.astype(namespace.asarray(hess_inv0), x.dtype)
    if h.shape != (n, n):
        raise ValueError(f"minimize: hess_inv0 must be of shape {(n, n)}, not {h.shape}")
    least, uneven = read([xg.min(xg.linalg.eigvalsh(h)), xg.max(xg.abs(h - h.T))], h)
    if not (least > 0 and uneven == 0):
        raise ValueError("minimize: hess_inv0 must be symmetric and positive definite")
    return h


def corrected(h: Tensor, s: Tensor, y: Tensor, rho: float) -> Tensor:
    """(1 - rho s y') H (1 - rho y s') + rho s s', as two outer products: H + s w' + w s'."""
    hy = h @ y
    w = (0.5 * rho * (1.0 + rho * (y @ hy))) * s - rho * hy
    part = s[:, None] * w
    return h + part + part.T
