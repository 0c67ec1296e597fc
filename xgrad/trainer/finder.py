"""The learning-rate finder: train with rates that grow from step to step, and see where the loss falls fastest."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

from xgrad.trainer.batches import OnBackend, groups, mean_loss
from xgrad.trainer.snapshot import Snapshot
from xgrad.trainer.steps import Step, step_of
from xgrad.trainer.training import Training

NEIGHBOURS = 12  # a slope is that of a line through a twelfth of the steps on each side


class LRCurve:
    """The losses of steps with growing learning rates. `Trainer.find_lr` makes it.

    `lrs` and `losses` have a number for each step, `smoothed` the running mean of the losses, and `suggestion` is the rate at
    which they fall fastest over the logarithm of the rate; it is None where the loss never falls. It is usually a good rate for
    Adam, and a safe one for SGD.

    >>> from xgrad.trainer import LRCurve
    >>> LRCurve([0.01, 0.1, 1.0, 10.0], [4.0, 3.9, 2.0, 9.0], smooth=0.0).suggestion
    0.1

    Args:
        lrs: the learning rates, growing.
        losses: the loss of each step.
        smooth: the weight of the past in the running mean.

    Raises nothing.

    Smith 2015: https://arxiv.org/abs/1506.01186
    """

    def __init__(self, lrs: list[float], losses: list[float], smooth: float = 0.9) -> None:
        self.lrs, self.losses = lrs, losses
        self.smoothed = smoothed(losses, smooth)
        self.suggestion = steepest(lrs, losses)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the losses over the rates, and the suggestion. Returns the figure; writes it to `path` if that is given.

        Raises ImportError without matplotlib: `pip install "xgrad[fit]"`.
        """
        from xgrad.trainer.curves import draw_lr_curve

        return draw_lr_curve(self, path)

    def __repr__(self) -> str:
        found = "no rate" if self.suggestion is None else f"{self.suggestion:.3g}"
        return f"<LRCurve: {len(self.lrs)} steps; suggestion: {found}>"


def find_lr(
    trainer: Training, loader: Any, start: float, end: float, steps: int, smooth: float, stop_at: float
) -> LRCurve:
    """Take the steps, and put everything back."""
    if not 0 < start < end < math.inf:
        raise ValueError(f"find_lr: start and end must be finite, with 0 < start < end, got {start!r} and {end!r}")
    if steps < 10 or not 0 <= smooth < 1 or not stop_at > 1:
        raise ValueError(
            f"find_lr: steps must be 10 or more, smooth in [0, 1), and stop_at above 1, got {steps}, {smooth}, {stop_at}"
        )
    optimizer, place = trainer.optimizer, OnBackend(trainer.model)
    kept = Snapshot(trainer.model, optimizer)
    of_scaler = trainer.scaler.state_dict()
    of_loader = loader.state_dict() if hasattr(loader, "state_dict") else None
    step = step_of(trainer, wants_outputs=False, compiled=False)
    step.checks = True
    lrs: list[float] = []
    losses: list[float] = []
    rates = [group.get("lr", 1.0) for group in optimizer.param_groups]
    try:
        trainer.model.train()
        batches = groups(_endless(loader), trainer.accumulate)
        for i in range(steps):
            lr = start * (end / start) ** (i / (steps - 1))
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = lr * (rate / rates[0] if rates[0] else 1.0)
            group_of_batches = [place(batch) for batch in next(batches)]
            if not _taken(step, group_of_batches):
                break
            loss = mean_loss([loss.detach() for loss in step.losses], group_of_batches).item()
            lrs.append(lr)
            losses.append(loss)
            means = smoothed(losses, smooth)
            if means[-1] - min(means) > (stop_at - 1) * abs(min(means)):  # which may be negative
                break
    finally:
        kept.restore()
        trainer.scaler.load_state_dict(of_scaler)
        if of_loader is not None:
            loader.load_state_dict(of_loader)
    return LRCurve(lrs, losses, smooth)


def _taken(step: Step, batches: list[Any]) -> bool:
    """Take a step. Where losses are scaled, gradients may overflow, and NumPy need not warn of it."""
    with warnings.catch_warnings():
        if step.scaler.is_enabled():
            warnings.simplefilter("ignore", RuntimeWarning)
        return step.take(batches)


def smoothed(losses: list[float], smooth: float) -> list[float]:
    """The running mean of the losses, corrected for its start at 0, as Adam corrects its moments."""
    mean, found = 0.0, []
    for i, loss in enumerate(losses, 1):
        mean = smooth * mean + (1 - smooth) * loss
        found.append(mean / (1 - smooth**i))
    return found


def steepest(lrs: list[float], losses: list[float]) -> float | None:
    """The rate at which the losses fall fastest over the logarithm of the rate, before their minimum; None if they do not fall.

    Slopes and minimum are those of lines through several neighbours on both sides, because the losses of batches scatter. (A
    running mean would lag behind the losses, and so suggest too large a rate.)
    """
    if len(lrs) < 3:
        return None
    width = max(1, len(lrs) // NEIGHBOURS)
    fits = []
    for i in range(width, len(lrs) - width):
        near = range(i - width, i + width + 1)
        mean = sum(losses[j] for j in near) / len(near)
        slope = sum((j - i) * losses[j] for j in near) / sum((j - i) ** 2 for j in near)
        fits.append((mean, slope, lrs[i]))
    lowest = min(range(len(fits)), key=lambda k: fits[k][0])
    _, slope, lr = min(fits[: lowest + 1], key=lambda fit: fit[1])
    return lr if slope < 0 else None


def _endless(loader: Any) -> Any:
    """The batches of the loader, again and again. ValueError if it has none."""
    while True:
        count = 0
        for batch in loader:
            count += 1
            yield batch
        if not count:
            raise ValueError("find_lr: the data gave no batches")
