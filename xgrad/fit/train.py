"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.diagnose import Watch
from xgrad.fit.progress import Progress
from xgrad.fit.recorder import Recorder


def train(
    model: nn.Module,
    optimizer: xg.optim.Optimizer,
    loss_function: Callable[[xg.Tensor, xg.Tensor], xg.Tensor],
    next_batch: Callable[[], tuple[xg.Tensor, xg.Tensor]],
    *,
    steps: int,
    recorder: Recorder,
    watch: Watch,
    progress: Progress,
    asked: Callable[[], bool],
) -> bool:
    """Take `steps` steps and return True. Return False if `asked` ends the training earlier."""
    for step in range(steps):
        x, y = next_batch()
        output = model(x)
        loss = loss_function(output, y)
        optimizer.zero_grad()
        loss.backward()
        xg.persist(model, loss, output)  # dask would otherwise compute them again for each use below
        recorder.step(step, loss, output)
        optimizer.step()
        watch.step(loss)
        progress.step(loss)
        if asked() and step + 1 < steps:
            return False
    return True


def batches(x: xg.Tensor, y: xg.Tensor, size: int | None, rng: Any) -> Callable[[], tuple[xg.Tensor, xg.Tensor]]:
    """A function that returns the points of the next step: all of them, or `size` drawn by `rng` with replacement."""
    if size is None:
        return lambda: (x, y)
    count = x.shape[0]

    def draw() -> tuple[xg.Tensor, xg.Tensor]:
        chosen = rng.integers(0, count, (size,))
        return xg.take(x, chosen, axis=0), xg.take(y, chosen, axis=0)

    return draw
