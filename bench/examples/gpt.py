"""A small GPT: it guesses the next character of a text from the last 32, by causal attention.

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
CONTEXT = 32


class GPT(nn.Module):
    def __init__(self, characters: int, width: int, layers: int, rng: xg.random.Generator) -> None:
        super().__init__()
        self.tokens = nn.Embedding(characters, width, rng=rng)
        self.places = nn.Embedding(CONTEXT, width, rng=rng)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.1, activation="gelu", batch_first=True, norm_first=True, rng=rng
        )
        self.blocks = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width))
        self.head = nn.Linear(width, characters, rng=rng)

    def forward(self, ids: Any) -> Any:
        """Scores of shape (N, L, characters) for the character after each of `ids`, of shape (N, L), L at most CONTEXT."""
        length = ids.shape[1]
        later = np.triu(np.ones((length, length), dtype=bool), k=1)  # what a place may not look at
        x = self.tokens(ids) + self.places(np.arange(length))
        return self.head(self.blocks(x, mask=later))


def run(
    seed: int = 0, steps: int = 700, width: int = 64, layers: int = 2, figure: Path | None = None
) -> dict[str, Any]:
    """Train one network. Returns its bits per character on the test paragraphs, those of a model of counts, and a sample."""
    train, validation, test, characters = data.text()
    xg.random.seed(seed)  # dropout draws from the default generator
    model = GPT(len(characters), width, layers, xg.random.Generator(seed)).to(dtype="float32")

    def loss(x: Any, y: Any) -> Any:
        return nn.functional.cross_entropy(model(x).reshape(-1, len(characters)), y.reshape(-1))

    def bits(ids: Any) -> Any:
        """The surprise at each character of a text but the first: windows overlap by half, so that each has a context."""
        starts = range(0, len(ids) - CONTEXT, CONTEXT // 2)
        x, y = data.windows(ids, CONTEXT, starts)
        with xg.no_grad():
            each = (
                nn.functional.cross_entropy(xg.matrix_transpose(model(x)), y, reduction="none").numpy() * language.BITS
            )
        return np.concatenate([each[0, : CONTEXT // 2], each[:, CONTEXT // 2 :].reshape(-1)])

    curve = language.train(
        model, loss, bits, train, validation, length=CONTEXT, steps=steps, every=50, lr=6e-3, seed=seed
    )
    return language.finished(
        model, curve, bits, train, test, characters,
        title="A small GPT guesses the next character", sample=write(model, characters, "The "), figure=figure,
    )  # fmt: skip


def write(model: GPT, characters: str, start: str, length: int = 230) -> str:
    """Let the network go on with a text, one character at a time."""
    rng, text = np.random.default_rng(0), start
    with xg.no_grad():
        for _ in range(length):
            scores = model(data.encoded(text[-CONTEXT:], characters)[None])
            text += characters[language.draw_character(scores[0, -1].numpy(), rng)]
    return text
