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
    0: "The number of evaluations has reached max_nfev.",
    1: "The residuals are orthogonal to the columns of the Jacobian, to gtol.",
    2: "The relative reduction of the sum of squares, actual and predicted, is at most ftol.",
    3: "The radius of the trust region is at most xtol, relative to x.",
    4: "The conditions of both ftol and xtol are satisfied.",
    5: "The number of iterations has reached maxiter.",
}


class Point(NamedTuple):
    """A place, and what the host knows of it."""

    x: Tensor
    residuals: Tensor
    length: float  # of the residuals


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
    weights = given_weights(residuals, x_scale)
    follows_jacobian = weights is None
    radius = damping = size = math.nan
    nit, status = 0, None
    jacobian = residuals.jacobian(x)
    while status is None:
        norms = xg.linalg.vector_norm(jacobian, axis=0)
        if follows_jacobian:
            found = xg.where(norms == 0, 1.0, norms) if weights is None else norms
            weights = found if weights is None else xg.maximum(weights, found)
        gradient = here.residuals @ jacobian
        cosines = xg.abs(gradient) / xg.where(norms == 0, 1.0, norms * (here.length or 1.0))
        cosine, start_size, total = read(
            [xg.max(cosines), xg.linalg.vector_norm(weights * here.x), xg.sum(norms)], jacobian, weights, gradient
        )
        size = start_size if nit == 0 else size
        if not math.isfinite(total):
            status = -1
            break
        if cosine <= gtol:
            status = 1
            break
        if nit == 0:
            radius, damping = (factor * size or factor), 0.0
        if maxiter is not None and nit >= maxiter:
            status = 5
            break
        steps = Steps(jacobian, weights, here.residuals, epsilon)
        is_taken = False
        while status is None and not is_taken:
            q, damping, step_length, predicted, slope = steps.within(radius, damping)
            p = q / weights
            if nit == 0:
                radius = min(radius, step_length)
            x = here.x + p
            values = residuals.value(x)
            length, next_size = read([xg.linalg.vector_norm(values), xg.linalg.vector_norm(weights * x)], x, values)
            square = here.length**2
            reduction = 1.0 - (length / here.length) ** 2 if 0.1 * length < here.length else -1.0
            promised, slope = predicted / square, slope / square
            ratio = reduction / promised if promised else 0.0
            if ratio <= 0.25:
                share = 0.5 if reduction >= 0 else 0.5 * slope / (slope + 0.5 * reduction)
                if 0.1 * length >= here.length or not share >= 0.1:
                    share = 0.1
                radius = share * min(radius, step_length / 0.1)
                damping /= share
            elif damping == 0 or ratio >= 0.75:
                radius, damping = 2.0 * step_length, 0.5 * damping
            is_taken = ratio >= ACCEPTED
            if is_taken:
                here, size = Point(x, values, length), next_size
                nit += 1
            is_flat = abs(reduction) <= ftol and promised <= ftol and 0.5 * ratio <= 1
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

    def within(self, radius: float, damping: float) -> tuple[Tensor, float, float, float, float]:
        """The step whose length is the radius, to 10 %; or the Gauss-Newton step, where that is no longer.

        Returns:
            The step in scaled variables, its damping and its length, the reduction of the sum of squares that is predicted for
            it, and half the slope of the sum of squares along it.
        """
        excess = self.newton_length - radius
        if excess <= NEAR * radius:
            return self.step(self.newton), 0.0, self.newton_length, self.newton_gain, -self.newton_gain
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
        return self.step(q), damping, length, gain + 2.0 * damped, -(gain + damped)

    def step(self, shares: Tensor) -> Tensor:
        """The step that has these shares, with the opposite sign, along the rows of vt."""
        return -(shares @ self.vt)
