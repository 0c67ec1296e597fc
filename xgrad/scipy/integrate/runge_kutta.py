"""The pairs of Runge-Kutta methods: their coefficients, error estimates and interpolants.

RK23 is that of Bogacki and Shampine (https://doi.org/10.1016/0893-9659(89)90079-7), RK45 that of Dormand and Prince
(https://doi.org/10.1016/0771-050X(80)90013-3) with the interpolant of Shampine, DOP853 that of Hairer, Nørsett and Wanner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.scipy.integrate import dop853

Field = Callable[[Tensor, Tensor], Tensor]  # the right-hand side f(t, y)
Rows = tuple[tuple[float, ...], ...]


class Method:
    """An explicit method. `a` has a row for each stage after the first, `b` gives the step, `e` the error.

    A row of `p` has the coefficients of x, x^2, ... that a stage has in the interpolant at y + h * sum(stage * p(x)).
    """

    def __init__(
        self, name: str, order: int, a: Rows, b: tuple[float, ...], c: tuple[float, ...], e: Rows, p: Rows
    ) -> None:
        self.name, self.order = name, order  # the order is that of the error estimate
        self.a, self.b, self.c, self.e, self.p = a, b, c, e, p

    def step(self, f: Field, t: Tensor, h: Tensor, y: Tensor, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The state after a step from t to t + h, the slope there, and all stages as rows."""
        stages = [slope]
        for row, c in zip(self.a, self.c, strict=True):
            stages.append(f(t + c * h, y + h * self.sum(row, stages)))
        new = y + h * self.sum(self.b, stages)
        stages.append(f(t + h, new))
        return new, stages[-1], xg.stack(stages)

    def sum(self, weights: tuple[float, ...], stages: list[Tensor] | Tensor) -> Tensor:
        """The weighted sum of stages."""
        rows = xg.stack(stages) if isinstance(stages, list) else stages
        return xg.matmul(_row(weights, rows), rows)

    def error(self, stages: Tensor, h: float, scale: Tensor) -> Tensor:
        """The norm of the error estimate: 1 is as large as it may be."""
        return root_mean_square(h * self.sum(self.e[0], stages) / scale)

    def between(self, f: Field, t: Tensor, h: Tensor, y: Tensor, new: Tensor, stages: Tensor, x: Tensor) -> Tensor:
        """The interpolant at the places x, which go from 0 to 1 in the step: a row for each place."""
        powers = [x]
        while len(powers) < len(self.p[0]):
            powers.append(powers[-1] * x)
        weights = xg.matmul(xg.stack(powers, axis=-1), _matrix(tuple(zip(*self.p, strict=True)), x))
        return y + h * xg.matmul(xg.astype(weights, stages.dtype, copy=False), stages)


class Dop853(Method):
    """DOP853 has two error estimates, and three more stages for its interpolant."""

    def error(self, stages: Tensor, h: float, scale: Tensor) -> Tensor:
        fifth, third = (xg.sum(xg.square(xg.abs(self.sum(e, stages) / scale))) for e in self.e)
        whole = fifth + 0.01 * third
        safe = xg.where(whole > 0, whole, 1.0)
        return xg.where(whole > 0, abs(h) * fifth / xg.sqrt(safe * scale.shape[-1]), whole)

    def between(self, f: Field, t: Tensor, h: Tensor, y: Tensor, new: Tensor, stages: Tensor, x: Tensor) -> Tensor:
        rows = xg.unstack(stages)
        slope, last = rows[0], rows[-1]
        all_stages = list(rows)
        for row, c in zip(dop853.EXTRA, dop853.EXTRA_C, strict=True):
            all_stages.append(f(t + c * h, y + h * self.sum(row, all_stages)))
        whole = xg.stack(all_stages)
        moved = new - y
        terms = [moved, h * slope - moved, 2.0 * moved - h * (last + slope)]
        terms += list(xg.unstack(h * xg.matmul(_matrix(dop853.D, whole), whole)))
        x = x[:, None]
        found = xg.zeros_like(x * y)
        for i, term in enumerate(reversed(terms)):
            found = (found + term) * (x if i % 2 == 0 else 1.0 - x)
        return y + found


def root_mean_square(x: Tensor) -> Tensor:
    return xg.sqrt(xg.mean(xg.square(xg.abs(x))))


def _row(weights: tuple[float, ...], like: Tensor) -> Tensor:
    row: Tensor = xg.asarray(weights, dtype=like.dtype, device=like.device)
    return row


def _matrix(rows: Any, like: Tensor) -> Tensor:
    matrix: Tensor = xg.asarray(rows, dtype=like.dtype, device=like.device)
    return matrix


RK23 = Method(
    "RK23",
    2,
    a=((1 / 2,), (0.0, 3 / 4)),
    b=(2 / 9, 1 / 3, 4 / 9),
    c=(1 / 2, 3 / 4),
    e=((5 / 72, -1 / 12, -1 / 9, 1 / 8),),
    p=((1.0, -4 / 3, 5 / 9), (0.0, 1.0, -2 / 3), (0.0, 4 / 3, -8 / 9), (0.0, -1.0, 1.0)),
)
RK45 = Method(
    "RK45",
    4,
    a=(
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    ),
    b=(35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    c=(1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0),
    e=((-71 / 57600, 0.0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40),),
    p=(
        (1.0, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432),
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799),
        (0.0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072),
        (0.0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632),
        (0.0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844),
        (0.0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423),
    ),
)
DOP853 = Dop853("DOP853", 7, a=dop853.A, b=dop853.B, c=dop853.C[1:], e=(dop853.E5, dop853.E3), p=())
METHODS = {method.name: method for method in (RK23, RK45, DOP853)}
