"""A recurrent network that reads text character by character, and guesses the next one: an embedding, a GRU, a linear layer.

The text is text.txt, written for this project. The validation paragraphs decide which weights are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import xgrad as xg
from bench.examples import data, language
from xgrad import nn

SEEDS, UNIT = 1, "test bits per character"


class Reader(nn.Module):
    def __init__(self, characters: int, width: int, rng: xg.random.Generator) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, 32, rng=rng)
        self.gru = nn.GRU(32, width, batch_first=True, rng=rng)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(width, characters, rng=rng)

    def forward(self, ids: Any, state: Any = None) -> tuple[Any, Any]:
        """Scores of shape (N, L, characters) for what follows each of `ids`, of shape (N, L); and the last state."""
        hidden, state = self.gru(self.embedding(ids), state)
        return self.head(self.dropout(hidden)), state


def run(seed: int = 0, steps: int = 400, width: int = 128, figure: Path | None = None) -> dict[str, Any]:
    """Train one network. Returns its bits per character on the test paragraphs, those of a model of counts, and a sample."""
    train, validation, test, characters = data.text()
    xg.random.seed(seed)  # dropout draws from the default generator
    model = Reader(len(characters), width, xg.random.Generator(seed)).to(dtype="float32")

    def loss(x: Any, y: Any) -> Any:
        scores, _ = model(x)
        return nn.functional.cross_entropy(scores.reshape(-1, len(characters)), y.reshape(-1))

    def bits(ids: Any) -> Any:
        """The surprise at each character of a text but the first, read from its beginning."""
        with xg.no_grad():
            scores, _ = model(ids[None, :-1])
            return nn.functional.cross_entropy(scores[0], ids[1:], reduction="none").numpy() * language.BITS

    curve = language.train(model, loss, bits, train, validation, length=64, steps=steps, every=40, lr=8e-3, seed=seed)
    return language.finished(
        model, curve, bits, train, test, characters,
        title="A GRU guesses the next character", sample=write(model, characters, "The "), figure=figure,
    )  # fmt: skip


def write(model: Reader, characters: str, start: str, length: int = 230) -> str:
    """Let the network go on with a text, one character at a time."""
    rng, text, ids, state = np.random.default_rng(0), start, data.encoded(start, characters), None
    with xg.no_grad():
        for _ in range(length):
            scores, state = model(ids[None], state)
            ids = np.asarray([language.draw_character(scores[0, -1].numpy(), rng)])
            text += characters[ids[0]]
    return text
