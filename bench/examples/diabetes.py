"""The progression of diabetes after a year, from ten measurements: a small network against ridge regression.

There are 442 patients and much noise, so a linear model is hard to beat. Features and target are standardized with statistics of
the training part. The validation part decides when the network stops, and how strong the ridge is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sklearn.linear_model import Ridge

import xgrad as xg
from bench.examples import data, drawing
from xgrad import nn, optim

SEEDS, UNIT = 5, "test R2"


def run(seed: int = 0, epochs: int = 300, figure: Path | None = None) -> dict[str, float]:
    """Train one network. Returns its R2 on the test part, and that of scikit-learn's Ridge."""
    train, validation, test = data.diabetes()
    to_x = xg.data.Standardize().fit(train[0])
    to_y = xg.data.Standardize().fit(train[1])
    train, validation = [(to_x(x), to_y(y)) for x, y in (train, validation)]
    x, y = to_x(test[0]), test[1]

    rng = xg.random.Generator(seed)
    xg.random.seed(seed)  # dropout draws from the default generator
    model = nn.Sequential(
        nn.Linear(10, 32, rng=rng, dtype="float64"),
        nn.Tanh(),
        nn.Dropout(0.2),
        nn.Linear(32, 1, rng=rng, dtype="float64"),
    )
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.1)
    trainer = xg.Trainer(
        model, nn.MSELoss(), optimizer, metrics=["r2"], compile=True, generator=rng, progress=False,
    )  # fmt: skip
    history = trainer.fit(train, epochs, validation=validation, callbacks=[xg.trainer.EarlyStopping(patience=30)])

    predicted = to_y.inverse(trainer.predict(x)).numpy()
    ridges = [Ridge(alpha=alpha).fit(*train) for alpha in (0.1, 1.0, 10.0, 100.0)]
    ridge = max(ridges, key=lambda each: each.score(*validation))
    of_ridge = ridge.predict(x)
    if figure:
        draw(figure, history, y, predicted)
    return {
        "test R2": r2(predicted, y),
        "test R2 of Ridge": r2(to_y.inverse(of_ridge.reshape(-1, 1)), y),
        "alpha of Ridge": ridge.alpha,
        "rmse": float(((predicted - y) ** 2).mean() ** 0.5),
    }


def r2(predicted: Any, y: Any) -> float:
    return float(1.0 - ((predicted - y) ** 2).mean() / y.var())


@drawing.styled
def draw(path: Path, history: Any, y: Any, predicted: Any) -> None:
    """The loss, and the predictions for the test patients."""
    figure = drawing.new(3.2)
    curve, points = figure.subplots(1, 2)
    drawing.curves(curve, history, "loss", "mean square error, standardized")
    curve.set(title="Diabetes: the loss", ylim=(0.0, None))
    points.plot(y[:, 0], predicted[:, 0], ".", color=drawing.BLUE)
    ends = [float(y.min()), float(y.max())]
    points.plot(ends, ends, color=drawing.GRAY, linewidth=1, linestyle="--", label="equal")
    points.set(
        xlabel="measured progression",
        ylabel="predicted progression",
        title=f"{len(y)} test patients: R² = {r2(predicted, y):.2f}",
    )
    points.legend()
    drawing.save(figure, path)
