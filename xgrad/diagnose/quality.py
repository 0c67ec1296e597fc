"""How well a network does on all samples: for numbers by R^2, for classes by their cross-entropy and the share that is right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import xgrad as xg
from xgrad.backends.host import library as np
from xgrad.diagnose.takes import LOGARITHMS, LOGITS, PROBABILITIES, VALUES
from xgrad.diagnose.targets import BINARY, CLASSES, REGRESSION, Targets

LEAST = 1e-7  # probabilities below this count as this


@dataclass(frozen=True)
class Quality:
    """How well the outputs fit the targets.

    Args:
        score: 1 - loss / loss of the best constant prediction: R^2 for numbers, and for classes the same of the cross-entropy. 1
            is perfect, 0 is no better than a constant; nan where it cannot be said.
        right: for classes and labels the share that is right, else nan.
        usual: the share that the most frequent class alone gets right.
    """

    score: float = math.nan
    right: float = math.nan
    usual: float = math.nan

    @property
    def is_known(self) -> bool:
        """Whether the score or the share that is right is a number."""
        return not (math.isnan(self.score) and math.isnan(self.right))

    @property
    def is_good(self) -> bool:
        """Whether little is left to explain."""
        return self.score >= 0.9 or (self.right >= 0.9 and self.right >= self.usual + 0.5 * (1 - self.usual))

    @property
    def is_poor(self) -> bool:
        """Whether most is left to explain. A few wrong samples with a large loss do not make it so."""
        if math.isnan(self.right):
            return not self.score >= 0.9
        return not self.right >= self.usual + 0.5 * (1 - self.usual) or (self.score < 0.3 and self.right < 0.9)

    def __str__(self) -> str:
        if not math.isnan(self.right):
            return f"{100 * self.right:.0f}% right, {100 * self.usual:.0f}% by the most frequent class alone"
        return f"R^2 = {self.score:.4g}"


def quality(output: xg.Tensor, y: xg.Tensor, targets: Targets, takes: str | None) -> Quality | None:
    """How well outputs fit the targets of the same samples; None where their shapes or the loss do not tell."""
    out, wanted = output.numpy().astype(np.float64), y.numpy()
    with np.errstate(all="ignore"):
        if targets.kind == REGRESSION:
            return _of_numbers(out, wanted)
        if targets.kind == CLASSES:
            return _of_classes(out, wanted, takes)
        return _of_truths(out, wanted, takes, targets.kind)


def _of_numbers(out: Any, y: Any) -> Quality | None:
    if out.shape != y.shape or not out.size:
        return None
    y = y.astype(np.float64)
    scale = max(float(np.abs(y).max()), 1e-300)
    rest, total = float(np.mean(((y - out) / scale) ** 2)), float(np.mean(((y - y.mean(axis=0)) / scale) ** 2))
    return Quality(1 - rest / total if total > 0 and math.isfinite(rest) else math.nan)


def _of_classes(out: Any, y: Any, takes: str | None) -> Quality | None:
    if out.ndim != 2 or out.shape[1] < 2:
        return None
    numbers = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1).astype(np.int64)
    width = out.shape[1]
    if numbers.min() < 0 or numbers.max() >= width or len(numbers) != len(out):
        return None
    shares = np.bincount(numbers, minlength=width) / len(numbers)
    entropy = -float(sum(s * math.log(s) for s in shares if s > 0))
    right, usual = float((out.argmax(axis=1) == numbers).mean()), float(shares.max())
    if not np.isfinite(out).all():
        return Quality(math.nan, right, usual)
    logs = _logs(out, takes)
    loss = math.nan if logs is None else -float(np.clip(logs[np.arange(len(out)), numbers], -40, 0).mean())
    return Quality(1 - loss / entropy if entropy else math.nan, right, usual)


def _logs(out: Any, takes: str | None) -> Any:
    """The logarithms of the probabilities of the classes."""
    if takes in (LOGITS, LOGARITHMS):
        out = out - out.max(axis=1, keepdims=True)
        return out - np.log(np.exp(out).sum(axis=1, keepdims=True))
    if takes in (PROBABILITIES, VALUES):
        p = np.clip(out, LEAST, None)
        return np.log(p / p.sum(axis=1, keepdims=True))
    return None


def _of_truths(out: Any, y: Any, takes: str | None, kind: str) -> Quality | None:
    y = y.astype(np.float64)
    if out.shape != y.shape:
        if out.size != y.size or kind != BINARY:
            return None
        out = out.reshape(y.shape)
    p = 1 / (1 + np.exp(-out)) if takes == LOGITS else out
    means = y.mean(axis=0, keepdims=True)
    usual = float(np.maximum(means, 1 - means).mean())
    right = float(((p > 0.5) == (y > 0.5)).mean())
    if not np.isfinite(out).all() or takes is None:
        return Quality(math.nan, right, usual)
    if takes == VALUES:
        rest, total = float(np.mean((y - out) ** 2)), float(np.mean((y - means) ** 2))
    else:
        p, means = np.clip(p, LEAST, 1 - LEAST), np.clip(means, LEAST, 1 - LEAST)
        rest, total = (-float(np.mean(y * np.log(q) + (1 - y) * np.log(1 - q))) for q in (p, means))
    return Quality(1 - rest / total if total > 0 else math.nan, right, usual)
