"""Stochastic variational inference: a normal distribution for the posterior of a logistic regression, by the evidence bound."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import nn, optim

STEPS, FEW, TOLERANCE = 200, 10, 1e-9
SAMPLES, BATCH, DRAWS = 400, 50, 8
WEIGHTS = np.array([1.5, -2.0, 0.5, 0.0])


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, len(WEIGHTS)))
    return x, 1.0 * (rng.uniform(size=SAMPLES) < 1 / (1 + np.exp(-x @ WEIGHTS)))


def lower_bound(mean, log_scale, x, y, noise):
    """An estimate of the lower bound from a minibatch and a few draws. The prior is a standard normal distribution."""
    weights = mean + xg.exp(log_scale) * noise
    logits = weights @ x.T
    scores = y * logits - nn.functional.softplus(logits)
    divergence = xg.sum(mean**2 + xg.exp(2 * log_scale) - 1 - 2 * log_scale) / 2
    return SAMPLES / BATCH * xg.mean(xg.sum(scores, axis=1)) - divergence


def run(steps: int = STEPS) -> dict[str, float]:
    (x, y), rng = data(), np.random.default_rng(1)
    mean, log_scale = (xg.asarray(np.full(len(WEIGHTS), v), requires_grad=True) for v in (0.0, -1.0))
    optimizer = optim.Adam([mean, log_scale], lr=0.05)
    for _ in range(steps):
        batch = rng.integers(SAMPLES, size=BATCH)
        loss = -lower_bound(mean, log_scale, x[batch], y[batch], rng.normal(size=(DRAWS, len(WEIGHTS))))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scale = xg.exp(log_scale.detach())
    return {
        "loss": loss.item(),
        "first mean": mean[0].item(),
        "last mean": mean[-1].item(),
        "scale": xg.mean(scale).item(),
    }
