"""What a training step moves between host and device, and how often it waits: nothing, and never.

Counted where CuPy's own code passes (tests/cupy_traffic.py). The section `profile` asks the driver instead.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

import xgrad as xg
from bench.gpu.job import Job
from tests.cupy_traffic import counted
from tests.test_transfers import LOSSES, OPTIMIZERS, network
from tests.transfers import guarded, no_transfers


def steps(backend: Any) -> dict[str, Any]:
    """A training step with each loss and each optimizer, as functions without arguments."""
    made = {}
    x = xg.asarray(np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3))
    labels = xg.asarray(np.asarray([0, 1, 1, 0]))
    losses = LOSSES | {"cross_entropy": lambda y, x: xg.nn.functional.cross_entropy(y, labels)}
    pairs = [*((loss, "SGD") for loss in losses), *(("mse_loss", name) for name in OPTIMIZERS)]
    for loss, name in pairs:
        model = network()
        optimizer = getattr(xg.optim, name)(model.parameters(), **OPTIMIZERS[name])

        def step(model: Any = model, optimizer: Any = optimizer, loss: Any = losses[loss]) -> None:
            optimizer.zero_grad()
            loss(model(x), x).backward()
            xg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

        made[f"{loss}, {name}"] = step
    return made


def counting(backend: Any) -> AbstractContextManager[Any]:
    if backend.name == "cupy":
        return counted()
    return no_transfers(backend) if backend.name == "strict" else guarded(backend)


def run(job: Job) -> None:
    rows = []
    with xg.use_backend(job.backend) as backend:
        for name, step in steps(backend).items():
            for _ in range(2):  # kernels are compiled, and states made
                step()
            with counting(backend) as traffic:
                step()
            rows.append([name, str(len(traffic.seen)), ", ".join(sorted(set(traffic.seen)))])
            job.check(not traffic.seen, f"{name}: {', '.join(traffic.seen)}")
        job.table("Transfers and waits in a training step", ["step", "how many", "which"], rows)
        x = xg.asarray(np.ones(3))
        if backend.name == "cupy":
            with counted() as traffic:
                float(xg.sum(x))
            job.check(bool(traffic.seen), "the counter did not see float()")
    job.put(summary=f"{sum(int(row[1]) for row in rows)} in {len(rows)} steps")
