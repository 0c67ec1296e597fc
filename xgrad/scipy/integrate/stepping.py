"""Steps whose size follows the estimate of their error, as SciPy's solvers choose it.

The size of a step is a number, which has no gradient. All else that a step computes is recorded, so that the derivative is the
exact one of the numbers that come out. A recorded step is a checkpoint: its stages are computed again in backward, and only the
states between the steps are kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.scipy.integrate.runge_kutta import Field, Method, root_mean_square
from xgrad.scipy.numbers import epsilon, largest

SAFETY, LEAST, MOST = 0.9, 0.2, 10.0  # the bounds of the factor between two sizes
TOO_SMALL = "Required step size is less than spacing between numbers."
REACHED = "The solver successfully reached the end of the integration interval."


class Times:
    """The times t0 and t1, as numbers and as tensors, and times within a step."""

    def __init__(self, start: Any, end: Any, like: Tensor) -> None:
        self.dtype, self.device = xg.real(like).dtype, like.device
        self.first, self.last = self.tensor(start), self.tensor(end)
        self.start, self.end = number(start), number(end)
        self.moves = self.first.requires_grad or self.last.requires_grad

    def tensor(self, t: Any) -> Tensor:
        if isinstance(t, Tensor):
            return t if t.dtype == self.dtype else xg.astype(t, self.dtype)
        made: Tensor = xg.asarray(float(t), dtype=self.dtype, device=self.device)
        return made

    def at(self, t: float) -> Tensor:
        """A time that moves with the start, and the end as itself."""
        if t == self.end:
            return self.last
        return self.first + (t - self.start) if self.first.requires_grad else self.tensor(t)

    def between(self, t: float, new: float) -> Tensor:
        """The size of a step."""
        return self.at(new) - self.at(t) if self.moves and new == self.end else self.tensor(new - t)


def number(t: Any) -> float:
    return float(t.detach().item()) if isinstance(t, Tensor) else float(t)


class Step:
    """A step that was taken, and the states within it."""

    def __init__(self, solver: Solver, t: float, new: float, y: Tensor, found: tuple[Tensor, Tensor, Tensor]) -> None:
        self.solver, self.t, self.new, self.y = solver, t, new, y
        self.end, self.slope, self.stages = found

    def at(self, times: Tensor) -> Tensor:
        """The states at times within the step: a row for each."""
        solver = self.solver
        start, h = solver.times.at(self.t), solver.times.between(self.t, self.new)

        def between(start: Tensor, h: Tensor, y: Tensor, end: Tensor, stages: Tensor, times: Tensor) -> Tensor:
            return solver.method.between(solver.f, start, h, y, end, stages, (times - start) / h)

        run = xg.checkpoint(between) if solver.records else between
        found: Tensor = run(start, h, self.y, self.end, self.stages, times)
        return found


class Solver:
    """A problem and the place that its solution has reached."""

    def __init__(
        self,
        f: Field,
        times: Times,
        y: Tensor,
        method: Method,
        rtol: float,
        atol: Any,
        first_step: float | None = None,
        max_step: float = math.inf,
    ) -> None:
        self.f, self.times, self.method, self.atol, self.max_step = f, times, method, atol, max_step
        self.rtol = max(rtol, 100 * epsilon(xg.real(y)))
        self.t, self.y = times.start, y
        self.direction = math.copysign(1.0, times.end - times.start) if times.end != times.start else 1.0
        self.slope = f(times.first, y)
        self.records = y.requires_grad or times.moves or self.slope.requires_grad
        self.size = self.first_size() if first_step is None else first_step

        def step(t: Tensor, h: Tensor, y: Tensor, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return method.step(f, t, h, y, slope)

        self.step = xg.checkpoint(step) if self.records else step

    def first_size(self) -> float:
        """The size of the first step: Hairer, Nørsett and Wanner, "Solving Ordinary Differential Equations I", II.4."""
        length = abs(self.times.end - self.times.start)
        if not self.y.size or not length:
            return length
        y, slope = self.y.detach(), self.slope.detach()
        with xg.no_grad():
            scale = self.atol + xg.abs(y) * self.rtol
            d0, d1 = largest(root_mean_square(y / scale), root_mean_square(slope / scale))
            h0 = min(1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1, length)
            move = h0 * self.direction
            there = self.f(self.times.tensor(self.times.start + move), y + move * slope)
            d2 = largest(root_mean_square((there - slope) / scale))[0] / h0
        steepest = max(d1, d2)
        h1 = max(1e-6, h0 * 1e-3) if steepest <= 1e-15 else (0.01 / steepest) ** (1 / (self.method.order + 1))
        return min(100 * h0, h1, length, self.max_step)

    def advance(self) -> Step | None:
        """The next step; None where it would have to be too small."""
        smallest = 10 * abs(math.nextafter(self.t, self.direction * math.inf) - self.t)
        size = min(max(self.size, smallest), self.max_step)
        power = -1 / (self.method.order + 1)
        was_refused = False
        while size >= smallest:
            new = self.t + size * self.direction
            if self.direction * (new - self.times.end) > 0:
                new = self.times.end
            h = new - self.t
            found = self.step(self.times.at(self.t), self.times.between(self.t, new), self.y, self.slope)
            error = self.error(found, h)
            if error < 1:
                factor = MOST if error == 0 else min(MOST, SAFETY * error**power)
                self.size = abs(h) * (min(1.0, factor) if was_refused else factor)
                step = Step(self, self.t, new, self.y, found)
                self.t, self.y, self.slope = new, step.end, step.slope
                return step
            size = abs(h) * max(LEAST, SAFETY * error**power)
            was_refused = True
        return None

    def error(self, found: Sequence[Tensor], h: float) -> float:
        if not self.y.size:
            return 0.0
        with xg.no_grad():
            end, stages = found[0].detach(), found[2].detach()
            scale = self.atol + xg.maximum(xg.abs(self.y.detach()), xg.abs(end)) * self.rtol
            error = largest(self.method.error(stages, h, scale))[0]
        return error if not math.isnan(error) else math.inf

    @property
    def is_at_the_end(self) -> bool:
        return self.direction * (self.t - self.times.end) >= 0
