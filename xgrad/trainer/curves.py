"""Pictures of a run: the curves of its history, and the losses of the learning-rate finder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from xgrad._drawing import encoded, load_matplotlib, settled
from xgrad._files import replacing

TRAINING, VALIDATION, MARK = "#0969da", "#d1242f", "#57606a"
ORDERS = 20.0  # losses that differ by more than this factor are drawn on a logarithmic axis


def draw_history(history: Any, path: str | Path | None = None) -> Any:
    """The curves of a History: a panel for the losses, one for each metric, and one for a learning rate that changes."""
    if not history.epochs:
        raise ValueError("History.plot: there are no epochs yet")
    library = load_matplotlib()
    names = [name for name in history if not name.startswith("val_") and name not in ("lr", "seconds")]
    if len(set(history.get("lr", []))) > 1:
        names.append("lr")
    with settled():
        figure = library.figure.Figure(figsize=(7.5, 0.6 + 2.2 * len(names)), layout="constrained")
        panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        epochs = list(range(1, history.epochs + 1))
        style = {"marker": "o", "markersize": 3} if len(epochs) <= 30 else {}
        for axes, name in zip(panels, names, strict=True):
            axes.plot(epochs, history[name], color=TRAINING, label="training", **style)
            values = list(history[name])
            if f"val_{name}" in history:
                axes.plot(epochs, history[f"val_{name}"], color=VALIDATION, label="validation", **style)
                values += history[f"val_{name}"]
                if not all(map(math.isnan, history[f"val_{name}"])):
                    best = history.best_epoch(f"val_{name}")
                    axes.axvline(best, color=MARK, linewidth=0.8, linestyle=":", label=f"best: epoch {best}")
            axes.set_ylabel("learning rate" if name == "lr" else name)
            finite = [value for value in values if math.isfinite(value)]
            if finite and min(finite) > 0 and max(finite) > ORDERS * min(finite):
                axes.set_yscale("log")
            if name != "lr" and f"val_{name}" in history:
                axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.02), borderaxespad=0)
        panels[-1].set_xlabel("epoch")
        panels[-1].xaxis.get_major_locator().set_params(integer=True)
    return written(figure, path)


def draw_lr_curve(curve: Any, path: str | Path | None = None) -> Any:
    """The losses of an LRCurve over the learning rates, with the suggestion."""
    library = load_matplotlib()
    with settled():
        figure = library.figure.Figure(figsize=(7.5, 4), layout="constrained")
        axes = figure.subplots()
        axes.plot(curve.lrs, curve.losses, color=TRAINING, alpha=0.35, linewidth=1, label="loss of each step")
        axes.plot(curve.lrs, curve.smoothed, color=TRAINING, label="running mean")
        if curve.suggestion is not None:
            axes.axvline(
                curve.suggestion, color=VALIDATION, linestyle="--", label=f"suggestion: {curve.suggestion:.2g}"
            )
        axes.set_xscale("log")
        kept = [value for value in curve.smoothed if math.isfinite(value)]
        if kept:
            low, high = min(min(kept), *curve.losses), max(kept[0], min(kept) * 2)
            axes.set_ylim(low - 0.1 * (high - low), high + 0.6 * (high - low))
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.02), borderaxespad=0)
    return written(figure, path)


def written(figure: Any, path: str | Path | None) -> Any:
    """Write the figure if there is a path, in the format that its ending names. Returns the figure."""
    if path is not None:
        content = encoded(figure, Path(path).suffix)
        with replacing(path) as temporary:
            Path(temporary).write_bytes(content)
    return figure
