"""The confusion matrix of a classification, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad._drawing import load_matplotlib, settled
from xgrad.trainer.curves import written

SHARES = ("true", "pred", "all")


def confusion_matrix(y_true: Any, y_pred: Any, *, num_classes: int | None = None, normalize: str | None = None) -> Any:
    """How many samples of each class were predicted as each class.

    >>> import xgrad as xg
    >>> xg.trainer.confusion_matrix(xg.asarray([0, 0, 1, 2]), xg.asarray([0, 1, 1, 2])).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 0, 1]]

    Args:
        y_true: the true classes, integers from 0 on, of any shape.
        y_pred: the predicted ones, of the same shape; or scores with one more axis, of the classes, at the end.
        num_classes: how many classes there are; None for one more than the largest that occurs, or the number of scores.
        normalize: "true" divides each row by its sum, "pred" each column, and "all" everything by the number of samples.

    Returns:
        A tensor of shape (num_classes, num_classes), of int64, or of the default floating-point dtype if it is normalized: the
        element [i, j] is about samples of class i that were predicted as class j.

    Raises:
        ValueError: for shapes that differ, a class outside 0 to num_classes - 1, and another `normalize`.
        TypeError: for classes that are no integers.

    https://scikit-learn.org/stable/modules/generated/sklearn.metrics.confusion_matrix.html
    """
    if normalize is not None and normalize not in SHARES:
        raise ValueError(f'confusion_matrix: normalize must be "true", "pred", "all" or None, got {normalize!r}')
    with xg.no_grad():
        true, predicted = xg.asarray(y_true), xg.asarray(y_pred)
        if predicted.ndim == true.ndim + 1:
            num_classes = predicted.shape[-1] if num_classes is None else num_classes
            predicted = xg.argmax(predicted, axis=-1)
        if tuple(true.shape) != tuple(predicted.shape):
            raise ValueError(
                f"confusion_matrix: y_true has shape {true.shape} and y_pred {predicted.shape}; y_pred needs the same, or one "
                "more axis at the end with a score for each class"
            )
        for name, classes in (("y_true", true), ("y_pred", predicted)):
            if not xg.isdtype(classes.dtype, ("integral", "bool")):
                raise TypeError(
                    f"confusion_matrix: {name} must be the numbers of classes, integers, not {classes.dtype}"
                )
        true, predicted = (xg.reshape(xg.astype(t, xg.int64), (-1,)) for t in (true, predicted))
        count = _count(true, predicted, num_classes)
        places = true * count + predicted
        found = xg.reshape(xg.at(xg.zeros(count * count, dtype=xg.int64), places).add(1), (count, count))
        return found if normalize is None else _shares(found, normalize)


def _count(true: Any, predicted: Any, num_classes: int | None) -> int:
    if not true.size:
        return num_classes or 0
    low = min(xg.min(true).item(), xg.min(predicted).item())
    high = max(xg.max(true).item(), xg.max(predicted).item())
    count = int(high) + 1 if num_classes is None else num_classes
    if low < 0 or high >= count:
        raise ValueError(f"confusion_matrix: the classes go from {low} to {high}, outside of 0 to {count - 1}")
    return count


def _shares(found: Any, normalize: str) -> Any:
    counts = xg.astype(found, xg.get_default_dtype())
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    total = xg.sum(counts, axis=axis, keepdims=True)
    return counts / xg.where(total == 0, xg.ones_like(total), total)


def plot_confusion_matrix(matrix: Any, path: str | Path | None = None, labels: Sequence[Any] | None = None) -> Any:
    """Draw a confusion matrix: rows are the true classes, columns the predicted ones, and colours the shares of each row.

    >>> import xgrad as xg
    >>> matrix = xg.trainer.confusion_matrix(xg.asarray([0, 0, 1]), xg.asarray([0, 1, 1]))
    >>> figure = xg.trainer.plot_confusion_matrix(matrix, labels=["cat", "dog"])

    Args:
        matrix: what `confusion_matrix` gives, or nested lists of numbers.
        path: a file to write, whose ending names the format; None to write nothing.
        labels: the names of the classes; None for their numbers.

    Returns:
        The figure of matplotlib.

    Raises:
        ImportError: without matplotlib: `pip install "xgrad[fit]"`.
        ValueError: for a matrix that is not square, or another number of labels.

    https://scikit-learn.org/stable/modules/generated/sklearn.metrics.ConfusionMatrixDisplay.html
    """
    rows: list[list[float]] = matrix.tolist() if hasattr(matrix, "tolist") else [list(row) for row in matrix]
    count = len(rows)
    if not count or any(len(row) != count for row in rows):
        raise ValueError("plot_confusion_matrix: the matrix must be square, with one row and one column for each class")
    names = [str(label) for label in (range(count) if labels is None else labels)]
    if len(names) != count:
        raise ValueError(f"plot_confusion_matrix: there are {len(names)} labels for {count} classes")
    library = load_matplotlib()
    shares = [[value / (sum(row) or 1) for value in row] for row in rows]
    right, total = sum(rows[i][i] for i in range(count)), sum(map(sum, rows))
    side, room = min(12.0, 2.2 + 0.5 * count), 1.9 + 0.09 * max(map(len, names))  # for labels and the bar
    with settled(), library.rc_context({"axes.grid": False}):
        figure = library.figure.Figure(figsize=(side + room, side + 0.5), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.04)
        bar.set_label("share of the true class")
        bar.outline.set_visible(False)
        slanted = max(map(len, names)) > 4 and count > 3
        axes.set_xticks(
            range(count), names, rotation=45 if slanted else 0, ha="right" if slanted else "center", parse_math=False
        )
        axes.set_yticks(range(count), names, parse_math=False)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if count <= 20:
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    if not value:
                        continue
                    colour = "white" if shares[i][j] > 0.5 else "#24292f"
                    axes.text(j, i, _number(value), ha="center", va="center", color=colour, fontsize=8)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        if total and all(float(value).is_integer() for row in rows for value in row):
            axes.set_title(f"{right / total:.2%} of {total:.0f} samples are right", loc="left", fontsize=10)
    return written(figure, path)


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"
