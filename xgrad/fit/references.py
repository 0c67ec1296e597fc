"""Losses to compare a run with: those of the best constant output and of the output zero."""

from __future__ import annotations

import math
from collections.abc import Sequence


def references(loss: str, targets: Sequence[float]) -> list[tuple[str, float]]:
    """The labels and values of these losses, for targets in the units of the training.

    The best constant for the squared error is the mean, and its loss is Var(y). For the absolute error it is the median. For the
    Huber loss it lies between the two and is found by bisection.
    """
    best, of_best, of_zero = _NAMES[loss]
    constant = _BEST[loss](targets)
    reached, zero = (_mean_loss(loss, targets, at) for at in (constant, 0.0))
    if math.isclose(reached, zero, rel_tol=1e-6, abs_tol=1e-12):
        both = of_zero if of_zero == of_best else f"{of_best} = {of_zero}"
        return [(f"best constant = output zero: {both} = {zero:.4g}", zero)]
    return [
        (f"best constant ({best}): {of_best} = {reached:.4g}", reached),
        (f"output zero: {of_zero} = {zero:.4g}", zero),
    ]


_NAMES = {
    "mse": ("mean", "Var(y)", "mean(y²)"),
    "l1": ("median", "mean|y - median|", "mean|y|"),
    "huber": ("Huber's", "loss", "loss"),
}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _huber_center(values: Sequence[float]) -> float:
    """The best constant for the Huber loss: the zero of its derivative."""
    low, high = min(values), max(values)
    for _ in range(60):
        middle = (low + high) / 2
        pull = math.fsum(max(-1.0, min(1.0, value - middle)) for value in values)
        low, high = (middle, high) if pull > 0 else (low, middle)
    return (low + high) / 2


_BEST = {"mse": _mean, "l1": _median, "huber": _huber_center}


def _mean_loss(loss: str, targets: Sequence[float], constant: float) -> float:
    away = [abs(target - constant) for target in targets]
    if loss == "mse":
        return _mean([d * d for d in away])
    if loss == "l1":
        return _mean(away)
    return _mean([0.5 * d * d if d < 1 else d - 0.5 for d in away])
