"""Foxes and hares: fits the four rates of a differential equation to its solution, with gradients from the adjoint equation.

The solver is one primitive, so none of its steps is saved. Its gradient integrates the adjoint state backward in time, together
with the solution.
"""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import optim

STEPS, FEW, TOLERANCE = 25, 1, 1e-9
TRUE = np.array([1.0, 0.6, 0.8, 0.5])
START = np.array([1.5, 0.8])
TIMES = np.linspace(0.0, 3.0, 7)
INNER = 4  # steps of the solver between two times


def growth(state, rates):
    hares, foxes = state[0], state[1]
    return xg.stack([hares * (rates[0] - rates[1] * foxes), foxes * (rates[3] * hares - rates[2])])


def rk4(f, state, span: float):
    """Runge and Kutta's classical step, INNER times over a span of time."""
    h = span / INNER
    for _ in range(INNER):
        k1 = f(state)
        k2 = f(state + h / 2 * k1)
        k3 = f(state + h / 2 * k2)
        k4 = f(state + h * k3)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def course(start, rates):
    """The states at all times."""
    states = [start]
    for span in np.diff(TIMES):
        states.append(rk4(lambda s: growth(s, rates), states[-1], float(span)))
    return xg.stack(states)


def adjoint(g, out, start, rates):
    """The gradients by start and rates: integrated backward in time from g, the gradient by the states."""

    def backward(joint):
        state, by_state = joint[:2], joint[2:4]
        velocity, pull = xg.vjp(growth, state, rates)
        to_state, to_rates = pull(by_state)
        return -xg.concat([velocity, -to_state, -to_rates])

    by_state, by_rates = g[-1, :], xg.zeros_like(rates)
    for i in range(len(TIMES) - 1, 0, -1):
        joint = rk4(backward, xg.concat([out[i, :], by_state, by_rates]), float(TIMES[i] - TIMES[i - 1]))
        by_state, by_rates = joint[2:4] + g[i - 1, :], joint[4:]
    return by_state, by_rates


solve = xg.primitive(course)
solve.defvjp(
    lambda g, out, start, rates: adjoint(g, out, start, rates)[0],
    lambda g, out, start, rates: adjoint(g, out, start, rates)[1],
)


def run(steps: int = STEPS) -> dict[str, float]:
    seen = course(xg.asarray(START), xg.asarray(TRUE))
    rates = xg.asarray(np.full(4, 0.7), requires_grad=True)
    optimizer = optim.Adam([rates], lr=0.05)
    for _ in range(steps):
        loss = xg.mean((solve(START, rates) - seen) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    a, b, c, d = rates.tolist()
    return {"loss": loss.item(), "hares' growth": a, "foxes' hunger": b, "foxes' death": c, "foxes' growth": d}
