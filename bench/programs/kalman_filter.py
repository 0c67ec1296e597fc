"""A Kalman filter that follows a moving point. It learns both of its noises from the likelihood of the observations."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import optim

STEPS, FEW, TOLERANCE = 25, 1, 1e-9
F = np.array([[1.0, 1.0], [0.0, 1.0]])  # position and velocity after one second
G = np.array([[0.25, 0.5], [0.5, 1.0]])  # the covariance that a random acceleration adds
H = np.array([[1.0, 0.0]])  # only the position is observed


def path(n: int = 40):
    rng = np.random.default_rng(0)
    velocity = np.cumsum(0.3 * rng.normal(size=n))
    return np.cumsum(velocity) + 1.5 * rng.normal(size=n)


SEEN = path()


def log_likelihood(log_noises):
    q, r = xg.exp(log_noises[0]), xg.exp(log_noises[1])
    mean, covariance = xg.zeros((2, 1)), 10.0 * xg.eye(2)
    total = 0.0
    for z in SEEN:
        mean, covariance = F @ mean, F @ covariance @ F.T + q * G
        surprise = z - H @ mean
        variance = H @ covariance @ H.T + r
        gain = xg.linalg.solve(variance, H @ covariance).mT
        mean = mean + gain @ surprise
        covariance = covariance - gain @ H @ covariance
        total = total - (surprise**2 / variance + xg.log(2 * np.pi * variance))[0, 0] / 2
    return total


def run(steps: int = STEPS) -> dict[str, float]:
    log_noises = xg.asarray([0.0, 0.0], requires_grad=True)
    optimizer = optim.Adam([log_noises], lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = -log_likelihood(log_noises)
        loss.backward()
        optimizer.step()
    q, r = xg.exp(log_noises.detach()).tolist()
    return {"log likelihood": -loss.item(), "process noise": q, "measurement noise": r}
