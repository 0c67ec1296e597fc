"""NOT_SHUFFLED: the batches come in the order of the samples, and the samples in the order of their targets."""

from __future__ import annotations

from typing import Any

from xgrad.backends.host import library as np
from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.gradients import Gradients
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.targets import BINARY, CLASSES

SEEN = 4  # batches that must be rows of x in a row
SORTED = 0.7  # the mean entropy of the classes within a batch, as a share of that of all samples
APART = 6.0  # the variance of the means of batches, as a multiple of that of random ones


class NotShuffled(DiagnosticRule):
    name = "NOT_SHUFFLED"
    severity = WARNING
    needs = ("x", "y")

    def __init__(self) -> None:
        self.runs = 0  # batches that were rows of x in a row
        self.done = False

    def update(self, run: Run, step: int, gradients: Gradients) -> Findings:
        if self.done or run.batch is None or len(run.batch) != 1 or run.x is None:
            return
        size = run.batch[0].shape[0] if run.batch[0].ndim else 0
        if not 1 < size <= run.x.shape[0] / 2 or not _are_neighbours(run.batch[0], run.x):
            self.done = True  # a batch of one's own drawing
            return
        self.runs += 1
        if self.runs < SEEN:
            return
        self.done = True
        found = _within(run, size)
        if found is not None:
            says, evidence = found
            fix = "draw the samples of each epoch in a new random order: data.DataLoader(..., shuffle=True)"
            yield self.finding(0, "the batches", says, evidence, fix)


def _are_neighbours(batch: Any, x: Any) -> bool:
    """Whether the rows of the batch stand in x one after the other."""
    if batch.shape[1:] != x.shape[1:] or batch.dtype != x.dtype:
        return False
    batch, x = batch.numpy(), x.numpy()
    places = np.flatnonzero((x == batch[0]).reshape(len(x), -1).all(axis=1))
    return any(np.array_equal(x[place : place + len(batch)], batch) for place in places[:8])


def _within(run: Run, size: int) -> tuple[str, dict[str, Any]] | None:
    """What shows that y is in an order, for batches of neighbours."""
    targets, y = run.targets, run.y.numpy()
    count = len(y) // size
    if targets.kind in (CLASSES, BINARY) and targets.shares:
        numbers = targets.numbers[: count * size].reshape(count, size)
        within = float(np.mean([_entropy(np.bincount(row) / size) for row in numbers]))
        whole = targets.entropy
        random = whole - (len(targets.shares) - 1) / (2 * size)  # entropy of few samples is too low by about this
        if whole > 0 and within < SORTED * max(random, 0.1 * whole):
            says = (
                f"the batches are consecutive rows of x, and the rows are sorted by class: a batch has {np.exp(within):.1f} "
                "classes of "
                f"{np.exp(whole):.1f} (effective numbers), so that each step forgets the other classes"
            )
            return says, {"entropy_of_batches": within, "entropy": whole}
        return None
    values = y.reshape(len(y), -1)[: count * size].astype(float)
    if targets.kind in (CLASSES, BINARY) or count < SEEN or not np.isfinite(values).all() or values.std() == 0:
        return None
    means = values.reshape(count, size, -1).mean(axis=1)
    ratio = float((means.var(axis=0) / np.maximum(values.var(axis=0), 1e-300)).mean() * size)
    if ratio > APART:
        says = (
            f"the batches are consecutive rows of x, and the rows are sorted: the means of their targets vary "
            f"{number(ratio)} times as "
            "much as those of random batches, so that the network follows the last ones"
        )
        return says, {"ratio": ratio}
    return None


def _entropy(shares: Any) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
