"""Handwritten digits with a multilayer perceptron: dropout, early stopping, and a confusion matrix.

The pictures are shifted by one pixel to all sides, so that there are nine times as many. The validation part decides which epoch
is kept. The test part is used at the end.
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
        logits = trainer.predict(test[0]).numpy()
        draw(figure, history, test, logits.argmax(axis=1), "multilayer perceptron")
    return {
        "test accuracy": trainer.evaluate(test)["accuracy"],
        "validation accuracy": trainer.evaluate(validation)["accuracy"],
        "parameters": sum(each.size for each in model.parameters()),
    }


@drawing.styled
def draw(path: Path, history: Any, test: data.Part, read: Any, name: str) -> None:
    """The loss, the confusion matrix of the test digits, and up to ten pictures that were read wrong."""
    pictures, labels = test
    wrong = np.flatnonzero(read != labels)
    figure = drawing.new(4.8)
    upper, lower = figure.subfigures(2, 1, height_ratios=[3.6, 1.2])
    curve, table = upper.subplots(1, 2)
    drawing.curves(curve, history, "loss", "cross-entropy in nats")
    curve.set(title=f"Digits, {name}: the loss", ylim=(0.0, None))
    drawing.confusion(table, read, labels)
    table.set_title(f"{len(labels)} test digits: {len(wrong)} read wrong")
    lower.suptitle("Read wrong" if len(wrong) <= 10 else "Ten that were read wrong", fontsize=9)
    for axes, sample in zip(lower.subplots(1, 10), wrong, strict=False):
        drawing.picture(axes, pictures[sample], f"{labels[sample]} as {read[sample]}")
    for axes in lower.axes[len(wrong) :]:
        axes.set_axis_off()
    drawing.save(figure, path)
