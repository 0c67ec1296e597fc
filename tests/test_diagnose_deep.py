"""The diagnosis of a deep network does work that grows with its depth, and not with the square of it."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.engine.watching import watching


def operations(depth: int) -> int:
    """How many operations three watched steps and the report take."""
    count = 0

    def seen(*args: Any) -> None:
        nonlocal count
        count += 1

    rng = xg.random.Generator(0)
    model = nn.Sequential(*(layer for _ in range(depth) for layer in (nn.Linear(2, 2, rng=rng), nn.Tanh())))
    x = rng.normal((8, 2))
    optimizer, loss_function = optim.SGD(model.parameters(), lr=0.01), nn.MSELoss()
    with watching(seen):
        watch = xg.diagnose.watch(model, optimizer, loss=loss_function, x=x, y=x * x)
        for _ in range(3):
            optimizer.zero_grad()
            loss = loss_function(model(x), x * x)
            loss.backward()
            optimizer.step()
            watch.step(loss)
        watch.report()
    return count


def test_the_work_is_in_proportion_to_the_depth():
    with xg.use_backend("numpy"):
        assert operations(160) < 2.5 * operations(80)
