"""A variational autoencoder of black and white pictures: blocks of ink of any place and size."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import nn, optim

F = nn.functional
STEPS, FEW, TOLERANCE = 200, 3, 1e-8
SIDE, LATENT, BATCH = 8, 3, 64


def pictures(n: int):
    rng = np.random.default_rng(0)
    top, left = rng.integers(0, 5, size=(2, n, 1, 1))
    height, width = rng.integers(2, 5, size=(2, n, 1, 1))
    rows, columns = np.arange(SIDE)[:, None], np.arange(SIDE)
    ink = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    return ink.reshape(n, SIDE * SIDE).astype(np.float64)


class VAE(nn.Module):
    def __init__(self) -> None:
        rng = xg.random.Generator(0)
        self.encoder = nn.Sequential(nn.Linear(SIDE * SIDE, 48, rng=rng), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(48, LATENT, rng=rng), nn.Linear(48, LATENT, rng=rng)
        self.decoder = nn.Sequential(nn.Linear(LATENT, 48, rng=rng), nn.ReLU(), nn.Linear(48, SIDE * SIDE, rng=rng))

    def forward(self, x, noise):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + xg.exp(log_variance / 2) * noise), mean, log_variance


def run(steps: int = STEPS) -> dict[str, float]:
    data, rng, model = pictures(512), np.random.default_rng(1), VAE()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        x = data[rng.integers(len(data), size=BATCH)]
        logits, mean, log_variance = model(x, rng.normal(size=(BATCH, LATENT)))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / BATCH
        divergence = xg.sum(mean**2 + xg.exp(log_variance) - log_variance - 1) / (2 * BATCH)
        loss = reconstruction + divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"loss": loss.item(), "divergence": divergence.item()}
