"""Training a copy for a few steps with another setting, from the start or from where the run is, to see what a setting costs."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.diagnose.network import copy_of, copy_optimizer
from xgrad.diagnose.run import Run

STEPS = 40  # at most so many steps are tried


def tried(run: Run, *, from_start: bool, rate: float = 1.0, decay: float = 1.0, steps: int = STEPS) -> float:
    """The loss of the sample after some steps, with the learning rate and the weight decay times these factors.

    The batches are drawn at random and are as large as the run's. The random generators of the run do not move. It is nan where
    the run lacks the data, or where its optimizer cannot be copied; inf where the loss is not finite.
    """
    pairs = run.pairs()
    if pairs is None or run.loss is None or run.optimizer is None:
        return math.nan
    try:
        return _tried(run, pairs, from_start, rate, decay, steps)
    except (TypeError, ValueError, RuntimeError, NotImplementedError):  # such as an optimizer that needs a closure
        return math.nan


def _tried(run: Run, pairs: Any, from_start: bool, rate: float, decay: float, steps: int) -> float:
    model = copy_of(run.start if from_start else run.model)
    optimizer = copy_optimizer(run.optimizer, run.model, model)
    if not from_start:
        optimizer.load_state_dict(run.optimizer.state_dict())
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] * rate
        if decay != 1 and "weight_decay" in group:
            group["weight_decay"] = group["weight_decay"] * decay
    count = run.x.shape[0]
    size = min(count, run.batch[0].shape[0] if run.batch else count)
    rng, view = xg.random.Generator(0), run.x.backend.view
    for _ in range(steps):
        x, y = run.x, run.y
        if size < count:
            chosen = view.asarray(rng.host.integers(0, count, (size,)).tolist())
            x, y = view.take(x, chosen, axis=0), view.take(y, chosen, axis=0)
        optimizer.zero_grad()
        loss = run.loss(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    with xg.no_grad():
        found = float(run.loss(model(pairs[0]), pairs[1]).item())
    return found if math.isfinite(found) else math.inf
