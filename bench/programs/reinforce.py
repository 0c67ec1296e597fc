"""Policy gradients: sixteen walkers learn the way through a small field with a pit to a goal."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import nn, optim

STEPS, FEW, TOLERANCE = 30, 2, 1e-8
SIDE, WALKERS, MOVES = 4, 16, 12
GOAL, PIT = SIDE * SIDE - 1, 5
DIRECTIONS = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])


def move(places, actions):
    """The new places and the rewards. A walker at the goal or in the pit stays there without further reward."""
    done = (places == GOAL) | (places == PIT)
    at = np.stack(np.divmod(places, SIDE), axis=1)
    there = np.clip(at + DIRECTIONS[actions], 0, SIDE - 1) @ np.array([SIDE, 1])
    there = np.where(done, places, there)
    return there, np.where(done, 0.0, 1.0 * (there == GOAL) - 1.0 * (there == PIT) - 0.05)


def episode(policy, rng):
    """The log probability of each walker's action at each move, and the rewards."""
    places = rng.integers(0, SIDE, size=WALKERS)  # in the first row
    log_probabilities, rewards = [], []
    for _ in range(MOVES):
        scores = xg.log_softmax(policy(np.eye(SIDE * SIDE)[places]), axis=1)
        chances = np.exp(scores.detach().numpy())
        actions = (np.cumsum(chances, axis=1) > rng.uniform(size=(WALKERS, 1))).argmax(axis=1)
        log_probabilities.append(scores[np.arange(WALKERS), actions])
        places, reward = move(places, actions)
        rewards.append(reward)
    return xg.stack(log_probabilities), np.stack(rewards)


def run(steps: int = STEPS) -> dict[str, float]:
    rng, weights = np.random.default_rng(0), xg.random.Generator(0)
    policy = nn.Sequential(nn.Linear(SIDE * SIDE, 16, rng=weights), nn.Tanh(), nn.Linear(16, 4, rng=weights))
    optimizer = optim.RMSprop(policy.parameters(), lr=0.02)
    for _ in range(steps):
        log_probabilities, rewards = episode(policy, rng)
        returns = np.cumsum(rewards[::-1], axis=0)[::-1]
        advantage = returns - returns.mean(axis=1, keepdims=True)
        loss = -xg.mean(log_probabilities * advantage)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"loss": loss.item(), "return": float(rewards.sum(axis=0).mean())}
