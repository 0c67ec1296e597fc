"""An image classifier: two convolutions written by hand, pooling and a linear layer, on noisy pictures of bars."""

from __future__ import annotations

import numpy as np

import xgrad as xg
from xgrad import nn, optim

STEPS, FEW, TOLERANCE = 30, 2, 1e-8
SIDE, BATCH, CLASSES = 12, 32, 4


def pictures(n: int, seed: int):
    """Bars in four directions, at random places, with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=n)
    rows, columns = np.meshgrid(np.arange(SIDE) - SIDE / 2, np.arange(SIDE) - SIDE / 2, indexing="ij")
    angles = labels * np.pi / CLASSES
    shift = rng.uniform(-2, 2, size=n)
    distance = np.cos(angles)[:, None, None] * rows + np.sin(angles)[:, None, None] * columns - shift[:, None, None]
    return (np.exp(-(distance**2)) + 0.3 * rng.normal(size=(n, SIDE, SIDE)))[:, None], labels


class Conv2d(nn.Module):
    """A convolution without padding: the patches of a picture, joined along one axis, times a matrix."""

    def __init__(self, channels: int, features: int, size: int, rng) -> None:
        self.size = size
        fan_in = channels * size * size
        self.weight = nn.Parameter(rng.normal(size=(fan_in, features)) / np.sqrt(fan_in))
        self.bias = nn.Parameter(np.zeros((features, 1, 1)))

    def forward(self, x):
        height, width = x.shape[2] - self.size + 1, x.shape[3] - self.size + 1
        offsets = [(i, j) for i in range(self.size) for j in range(self.size)]
        patches = xg.stack([x[:, :, i : i + height, j : j + width] for i, j in offsets], axis=-1)
        patches = xg.reshape(xg.permute_dims(patches, (0, 2, 3, 1, 4)), (x.shape[0], height, width, -1))
        return xg.permute_dims(patches @ self.weight, (0, 3, 1, 2)) + self.bias


def max_pool(x):
    n, channels, height, width = x.shape
    return xg.max(xg.reshape(x, (n, channels, height // 2, 2, width // 2, 2)), axis=(3, 5))


class Network(nn.Module):
    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.conv1, self.conv2 = Conv2d(1, 6, 3, rng), Conv2d(6, 8, 2, rng)
        self.head = nn.Linear(8 * 2 * 2, CLASSES, rng=xg.random.Generator(0))

    def forward(self, x):
        x = max_pool(nn.functional.relu(self.conv1(x)))
        x = max_pool(nn.functional.relu(self.conv2(x)))
        return self.head(nn.functional.flatten(x, 1))


def run(steps: int = STEPS) -> dict[str, float]:
    images, labels = pictures(512, seed=0)
    unseen, truth = pictures(200, seed=1)
    network, order = Network(), np.random.default_rng(2)
    optimizer = optim.Adam(network.parameters(), lr=0.01)
    for _ in range(steps):
        batch = order.choice(len(images), BATCH, replace=False)
        loss = nn.functional.cross_entropy(network(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with xg.no_grad():
        guesses = network(unseen).numpy().argmax(axis=1)
    return {"loss": loss.item(), "right": float(np.mean(guesses == truth))}
