"""A small GPT, two blocks of causal attention, learns to write a word backwards."""

from __future__ import annotations

import math

import numpy as np

import xgrad as xg
from xgrad import nn, optim

F = nn.functional
STEPS, FEW, TOLERANCE = 30, 1, 1e-7
LETTERS, WORD, WIDTH, HEADS, BATCH = 6, 4, 24, 3, 32
LENGTH = 2 * WORD - 1  # of the input: the word, and the reversed word without its last letter


def batch(rng):
    word = rng.integers(LETTERS, size=(BATCH, WORD))
    text = np.concatenate([word, word[:, ::-1]], axis=1)
    return text[:, :-1], text[:, WORD:]


class LayerNorm(nn.Module):
    def __init__(self, width: int) -> None:
        self.weight, self.bias = nn.Parameter(xg.ones(width)), nn.Parameter(xg.zeros(width))

    def forward(self, x):
        centred = x - xg.mean(x, axis=-1, keepdims=True)
        return centred / xg.sqrt(xg.var(x, axis=-1, keepdims=True) + 1e-5) * self.weight + self.bias


class Attention(nn.Module):
    def __init__(self, rng) -> None:
        self.to_qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH, rng=rng), nn.Linear(WIDTH, WIDTH, rng=rng)

    def forward(self, x):
        n, length, _ = x.shape
        heads = xg.reshape(self.to_qkv(x), (n, length, 3, HEADS, WIDTH // HEADS))
        q, k, v = xg.unstack(xg.permute_dims(heads, (2, 0, 3, 1, 4)))
        past = np.tril(np.ones((length, length), dtype=bool))
        weights = F.softmax(xg.where(past, q @ k.mT / math.sqrt(WIDTH // HEADS), -xg.inf), dim=-1)
        return self.out(xg.reshape(xg.permute_dims(weights @ v, (0, 2, 1, 3)), (n, length, WIDTH)))


class Block(nn.Module):
    def __init__(self, rng) -> None:
        self.norm1, self.attention, self.norm2 = LayerNorm(WIDTH), Attention(rng), LayerNorm(WIDTH)
        self.widen, self.narrow = nn.Linear(WIDTH, 4 * WIDTH, rng=rng), nn.Linear(4 * WIDTH, WIDTH, rng=rng)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        h = self.widen(self.norm2(x))
        return x + self.narrow(h * F.sigmoid(1.702 * h))  # an approximation of GELU


class GPT(nn.Module):
    def __init__(self) -> None:
        rng = xg.random.Generator(0)
        self.tokens = nn.Parameter(0.1 * rng.normal((LETTERS, WIDTH)))
        self.places = nn.Parameter(0.1 * rng.normal((LENGTH, WIDTH)))
        self.blocks = nn.Sequential(Block(rng), Block(rng))
        self.norm, self.head = LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS, rng=rng)

    def forward(self, text):
        return self.head(self.norm(self.blocks(self.tokens[text] + self.places[: text.shape[1]])))


def run(steps: int = STEPS) -> dict[str, float]:
    rng, model = np.random.default_rng(0), GPT()
    optimizer = optim.AdamW(model.parameters(), lr=5e-3, betas=(0.9, 0.95), weight_decay=0.1)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * min(1.0, (step + 1) / 10)
        text, backwards = batch(rng)
        logits = model(text)[:, WORD - 1 :]
        loss = F.cross_entropy(xg.reshape(logits, (-1, LETTERS)), backwards.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return {"loss": loss.item(), "gradient": norm.item()}
