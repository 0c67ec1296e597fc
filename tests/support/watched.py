"""Trainings that are watched, for the tests of diagnostic rules: made-up data, a network, and a loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose import Finding, Report, Watch, watch


def blobs(classes: int = 3, count: int = 150, seed: int = 0, apart: float = 2.0) -> tuple[Any, Any]:
    """Points around the corners of a polygon, in float32, and the numbers of their corners."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(count) % classes
    angles = 2 * np.pi * numbers / classes
    x = apart * np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.4 * rng.normal(size=(count, 2))
    return x.astype(np.float32), numbers


def rows(numbers: Any, classes: int) -> Any:
    """The classes as rows with a single 1."""
    return np.eye(classes, dtype=np.float32)[numbers]


def curve(count: int = 128) -> tuple[Any, Any]:
    """Points of a sine, standardised."""
    x = np.linspace(-1.7, 1.7, count, dtype=np.float32)[:, None]
    return x, (1.4 * np.sin(2 * x)).astype(np.float32)


def network(*sizes: int, hidden: Any = nn.ReLU, end: Any = None, seed: int = 0) -> nn.Sequential:
    """Linear layers of these sizes in float32, with an activation between them (None: without) and at the end."""
    rng = xg.random.Generator(seed)
    layers: list[nn.Module] = []
    for one, other in pairwise(sizes):
        layers += [nn.Linear(one, other, dtype=xg.float32, rng=rng), *([] if hidden is None else [hidden()])]
    if hidden is not None:
        layers.pop()
    return nn.Sequential(*layers, *([] if end is None else [end]))


def trained(
    model: nn.Module, optimizer: optim.Optimizer, loss: Any, x: Any, y: Any, steps: int, *, batch: int | None = None,
    shuffle: bool = True, **options: Any,
) -> Report:  # fmt: skip
    """The report on a training run, on all of x or on batches of it."""
    x, y = xg.asarray(x), xg.asarray(y)
    w = watch(model, optimizer, loss=loss, x=x, y=y, **options)
    return followed(w, model, optimizer, loss, _batches(x, y, steps, batch, shuffle))


def _batches(x: Any, y: Any, steps: int, batch: int | None, shuffle: bool) -> Iterator[tuple[Any, Any]]:
    rng, count, order = np.random.default_rng(0), x.shape[0], np.arange(x.shape[0])
    for step in range(steps):
        if batch is None:
            yield x, y
            continue
        per_epoch = count // batch
        if step % per_epoch == 0 and shuffle:
            order = rng.permutation(count)
        chosen = order[step % per_epoch * batch :][:batch]
        yield xg.asarray(x.numpy()[chosen]), xg.asarray(y.numpy()[chosen])


def followed(w: Watch, model: Any, optimizer: Any, loss: Any, batches: Iterable[tuple[Any, Any]]) -> Report:
    """The report of a watcher that is told of a step for each batch, and then closed."""
    for x, y in batches:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        w.step(value)
    report = w.report()
    w.close()
    return report


def named(report: Report, rule: str) -> list[Finding]:
    """What one rule has found."""
    return [finding for finding in report.findings if finding.rule == rule]
