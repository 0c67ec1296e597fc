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
    compiled: Callable[[xg.Tensor, xg.Tensor], xg.Tensor] | None = None,
) -> bool:
    """Take `steps` steps and return True. Return False if `asked` ends the training earlier.

    `compiled` takes the steps in which neither the recorder nor the watch looks at anything but the loss.
    """
    for step in range(steps):
        x, y = next_batch()
        if compiled is not None and not recorder.looks_at(step) and not watch.looks_at(step):
            watch.pause()
            loss = compiled(x, y)
            recorder.take(loss)
            watch.passed(loss)
            progress.step(loss)
            if asked() and step + 1 < steps:
                return False
            continue
        if compiled is not None:
            watch.resume()
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


def compiled_step(
    model: nn.Module, optimizer: xg.optim.Optimizer, loss_function: Callable[[xg.Tensor, xg.Tensor], xg.Tensor]
) -> Callable[[xg.Tensor, xg.Tensor], xg.Tensor]:
    """A step of training as a program. It returns the loss."""

    @xg.compile
    def program(x: xg.Tensor, y: xg.Tensor) -> xg.Tensor:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    def step(x: xg.Tensor, y: xg.Tensor) -> xg.Tensor:
        loss: xg.Tensor = program(x, y)
        if x.backend.defers:  # dask would otherwise compute each step again in the next one
            xg.persist(model, optimizer, loss)
        return loss

    return step


def batches(x: xg.Tensor, y: xg.Tensor, size: int | None, rng: Any) -> Callable[[], tuple[xg.Tensor, xg.Tensor]]:
    """A function that returns the points of the next step: all of them, or `size` drawn by `rng` with replacement."""
    if size is None:
        return lambda: (x, y)
    count = x.shape[0]

    def draw() -> tuple[xg.Tensor, xg.Tensor]:
        chosen = rng.integers(0, count, (size,))
        return xg.take(x, chosen, axis=0), xg.take(y, chosen, axis=0)

    return draw
