"""Handwritten digits with a multilayer perceptron: dropout, early stopping, and a confusion matrix.

The pictures are shifted by one pixel to all sides, so that there are nine times as many. The validation part decides which epoch is
kept. The test part is used once, at the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import xgrad as xg
from bench.examples import data, drawing
from xgrad import nn, optim

SEEDS, UNIT = 5, "test accuracy"


def network(rng: xg.random.Generator, width: int = 256) -> nn.Module:
    return nn.Sequential(
        nn.Linear(64, width, rng=rng), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(width, width, rng=rng), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(width, 10, rng=rng),
    )  # fmt: skip


def run(seed: int = 0, epochs: int = 12, figure: Path | None = None) -> dict[str, float]:
    """Train one network. Returns the shares of the digits that it reads right."""
    train, validation, test = data.digits()
    rng = xg.random.Generator(seed)
    xg.random.seed(seed)  # dropout draws from the default generator
    model = network(rng)
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    trainer = xg.Trainer(
        model, nn.CrossEntropyLoss(), optimizer,
        scheduler=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
        metrics=["accuracy"], compile=True, generator=rng, progress=False,
    )  # fmt: skip
    best = xg.trainer.EarlyStopping("val_loss", patience=epochs)  # all epochs, and then the best weights
    history = trainer.fit(data.shifted(train), epochs, validation=validation, batch_size=64, callbacks=[best])
    if figure:
        logits = trainer.predict(test[0]).numpy()
        draw(figure, history, test, logits.argmax(axis=1), "multilayer perceptron")
    return {
        "test accuracy": trainer.evaluate(test)["accuracy"],
        "validation accuracy": trainer.evaluate(validation)["accuracy"],
        "parameters": sum(each.size for each in model.parameters()),
    }


def draw(path: Path, history: Any, test: data.Part, read: Any, name: str) -> None:
    """The losses, the confusion matrix of the test digits, and up to eight pictures that were read wrong."""
    pictures, labels = test
    figure, axes = drawing.panels(1, 2, 3.6, width_ratios=[1, 1])
    drawing.curves(axes[0, 0], history, "loss", "cross-entropy in nats")
    axes[0, 0].set_title(f"Digits, {name}: the loss")
    drawing.confusion(axes[0, 1], read, labels)
    wrong = np.flatnonzero(read != labels)
    axes[0, 1].set_title(f"{len(labels)} test digits: {len(wrong)} read wrong")
    for i, sample in enumerate(wrong[:6]):
        inset = axes[0, 0].inset_axes([0.36 + 0.21 * (i % 3), 0.42 - 0.27 * (i // 3), 0.2, 0.2])
        drawing.picture(inset, pictures[sample], f"{labels[sample]} read as {read[sample]}", drawing.ORANGE)
    drawing.save(figure, path)
