"""Figures of the examples: one style, and small PNG files that are legible at 700 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import small_png
from xgrad._drawing import STYLE, encoded, load_matplotlib

BLUE, ORANGE, GREEN, GRAY = "#1f6feb", "#d1570c", "#1a7f37", "#6e7781"
INCHES = 700 / 110  # the width: encoded() draws 110 pixels an inch


styled = load_matplotlib().rc_context(STYLE)  # decorates a function that draws


def new(height: float) -> Any:
    """A figure that is 700 pixels wide; the height is in inches of 110 pixels."""
    return load_matplotlib().figure.Figure(figsize=(INCHES, height), layout="constrained")


def save(figure: Any, path: Path, colors: int = 200) -> None:
    """Write a figure as PNG of few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small_png.save(encoded(figure), path, colors)


def curves(axes: Any, history: Any, column: str, label: str) -> None:
    """Training and validation values of a column of a trainer's history, over the epochs."""
    epochs = range(1, history.epochs + 1)
    axes.plot(epochs, history[column], color=BLUE, label="training")
    axes.plot(epochs, history[f"val_{column}"], color=ORANGE, label="validation")
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()


def confusion(axes: Any, predicted: Any, true: Any) -> None:
    """How often each digit was read as which, as a table."""
    counts = [[int(((true == i) & (predicted == j)).sum()) for j in range(10)] for i in range(10)]
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.6)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count:
                style = {"color": ORANGE, "fontweight": "bold"} if i != j else {"color": "black"}
                axes.text(j, i, count, ha="center", va="center", fontsize=8, **style)
    axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="digit")
    axes.grid(False)


def picture(axes: Any, pixels: Any, title: str = "") -> None:
    """One picture of 64 pixels, from 0 to 1, dark on white."""
    axes.imshow(pixels.reshape(8, 8), cmap="gray_r", vmin=0.0, vmax=1.0)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.set_title(title, fontsize=8, pad=2)
    axes.spines[["top", "right"]].set_visible(True)
