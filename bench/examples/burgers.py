"""Burgers' equation solved by a network: u_t + u u_x = (0.01 / pi) u_xx, with u(0, x) = -sin(pi x) and u(t, -1) = u(t, 1) = 0.

The network knows no values of the solution, only the equation: its loss is the mean square of u_t + u u_x - (0.01 / pi) u_xx at
points of the plane. The derivatives in it are xg.jvp and a jvp of a jvp; the gradient of the loss goes through them. Adam begins, and
L-BFGS ends. The initial and the boundary values hold by construction. The reference is the formula of Cole and Hopf.

M. Raissi, P. Perdikaris, G. Karniadakis, Physics-informed neural networks, https://arxiv.org/abs/1711.10561
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import xgrad as xg
from bench.examples import drawing
from xgrad import nn, optim

VISCOSITY = 0.01 / np.pi
Weights = list[tuple[Any, Any]]  # of each layer: weight and bias


def solution(t: Any, x: Any, nodes: int = 100) -> Any:
    """The exact u(t, x) for t > 0, by Gauss-Hermite quadrature of the formula of Cole and Hopf.

    With f(y) = exp(-cos(pi y) / (2 pi VISCOSITY)), u is the ratio of two integrals over all z of exp(-z**2): of
    -sin(pi y) f(y), and of f(y), where y = x - z sqrt(4 VISCOSITY t).

    C. Basdevant et al., Spectral and finite difference solutions of the Burgers equation, Computers & Fluids 14 (1986).
    """
    z, weights = np.polynomial.hermite.hermgauss(nodes)
    y = np.pi * (x[..., None] - z * np.sqrt(4.0 * VISCOSITY * t[..., None]))
    f = weights * np.exp(-(np.cos(y) + 1.0) / (2.0 * np.pi * VISCOSITY))  # the 1 cancels in the ratio, and avoids overflow
    return np.sum(-np.sin(y) * f, axis=-1) / np.sum(f, axis=-1)


def network(seed: int, width: int = 20) -> Weights:
    """Random weights and biases of four hidden layers, in float64."""
    rng = xg.random.Generator(seed)
    layers = [nn.Linear(n, m, rng=rng, dtype="float64") for n, m in [(2, width), *[(width, width)] * 3, (width, 1)]]
    return [(layer.weight, layer.bias) for layer in layers]


def u(weights: Weights, t: Any, x: Any) -> Any:
    """u(t, x) = -sin(pi x) + t (1 - x**2) N(t, x): the initial and the boundary values are exact for every network N."""
    h = xg.stack([2.0 * t - 1.0, x], axis=1)
    for weight, bias in weights[:-1]:
        h = xg.tanh(nn.functional.linear(h, weight, bias))
    inside = nn.functional.linear(h, *weights[-1])[:, 0]
    return -xg.sin(xg.pi * x) + t * (1.0 - x**2) * inside


def loss(weights: Weights, t: Any, x: Any) -> Any:
    """The mean square of u_t + u u_x - VISCOSITY u_xx at the points (t, x), each of shape (N,)."""
    one = xg.ones_like(x)

    def along_x(x: Any) -> Any:
        return xg.jvp(lambda x: u(weights, t, x), (x,), (one,))

    _, u_t = xg.jvp(lambda t: u(weights, t, x), (t,), (one,))
    (value, u_x), (_, u_xx) = xg.jvp(along_x, (x,), (one,))
    return xg.mean((u_t + value * u_x - VISCOSITY * u_xx) ** 2)


def adam(weights: Weights, t: Any, x: Any, steps: int) -> list[float]:
    """Begin with Adam, which changes the weights. Returns the losses."""
    optimizer = optim.Adam([each for layer in weights for each in layer], lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(steps, 1), eta_min=5e-4)

    @xg.compile
    def step(t: Any, x: Any) -> Any:
        optimizer.zero_grad()
        value = loss(weights, t, x)
        value.backward()
        optimizer.step()
        return value

    losses = []
    for _ in range(steps):
        losses.append(step(t, x).item())
        schedule.step()
    return losses


def run(seed: int = 0, steps: int = 500, iterations: int = 1500, points: int = 2000, figure: Path | None = None) -> dict[str, float]:
    """Solve the equation. Returns the relative L2 error against the exact solution, and the losses on the way."""
    rng = xg.random.Generator(seed + 1000)
    t = rng.uniform((points,), dtype="float64")
    x = rng.uniform((points,), low=-1.0, high=1.0, dtype="float64")
    weights = network(seed)
    losses = adam(weights, t, x, steps)
    options = {"maxiter": iterations, "maxfun": 10 * iterations, "maxcor": 50, "ftol": 0.0, "gtol": 1e-8}
    found = xg.optimize.minimize(xg.compile(loss), weights, args=(t, x), method="lbfgs", options=options,
        callback=lambda intermediate_result: losses.append(intermediate_result.fun))
    return found, losses
