"""Handwritten digits with a small convolutional network: two convolutions, pooling, dropout.

It looks at the same pictures as digits_mlp.py, and draws the same figure.
"""

from __future__ import annotations

from pathlib import Path

import xgrad as xg
from bench.examples import data
from bench.examples.digits_mlp import draw
from xgrad import nn, optim

SEEDS, UNIT = 5, "test accuracy"


def network(rng: xg.random.Generator, channels: int = 16) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1, rng=rng), nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 3, padding=1, rng=rng), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(2 * channels * 4 * 4, 64, rng=rng), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, 10, rng=rng),
    )  # fmt: skip


def run(seed: int = 0, epochs: int = 8, figure: Path | None = None) -> dict[str, float]:
    """Train one network. Returns the shares of the digits that it reads right."""
    train, validation, test = data.digits(channels=True)
    rng = xg.random.Generator(seed)
    xg.random.seed(seed)  # dropout draws from the default generator
    model = network(rng).to(dtype="float32")
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    trainer = xg.Trainer(
        model, nn.CrossEntropyLoss(), optimizer,
        scheduler=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
        metrics=["accuracy"], compile=True, generator=rng, progress=False,
    )  # fmt: skip
    best = xg.trainer.EarlyStopping("val_loss", patience=epochs)  # all epochs, and then the best weights
    history = trainer.fit(data.shifted(train), epochs, validation=validation, batch_size=64, callbacks=[best])
    if figure:
        draw(figure, history, test, trainer.predict(test[0]).numpy().argmax(axis=1), "convolutional network")
    return {
        "test accuracy": trainer.evaluate(test)["accuracy"],
        "validation accuracy": trainer.evaluate(validation)["accuracy"],
        "parameters": sum(each.size for each in model.parameters()),
    }
