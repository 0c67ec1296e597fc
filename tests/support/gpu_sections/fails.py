"""A section of bench.gpu in which a check fails."""

from __future__ import annotations

from bench.gpu.job import Job


def run(job: Job) -> None:
    job.check(1 + 1 == 3, "one and one is two")
    job.put(summary="went on to the end")
