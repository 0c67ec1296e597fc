"""An autoencoder: each handwritten digit becomes two numbers, and a picture again.

The labels are not used in the training. In the figure they colour the points of the test digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

import xgrad as xg
from bench.examples import data, drawing
from xgrad import nn, optim

SEEDS, UNIT = 1, "test mean square error"


class Autoencoder(nn.Module):
    def __init__(self, width: int, rng: xg.random.Generator) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, width, rng=rng),
            nn.ReLU(),
            nn.Linear(width, width, rng=rng),
            nn.ReLU(),
            nn.Linear(width, 2, rng=rng),
        )
        self.decoder = nn.Sequential(
            nn.Linear(2, width, rng=rng),
            nn.ReLU(),
            nn.Linear(width, width, rng=rng),
            nn.ReLU(),
            nn.Linear(width, 64, rng=rng),
            nn.Sigmoid(),
        )

    def forward(self, x: Any) -> Any:
        return self.decoder(self.encoder(x))


def run(seed: int = 0, epochs: int = 150, width: int = 128, figure: Path | None = None) -> dict[str, float]:
    """Train one autoencoder. Returns the mean square error of a pixel, and that of two principal components."""
    (train, _), (validation, _), (test, labels) = data.digits()
    rng = xg.random.Generator(seed)
    model = Autoencoder(width, rng).to(dtype="float32")
    optimizer = optim.AdamW(model.parameters(), lr=2e-3)
    trainer = xg.Trainer(
        model, nn.MSELoss(), optimizer,
        scheduler=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
        compile=True, generator=rng, progress=False,
    )  # fmt: skip
    best = xg.trainer.EarlyStopping("val_loss", patience=epochs)
    history = trainer.fit((train, train), epochs, validation=(validation, validation), callbacks=[best])
    with xg.no_grad():
        codes = model.encoder(test).numpy()
    if figure:
        draw(figure, history, test, labels, trainer.predict(test).numpy(), codes)
    return {
        "test mean square error": trainer.evaluate((test, test))["loss"],
        "that of two principal components": principal(train, test),
    }


def principal(train: Any, test: Any) -> float:
    """The mean square error of test pictures when only their two principal components are kept."""
    mean = train.mean(axis=0)
    axes = np.linalg.svd(train - mean, full_matrices=False)[2][:2]
    return float(np.mean((test - mean - (test - mean) @ axes.T @ axes) ** 2))


@drawing.styled
def draw(path: Path, history: Any, test: Any, labels: Any, restored: Any, codes: Any) -> None:
    """One test picture of each digit above its reconstruction, the codes of all test digits, and the curve."""
    figure = drawing.new(6.0)
    upper, lower = figure.subfigures(2, 1, height_ratios=[1.5, 4.2])
    upper.suptitle("Ten test digits, and what the decoder makes of two numbers for each", fontsize=10)
    rows = upper.subplots(2, 10)
    for digit in range(10):
        sample = int(np.flatnonzero(labels == digit)[0])
        drawing.picture(rows[0, digit], test[sample])
        drawing.picture(rows[1, digit], restored[sample])
    rows[0, 0].set_ylabel("input")
    rows[1, 0].set_ylabel("restored")
    plane, curve = lower.subplots(1, 2, width_ratios=[3, 2])
    colors = matplotlib.colormaps["tab10"]
    for digit in range(10):
        plane.plot(*codes[labels == digit].T, ".", color=colors(digit), markersize=4)
        x, y = np.median(codes[labels == digit], axis=0)
        plane.text(x, y, str(digit), color=colors(digit), fontsize=13, fontweight="bold", ha="center", va="center",
                   bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1})  # fmt: skip
    plane.set(xlabel="first number of the code", ylabel="second number", title="The codes of the test digits")
    drawing.curves(curve, history, "loss", "mean square error of a pixel")
    curve.set(title="The loss", ylim=(0.0, None))
    drawing.save(figure, path)
