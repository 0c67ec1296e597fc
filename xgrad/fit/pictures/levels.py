"""Losses to compare a watched run with: the one of the best constant output, and the one of knowing nothing."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import xgrad as xg
from xgrad.diagnose.network import is_float
from xgrad.diagnose.run import Run
from xgrad.fit.network import LOSSES
from xgrad.fit.pictures.answers import BY_BIT, BY_CLASS, known_targets
from xgrad.fit.references import references

REGRESSION = {loss: name for name, loss in LOSSES.items()}
COLUMNS = 64  # outputs whose constants are computed one by one


def levels(run: Run) -> list[tuple[str, float]]:
    """The labels and values of these losses, where they have a meaning: for a mean over samples, from the targets."""
    known = None if run.loss is None else known_targets(run)
    if known is None or getattr(run.loss, "reduction", "mean") != "mean":
        return []
    target, all_of_them = known
    try:
        found = _levels(run, target)
    except Exception:  # the loss of a program may take other targets, and raise anything
        return []
    found = [(label, value) for label, value in found if math.isfinite(value)]
    return found if all_of_them else [(f"{label} (the last batch)", value) for label, value in found]


def _levels(run: Run, target: xg.Tensor) -> list[tuple[str, float]]:
    loss = run.loss
    if isinstance(loss, BY_CLASS + BY_BIT):
        if loss.weight is not None or getattr(loss, "pos_weight", None) is not None:
            return []
        shares, count = _shares(loss, target, _classes(run, target))
        return _of_classes(loss, shares, count)
    kind = REGRESSION.get(type(loss))
    if kind is not None and is_float(target) and target.size <= COLUMNS * target.shape[0]:
        columns = target.reshape((target.shape[0], -1)).T.numpy().tolist()
        if len(columns) == 1:
            return references(kind, columns[0])
        best = [references(kind, column)[0][1] for column in columns]
        value = math.fsum(best) / len(best)
        name = "Var(y)" if kind == "mse" else "loss"
        return [(f"best constants: {name} = {value:.4g}, the mean of all outputs", value)]
    if run.y is not None and run.is_regression:
        view = target.backend.view
        with xg.no_grad():
            mean = view.zeros_like(target) + view.mean(target, axis=0, keepdims=True)
            value = float(loss(mean, target).item())
        return [(f"output mean(y): loss = {value:.4g}", value)]
    return []


def _classes(run: Run, target: xg.Tensor) -> int:
    """The number of classes: that of the last output, or else that of the labels."""
    if is_float(target):
        return int(target.shape[1]) if target.ndim > 1 else 1
    most = int(xg.max(target).item()) + 1
    output = None if run.last is None else run.last.output
    if output is None or output.ndim < 2:
        return most
    # the second axis, or the last where a program reshapes for the loss
    second = output.shape[2:] == target.shape[1:]
    return max(most, int(output.shape[1 if second else -1]))


def _shares(loss: Any, target: xg.Tensor, count: int) -> tuple[list[float], int]:
    """The share of each class, or with a binary loss of the ones in each column."""
    if isinstance(loss, BY_BIT):
        return target.numpy().astype("float64").mean(axis=0).reshape(-1).tolist(), 2
    if is_float(target):
        rest = tuple(axis for axis in range(target.ndim) if axis != 1)
        means = target.numpy().astype("float64").mean(axis=rest) if target.ndim > 1 else target.numpy()
        return means.tolist(), count
    labels = [label for label in target.numpy().reshape(-1).tolist() if label != loss.ignore_index]
    return [number / len(labels) for number in Counter(labels).values()], count


def _of_classes(loss: Any, shares: list[float], count: int) -> list[tuple[str, float]]:
    if isinstance(loss, BY_BIT):
        entropy = math.fsum(_entropy([share, 1 - share]) for share in shares) / len(shares)
    else:
        smooth = getattr(loss, "label_smoothing", 0.0)
        spread = [(1 - smooth) * share + smooth / count for share in shares]
        entropy = _entropy([*spread, *[smooth / count] * (count - len(shares))])
    nothing = math.log(count)
    if math.isclose(entropy, nothing, rel_tol=1e-3):
        return [(f"entropy of the labels = log({count}) = {entropy:.4g}: the best constant", entropy)]
    return [
        (f"entropy of the labels = {entropy:.4g}: the best constant", entropy),
        (f"equal shares: log({count}) = {nothing:.4g}", nothing),
    ]


def _entropy(shares: list[float]) -> float:
    return -math.fsum(share * math.log(share) for share in shares if share > 0)
