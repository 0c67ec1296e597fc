"""Checks that a training step copies nothing between host and device, and never waits.

Calls are counted in CuPy's own code (tests/support/cupy_traffic.py). The section `profile` counts the driver's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

import xgrad as xg
from bench.gpu.job import Job
from tests.support.cupy_traffic import counted
from tests.support.training import PAIRS, stepper
from tests.support.transfers import guarded, no_transfers

Step = Callable[[], None]


def steps() -> dict[str, Step]:
    """A training step with each loss and each optimizer, on the current backend."""
    return {f"{loss}, {name}": stepper(loss, name) for loss, name in PAIRS}


def counting(backend: Any) -> AbstractContextManager[Any]:
    if backend.name == "cupy":
        return counted()
    return no_transfers(backend) if backend.name == "strict" else guarded(backend)


def run(job: Job) -> None:
    rows = []
    with xg.use_backend(job.backend) as backend:
        for name, step in steps().items():
            for _ in range(2):  # the first steps compile kernels and allocate the optimizer's state
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
