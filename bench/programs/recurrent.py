"""A gated recurrent network predicts a wave. Its cell is written by hand."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import nn, optim

STEPS, FEW, TOLERANCE = 30, 2, 1e-8
BATCH, LENGTH, HIDDEN = 16, 20, 12


def waves(rng):
    """Waves of two sines and noise. The next value is to be predicted."""
    t = np.arange(LENGTH + 1)
    pace, phase = rng.uniform(0.2, 0.8, size=(2, BATCH, 1)), rng.uniform(0, 6, size=(2, BATCH, 1))
    wave = np.sin(pace * t + phase).mean(axis=0) + 0.02 * rng.normal(size=(BATCH, LENGTH + 1))
    return wave[:, :-1, None], wave[:, 1:]


class GRU(nn.Module):
    def __init__(self) -> None:
        rng = xg.random.Generator(0)
        self.gates, self.candidate = nn.Linear(1 + HIDDEN, 2 * HIDDEN, rng=rng), nn.Linear(1 + HIDDEN, HIDDEN, rng=rng)
        self.out = nn.Linear(HIDDEN, 1, rng=rng)

    def cell(self, h, x):
        gates = nn.functional.sigmoid(self.gates(xg.concat([x, h], axis=1)))
        reset, keep = gates[:, :HIDDEN], gates[:, HIDDEN:]
        new = xg.tanh(self.candidate(xg.concat([x, reset * h], axis=1)))
        return keep * h + (1 - keep) * new

    def forward(self, x):
        h, out = xg.zeros((x.shape[0], HIDDEN)), []
        for t in range(x.shape[1]):
            h = self.cell(h, xg.asarray(x[:, t]))
            out.append(self.out(h))
        return xg.concat(out, axis=1)


def run(steps: int = STEPS) -> dict[str, float]:
    rng, network = np.random.default_rng(0), GRU()
    optimizer = optim.Adagrad(network.parameters(), lr=0.1)
    for _ in range(steps):
        x, following = waves(rng)
        loss = nn.functional.huber_loss(network(x), following, delta=0.5)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return {"loss": loss.item(), "gradient": norm.item()}
