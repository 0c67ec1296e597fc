"""A net of springs falls to the ground. Its start velocity and the springs' lengths are learned, so that it lands on a spot."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import optim

STEPS, FEW, TOLERANCE = 2, 1, 1e-7  # from the third step on, the bounces amplify rounding errors
SIDE, MOMENTS, DT = 3, 40, 0.02
STIFFNESS, DAMPING, GRAVITY = 60.0, 0.4, np.array([0.0, -9.8])
PLACES = np.stack(np.meshgrid(0.5 * np.arange(SIDE), 1.0 + 0.5 * np.arange(SIDE), indexing="ij"), axis=-1).reshape(
    -1, 2
)
PAIRS = np.array([(i, j) for i in range(len(PLACES)) for j in range(i) if np.linalg.norm(PLACES[i] - PLACES[j]) < 0.8])
LENGTHS = np.linalg.norm(PLACES[PAIRS[:, 0]] - PLACES[PAIRS[:, 1]], axis=1)
UPWARD = np.array([False, True])
SPOT = np.array([1.6, 0.6])


def simulate(lengths, velocity):
    """The places of the masses at the end."""
    x, v = xg.asarray(PLACES), xg.broadcast_to(velocity, PLACES.shape)
    one, other = PAIRS.T
    for _ in range(MOMENTS):
        apart = x[other] - x[one]
        distance = xg.linalg.vector_norm(apart, axis=1, keepdims=True)
        pull = STIFFNESS * (distance - lengths[:, None]) * apart / distance
        force = xg.at(xg.zeros(PLACES.shape), one).add(pull)
        force = xg.at(force, other).subtract(pull)
        v = v + DT * (force + GRAVITY - DAMPING * v)
        v = xg.where((x < 0) & (v < 0) & UPWARD, -0.3 * v, v)  # a bounce returns a third of the speed
        x = x + DT * v
    return x


def run(steps: int = STEPS) -> dict[str, float]:
    lengths, velocity = (xg.asarray(a, requires_grad=True) for a in (LENGTHS, np.zeros(2)))
    optimizer = optim.SGD([{"params": [lengths], "lr": 0.002}, {"params": [velocity], "lr": 0.2}], momentum=0.5)
    for _ in range(steps):
        loss = xg.sum((xg.mean(simulate(lengths, velocity), axis=0) - SPOT) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    sideways, upward = velocity.tolist()
    return {"loss": loss.item(), "sideways": sideways, "upward": upward, "length": xg.mean(lengths).item()}
