"""Levenberg-Marquardt for residuals: the algorithm of MINPACK's lmder. The damped steps come from singular values.

J. J. Moré, The Levenberg-Marquardt algorithm: implementation and theory, https://doi.org/10.1007/BFb0067700. MINPACK solves the
damped problems by a QR decomposition with pivots; here one singular value decomposition for each Jacobian serves all of them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import xgrad as xg
from xgrad.engine.numbers import read
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.optimize.residuals import Residuals
from xgrad.optimize.result import OptimizeResult
from xgrad.optimize.watch import Watch

ACCEPTED = 1e-4  # the share of the predicted reduction from which a step is taken
NEAR = 0.1  # a step is as long as the radius if it is by this share of it
MESSAGES = {
    -1: "The Jacobian is not finite.",
    0: "The number of evaluations has reached max_nfev, or that of iterations maxiter.",
    1: "The residuals are orthogonal to the columns of the Jacobian, to gtol.",
    2: "The relative reduction of the sum of squares, actual and predicted, is at most ftol.",
    3: "The radius of the trust region is at most xtol, relative to x.",
    4: "The conditions of both ftol and xtol are satisfied.",
}


class Point(NamedTuple):
    """A place, and what the host knows of it."""

    x: Tensor
    residuals: Tensor
    length: float  # of the residuals


class Step(NamedTuple):
    """A step in weighted variables."""

    q: Tensor
    damping: float
    length: float
    gain: float  # the predicted reduction of the sum of squares
    slope: float  # half the slope of the sum of squares along the step


def levenberg_marquardt(
    residuals: Residuals,
    watch: Watch,
    *,
    ftol: float,
    xtol: float,
    gtol: float,
    max_nfev: int | None,
    maxiter: int | None,
    x_scale: Any,
    factor: float,
) -> OptimizeResult:
    """Minimize half the sum of squares.

    The host reads twice for each Jacobian, once for each damping that is tried, and once for each evaluation.
    """
    x = residuals.start
    max_nfev = 100 * residuals.flat.size if max_nfev is None else max_nfev
    epsilon = float(xg.finfo(x.dtype).eps)
    ftol, xtol, gtol = (max(tol or 0.0, epsilon) for tol in (ftol, xtol, gtol))
    values = residuals.value(x)
    (length,) = read([xg.linalg.vector_norm(values)], x, values)
    if not math.isfinite(length):
        raise ValueError(f"{residuals.name}: the residuals are not finite at x0")
    here = Point(x, values, length)
    jacobian = residuals.jacobian(x)
    fixed = given_weights(residuals, x_scale)
    weights: Any = fixed
    radius = damping = size = 0.0  # size: the length of x, weighted
    nit, status = 0, None
    while status is None:
        norms = xg.linalg.vector_norm(jacobian, axis=0)
        divisors = xg.where(norms == 0, 1.0, norms)
        if fixed is None:  # the weights follow the columns of the Jacobian, and never fall
            weights = divisors if weights is None else xg.maximum(weights, norms)
        cosines = xg.abs(here.residuals @ jacobian) / (divisors * (here.length or 1.0))
        numbers = [xg.max(cosines), xg.sum(norms), xg.linalg.vector_norm(weights * here.x)]
        cosine, total, now = read(numbers, jacobian, weights)
        if not math.isfinite(total):
            status = -1
        elif cosine <= gtol:
            status = 1
        elif maxiter is not None and nit >= maxiter:
            status = 0
        if status is not None:
            break
        if nit == 0:
            size, radius = now, factor * now or factor
        steps = Steps(jacobian, weights, here.residuals, epsilon)
        is_taken = False
        while status is None and not is_taken:
            step = steps.within(radius, damping)
            radius = min(radius, step.length) if nit == 0 else radius
            x = here.x + step.q / weights
            values = residuals.value(x)
            length, next_size = read([xg.linalg.vector_norm(values), xg.linalg.vector_norm(weights * x)], x, values)
            reduction = 1.0 - (length / here.length) ** 2 if 0.1 * length < here.length else -1.0
            promised, slope = step.gain / here.length**2, step.slope / here.length**2
            ratio = reduction / promised if promised else 0.0
            radius, damping = next_radius(radius, step, reduction, ratio, slope, length >= 10.0 * here.length)
            is_taken = ratio >= ACCEPTED
            if is_taken:
                here, size = Point(x, values, length), next_size
                nit += 1
            is_flat = abs(reduction) <= ftol and promised <= ftol and ratio <= 2.0
            is_short = radius <= xtol * size
            if is_flat or is_short:
                status = 4 if is_flat and is_short else 2 if is_flat else 3
            elif residuals.nfev >= max_nfev:
                status = 0
        if is_taken:
            if watch.halts(here.x, fun=0.5 * here.length**2):
                status = 0
            jacobian = residuals.jacobian(here.x)
            residuals.njev -= status is not None  # SciPy does not count the Jacobian that is only for the result
    return finished(residuals, here, jacobian, nit, status)


def next_radius(
    radius: float, step: Step, reduction: float, ratio: float, slope: float, is_far_worse: bool
) -> tuple[float, float]:
    """The radius after a step, and the damping to begin the next search with.

    `ratio` is the reduction over the predicted one. Where it is small, the radius shrinks to where a parabola has its minimum.
    """
    if ratio <= 0.25:
        share = 0.5 if reduction >= 0 else 0.5 * slope / (slope + 0.5 * reduction)
        share = 0.1 if is_far_worse or not share >= 0.1 else share
        return share * min(radius, 10.0 * step.length), step.damping / share
    if step.damping == 0 or ratio >= 0.75:
        return 2.0 * step.length, 0.5 * step.damping
    return radius, step.damping


def finished(residuals: Residuals, here: Point, jacobian: Tensor, nit: int, status: int) -> OptimizeResult:
    """The result, as least_squares has it."""
    gradient = here.residuals @ jacobian
    (largest,) = read([xg.max(xg.abs(gradient))], gradient)
    return OptimizeResult(
        x=here.x,
        cost=0.5 * here.length**2,
        fun=here.residuals,
        jac=jacobian,
        grad=gradient,
        optimality=largest,
        nit=nit,
        status=status,
        message=MESSAGES[status],
    )


def given_weights(residuals: Residuals, x_scale: Any) -> Tensor | None:
    """The weights of the variables in the radius, 1 / x_scale; None if they are to follow the Jacobian."""
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return None
    start = residuals.start
    if isinstance(x_scale, int | float):
        scale = xg.full_like(start, float(x_scale))
    elif isinstance(x_scale, str):
        raise ValueError(f"{residuals.name}: x_scale is 'jac', a number, or scales like x0, not {x_scale!r}")
    else:
        leaves, _ = flatten(x_scale)
        own = start.__array_namespace__()
        parts = [xg.reshape(own.astype(own.asarray(leaf), start.dtype), (-1,)) for leaf in leaves]
        scale = parts[0] if len(parts) == 1 else xg.concat(parts)
    if scale.shape != start.shape:
        raise ValueError(f"{residuals.name}: x_scale has {scale.size} numbers for {start.size} variables")
    (least,) = read([xg.min(scale)], scale)
    if not least > 0:
        raise ValueError(f"{residuals.name}: x_scale must be positive")
    return 1.0 / scale


class Steps:
    """The solutions q of (A'A + damping) q = -A'f, for the Jacobian A in scaled variables and the residuals f."""

    def __init__(self, jacobian: Tensor, weights: Tensor, values: Tensor, epsilon: float) -> None:
        u, self.s, self.vt = xg.linalg.svd(jacobian / weights, full_matrices=False)
        self.uf = values @ u
        self.suf = self.s * self.uf
        tiny = epsilon * max(jacobian.shape) * xg.max(self.s)
        is_used = self.s > tiny
        self.newton = xg.where(
            is_used, self.uf / xg.where(is_used, self.s, 1.0), 0.0
        )  # in the basis vt, without the sign
        bend = xg.sum(xg.where(is_used, (self.newton / xg.where(is_used, self.s, 1.0)) ** 2, 0.0))
        numbers = [xg.linalg.vector_norm(self.newton), bend, xg.linalg.vector_norm(self.suf)]
        numbers += [xg.min(xg.astype(is_used, self.s.dtype)), xg.sum(xg.where(is_used, self.uf, 0.0) ** 2)]
        self.newton_length, self.bend, self.gradient_length, is_full, self.newton_gain = read(
            numbers, self.s, self.vt, self.uf, self.newton
        )
        self.has_full_rank = bool(is_full) and jacobian.shape[0] >= jacobian.shape[1]

    def within(self, radius: float, damping: float) -> Step:
        """The step whose length is the radius, to 10 %; or the Gauss-Newton step, where that is no longer.

        `damping` is where the search for the damping begins.
        """
        excess = self.newton_length - radius
        if excess <= NEAR * radius:
            return Step(self.along(self.newton), 0.0, self.newton_length, self.newton_gain, -self.newton_gain)
        lower = excess * self.newton_length**2 / (radius * self.bend) if self.has_full_rank else 0.0
        upper = self.gradient_length / radius or 2.0**-1022 / min(radius, NEAR)
        damping = min(max(damping, lower), upper) or self.gradient_length / self.newton_length
        for n in range(10):
            damping = damping or max(2.0**-1022, 0.001 * upper)
            q = self.suf / (self.s**2 + damping)
            length, bend, image = read(
                [xg.linalg.vector_norm(q), xg.sum(q**2 / (self.s**2 + damping)), xg.linalg.vector_norm(self.s * q)], q
            )
            before, excess = excess, length - radius
            if abs(excess) <= NEAR * radius or (lower == 0 and excess <= before < 0) or n == 9:
                break
            if excess > 0:
                lower = max(lower, damping)
            elif excess < 0:
                upper = min(upper, damping)
            damping = max(lower, damping + excess * length**2 / (radius * bend))
        gain, damped = image**2, damping * length**2
        return Step(self.along(q), damping, length, gain + 2.0 * damped, -(gain + damped))

    def along(self, shares: Tensor) -> Tensor:
        """The vector that has these shares, with the opposite sign, along the rows of vt."""
        vector: Tensor = -(shares @ self.vt)
        return vector
