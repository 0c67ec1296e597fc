"""What the targets are: numbers to predict, classes of which each sample has one, or labels of which it has any number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import xgrad as xg
from xgrad.backends.host import library as np

REGRESSION, BINARY, CLASSES, LABELS = "regression", "binary", "classes", "labels"
FEW = 20  # a column with at most so many whole numbers may hold numbers of classes


@dataclass(frozen=True)
class Targets:
    """What the targets of all samples are.

    Args:
        kind: REGRESSION, BINARY (one column of 0 and 1), CLASSES (numbers of classes, or rows with a single 1), or LABELS (rows
            of 0 and 1 in which any number are 1).
        numbers: for BINARY and CLASSES the class of each sample, else None.
        low, high: the least and the largest target.
        one: the value that stands for 1; a multiple of it where labels were scaled.
        in_column: whether float targets in one column are whole numbers from 0, which may be numbers of classes.
    """

    kind: str
    numbers: Any = None
    low: float = math.nan
    high: float = math.nan
    one: float = 1.0
    in_column: bool = False

    @property
    def shares(self) -> list[float]:
        """The share of the samples that each class has, by its number."""
        if self.numbers is None or not self.numbers.size or self.numbers.min() < 0:
            return []
        counts = np.bincount(self.numbers)
        return [float(c) for c in counts / counts.sum()]

    @property
    def entropy(self) -> float:
        """The entropy of the classes, in nats: the cross-entropy of the best constant prediction."""
        return -sum(share * math.log(share) for share in self.shares if share > 0)


def targets_of(y: xg.Tensor) -> Targets:
    """What the targets of shape (samples,) or (samples, ...) are."""
    values = y.numpy()
    if not values.size or not values.shape:
        return Targets(REGRESSION)
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if finite.size < values.size or values.dtype.kind == "c":
        return Targets(REGRESSION)
    low, high = float(values.min()), float(values.max())
    is_column = values.ndim == 1 or values.shape[1:] == (1,)
    column = values.reshape(-1) if is_column else None
    if column is not None and values.dtype.kind in "iu":
        return Targets(CLASSES, column.astype(np.int64), low, high)
    if values.dtype.kind == "b" or bool(np.isin(values, (0, 1)).all()):
        return _of_truths(values, column, low, high)
    if values.ndim == 2 and values.shape[1] > 1 and low == 0 < high:
        is_single = bool((np.count_nonzero(values, axis=1) == 1).all())
        if is_single and bool(np.isclose(values.max(axis=1), high).all()):
            return Targets(CLASSES, values.argmax(axis=1), low, high, one=high)
    whole = column is not None and low == 0 and high >= 2 and bool((column == np.rint(column)).all())
    kinds: Any = np.unique(values) if whole else np.empty(0)
    in_column = whole and len(kinds) <= min(FEW, values.size // 5) and len(kinds) > high / 2
    return Targets(REGRESSION, None, low, high, in_column=in_column)


def _of_truths(values: Any, column: Any, low: float, high: float) -> Targets:
    """Targets that are all 0 or 1."""
    if column is not None:
        return Targets(BINARY, column.astype(np.int64), low, high)
    if values.ndim == 2 and bool((values.sum(axis=1) == 1).all()):
        return Targets(CLASSES, values.argmax(axis=1), low, high)
    return Targets(LABELS, None, low, high)
