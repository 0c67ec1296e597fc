"""L-BFGS: the inverse Hessian is made of the latest steps. Stopping rules and restarts are those of L-BFGS-B without bounds.

J. Nocedal, Updating quasi-Newton matrices with limited storage, https://doi.org/10.1090/S0025-5718-1980-0572855-7. C. Zhu, R. H.
Byrd, P. Lu and J. Nocedal, Algorithm 778: L-BFGS-B, https://doi.org/10.1145/279232.279236.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import xgrad as xg
from xgrad._two_loops import Correction, direction
from xgrad.engine.numbers import read
from xgrad.engine.tensor import Tensor, wrap
from xgrad.optimize.line import Trial
from xgrad.optimize.messages import PRECISION
from xgrad.optimize.more_thuente import End, Rules, more_thuente
from xgrad.optimize.objective import Objective
from xgrad.optimize.result import LbfgsInvHessProduct, OptimizeResult
from xgrad.optimize.watch import Watch

DECREASE, CURVATURE, WIDTH, LONGEST = 1e-3, 0.9, 0.1, 1e10  # L-BFGS-B's


class Point(NamedTuple):
    """A place, and what the host knows of it."""

    x: Tensor
    gradient: Tensor
    value: float
    largest: float  # of the absolute values of the gradient
    change: Tensor | None = None  # of the gradient since the last place
    change_squared: float = 0.0


def lbfgs(
    objective: Objective, watch: Watch, *, maxcor: int, ftol: float, gtol: float, maxfun: int, maxiter: int, maxls: int
) -> OptimizeResult:
    """Minimize. The host reads once for each evaluation."""
    here, length = first_point(objective)
    backend = objective.backend
    corrections: list[Correction] = []
    scale, nit = 1.0, 0
    epsilon = float(xg.finfo(here.x.dtype).eps)
    status, message = 2, "The function or its gradient is not finite at the start."
    if here.largest <= gtol:
        status, message = 0, f"No element of the gradient is larger than gtol = {gtol:g}."
    while status == 2 and math.isfinite(here.value) and math.isfinite(here.largest):
        with backend.guard:  # on raw arrays, because these are many small operations
            d = wrap(direction(here.gradient.data, corrections, scale), backend)
        t = min(1.0 / length, LONGEST) if nit == 0 and length else 1.0
        line = Line(objective, here, d)
        end = line.search(t, maxls)
        if end is None:
            if not corrections:
                message = PRECISION
                break
            corrections, scale = [], 1.0  # the steepest descent, once more
            continue
        before, here = here, line.found.point
        nit += 1
        if watch.halts(here.x, fun=here.value):
            break
        status, message = stopped(before, here, ftol, gtol)
        if nit >= maxiter:
            status, message = 1, f"The number of iterations has reached maxiter = {maxiter}."
        elif objective.nfev > maxfun:
            status, message = 1, f"The number of evaluations has exceeded maxfun = {maxfun}."
        if status != 2:
            break
        curvature = line.found.t * (line.found.slope - line.slope)
        if here.change is not None and curvature > epsilon * -line.slope * line.found.t:
            latest = Correction(here.change.data, (here.x - before.x).data, 1.0 / curvature)
            corrections = [*corrections, latest][-maxcor:]
            scale = curvature / here.change_squared
    sk, yk = ([wrap(c[k], backend) for c in corrections] for k in (1, 0))
    return OptimizeResult(
        x=here.x,
        fun=here.value,
        jac=here.gradient,
        hess_inv=LbfgsInvHessProduct(sk, yk, here.x),
        nit=nit,
        status=status,
        message=message,
    )


def stopped(before: Point, here: Point, ftol: float, gtol: float) -> tuple[int, str]:
    """The status and the message after an iteration; status 2 to go on."""
    if here.largest <= gtol:
        return 0, f"No element of the gradient is larger than gtol = {gtol:g}."
    if before.value - here.value <= ftol * max(abs(before.value), abs(here.value), 1.0):
        return 0, f"The relative reduction of the function is at most ftol = {ftol:g}."
    return 2, ""


def first_point(objective: Objective) -> tuple[Point, float]:
    """The start, and the length of the gradient there."""
    x = objective.start
    value, gradient = objective.value_and_gradient(x)
    numbers = [value, xg.max(xg.abs(gradient)), xg.linalg.vector_norm(gradient)]
    number, largest, length = read(numbers, x, gradient)
    return Point(x, gradient, number, largest), length


class Line:
    """The function along a direction. The slope at the start is known after the first evaluation, with its other numbers."""

    def __init__(self, objective: Objective, start: Point, d: Tensor) -> None:
        self.objective = objective
        self.start = start
        self.d = d
        self.slope = math.nan
        self.found = Trial(0.0, start.value, math.nan, start)
        self.first: Trial | None = None

    def at(self, t: float) -> Trial:
        """The trial of a step length. The first one may have been made already."""
        if self.first is not None and self.first.t == t:
            trial, self.first = self.first, None
            return trial
        x = self.start.x + (self.d if t == 1.0 else t * self.d)
        value, gradient = self.objective.value_and_gradient(x)
        change = gradient - self.start.gradient
        numbers = [value, xg.max(xg.abs(gradient)), change @ change, gradient @ self.d]
        if math.isnan(self.slope):
            numbers.append(self.start.gradient @ self.d)
        number, largest, change_squared, slope, *first = read(numbers, x, gradient, change, self.d)
        self.slope = first[0] if first else self.slope
        return Trial(t, number, slope, Point(x, gradient, number, largest, change, change_squared))

    def search(self, t: float, trials: int) -> End | None:
        """Search from step length t. How the search ended; None where it found no step."""
        self.first = self.at(t)
        if not self.slope < 0:
            return None
        rules = Rules(DECREASE, CURVATURE, WIDTH, 0.0, LONGEST, trials)
        self.found, end = more_thuente(self.at, Trial(0.0, self.start.value, self.slope, self.start), t, rules)
        return end if end is not End.OUT_OF_TRIALS and self.found.is_finite else None
