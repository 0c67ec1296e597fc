"""Initial value problems of ordinary differential equations: odeint and solve_ivp."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import xgrad as xg
from xgrad.backends import owner
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.optimize.result import OptimizeResult
from xgrad.scipy.in_trees import on_tensors_in_trees
from xgrad.scipy.integrate.runge_kutta import METHODS
from xgrad.scipy.integrate.state import RightHandSide, State
from xgrad.scipy.integrate.stepping import REACHED, TOO_SMALL, Solver, Times

LSODA = 1.49012e-8  # odeint's default for both tolerances


class OdeResult(OptimizeResult):
    """What `solve_ivp` returns: a dict whose entries are also attributes, as SciPy's.

    >>> import xgrad as xg
    >>> found = xg.scipy.integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), xg.asarray([1.0]))
    >>> found.status, found["success"], found.y.shape[0]
    (0, True, 1)

    Raises:
        AttributeError: for the attribute of an entry that is not there.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.solve_ivp.html
    """


@on_tensors_in_trees("integrate.solve_ivp")
def solve_ivp(
    fun: Callable[..., Any],
    t_span: Sequence[Any],
    y0: Any,
    method: str = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    *,
    rtol: float = 1e-3,
    atol: Any = 1e-6,
    first_step: float | None = None,
    max_step: float = math.inf,
) -> OdeResult:
    """Solve dy/dt = fun(t, y, *args) from y(t_span[0]) = y0. SciPy's function, with the same steps and the same numbers.

    >>> import xgrad as xg
    >>> from xgrad.scipy.integrate import solve_ivp
    >>> def end(rate):
    ...     found = solve_ivp(lambda t, y, rate: -rate * y, (0.0, 1.0), [2.0], args=(rate,), rtol=1e-9, atol=1e-9)
    ...     return found.y[0, -1]
    >>> value, slope = xg.value_and_grad(end)(xg.asarray(1.0))
    >>> round(value.item(), 6), round(slope.item(), 6)  # 2 / e, and its negative
    (0.735759, -0.735759)

    Args:
        fun: the function `fun(t, y, *args)`. If it closes over tensors, y0 must be a tensor too, because the arguments decide
            whether SciPy's function runs. t is a 0-d tensor. It returns an array of the shape of y, or a list of numbers.
        t_span: the times (t0, tf), numbers or 0-d tensors. tf may be the earlier one.
        y0: the state at t0, of shape (n,), of a real or complex dtype; or a tree of arrays of any shape.
        method: "RK45", "RK23" or "DOP853". SciPy has implicit methods for plain arrays only.
        t_eval: the times of the results, in order from t0 to tf: an array of one axis. None: the ends of the steps.
        dense_output: must be left out for tensors; so must `events`.
        events: must be left out for tensors.
        vectorized: has no effect.
        args: a tuple of more arguments: tensors, trees of tensors, or anything else.
        rtol, atol: the error of a step is kept below atol + rtol * abs(y). `atol` may be an array like y.
        first_step: the size of the first step. None: it is estimated.
        max_step: the largest size of a step.

    Returns:
        A result with t, of shape (m,), and y, of shape (n, m), or a tree of arrays with m as their last axis; nfev, status (0, or
        -1 where the steps became too small), success and message.

    Derivative:
        The exact one of the Runge-Kutta steps that were taken, whose sizes count as constants. It differs from that of the true
        solution by as much as the numbers do, and exists in both modes and to any order. It reaches y0, args, the times, and
        tensors that `fun` closes over. Backward computes the stages of each step again, and keeps a state for each step.

    Raises:
        ValueError: for shapes and times that do not fit, and for an unknown method.
        NotImplementedError: for dense_output, events and SciPy's implicit methods.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.solve_ivp.html
    """
    if dense_output or events is not None:
        option = "dense_output" if dense_output else "events"
        raise NotImplementedError(
            f"solve_ivp: {option}= is for plain arrays only. Pass t_eval= for the states at given times"
        )
    if method not in METHODS:
        if method in ("Radau", "BDF", "LSODA"):
            raise NotImplementedError(
                f"solve_ivp: {method} is for plain arrays only. For tensors there are {', '.join(METHODS)}"
            )
        raise ValueError(f"solve_ivp: method must be one of {', '.join(METHODS)}, not {method!r}")
    if len(t_span) != 2:
        raise ValueError(f"solve_ivp: t_span must be two times (t0, tf), not {len(t_span)} values")
    state = State("solve_ivp", y0)
    times = Times(t_span[0], t_span[1], state.start)
    wanted = None if t_eval is None else _Wanted("solve_ivp: t_eval", t_eval, times)
    if wanted is not None:
        wanted.check_within(times)
    args = () if args is None else args
    if not isinstance(args, tuple | list):
        raise TypeError(f"solve_ivp: args must be a tuple, such as (x,), not {type(args).__name__}")
    f = RightHandSide(state, fun, tuple(args), time_first=True)
    _check_tolerances("solve_ivp", rtol, atol, first_step, max_step)
    solver = Solver(f, times, state.start, METHODS[method], rtol, atol, first_step, max_step)
    at, rows = _run(solver, wanted)
    success = solver.is_at_the_end
    return OdeResult(
        t=at,
        y=_last_axis(state.tree(rows)),
        sol=None,
        t_events=None,
        y_events=None,
        nfev=f.count,
        njev=0,
        nlu=0,
        status=0 if success else -1,
        message=REACHED if success else TOO_SMALL,
        success=success,
    )


@on_tensors_in_trees("integrate.odeint")
def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: Any = (),
    Dfun: Any = None,  # noqa: N803 (SciPy's name)
    col_deriv: int = 0,
    full_output: int = 0,
    *,
    rtol: float | None = None,
    atol: Any = None,
    h0: float = 0.0,
    hmax: float = 0.0,
    mxstep: int = 0,
    tfirst: bool = False,
) -> Any:
    """The solution of dy/dt = func(y, t, *args) at given times, by steps of order 8 (SciPy has multistep methods).

    >>> import xgrad as xg
    >>> from xgrad.scipy.integrate import odeint
    >>> t = xg.linspace(0.0, 1.0, 3)
    >>> odeint(lambda y, t, rate: -rate * y, xg.asarray([2.0]), t, args=(1.0,))[:, 0].numpy().round(6).tolist()
    [2.0, 1.213061, 0.735759]

    Args:
        func: the function `func(y, t, *args)`. t is a 0-d tensor. It returns an array of the shape of y, or a list of numbers.
        y0: the state at t[0], of shape (n,), of a real or complex dtype; or a tree of arrays of any shape.
        t: the times, of shape (m,), in ascending or descending order.
        args: a tuple of more arguments: tensors, trees of tensors, or anything else.
        Dfun: has no effect; neither has `col_deriv`.
        col_deriv: has no effect.
        full_output: must be left out for tensors.
        rtol, atol: the error of a step is kept below atol + rtol * abs(y). None: 1.49012e-8, as in SciPy. In float32, rtol is at
            least 100 times its precision.
        h0: the size of the first step. 0: it is estimated.
        hmax: the largest size of a step. 0: there is none.
        mxstep: the largest number of steps in all. 0: there is none.
        tfirst: whether the function is called as `func(t, y, *args)`.

    Returns:
        A tensor of shape (m, n), or a tree of arrays with m as their first axis.

    Derivative:
        As that of `solve_ivp`: it reaches y0, t, args, and tensors that `func` closes over.

    Raises:
        ValueError: for shapes and times that do not fit.
        RuntimeError: where the steps become too small, or too many.
        NotImplementedError: for `full_output`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.odeint.html
    """
    if full_output:
        raise NotImplementedError("odeint: full_output= is for plain arrays only. solve_ivp tells how it went")
    state = State("odeint", y0)
    wanted = _Wanted("odeint: t", t, Times(0.0, 0.0, state.start))
    if not wanted.numbers:
        raise ValueError("odeint: t has no times")
    times = Times(wanted.tensor[0], wanted.tensor[-1], state.start) if wanted.tensor.requires_grad else None
    times = times or Times(wanted.numbers[0], wanted.numbers[-1], state.start)
    times.start, times.end = wanted.numbers[0], wanted.numbers[-1]
    wanted.check_within(times)
    f = RightHandSide(state, func, args if isinstance(args, tuple) else (args,), time_first=tfirst)
    rtol, atol = (LSODA if value is None else value for value in (rtol, atol))
    _check_tolerances("odeint", rtol, atol, h0 or None, hmax or math.inf)
    solver = Solver(f, times, state.start, METHODS["DOP853"], rtol, atol, h0 or None, hmax or math.inf)
    _, rows = _run(solver, wanted, mxstep)
    if not solver.is_at_the_end:
        why = f"more than mxstep={mxstep} steps" if mxstep else TOO_SMALL
        raise RuntimeError(f"odeint: the solution got as far as t = {solver.t:.6g}: {why}")
    return state.tree(rows)


class _Wanted:
    """The times at which states are asked for, as a tensor and as numbers."""

    def __init__(self, what: str, t: Any, times: Times) -> None:
        self.what = what
        is_made = not isinstance(t, Tensor)
        if is_made and owner(t) is not None and hasattr(t, "tolist"):
            t = t.tolist()  # numbers of another library's
        self.tensor = xg.asarray(t, dtype=times.dtype, device=times.device) if is_made else times.tensor(t)
        if self.tensor.ndim != 1:
            raise ValueError(f"{what} must have one axis, not shape {tuple(self.tensor.shape)}")
        self.numbers = [float(number) for number in (t if is_made else self.tensor.detach().numpy().tolist())]

    def check_within(self, times: Times) -> None:
        """Raise ValueError unless the times go from the start to the end in order. They may occur twice."""
        sign = -1.0 if times.end < times.start else 1.0
        ordered = [sign * t for t in (times.start, *self.numbers, times.end)]
        if not all(a <= b for a, b in pairwise(ordered)):
            raise ValueError(f"{self.what} must be in order, and from {times.start:.6g} to {times.end:.6g}")


def _check_tolerances(name: str, rtol: Any, atol: Any, first_step: float | None, max_step: float) -> None:
    if not isinstance(rtol, int | float) or rtol < 0:
        raise ValueError(f"{name}: rtol must be a number that is not negative, not {rtol!r:.60}")
    if isinstance(atol, int | float) and atol < 0:
        raise ValueError(f"{name}: atol must not be negative, and is {atol!r}")
    if first_step is not None and not first_step > 0:
        raise ValueError(f"{name}: the first step must be positive, not {first_step!r}")
    if not max_step > 0:
        raise ValueError(f"{name}: the largest step must be positive, not {max_step!r}")


def _run(solver: Solver, wanted: _Wanted | None, most: int = 0) -> tuple[Tensor, Tensor]:
    """Take all steps. Returns the times and, as rows, the states at the times that are wanted, or at the ends of the steps."""
    times, y = solver.times, solver.y
    at, rows = [times.first], [y[None, :]]
    place = 0
    if wanted is not None:
        while place < len(wanted.numbers) and wanted.numbers[place] == times.start:
            place += 1
        rows = [xg.broadcast_to(y, (place, *y.shape))]
    steps = 0
    while not solver.is_at_the_end and not (most and steps >= most):
        step = solver.advance()
        if step is None:
            break
        steps += 1
        if wanted is None:
            at.append(times.at(step.new))
            rows.append(step.end[None, :])
            continue
        first = place
        while place < len(wanted.numbers) and solver.direction * (wanted.numbers[place] - step.new) <= 0:
            place += 1
        if place > first:
            rows.append(step.at(wanted.tensor[first:place]))
    found = wanted.tensor[:place] if wanted is not None else xg.stack(at)
    return found, rows[0] if len(rows) == 1 else xg.concat(rows)


def _last_axis(rows: Any) -> Any:
    leaves, rebuild = flatten(rows)
    return rebuild([xg.moveaxis(leaf, 0, -1) for leaf in leaves])
