"""A section of bench.gpu that succeeds."""

from __future__ import annotations

from bench.gpu.job import Job


def run(job: Job) -> None:
    job.table("Numbers", ["", "n"], [["one", "1"]])
    job.put(summary="one number")
