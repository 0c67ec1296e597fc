"""Checks that repeated runs under `xg.use_deterministic(True)` give the same bits, in one process and in another."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import Any

import numpy as np

import xgrad as xg
from bench.gpu.job import Job
from bench.runner import ROOT
from xgrad import nn, optim

STEPS = 20


def train(backend: str, steps: int = STEPS, words: int = 200, width: int = 32, batch: int = 512) -> str:
    """A hash of a network after training: an embedding (its gradient adds at repeated indices), matmuls and cross-entropy."""
    with xg.use_backend(backend):
        rng = xg.random.Generator(0)
        table = rng.normal((words, width), dtype=xg.float32)
        table.requires_grad = True
        model = nn.Sequential(
            nn.Linear(width, 256, dtype=xg.float32, rng=rng), nn.ReLU(), nn.Linear(256, 10, dtype=xg.float32, rng=rng)
        )
        chosen = rng.integers(0, words // 20, (batch,))  # each occurs about fifty times
        labels = rng.integers(0, 10, (batch,))
        params = [table, *model.parameters()]
        optimizer = optim.Adam(params, lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            h = xg.take(table, chosen, axis=0) + _gathered(table, chosen)
            nn.functional.cross_entropy(model(h), labels).backward()
            optimizer.step()
        return hashlib.sha256(b"".join(p.numpy().tobytes() for p in params)).hexdigest()


def _gathered(table: xg.Tensor, chosen: xg.Tensor) -> Any:
    """The same rows, read with `take_along_axis`."""
    width = table.shape[1]
    return xg.take_along_axis(table, xg.broadcast_to(chosen[:, None], (chosen.shape[0], width)), axis=0)


def added(backend: str, count: int = 200_000) -> bytes:
    """Sums of many float32 numbers at a few places, in which the order of additions changes the last bits."""
    with xg.use_backend(backend):
        host = np.random.default_rng(0)
        values = xg.asarray(host.standard_normal(count).astype(np.float32))
        places = xg.asarray(host.integers(0, 17, count))
        total: bytes = xg.at(xg.zeros((17,), dtype=xg.float32), places).add(values).numpy().tobytes()
        return total


def run(job: Job) -> None:
    small = {} if job.backend != "strict" else {"steps": 2, "words": 40, "width": 4, "batch": 16}
    count = 200_000 if job.backend != "strict" else 500
    rows = []
    for on in (True, False):
        with xg.use_deterministic(on):
            trained = {train(job.backend, **small) for _ in range(3)}
            sums = {added(job.backend, count) for _ in range(5)}
        rows.append([f"use_deterministic({on})", f"{len(trained)} of 3", f"{len(sums)} of 5"])
        if on:
            job.check(len(trained) == 1, f"three runs of a training gave {len(trained)} results")
            job.check(len(sums) == 1, f"five scatter-adds gave {len(sums)} results")
            elsewhere = in_another_process(job.backend, small)
            job.check(elsewhere == trained.copy().pop(), "a run in another process gave other bits")
    job.table("Different results of equal runs", ["", "training", "scatter-add"], rows)
    job.put(summary="; ".join(" / ".join(row) for row in rows))


def in_another_process(backend: str, small: dict[str, int]) -> str:
    code = (
        "import xgrad as xg; from bench.gpu.determinism import train; xg.use_deterministic(True); "
        f"print(train({backend!r}, **{small!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]
