"""A recommender: users and films are vectors whose product is the rating, learned from a few ratings in minibatches."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import nn, optim

STEPS, FEW, TOLERANCE = 150, 5, 1e-9
USERS, FILMS, RANK, BATCH = 60, 40, 4, 128


def ratings(n: int = 1200):
    rng = np.random.default_rng(0)
    taste, kind = rng.normal(size=(USERS, 2)), rng.normal(size=(FILMS, 2))
    user, film = rng.integers(USERS, size=n), rng.integers(FILMS, size=n)
    return user, film, 3.0 + np.sum(taste[user] * kind[film], axis=1) + 0.1 * rng.normal(size=n)


class Embedding(nn.Module):
    def __init__(self, n: int, width: int, rng) -> None:
        self.weight = nn.Parameter(0.3 * rng.normal(size=(n, width)))

    def forward(self, indices):
        return xg.take(self.weight, indices, axis=0)


class Factorisation(nn.Module):
    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.users, self.films = Embedding(USERS, RANK, rng), Embedding(FILMS, RANK, rng)
        self.user_bias, self.film_bias = Embedding(USERS, 1, rng), Embedding(FILMS, 1, rng)
        self.mean = nn.Parameter(np.array(0.0))

    def forward(self, user, film):
        biases = self.user_bias(user)[:, 0] + self.film_bias(film)[:, 0] + self.mean
        return xg.vecdot(self.users(user), self.films(film)) + biases


def run(steps: int = STEPS) -> dict[str, float]:
    user, film, rating = ratings()
    seen, unseen = slice(0, 1000), slice(1000, None)
    model, rng = Factorisation(), np.random.default_rng(2)
    optimizer = optim.Adam(model.parameters(), lr=0.03, weight_decay=1e-3)
    for _ in range(steps):
        batch = rng.integers(1000, size=BATCH)
        loss = nn.functional.mse_loss(model(user[seen][batch], film[seen][batch]), rating[seen][batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with xg.no_grad():
        error = xg.sqrt(xg.mean((model(user[unseen], film[unseen]) - rating[unseen]) ** 2))
    return {"loss": loss.item(), "error of others": error.item()}
