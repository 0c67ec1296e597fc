"""Trust-region Newton-CG: steps within a radius in which the quadratic model has proved right. Conventions are SciPy's.

J. Nocedal and S. J. Wright, Numerical Optimization, 2nd edition, algorithms 4.1 and 7.2,
https://doi.org/10.1007/978-0-387-40065-5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import xgrad as xg
from xgrad.engine.numbers import read
from xgrad.engine.tensor import Tensor
from xgrad.optimize.messages import MAXITER, SUCCESS
from xgrad.optimize.objective import Objective, Product
from xgrad.optimize.result import OptimizeResult
from xgrad.optimize.watch import Watch

MESSAGES = {
    0: SUCCESS,
    1: MAXITER,
    2: "The quadratic model predicts no improvement: rounding errors.",
    3: "The function, its gradient or a product with its Hessian is nan.",
}


class Point(NamedTuple):
    """A place with the quadratic model there, and what the host knows of it."""

    x: Tensor
    gradient: Tensor
    product: Product  # of the Hessian with a vector
    value: float
    length: float  # of the gradient


class Step(NamedTuple):
    """A step that the model proposes."""

    p: Tensor
    change: float  # of the model
    is_on_boundary: bool


def trust_ncg(
    objective: Objective,
    watch: Watch,
    *,
    initial_trust_radius: float,
    max_trust_radius: float,
    eta: float,
    gtol: float,
    maxiter: int | None,
) -> OptimizeResult:
    """Minimize. The host reads once for each evaluation, for each gradient, and for each product with the Hessian."""
    checked(initial_trust_radius, max_trust_radius, eta)
    n = objective.flat.size
    maxiter = 200 * n if maxiter is None else maxiter
    (value,) = read([objective.value(objective.start)], objective.start)
    here = modelled(objective, objective.start, value)
    radius, nit, status = initial_trust_radius, 0, 0
    epsilon = float(xg.finfo(here.x.dtype).eps)
    while here.length >= gtol:
        step = proposed(here, radius, 20 * n)
        if step is None:
            status = 3
            break
        if not step.change < 0:
            status = 2
            break
        x = here.x + step.p
        (value,) = read([objective.value(x)], x)
        agreement = (value - here.value) / step.change
        if not agreement >= 0.25:  # also where it is nan
            radius *= 0.25
        elif agreement > 0.75 and step.is_on_boundary:
            radius = min(2.0 * radius, max_trust_radius)
        is_unseen = -step.change < epsilon * abs(here.value)  # the improvement is less than the value is rounded
        if agreement > eta:
            here = modelled(objective, x, value)
        elif is_unseen:
            status = 2
            break
        nit += 1
        if watch.halts(here.x, fun=here.value) or here.length < gtol:
            break
        if nit >= maxiter:
            status = 1
            break
    if status == 0 and not math.isfinite(here.length):
        status = 3
    return OptimizeResult(x=here.x, fun=here.value, jac=here.gradient, nit=nit, status=status, message=MESSAGES[status])


def checked(initial_trust_radius: float, max_trust_radius: float, eta: float) -> None:
    """Raise ValueError for radii or an acceptance that make no sense."""
    if not 0 <= eta < 0.25:
        raise ValueError(f"minimize: eta must be at least 0 and less than 0.25, not {eta}")
    if not 0 < initial_trust_radius < max_trust_radius:
        raise ValueError(
            "minimize: initial_trust_radius must be positive and less than max_trust_radius, got "
            f"{initial_trust_radius} and {max_trust_radius}"
        )


def modelled(objective: Objective, x: Tensor, value: float) -> Point:
    """The point at x, where the function has this value."""
    objective.njev += 1
    gradient, product = objective.linearized(x)
    (length,) = read([xg.linalg.vector_norm(gradient)], gradient)
    return Point(x, gradient, product, value, length)


def proposed(here: Point, radius: float, most: int) -> Step | None:
    """A step that makes the model small within the radius: conjugate gradients that end at the boundary (Steihaug).

    None if a product with the Hessian is nan. `most` is the largest number of products.
    """
    enough = min(0.5, math.sqrt(here.length)) * here.length
    z, r, d = xg.zeros_like(here.gradient), here.gradient, -here.gradient
    squared, change = here.length**2, 0.0
    for _ in range(most):
        hd = here.product(d)
        curvature_ = d @ hd
        # Where a whole step along d leads to is computed before the host knows the curvature: so it reads once for each product.
        t_ = squared / xg.where(curvature_ == 0, 1.0, curvature_)
        next_z, next_r = z + t_ * d, r + t_ * hd
        curvature, slope, next_length, next_squared, zz, zd, dd = read(
            [curvature_, r @ d, xg.linalg.vector_norm(next_z), next_r @ next_r, z @ z, z @ d, d @ d], next_z, next_r, d
        )
        if math.isnan(curvature):
            return None
        if curvature <= 0 or next_length >= radius:
            back, forth = crossings(zz, zd, dd, radius)
            changes = {t: change + t * slope + 0.5 * t * t * curvature for t in (back, forth)}
            t = back if curvature <= 0 and changes[back] < changes[forth] else forth
            return Step(z + t * d, changes[t], True)
        t = squared / curvature
        change += t * slope + 0.5 * t * t * curvature
        z = next_z
        if math.sqrt(next_squared) < enough:
            break
        d = (next_squared / squared) * d - next_r
        r, squared = next_r, next_squared
    return Step(z, change, False)


def crossings(zz: float, zd: float, dd: float, radius: float) -> tuple[float, float]:
    """The two t at which z + t d has this length, from the products of z and d; the lower one first.

    G. H. Golub and C. F. Van Loan, Matrix Computations: the form of the solution of a quadratic equation that does not cancel.
    """
    half, rest = zd, zz - radius**2
    q = half + math.copysign(math.sqrt(max(0.0, half * half - dd * rest)), half)
    if q == 0 or dd == 0:  # z has this length already, and d is tangent to the ball or vanishes
        return 0.0, 0.0
    one, other = -q / dd, -rest / q
    return min(one, other), max(one, other)
