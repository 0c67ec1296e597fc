"""A network that obeys the heat equation: u_t = u_xx / 10 on [0, 1], zero at both ends, a sine at the beginning."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import nn, optim

STEPS, FEW, TOLERANCE = 150, 2, 1e-7
RATE = 0.1


class Network(nn.Module):
    def __init__(self) -> None:
        rng = xg.random.Generator(0)
        self.layers = nn.Sequential(
            nn.Linear(2, 20, rng=rng), nn.Tanh(), nn.Linear(20, 20, rng=rng), nn.Tanh(), nn.Linear(20, 1, rng=rng)
        )

    def forward(self, x, t):
        return self.layers(xg.stack([x, t], axis=1))[:, 0]


def residual(u, x, t):
    """u_t - u_xx / 10 at each point. u at a point depends on no other point, so the gradient of the sum has all derivatives."""

    def total(x, t):
        return xg.sum(u(x, t))

    u_t = xg.grad(total, argnums=1)(x, t)
    u_xx = xg.grad(lambda x: xg.sum(xg.grad(total)(x, t)))(x)
    return u_t - RATE * u_xx


def exact(x, t):
    return np.exp(-RATE * np.pi**2 * t) * np.sin(np.pi * x)


def run(steps: int = STEPS) -> dict[str, float]:
    rng = np.random.default_rng(0)
    x, t = rng.uniform(size=100), rng.uniform(size=100)
    edge_x = np.concatenate([np.linspace(0, 1, 20), np.zeros(20), np.ones(20)])
    edge_t = np.concatenate([np.zeros(20), np.linspace(0, 1, 20), np.linspace(0, 1, 20)])
    u = Network()
    optimizer = optim.Adam(u.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = xg.mean(residual(u, x, t) ** 2) + nn.functional.mse_loss(u(edge_x, edge_t), exact(edge_x, edge_t))
        loss.backward()
        optimizer.step()
    with xg.no_grad():
        error = xg.sqrt(xg.mean((u(x, t) - exact(x, t)) ** 2))
    return {"loss": loss.item(), "error": error.item()}
